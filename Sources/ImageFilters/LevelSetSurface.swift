import ImagingCore

extension LevelSet {
    /// The closed surface on which the field is zero, normals outwards (see `Volume.isosurface`).
    public func surface() -> TriangleMesh { field.isosurface(at: 0) }

    /// Whether the object reaches the outermost voxels, so that its surface is cut off by the grid.
    public var touchesGridEdge: Bool { field.touchesGridEdge(at: 0) }

    /// The voxel-centre based signed distance of a mask as a level set: its surface has the steps of the voxels.
    public init(signedDistanceOf mask: Mask) { self.init(field: mask.signedDistance()) }
}
