import ImageFilters
import ImagingCore

extension ScanVolume {
    /// How far from where they are looked for voxels may be needed.
    private static let rimMM = 5.0

    /// The scan on `grid`, `outside` where it does not reach. Only the voxels that are needed are converted.
    ///
    /// - Parameter transform: a point of `grid` → the point of the scan that it is taken from; smooth.
    func part(on grid: GridGeometry, through transform: some SpatialTransform = AffineTransform.identity, outside: Float) -> Volume<Float> {
        let size = grid.size
        func steps(_ count: Int) -> [Int] { Array(stride(from: 0, to: count, by: max(1, count / 8))) + [count - 1] }
        let places = steps(size.k).flatMap { k in
            steps(size.j).flatMap { j in steps(size.i).map { i in transform(grid.point(VoxelIndex(i, j, k))) } }
        }
        guard let (i, j, k) = geometry.indexRanges(around: places, marginMM: Self.rimMM) else {
            return Volume(geometry: grid, repeating: outside)
        }
        return floats(in: i, j, k).resampled(onto: grid, through: transform, outside: outside)
    }
}
