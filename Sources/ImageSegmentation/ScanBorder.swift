import ImagingCore

extension Volume<Float> {
    /// Whether a surface, positive inside, comes within a voxel of a whole scan's border.
    func comesNearBorder(of scan: GridGeometry) -> Bool {
        guard let box = Mask(self, where: { $0 >= 0 }).boundingBox else { return false }
        let low = scan.continuousIndex(geometry.point(VoxelIndex(box.i.lowerBound, box.j.lowerBound, box.k.lowerBound))).ijk
        let high = scan.continuousIndex(geometry.point(VoxelIndex(
            box.i.upperBound - 1, box.j.upperBound - 1, box.k.upperBound - 1
        ))).ijk
        let last = SIMD3(Double(scan.size.i - 1), Double(scan.size.j - 1), Double(scan.size.k - 1))
        return low.min() < 0.6 || (last - high).min() < 0.6
    }
}
