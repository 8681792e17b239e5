import ImagingCore

/// Set operations on masks of one grid. Grids that differ are a programming error: resample first.
extension Mask {
    /// The voxels inside either mask.
    public func union(_ other: Mask) -> Mask { combined(with: other, .union) }
    /// The voxels inside both masks.
    public func intersection(_ other: Mask) -> Mask { combined(with: other, .intersection) }
    /// The voxels inside this mask but not inside `other`.
    public func subtracting(_ other: Mask) -> Mask { combined(with: other, .difference) }

    /// The voxels of the grid that are not inside.
    public var complement: Mask { Mask(voxels) { $0 == 0 } }

    private enum SetOperation { case union, intersection, difference }

    private func combined(with other: Mask, _ operation: SetOperation) -> Mask {
        precondition(size == other.size, "masks of different grids")
        return withUnsafeVoxels { a in
            other.withUnsafeVoxels { b in
                Mask(geometry: geometry) { target in
                    let a = a.baseAddress!, b = b.baseAddress!, target = target.baseAddress!
                    forEachSlab(of: size.voxelCount, slab: 1 << 18) { range in
                        switch operation {
                        case .union: for offset in range { target[offset] = a[offset] | b[offset] }
                        case .intersection: for offset in range { target[offset] = a[offset] & b[offset] }
                        case .difference: for offset in range { target[offset] = a[offset] & ~b[offset] }
                        }
                    }
                }
            }
        }
    }
}
