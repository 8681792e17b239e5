import ImageFilters
import ImagingCore

/// The patient's outer surface, as a CT scan shows it without a mask.
public enum BodySurface {
    /// Half-way between air and soft tissue; frozen tissue is far above.
    private static let edgeHU: Float = -500
    /// A sharp edge between air and tissue rises by about this much per millimetre.
    private static let slopeHUPerMM: Float = 500
    /// Values beyond are not kept: only the surface matters.
    private static let clipMM: Float = 2
    /// Coarse cells tell the body from what surrounds it to within this.
    private static let cellMM = 6.0

    /// What surrounds the patient, as a level set that is positive outside the body, on the part of the scan around `points`.
    ///
    /// The surface is where the scan's values cross half-way between air and tissue; millimetres only close to it. Where the part ends the
    /// surface is closed, behind the skin as seen from the points. A table that the patient
    /// lies on counts as body where it touches within millimetres.
    /// - Parameter marginMM: how far around the points to look; the surface is known out to there.
    /// - Returns: `nil` when the scan shows no body, or nothing but body there.
    public static func outside(of scan: ScanVolume, around points: some Sequence<PatientPoint>, marginMM: Double) -> LevelSet? {
        let depth = BodyDepth(of: scan)
        guard !depth.isEmpty, let box = scan.geometry.indexRanges(around: points, marginMM: marginMM) else { return nil }
        let grid = scan.geometry.cropped(box.i, box.j, box.k)
        let values = scan.floats(in: box.i, box.j, box.k)
        let body = Self.body(in: values, on: grid, depth).largestComponent(.six)
        guard !body.isEmpty, body.count < grid.size.voxelCount else { return nil }
        let field = Volume<Float>(geometry: grid) { target in
            values.withUnsafeVoxels { values in
                body.withUnsafeVoxels { body in
                    forEachSlab(of: target.count, slab: 1 << 16) { range in
                        for offset in range {
                            let value = (Self.edgeHU - values[offset]) / Self.slopeHUPerMM
                            // Gas inside the body is no outside, and what is dense beside it is no body.
                            target[offset] = body[offset] != 0 ? min(-0.01, max(-Self.clipMM, value)) : max(0.01, min(Self.clipMM, value))
                        }
                    }
                }
            }
        }
        return LevelSet(field: field)
    }

    /// Voxels deep in the body, and dense ones near it.
    private static func body(in values: Volume<Float>, on grid: GridGeometry, _ depth: BodyDepth) -> Mask {
        let size = grid.size
        let around = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)].map { grid.axes.vector(SIMD3(Double($0.0), Double($0.1), 0) * cellMM) }
        return Mask(geometry: grid) { target in
            values.withUnsafeVoxels { values in
                forEachSlab(of: size.k, slab: 1) { slices in
                    for offset in slices.lowerBound * size.sliceVoxelCount..<slices.upperBound * size.sliceVoxelCount {
                        let point = grid.point(size.index(atOffset: offset))
                        let isDeep = depth.millimetres(at: point) > Self.cellMM
                        let isNear = isDeep || (values[offset] > Self.edgeHU && around.contains { depth.millimetres(at: point + $0) > 0 })
                        target[offset] = isNear ? 1 : 0
                    }
                }
            }
        }
    }
}
