/// A scan's voxels as they rest in memory: whole numbers (HU, unscaled MR) as `Int16`, all else as `Float`.
public enum ScanVolume: Sendable {
    case int16(Volume<Int16>)
    case float32(Volume<Float>)

    public var geometry: GridGeometry {
        switch self {
        case .int16(let volume): volume.geometry
        case .float32(let volume): volume.geometry
        }
    }

    /// The value of one voxel.
    public func value(at index: VoxelIndex) -> Float {
        switch self {
        case .int16(let volume): Float(volume[index])
        case .float32(let volume): volume[index]
        }
    }

    /// The whole scan as `Float`.
    public func floats() -> Volume<Float> {
        switch self {
        case .int16(let volume): volume.converted()
        case .float32(let volume): volume
        }
    }

    /// A part of the scan (see `GridGeometry.cropped`) as `Float`.
    public func floats(in i: Range<Int>, _ j: Range<Int>, _ k: Range<Int>) -> Volume<Float> {
        switch self {
        case .int16(let volume): volume.cropped(i, j, k).converted()
        case .float32(let volume): volume.cropped(i, j, k)
        }
    }
}
