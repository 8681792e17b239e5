import Foundation

/// A NIfTI-1 file put together byte by byte after nifti1.h.
struct NIfTIBytes {
    var bigEndian = false
    var headerSize: Int32 = 348
    var dimensions: [Int16] = [3, 2, 1, 1, 1, 1, 1, 1]
    var datatype: Int16 = 2
    var pixdim: [Float] = [1, 1, 1, 1, 0, 0, 0, 0]
    var dataOffset: Float = 352
    var slope: Float = 0
    var intercept: Float = 0
    var units: UInt8 = 2
    var qformCode: Int16 = 0
    var sformCode: Int16 = 1
    var quaternion: [Float] = [0, 0, 0]
    var quaternionOffset: [Float] = [0, 0, 0]
    var sform: [Float] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    var magic = "n+1"
    /// In the file's byte order already.
    var voxels: [UInt8] = [0, 1]

    var header: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 348)
        func put<T: FixedWidthInteger>(_ value: T, _ offset: Int) {
            bytes.replaceSubrange(offset..<offset + MemoryLayout<T>.size, with: Self.bytes(value, bigEndian: bigEndian))
        }
        put(headerSize, 0)
        for (index, value) in dimensions.enumerated() { put(value, 40 + 2 * index) }
        put(datatype, 70)
        for (index, value) in pixdim.enumerated() { put(value.bitPattern, 76 + 4 * index) }
        put(dataOffset.bitPattern, 108)
        put(slope.bitPattern, 112)
        put(intercept.bitPattern, 116)
        bytes[123] = units
        put(qformCode, 252)
        put(sformCode, 254)
        for (index, value) in (quaternion + quaternionOffset).enumerated() { put(value.bitPattern, 256 + 4 * index) }
        for (index, value) in sform.enumerated() { put(value.bitPattern, 280 + 4 * index) }
        bytes.replaceSubrange(344..<344 + magic.utf8.count, with: Array(magic.utf8))
        return bytes
    }

    var bytes: [UInt8] {
        header + [UInt8](repeating: 0, count: max(0, Int(dataOffset.isFinite && dataOffset < 1e4 ? dataOffset : 352) - 348)) + voxels
    }

    static func bytes<T: FixedWidthInteger>(_ value: T, bigEndian: Bool) -> [UInt8] {
        withUnsafeBytes(of: bigEndian ? value.bigEndian : value.littleEndian) { Array($0) }
    }
}

/// A folder that goes away with the value that holds it.
final class TemporaryFolder {
    let url: URL
    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("icemargin-test-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: url) }

    func file(_ name: String, _ bytes: [UInt8]) throws -> URL {
        let file = url.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file
    }
}
