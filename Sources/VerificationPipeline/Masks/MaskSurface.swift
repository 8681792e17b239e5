import ImageFilters
import ImagingCore
import MarginAnalysis

extension ImportedMask {
    /// How finely its surface was sampled by the voxels that it was drawn on.
    public var sampling: SurfaceSampling {
        let source: SurfaceSampling.Source = if case .mask = shape { .binaryMask } else { .levelSet }
        return SurfaceSampling(source, on: geometry)
    }

    /// The sub-voxel surface, on a grid that holds the object with some room around it, except where it may go on beyond its own grid.
    public var levelSet: LevelSet {
        switch shape {
        case .mask(let mask): LevelSet(reconstructing: Mask(ended(mask.voxels)) { $0 != 0 })
        case .fraction(let volume): LevelSet(reconstructing: ended(volume))
        case .levelSet(let levelSet): levelSet
        }
    }

    /// The volume with an empty slice more at each end at which the object is known to end.
    private func ended<Voxel>(_ volume: Volume<Voxel>) -> Volume<Voxel> {
        let geometry = volume.geometry, size = geometry.size
        let below = endsAtSlices.first ? 1 : 0, above = endsAtSlices.last ? 1 : 0
        let grid: GridGeometry
        do {
            grid = try GridGeometry(
                size: GridSize(size.i, size.j, size.k + below + above), spacing: geometry.spacing,
                origin: geometry.point(VoxelIndex(0, 0, -below)), axes: geometry.axes, frameOfReferenceUID: geometry.frameOfReferenceUID)
        } catch {
            return volume  // Only a grid of the largest size that there is has no room for two slices more.
        }
        var result = Volume<Voxel>(zeros: grid)
        volume.withUnsafeVoxels { source in
            result.withUnsafeMutableVoxels { target in
                _ = UnsafeMutableBufferPointer(rebasing: target[(below * size.sliceVoxelCount)...]).update(fromContentsOf: source)
            }
        }
        return result
    }
}
