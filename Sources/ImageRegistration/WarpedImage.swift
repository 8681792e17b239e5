import ImagingCore

/// A moving image that is read wherever a transform of the fixed grid leads.
struct MovingImage: Sendable {
    let geometry: GridGeometry
    /// Value and weight of each voxel.
    private let voxels: [SIMD2<Float>]

    init(_ image: RegistrationImage) {
        geometry = image.geometry
        voxels = image.values.withUnsafeVoxels { values in
            image.weights.withUnsafeVoxels { weights in values.indices.map { SIMD2(values[$0], weights[$0]) } }
        }
    }

    /// Value and weight at the voxels of `grid`, displaced by `displacements` (along the grid's axes, in its voxels) and brought to the
    /// moving image's frame by `transform`; linear between voxel centres, weight 0 where the image does not reach.
    func warp(
        onto grid: GridGeometry, through transform: AffineTransform, displacements: UnsafePointer<SIMD4<Float>>? = nil,
        to warped: UnsafeMutablePointer<SIMD2<Float>>
    ) {
        let toIndex = grid.indexToPatient.followed(by: transform).followed(by: geometry.indexToPatient.inverse!)
        let columns = toIndex.matrix.columns
        let (a, b, c) = (SIMD3<Float>(columns.0), SIMD3<Float>(columns.1), SIMD3<Float>(columns.2))
        let (size, target) = (geometry.size, grid.size)
        let last = SIMD3<Float>(Float(size.i - 1), Float(size.j - 1), Float(size.k - 1))
        let (rowPitch, slicePitch) = (size.i, size.i * size.j)
        nonisolated(unsafe) let warped = warped, displacements = displacements  // Rows are written by one thread each.
        voxels.withUnsafeBufferPointer { voxels in
            nonisolated(unsafe) let source = voxels.baseAddress!
            forEachSlab(of: target.j * target.k, slab: 32) { rows in
                for row in rows {
                    let start = SIMD3<Float>(toIndex(PatientPoint(0, Double(row % target.j), Double(row / target.j))).lps)
                    let output = warped + row &* target.i
                    for i in 0..<target.i {
                        var index = start + Float(i) * a
                        if let displacements {
                            let d = displacements[row &* target.i &+ i]
                            index += d.x * a + d.y * b + d.z * c
                        }
                        guard index.x >= 0, index.y >= 0, index.z >= 0, index.x < last.x, index.y < last.y, index.z < last.z else {
                            output[i] = .zero
                            continue
                        }
                        let x = Int(index.x), y = Int(index.y), z = Int(index.z)
                        let f = index - SIMD3(Float(x), Float(y), Float(z))
                        let p = source + (x &+ y &* rowPitch &+ z &* slicePitch)
                        let q = p + slicePitch
                        let p0 = p[0] + f.x * (p[1] - p[0]), p1 = p[rowPitch] + f.x * (p[rowPitch &+ 1] - p[rowPitch])
                        let q0 = q[0] + f.x * (q[1] - q[0]), q1 = q[rowPitch] + f.x * (q[rowPitch &+ 1] - q[rowPitch])
                        let front = p0 + f.y * (p1 - p0), back = q0 + f.y * (q1 - q0)
                        output[i] = front + f.z * (back - front)
                    }
                }
            }
        }
    }
}
