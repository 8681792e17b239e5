/// Which voxels of a grid belong to an object: 1 inside, 0 outside, no other value.
public struct Mask: Sendable {
    @usableFromInline var storage: Volume<UInt8>

    /// The mask as a volume of zeros and ones.
    @inlinable public var voxels: Volume<UInt8> { storage }

    public var geometry: GridGeometry { voxels.geometry }
    public var size: GridSize { voxels.size }

    /// An empty mask.
    public init(empty geometry: GridGeometry) { storage = Volume(zeros: geometry) }

    /// The voxels for which `isInside` holds.
    @inlinable @inline(__always) public init<Voxel>(_ volume: Volume<Voxel>, where isInside: (Voxel) -> Bool) {
        storage = volume.mapped { isInside($0) ? 1 : 0 }
    }

    /// A mask whose voxels, uninitialised at first, are all set to 0 or 1 by `initialize`.
    public init<E: Error>(
        geometry: GridGeometry, initializingWith initialize: (UnsafeMutableBufferPointer<UInt8>) throws(E) -> Void
    ) throws(E) {
        storage = try Volume(geometry: geometry, initializingWith: initialize)
    }

    @inlinable public subscript(index: VoxelIndex) -> Bool {
        get { voxels[index] != 0 }
        set { storage[index] = newValue ? 1 : 0 }
    }

    /// Calls `body` with the zeros and ones in storage order; the buffer must not outlive it.
    public func withUnsafeVoxels<R, E: Error>(_ body: (UnsafeBufferPointer<UInt8>) throws(E) -> R) throws(E) -> R {
        try voxels.withUnsafeVoxels(body)
    }
    /// `body` sets voxels to 0 or 1 only.
    public mutating func withUnsafeMutableVoxels<R, E: Error>(_ body: (UnsafeMutableBufferPointer<UInt8>) throws(E) -> R) throws(E) -> R {
        try storage.withUnsafeMutableVoxels(body)
    }

    /// The number of voxels inside.
    public var count: Int {
        voxels.withUnsafeVoxels { voxels in
            mapSlabs(of: voxels.count, slab: 1 << 18) { range in
                var count = 0
                for offset in range { count &+= Int(voxels[offset]) }
                return count
            }.reduce(0, +)
        }
    }
    public var isEmpty: Bool { count == 0 }
    /// The volume of the voxels inside, in millilitres.
    public var volumeML: Double { Double(count) * geometry.voxelVolume / 1000 }

    /// The index ranges of the smallest box that holds every voxel inside; `nil` when the mask is empty.
    public var boundingBox: (i: Range<Int>, j: Range<Int>, k: Range<Int>)? {
        let size = size
        return withUnsafeVoxels { voxels in
            var low = VoxelIndex(Int.max, Int.max, Int.max), high = VoxelIndex(-1, -1, -1)
            for k in 0..<size.k {
                for j in 0..<size.j {
                    let row = voxels[size.offset(VoxelIndex(0, j, k))..<size.offset(VoxelIndex(0, j, k)) + size.i]
                    guard let first = row.firstIndex(of: 1), let last = row.lastIndex(of: 1) else { continue }
                    low = VoxelIndex(min(low.i, first - row.startIndex), min(low.j, j), min(low.k, k))
                    high = VoxelIndex(max(high.i, last - row.startIndex), max(high.j, j), max(high.k, k))
                }
            }
            return high.k < 0 ? nil : (low.i..<high.i + 1, low.j..<high.j + 1, low.k..<high.k + 1)
        }
    }

    /// The part in the given index ranges (see `GridGeometry.cropped`).
    public func cropped(_ i: Range<Int>, _ j: Range<Int>, _ k: Range<Int>) -> Mask { Mask(voxels.cropped(i, j, k)) { $0 != 0 } }
    /// The same voxels on `grid`, of which this mask's grid is a part as `cropped` makes them; 0 beyond it.
    public func placed(in grid: GridGeometry) -> Mask {
        let start = grid.continuousIndex(geometry.origin).nearest, size = size
        precondition(
            grid.size.contains(start) && grid.size.contains(VoxelIndex(start.i + size.i - 1, start.j + size.j - 1, start.k + size.k - 1))
                && grid.point(start).distance(to: geometry.origin) < GridGeometry.sameGridTolerance, "not a part of the grid")
        var whole = Mask(empty: grid)
        withUnsafeVoxels { source in
            whole.withUnsafeMutableVoxels { target in
                for k in 0..<size.k {
                    for j in 0..<size.j {
                        (target.baseAddress! + grid.size.offset(VoxelIndex(start.i, start.j + j, start.k + k)))
                            .update(from: source.baseAddress! + size.offset(VoxelIndex(0, j, k)), count: size.i)
                    }
                }
            }
        }
        return whole
    }
    /// The same mask in another frame of reference.
    public func with(frameOfReferenceUID: String?) -> Mask {
        var copy = self
        copy.storage = voxels.with(frameOfReferenceUID: frameOfReferenceUID)
        return copy
    }
}
