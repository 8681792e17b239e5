import ImagingCore

/// Reads a level set between its voxel centres.
struct FieldSampler {
    let geometry: GridGeometry
    private let voxels: UnsafeBufferPointer<Float>

    /// `body` gets a sampler that must not outlive it.
    static func with<R>(_ levelSet: LevelSet, _ body: (FieldSampler) -> R) -> R {
        levelSet.field.withUnsafeVoxels { body(FieldSampler(geometry: levelSet.geometry, voxels: $0)) }
    }

    /// Whether a point lies inside the object; trilinear, outside beyond the grid's border.
    func isInside(_ point: PatientPoint) -> Bool { value(at: point) >= 0 }

    /// Trilinear; up to half a voxel beyond the outermost centres their value; `-infinity` farther out.
    func value(at point: PatientPoint) -> Double {
        let size = geometry.size
        let last = SIMD3(Double(size.i - 1), Double(size.j - 1), Double(size.k - 1))
        let index = geometry.continuousIndex(point).ijk
        guard index.min() >= -0.5, (last + 0.5 - index).min() >= 0 else { return -.infinity }
        let clamped = pointwiseMax(pointwiseMin(index, last), .zero)
        let low = pointwiseMax(pointwiseMin(clamped.rounded(.down), last - 1), .zero)
        let share = clamped - low
        let base = size.offset(VoxelIndex(Int(low.x), Int(low.y), Int(low.z)))
        let (di, dj, dk) = (size.i > 1 ? 1 : 0, size.j > 1 ? size.i : 0, size.k > 1 ? size.i * size.j : 0)
        func line(_ offset: Int) -> Double {
            let a = Double(voxels[offset]), b = Double(voxels[offset + di])
            return share.x == 0 ? a : a + share.x * (b - a)
        }
        func plane(_ offset: Int) -> Double {
            let a = line(offset), b = line(offset + dj)
            return share.y == 0 ? a : a + share.y * (b - a)
        }
        let a = plane(base), b = plane(base + dk)
        return share.z == 0 ? a : a + share.z * (b - a)
    }
}
