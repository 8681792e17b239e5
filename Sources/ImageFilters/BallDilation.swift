import ImagingCore

/// The voxels of a ball about a voxel, as rows along `i`; for dilation by balls of so few voxels that distances would take longer.
struct VoxelBall {
    /// A row of the ball: where it lies, and how far it reaches to either side.
    private let rows: [(j: Int, k: Int, reach: Int)]

    /// Beyond so many voxels the squared distances of `distanceField` are found faster.
    private static let mostVoxels = 64

    /// - Parameter squareMM: the square of the largest distance between the centres of a voxel and the ball's.
    /// - Returns: `nil` for a ball of many voxels.
    init?(squareMM: Double, spacing: SIMD3<Double>) {
        let reach = (SIMD3(repeating: squareMM.squareRoot()) / spacing).rounded(.down)
        guard reach.max() < Double(Self.mostVoxels) else { return nil }
        var rows: [(j: Int, k: Int, reach: Int)] = []
        for k in -Int(reach.z)...Int(reach.z) {
            for j in -Int(reach.y)...Int(reach.y) {
                let y = Double(j) * spacing.y, z = Double(k) * spacing.z, rest = squareMM - y * y - z * z
                if rest >= 0 { rows.append((j, k, Int(rest.squareRoot() / spacing.x))) }
            }
        }
        guard rows.reduce(0, { $0 + 2 * $1.reach + 1 }) <= Self.mostVoxels else { return nil }
        self.rows = rows
    }

    /// The voxels of the grid that lie in the ball about a voxel of `mask`.
    func dilated(_ mask: Mask) -> Mask {
        let size = mask.size
        return mask.withUnsafeVoxels { source in
            Mask(geometry: mask.geometry) { target in
                let source = source.baseAddress!, target = target.baseAddress!
                forEachSlab(of: size.k, slab: 1) { slices in
                    for k in slices {
                        for j in 0..<size.j {
                            let to = target + size.offset(VoxelIndex(0, j, k))
                            to.update(repeating: 0, count: size.i)
                            for row in rows where 0..<size.j ~= j + row.j && 0..<size.k ~= k + row.k {
                                let from = source + size.offset(VoxelIndex(0, j + row.j, k + row.k))
                                for shift in 0...min(row.reach, size.i - 1) {
                                    Self.join(from, to + shift, count: size.i - shift)
                                    if shift > 0 { Self.join(from + shift, to, count: size.i - shift) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func join(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, count: Int) {
        for i in 0..<count { target[i] |= source[i] }
    }
}
