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

extension LevelSet {
    /// What lies in either of two objects of one frame of reference, on this one's grid made large enough for both.
    ///
    /// Inside this grid the larger of the two fields is kept, which is a distance outside both and close to the surface.
    public func united(with other: LevelSet) -> LevelSet {
        let rimMM = 3 * geometry.spacing.max()
        let corners = other.surface().vertices.map { geometry.continuousIndex($0).ijk }
        guard let first = corners.first else { return self }
        let rim = rimMM / geometry.spacing
        let low = pointwiseMin(SIMD3(0, 0, 0), (corners.reduce(first, pointwiseMin) - rim).rounded(.down))
        let size = SIMD3(Double(geometry.size.i), Double(geometry.size.j), Double(geometry.size.k))
        let high = pointwiseMax(size - 1, (corners.reduce(first, pointwiseMax) + rim).rounded(.up)), count = high - low + 1
        let grid: GridGeometry
        do {
            grid = try GridGeometry(
                size: GridSize(Int(count.x), Int(count.y), Int(count.z)), spacing: geometry.spacing,
                origin: geometry.point(ContinuousIndex(low)), axes: geometry.axes, frameOfReferenceUID: geometry.frameOfReferenceUID)
        } catch {
            preconditionFailure("a grid around two objects of one frame of reference: \(error)")
        }
        let (a, b) = (resampled(onto: grid).field, other.resampled(onto: grid).field)
        return LevelSet(field: Volume<Float>(geometry: grid) { target in
            a.withUnsafeVoxels { a in
                b.withUnsafeVoxels { b in for offset in target.indices { target[offset] = max(a[offset], b[offset]) } }
            }
        })
    }
}
