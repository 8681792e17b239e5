#if canImport(Glibc)
import Glibc
#endif

/// The types that a voxel can have.
public protocol VoxelValue: BitwiseCopyable, Sendable, Hashable {
    static var zero: Self { get }
}
extension UInt8: VoxelValue {}
extension Int16: VoxelValue {}
extension UInt16: VoxelValue {}
extension Int32: VoxelValue {}
extension UInt32: VoxelValue {}
extension Float: VoxelValue {}

/// Heap memory for voxels. Large buffers are aligned to, and backed by, huge pages where the system offers them.
@usableFromInline
final class VoxelStorage<Voxel: VoxelValue>: @unchecked Sendable {
    private static var hugePage: Int { 2 << 20 }

    @usableFromInline let voxels: UnsafeMutableBufferPointer<Voxel>

    @usableFromInline init(count: Int) {
        let bytes = max(count * MemoryLayout<Voxel>.stride, 1)
        let alignment = bytes >= 2 * Self.hugePage ? Self.hugePage : 64
        var raw: UnsafeMutableRawPointer?
        let status = posix_memalign(&raw, alignment, bytes)
        precondition(status == 0, "out of memory: \(bytes) bytes")
        if alignment == Self.hugePage { madvise(raw!, bytes, MADV_HUGEPAGE) }
        voxels = UnsafeMutableBufferPointer(start: raw!.bindMemory(to: Voxel.self, capacity: count), count: count)
    }

    /// Voxels whose bits are all zero. Large buffers cost nothing until they are written.
    @usableFromInline init(zeroCount count: Int) {
        let bytes = max(count * MemoryLayout<Voxel>.stride, 1)
        guard let raw = calloc(bytes, 1) else { preconditionFailure("out of memory: \(bytes) bytes") }
        if bytes >= 2 * Self.hugePage {
            let page = Int(getpagesize())
            let start = (Int(bitPattern: raw) + page - 1) / page * page
            madvise(UnsafeMutableRawPointer(bitPattern: start), bytes - page, MADV_HUGEPAGE)
        }
        voxels = UnsafeMutableBufferPointer(start: raw.bindMemory(to: Voxel.self, capacity: count), count: count)
    }

    @usableFromInline func copy() -> VoxelStorage {
        let copy = VoxelStorage(count: voxels.count)
        _ = copy.voxels.update(fromContentsOf: voxels)
        return copy
    }

    deinit { free(voxels.baseAddress) }
}
