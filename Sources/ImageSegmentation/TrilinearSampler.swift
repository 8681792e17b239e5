import ImagingCore

/// Trilinear interpolation at positions in voxels; positions outside the grid take its border's values.
struct TrilinearSampler {
    let voxels: UnsafePointer<Float>
    let strideJ: Int, strideK: Int
    let last: SIMD3<Float>
    let lastCell: SIMD3<Int32>

    init(_ voxels: UnsafeBufferPointer<Float>, size: GridSize) {
        self.voxels = voxels.baseAddress!
        strideJ = size.i
        strideK = size.i * size.j
        last = SIMD3(Float(size.i - 1), Float(size.j - 1), Float(size.k - 1))
        lastCell = SIMD3(Int32(max(size.i - 2, 0)), Int32(max(size.j - 2, 0)), Int32(max(size.k - 2, 0)))
    }

    @inline(__always)
    func callAsFunction(_ position: SIMD3<Float>) -> Float {
        // Number by number: of vectors the standard library makes a call for each of these.
        let x = max(min(position.x, last.x), 0), y = max(min(position.y, last.y), 0), z = max(min(position.z, last.z), 0)
        let cellX = min(Int32(x), lastCell.x), cellY = min(Int32(y), lastCell.y), cellZ = min(Int32(z), lastCell.z)
        let f = (x: x - Float(cellX), y: y - Float(cellY), z: z - Float(cellZ))
        let base = voxels + (Int(cellX) &+ Int(cellY) &* strideJ &+ Int(cellZ) &* strideK)
        let di = last.x > 0 ? 1 : 0, dj = last.y > 0 ? strideJ : 0, dk = last.z > 0 ? strideK : 0
        @inline(__always) func row(_ p: UnsafePointer<Float>) -> Float { p[0] + f.x * (p[di] - p[0]) }
        @inline(__always) func plane(_ p: UnsafePointer<Float>) -> Float {
            let low = row(p)
            return low + f.y * (row(p + dj) - low)
        }
        let low = plane(base)
        // Lines within a slice need no other.
        guard f.z != 0 else { return low }
        return low + f.z * (plane(base + dk) - low)
    }
}
