import CZlib
import Foundation
import ImagingCore

/// A PNG (ISO/IEC 15948) whose rows are filtered and deflated in slabs, several of them at a time.
///
/// Each slab is deflated by itself and ends at a whole byte, so that the pieces follow one another in one zlib stream. Every row is stored
/// as its difference from the row above, at deflate level 1.
enum SlabPNG {
    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    private static let slabRows = 64
    /// What begins a zlib stream of level 1, and the empty block that ends it.
    private static let zlibHeader: [UInt8] = [0x78, 0x01], lastBlock: [UInt8] = [3, 0]
    private static let greyType: UInt8 = 0, rgbType: UInt8 = 2, differenceFromAbove: UInt8 = 2

    /// - Parameters:
    ///   - pixels: rows from the top, 8 bits a channel.
    ///   - channels: 1 for grey, 3 for RGB.
    static func data(of pixels: [UInt8], width: Int, height: Int, channels: Int) -> Data {
        precondition(channels == 1 || channels == 3)
        let rowBytes = width * channels
        precondition(pixels.count == rowBytes * height)
        let pieces = pixels.withUnsafeBufferPointer { pixels in
            mapSlabs(of: height, slab: slabRows) { rows in
                let filtered = filtered(rows, of: pixels, rowBytes: rowBytes)
                let checksum = adler32(1, filtered, UInt32(filtered.count))
                return (chunk: chunk("IDAT", deflated(filtered)), checksum: checksum, count: filtered.count)
            }
        }
        let checksum = pieces.reduce(adler32(0, nil, 0)) { adler32_combine($0, $1.checksum, $1.count) }
        var data = Data(signature)
        data += chunk("IHDR", bigEndian(width) + bigEndian(height) + [8, channels == 1 ? greyType : rgbType, 0, 0, 0])
        data += chunk("IDAT", zlibHeader)
        for piece in pieces { data += piece.chunk }
        data += chunk("IDAT", lastBlock + bigEndian(Int(checksum)))
        data += chunk("IEND", [])
        return data
    }

    /// Each row after a byte that names the filter.
    private static func filtered(_ rows: Range<Int>, of pixels: UnsafeBufferPointer<UInt8>, rowBytes: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: rows.count * (rowBytes + 1)) { buffer, count in
            var target = buffer.baseAddress!
            for row in rows {
                target[0] = differenceFromAbove
                target += 1
                let source = pixels.baseAddress! + row * rowBytes
                if row == 0 {
                    target.update(from: source, count: rowBytes)
                } else {
                    let above = source - rowBytes
                    for byte in 0..<rowBytes { target[byte] = source[byte] &- above[byte] }
                }
                target += rowBytes
            }
            count = rows.count * (rowBytes + 1)
        }
    }

    /// Deflated bytes (RFC 1951) that end at a whole byte and are not the last.
    private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        let opened = deflateInit2_(
            &stream, 1, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(opened == Z_OK, "out of memory while compressing")
        defer { deflateEnd(&stream) }
        return bytes.withUnsafeBufferPointer { input in
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress!)
            stream.avail_in = UInt32(input.count)
            // A flush adds at most an empty stored block to what the bound allows for.
            let capacity = Int(deflateBound(&stream, uLong(input.count))) + 16
            return [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                stream.next_out = buffer.baseAddress!
                stream.avail_out = UInt32(capacity)
                let status = deflate(&stream, Z_FULL_FLUSH)
                precondition(status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0, "deflate did not take all bytes")
                count = capacity - Int(stream.avail_out)
            }
        }
    }

    private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let named = Array(name.utf8) + content
        return bigEndian(content.count) + named + bigEndian(Int(crc32(0, named, UInt32(named.count))))
    }

    private static func bigEndian(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
}
