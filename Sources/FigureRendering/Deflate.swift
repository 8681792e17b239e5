import CZlib
import Foundation

/// `bytes` in zlib's format (RFC 1950). The same bytes give the same result with the same zlib.
public func deflated(_ bytes: [UInt8]) -> Data {
    var count = compressBound(uLong(bytes.count))
    let target = UnsafeMutablePointer<UInt8>.allocate(capacity: Int(count))
    let status = compress2(target, &count, bytes, uLong(bytes.count), 6)
    precondition(status == Z_OK, "out of memory while packing data")
    return Data(
        bytesNoCopy: target, count: Int(count),
        deallocator: .custom { memory, _ in memory.assumingMemoryBound(to: UInt8.self).deallocate() })
}
