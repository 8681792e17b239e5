import CZlib
import Foundation
import ImagingCore

/// Compresses bytes as one gzip member, slabs of them on several threads.
///
/// Each slab is deflated by itself and ends at a whole byte, so that the pieces follow one another in one deflate stream (RFC 1951, 1952).
/// The result depends on the bytes alone, never on the number of threads. Deflate looks for runs alone (`Z_RLE`): masks become smaller by
/// it; fields of distances and CT numbers, which hardly repeat anything else, at most a twentieth larger, in half of the time or less.
struct ParallelGzip {
    private static let slabBytes = 1 << 18
    private static let level: Int32 = 1

    /// What comes before the bytes: no name, no time, no system, written with the fastest algorithm.
    static let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]

    private var checksum = crc32(0, nil, 0)
    private var byteCount: UInt32 = 0

    /// A slab's deflated bytes and the checksum of what they hold.
    private struct Piece {
        var deflated: [UInt8]
        var checksum: uLong
    }

    /// The compressed form of further bytes.
    mutating func compress(_ bytes: UnsafeRawBufferPointer) -> [[UInt8]] {
        let pieces = mapSlabs(of: bytes.count, slab: Self.slabBytes) { range -> Piece? in
            // The background repeats: what is as the slab before it is compressed once.
            let slab = bytes.baseAddress! + range.lowerBound
            if range.lowerBound > 0, range.count == Self.slabBytes, memcmp(slab, slab - Self.slabBytes, range.count) == 0 { return nil }
            return Self.piece(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
        var compressed: [[UInt8]] = []
        var last = Piece(deflated: [], checksum: 0)
        for (number, piece) in pieces.enumerated() {
            last = piece ?? last
            let count = min(Self.slabBytes, bytes.count - number * Self.slabBytes)
            checksum = crc32_combine(checksum, last.checksum, count)
            compressed.append(last.deflated)
        }
        byteCount = byteCount &+ UInt32(truncatingIfNeeded: bytes.count)
        return compressed
    }

    /// What comes after the last bytes: an empty last block, the checksum and the byte count.
    var trailer: [UInt8] {
        let numbers = [UInt32(truncatingIfNeeded: checksum), byteCount]
        return [3, 0] + numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) } }
    }

    private static func piece(_ bytes: UnsafeRawBufferPointer) -> Piece {
        var stream = z_stream()
        let opened = deflateInit2_(
            &stream, level, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL, Z_RLE, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(opened == Z_OK, "out of memory while compressing")
        defer { deflateEnd(&stream) }
        let input = bytes.bindMemory(to: UInt8.self)
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress!)
        stream.avail_in = UInt32(input.count)
        // A flush adds at most an empty stored block to what the bound allows for.
        let capacity = Int(deflateBound(&stream, uLong(input.count))) + 16
        let deflated = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            stream.next_out = buffer.baseAddress!
            stream.avail_out = UInt32(capacity)
            let status = deflate(&stream, Z_FULL_FLUSH)
            precondition(status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0, "deflate did not take all bytes")
            count = capacity - Int(stream.avail_out)
        }
        return Piece(deflated: deflated, checksum: crc32(0, input.baseAddress!, UInt32(input.count)))
    }
}
