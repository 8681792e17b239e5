/// Where the voxels of a grid lie in patient space: LPS millimetres, right angles, voxel centres at integer indices.
///
/// A value of this type is valid: counts at least 1, spacing positive, origin finite, axes orthonormal.
public struct GridGeometry: Hashable, Sendable {
    /// The largest grid that is accepted (2³¹ voxels), so that a number from a file cannot exhaust the machine.
    public static let maximumVoxelCount = 1 << 31
    /// Two grids are the same when no voxel centre differs by more than this share of the smallest spacing.
    public static let sameGridTolerance = 1e-3

    public let size: GridSize
    /// The distance in millimetres between neighbouring voxel centres along `i`, `j` and `k`.
    public let spacing: SIMD3<Double>
    /// The centre of voxel (0, 0, 0).
    public let origin: PatientPoint
    public let axes: PatientAxes
    /// The DICOM Frame of Reference UID; `nil` when the source has none (NIfTI).
    public let frameOfReferenceUID: String?

    public init(
        size: GridSize, spacing: SIMD3<Double>, origin: PatientPoint, axes: PatientAxes = .identity,
        frameOfReferenceUID: String? = nil
    ) throws(GeometryError) {
        guard min(size.i, size.j, size.k) >= 1 else { throw .sizeNotPositive(size) }
        let (ij, overflow1) = size.i.multipliedReportingOverflow(by: size.j)
        let (ijk, overflow2) = ij.multipliedReportingOverflow(by: size.k)
        guard !overflow1, !overflow2, ijk <= Self.maximumVoxelCount else { throw .sizeTooLarge(size) }
        guard spacing.min() > 0, spacing.sum().isFinite else { throw .spacingNotPositive(spacing) }
        guard origin.lps.sum().isFinite else { throw .originNotFinite(origin.lps) }
        self.size = size
        self.spacing = spacing
        self.origin = origin
        self.axes = axes
        self.frameOfReferenceUID = frameOfReferenceUID
    }

    /// Millimetres cubed.
    public var voxelVolume: Double { spacing.x * spacing.y * spacing.z }

    /// The place of a position on the grid, which may lie beyond its edge.
    public func point(_ index: ContinuousIndex) -> PatientPoint { origin + axes.vector(index.ijk * spacing) }
    /// The centre of a voxel.
    public func point(_ index: VoxelIndex) -> PatientPoint { point(ContinuousIndex(index)) }
    /// The position on the grid of a point, whether or not it lies within.
    public func continuousIndex(_ point: PatientPoint) -> ContinuousIndex {
        ContinuousIndex(axes.components(of: point - origin) / spacing)
    }
    /// Whether a point lies in the cell of some voxel.
    public func contains(_ point: PatientPoint) -> Bool {
        let ijk = continuousIndex(point).ijk
        return ijk.min() >= -0.5 && ijk.x <= Double(size.i) - 0.5 && ijk.y <= Double(size.j) - 0.5 && ijk.z <= Double(size.k) - 0.5
    }
    /// The centre of the whole grid.
    public var center: PatientPoint {
        point(ContinuousIndex(Double(size.i - 1) / 2, Double(size.j - 1) / 2, Double(size.k - 1) / 2))
    }
    /// The eight corner voxel centres.
    public var cornerPoints: [PatientPoint] {
        [0, size.k - 1].flatMap { k in [0, size.j - 1].flatMap { j in [0, size.i - 1].map { i in point(VoxelIndex(i, j, k)) } } }
    }

    /// The map from continuous index to LPS millimetres.
    public var indexToPatient: AffineTransform {
        AffineTransform(
            matrix: Matrix3(columns: spacing.x * axes.i.lps, spacing.y * axes.j.lps, spacing.z * axes.k.lps),
            translation: PatientVector(origin.lps))
    }

    /// The same grid in another frame of reference.
    public func with(frameOfReferenceUID: String?) -> GridGeometry {
        GridGeometry(unchecked: size, spacing: spacing, origin: origin, axes: axes, frameOfReferenceUID: frameOfReferenceUID)
    }
    /// The part of the grid in the given index ranges, which must not be empty and must lie within it.
    public func cropped(_ i: Range<Int>, _ j: Range<Int>, _ k: Range<Int>) -> GridGeometry {
        precondition(!i.isEmpty && !j.isEmpty && !k.isEmpty, "empty crop")
        precondition(size.contains(VoxelIndex(i.lowerBound, j.lowerBound, k.lowerBound)))
        precondition(size.contains(VoxelIndex(i.upperBound - 1, j.upperBound - 1, k.upperBound - 1)))
        return GridGeometry(
            unchecked: GridSize(i.count, j.count, k.count), spacing: spacing,
            origin: point(VoxelIndex(i.lowerBound, j.lowerBound, k.lowerBound)), axes: axes, frameOfReferenceUID: frameOfReferenceUID)
    }
    /// The smallest index ranges whose voxel cells hold all `points` and `marginMM` around them; `nil` when that misses the grid.
    public func indexRanges(
        around points: some Sequence<PatientPoint>, marginMM: Double
    ) -> (i: Range<Int>, j: Range<Int>, k: Range<Int>)? {
        var low = SIMD3<Double>(repeating: .infinity), high = SIMD3<Double>(repeating: -.infinity)
        for point in points {
            let ijk = continuousIndex(point).ijk
            low = pointwiseMin(low, ijk)
            high = pointwiseMax(high, ijk)
        }
        low = (low - marginMM / spacing).rounded(.down)
        high = (high + marginMM / spacing).rounded(.up)
        func range(_ low: Double, _ high: Double, _ count: Int) -> Range<Int>? {
            guard low <= Double(count - 1), high >= 0 else { return nil }
            return Int(max(low, 0))..<Int(min(high, Double(count - 1))) + 1
        }
        guard let i = range(low.x, high.x, size.i), let j = range(low.y, high.y, size.j), let k = range(low.z, high.z, size.k) else {
            return nil
        }
        return (i, j, k)
    }

    /// Checks that `other` has the same voxels in the same frame of reference.
    public func requireSameGrid(as other: GridGeometry) throws(GeometryError) {
        try requireSameFrame(as: other)
        guard size == other.size else {
            throw .gridsDiffer("\(size.i) × \(size.j) × \(size.k) voxels against \(other.size.i) × \(other.size.j) × \(other.size.k)")
        }
        let largest = zip(cornerPoints, other.cornerPoints).map { $0.distance(to: $1) }.max()!
        guard largest <= Self.sameGridTolerance * min(
            spacing.min(), other.spacing.min()
        ) * Double(max(size.i, size.j, size.k, 1)).squareRoot() else {
            throw .gridsDiffer("corner voxels lie \(largest) mm apart")
        }
    }
    /// Checks that `other` lies in the same frame of reference. A grid without one (NIfTI) is taken to lie in the other's.
    public func requireSameFrame(as other: GridGeometry) throws(GeometryError) {
        guard let a = frameOfReferenceUID, let b = other.frameOfReferenceUID else { return }
        guard a == b else { throw .framesOfReferenceDiffer(a, b) }
    }

    private init(unchecked size: GridSize, spacing: SIMD3<Double>, origin: PatientPoint, axes: PatientAxes, frameOfReferenceUID: String?) {
        self.size = size
        self.spacing = spacing
        self.origin = origin
        self.axes = axes
        self.frameOfReferenceUID = frameOfReferenceUID
    }
}
