import ImagingCore

extension LevelSet {
    /// The smooth sub-voxel surface that a binary mask was most likely sampled from.
    public init(reconstructing mask: Mask) { self = LevelSet(signedDistanceOf: mask) }

    /// The surface of an object given as the share of each voxel that it fills, or as a probability, from 0 to 1.
    public init(reconstructing fraction: Volume<Float>) {
        self = LevelSet(reconstructing: Mask(fraction) { $0 >= 0.5 })
    }
}
