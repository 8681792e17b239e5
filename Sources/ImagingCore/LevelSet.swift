/// An object with a sub-voxel surface: a field that is positive inside, negative outside, and zero on the surface.
///
/// Near the surface the field is the signed distance in millimetres, to the accuracy of whatever made it; far away only its
/// sign is meant. The field is linear between voxel centres.
public struct LevelSet: Sendable {
    public let field: Volume<Float>

    public var geometry: GridGeometry { field.geometry }

    public init(field: Volume<Float>) { self.field = field }

    /// The voxels whose centres lie inside or on the surface.
    public var mask: Mask { Mask(field) { $0 >= 0 } }
}
