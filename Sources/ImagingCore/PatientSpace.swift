/// A point in DICOM patient space: millimetres along Left, Posterior and Superior (LPS).
public struct PatientPoint: Hashable, Sendable, Codable {
    public var lps: SIMD3<Double>

    public init(_ lps: SIMD3<Double>) { self.lps = lps }
    public init(_ left: Double, _ posterior: Double, _ superior: Double) { lps = SIMD3(left, posterior, superior) }

    public static func + (point: PatientPoint, offset: PatientVector) -> PatientPoint { PatientPoint(point.lps + offset.lps) }
    public static func - (point: PatientPoint, offset: PatientVector) -> PatientPoint { PatientPoint(point.lps - offset.lps) }
    public static func - (end: PatientPoint, start: PatientPoint) -> PatientVector { PatientVector(end.lps - start.lps) }

    /// The Euclidean distance to `other` in millimetres.
    public func distance(to other: PatientPoint) -> Double { (other - self).length }

    public init(from decoder: any Decoder) throws { lps = try decoder.singleValueContainer().decode(SIMD3<Double>.self) }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(lps)
    }
}

/// A displacement in patient space: millimetres along Left, Posterior and Superior.
public struct PatientVector: Hashable, Sendable {
    public var lps: SIMD3<Double>

    public init(_ lps: SIMD3<Double>) { self.lps = lps }
    public init(_ left: Double, _ posterior: Double, _ superior: Double) { lps = SIMD3(left, posterior, superior) }

    public static let zero = PatientVector(0, 0, 0)

    /// Millimetres.
    public var length: Double { dot(self).squareRoot() }
    /// The vector of length 1 in this direction; `nil` when the vector is zero or not finite.
    public var normalized: PatientVector? {
        let length = length
        return length > 0 && length.isFinite ? PatientVector(lps / length) : nil
    }

    /// Square millimetres.
    public func dot(_ other: PatientVector) -> Double { (lps * other.lps).sum() }
    /// At right angles to both, by the right-hand rule; square millimetres.
    public func cross(_ other: PatientVector) -> PatientVector {
        let (a, b) = (lps, other.lps)
        return PatientVector(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
    }

    public static func + (a: PatientVector, b: PatientVector) -> PatientVector { PatientVector(a.lps + b.lps) }
    public static func - (a: PatientVector, b: PatientVector) -> PatientVector { PatientVector(a.lps - b.lps) }
    public static prefix func - (a: PatientVector) -> PatientVector { PatientVector(-a.lps) }
    public static func * (factor: Double, a: PatientVector) -> PatientVector { PatientVector(factor * a.lps) }
}

/// A voxel of a grid: `i` counts columns, `j` rows, `k` slices, each from 0.
public struct VoxelIndex: Hashable, Sendable {
    public var i, j, k: Int
    public init(_ i: Int, _ j: Int, _ k: Int) { (self.i, self.j, self.k) = (i, j, k) }
}

/// A position on a grid in voxels: integers are voxel centres, so the grid's edge is at −0.5.
public struct ContinuousIndex: Hashable, Sendable {
    public var ijk: SIMD3<Double>
    public init(_ ijk: SIMD3<Double>) { self.ijk = ijk }
    public init(_ i: Double, _ j: Double, _ k: Double) { ijk = SIMD3(i, j, k) }
    public init(_ index: VoxelIndex) { ijk = SIMD3(Double(index.i), Double(index.j), Double(index.k)) }

    /// The voxel whose cell holds this position.
    public var nearest: VoxelIndex {
        let r = ijk.rounded(.toNearestOrAwayFromZero)
        return VoxelIndex(Int(r.x), Int(r.y), Int(r.z))
    }
}

/// The number of columns (`i`), rows (`j`) and slices (`k`) of a grid.
public struct GridSize: Hashable, Sendable {
    public let i, j, k: Int
    public init(_ i: Int, _ j: Int, _ k: Int) { (self.i, self.j, self.k) = (i, j, k) }

    @inlinable public var voxelCount: Int { i * j * k }
    public var sliceVoxelCount: Int { i * j }
    @inlinable public func contains(_ index: VoxelIndex) -> Bool {
        (0..<i).contains(index.i) && (0..<j).contains(index.j) && (0..<k).contains(index.k)
    }
    /// The offset of a voxel in storage: columns run fastest, then rows, then slices.
    @inlinable public func offset(_ index: VoxelIndex) -> Int { index.i &+ i &* (index.j &+ j &* index.k) }
    /// The voxel at an offset in storage.
    public func index(atOffset offset: Int) -> VoxelIndex {
        VoxelIndex(offset % i, (offset / i) % j, offset / (i * j))
    }
}
