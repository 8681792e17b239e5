/// Why a grid, or a pair of grids, cannot be used.
public enum GeometryError: ReportableError, Hashable {
    case sizeNotPositive(GridSize)
    case sizeTooLarge(GridSize)
    case spacingNotPositive(SIMD3<Double>)
    case originNotFinite(SIMD3<Double>)
    case axisNotUnit(axis: String, length: Double)
    case axesNotOrthogonal(axes: String, dot: Double)
    case gridsDiffer(String)
    case framesOfReferenceDiffer(String?, String?)

    public var category: FailureCategory { .badData }

    public var finding: Finding {
        switch self {
        case .sizeNotPositive(let size):
            Finding(.error, "grid-size", "The grid is \(size.i) × \(size.j) × \(size.k) voxels; every count must be at least 1.",
                    remedy: "Check the file that gives the grid.")
        case .sizeTooLarge(let size):
            Finding(.error, "grid-size", "The grid of \(size.i) × \(size.j) × \(size.k) voxels exceeds the limit of \(GridGeometry.maximumVoxelCount) voxels.",
                    remedy: "Crop or resample the image before loading it.")
        case .spacingNotPositive(let spacing):
            Finding(.error, "grid-spacing", "The voxel spacing is \(spacing.x) × \(spacing.y) × \(spacing.z) mm; every spacing must be positive and finite.",
                    remedy: "Check the file that gives the grid.")
        case .originNotFinite(let origin):
            Finding(.error, "grid-origin", "The grid's origin (\(origin.x), \(origin.y), \(origin.z)) mm is not finite.",
                    remedy: "Check the file that gives the grid.")
        case .axisNotUnit(let axis, let length):
            Finding(.error, "grid-axes", "The direction of axis \(axis) has length \(length), expected 1.",
                    remedy: "Check the image orientation in the file.")
        case .axesNotOrthogonal(let axes, let dot):
            Finding(.error, "grid-axes", "Axes \(axes) are not at right angles (dot product \(dot), at most \(PatientAxes.tolerance) allowed).",
                    remedy: "Resample the image onto a grid with right angles.")
        case .gridsDiffer(let difference):
            Finding(.error, "grids-differ", "Two images that must share one grid do not: \(difference).",
                    remedy: "Resample one of them onto the other's grid.")
        case .framesOfReferenceDiffer(let a, let b):
            Finding(.error, "frames-differ", "The images lie in different frames of reference (\(a ?? "none") and \(b ?? "none")).",
                    remedy: "Register one image to the other first.")
        }
    }
}
