/// Voxel values on a grid; a value type with copy on write.
///
/// Storage runs over columns (`i`) fastest, then rows (`j`), then slices (`k`).
public struct Volume<Voxel: VoxelValue>: Sendable {
    public let geometry: GridGeometry
    @usableFromInline var storage: VoxelStorage<Voxel>

    @inlinable public var size: GridSize { geometry.size }

    /// A volume that has one value everywhere.
    @inlinable public init(geometry: GridGeometry, repeating value: Voxel) {
        self.init(geometry: geometry) { $0.update(repeating: value) }
    }

    /// A volume of zeros. Memory of a large one is taken from the system only where it is written to.
    @inlinable public init(zeros geometry: GridGeometry) {
        self.geometry = geometry
        storage = VoxelStorage(zeroCount: geometry.size.voxelCount)
    }

    /// A volume whose voxels, uninitialised at first, are all set by `initialize`.
    @inlinable public init<E: Error>(
        geometry: GridGeometry, initializingWith initialize: (UnsafeMutableBufferPointer<Voxel>) throws(E) -> Void
    ) throws(E) {
        self.geometry = geometry
        storage = VoxelStorage(count: geometry.size.voxelCount)
        try initialize(storage.voxels)
    }

    private init(geometry: GridGeometry, storage: VoxelStorage<Voxel>) {
        self.geometry = geometry
        self.storage = storage
    }

    @inlinable public subscript(index: VoxelIndex) -> Voxel {
        get {
            precondition(size.contains(index), "voxel outside the grid")
            return storage.voxels[size.offset(index)]
        }
        set {
            precondition(size.contains(index), "voxel outside the grid")
            let offset = size.offset(index)
            withUnsafeMutableVoxels { $0[offset] = newValue }
        }
    }

    /// Calls `body` with the values in storage order; the buffer must not outlive it.
    @inlinable public func withUnsafeVoxels<R, E: Error>(_ body: (UnsafeBufferPointer<Voxel>) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeBufferPointer(storage.voxels))
    }

    /// Like `withUnsafeVoxels`, for writing; copies the values first where another volume shares them.
    @inlinable public mutating func withUnsafeMutableVoxels<R, E: Error>(
        _ body: (UnsafeMutableBufferPointer<Voxel>) throws(E) -> R
    ) throws(E) -> R {
        if !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
        defer { withExtendedLifetime(storage) {} }
        return try body(storage.voxels)
    }

    /// The part in the given index ranges (see `GridGeometry.cropped`).
    public func cropped(_ i: Range<Int>, _ j: Range<Int>, _ k: Range<Int>) -> Volume {
        let size = size
        return withUnsafeVoxels { source in
            Volume(geometry: geometry.cropped(i, j, k)) { target in
                var row = target.baseAddress!
                for slice in k {
                    for line in j {
                        row.update(from: source.baseAddress! + size.offset(VoxelIndex(i.lowerBound, line, slice)), count: i.count)
                        row += i.count
                    }
                }
            }
        }
    }

    /// The same voxels in another frame of reference.
    public func with(frameOfReferenceUID: String?) -> Volume {
        Volume(geometry: geometry.with(frameOfReferenceUID: frameOfReferenceUID), storage: storage)
    }

    /// The smallest and largest value; NaN is passed over.
    public func valueRange() -> ClosedRange<Voxel> where Voxel: Comparable {
        withUnsafeVoxels { voxels in
            let partial = mapSlabs(of: voxels.count, slab: 1 << 18) { range in
                var low = voxels[range.lowerBound], high = low
                for offset in range {
                    let value = voxels[offset]
                    if value < low || low != low { low = value }
                    if value > high || high != high { high = value }
                }
                return (low, high)
            }
            let finite = partial.filter { $0.0 == $0.0 }
            guard let first = finite.first else { return voxels[0]...voxels[0] }
            return finite.reduce(first.0...first.1) { min($0.lowerBound, $1.0)...max($0.upperBound, $1.1) }
        }
    }
}

extension Volume where Voxel: BinaryInteger {
    /// The values as `Float`, exact up to 2²⁴.
    @inlinable public func converted() -> Volume<Float> { mapped { Float($0) } }
}

extension Volume {
    /// The volume of `transform` of each voxel.
    ///
    /// On one thread: a closure that is handed on to others is called for every voxel, which takes several times as long as what is inlined
    /// here.
    @inlinable @inline(__always) public func mapped<Result: VoxelValue>(_ transform: (Voxel) -> Result) -> Volume<Result> {
        withUnsafeVoxels { source in
            Volume<Result>(geometry: geometry) { target in
                for offset in source.indices { target[offset] = transform(source[offset]) }
            }
        }
    }
}
