import ImagingCore

extension Volume<Float> {
    /// The values of two volumes on one grid, combined voxel by voxel.
    @inline(__always)
    func combined(with other: Volume<Float>, _ combine: (Float, Float) -> Float) -> Volume<Float> {
        precondition(size == other.size)
        return withUnsafeVoxels { a in
            other.withUnsafeVoxels { b in
                Volume<Float>(geometry: geometry) { target in
                    for offset in 0..<a.count { target[offset] = combine(a[offset], b[offset]) }
                }
            }
        }
    }

    /// The values of three volumes on one grid, combined voxel by voxel.
    @inline(__always)
    func combined(with second: Volume<Float>, _ third: Volume<Float>, _ combine: (Float, Float, Float) -> Float) -> Volume<Float> {
        precondition(size == second.size && size == third.size)
        return withUnsafeVoxels { a in
            second.withUnsafeVoxels { b in
                third.withUnsafeVoxels { c in
                    Volume<Float>(geometry: geometry) { target in
                        for offset in 0..<a.count { target[offset] = combine(a[offset], b[offset], c[offset]) }
                    }
                }
            }
        }
    }

    /// Values held to −limit ... limit.
    func clamped(to limit: Float) -> Volume<Float> { mapped { (v: Float) -> Float in v > limit ? limit : (v < -limit ? -limit : v) } }
}
