import Foundation

/// The voxel types of NIfTI-1 that are read. Raw values are the `datatype` codes of nifti1.h.
public enum NIfTIDatatype: Int16, Sendable, Hashable {
    case uint8 = 2
    case int16 = 4
    case int32 = 8
    case float32 = 16
    case float64 = 64
    case int8 = 256
    case uint16 = 512
    case uint32 = 768
    case int64 = 1024
    case uint64 = 1280

    var byteCount: Int {
        switch self {
        case .uint8, .int8: 1
        case .int16, .uint16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64: 8
        }
    }
}

/// The fields of a NIfTI-1 header that carry geometry and voxel encoding, as they stand in the file.
///
/// Source: nifti1.h, R. W. Cox, NIH; offsets in comments are bytes into the 348-byte header.
struct NIfTIHeader {
    static let byteCount = 348
    /// Header plus the four bytes that announce extensions.
    static let singleFileDataOffset = 352

    enum Layout: Equatable { case singleFile, pair }

    var isByteSwapped = false
    var layout = Layout.singleFile
    var dimensionCount: Int16 = 3  // dim[0], offset 40
    var dimensions: [Int16] = Array(repeating: 1, count: 7)  // dim[1…7]
    var intentCode: Int16 = 0  // 68
    var datatypeCode: Int16 = 0  // 70
    var bitsPerVoxel: Int16 = 0  // 72
    var handedness: Float = 1  // pixdim[0], 76: qfac
    var pixelDimensions: [Float] = Array(repeating: 1, count: 7)  // pixdim[1…7], 80
    var dataOffset: Float = 352  // vox_offset, 108
    var slope: Float = 1  // scl_slope, 112
    var intercept: Float = 0  // scl_inter, 116
    var units: UInt8 = 2  // xyzt_units, 123
    var qformCode: Int16 = 0  // 252
    var sformCode: Int16 = 0  // 254
    var quaternion = SIMD3<Float>.zero  // b, c, d, 256
    var quaternionOffset = SIMD3<Float>.zero  // 268
    var sformRows: [SIMD4<Float>] = Array(repeating: .zero, count: 3)  // srow_x/y/z, 280

    init() {}

    /// - Parameter bytes: at least 348 bytes from the start of the file.
    /// - Parameter url: the file, for the text of errors.
    init(parsing bytes: [UInt8], of url: URL) throws(NIfTIError) {
        let bytes = HeaderBytes(bytes)
        let magic = bytes.text(at: 344, count: 4)
        switch bytes.integer(Int32.self, at: 0, swapped: false) {
        case 348: isByteSwapped = false
        case Int32(348).byteSwapped: isByteSwapped = true
        case 540, Int32(540).byteSwapped: throw .unsupportedVersion(url, magic: "NIfTI-2")
        default: throw .notNIfTI(url, found: "its first four bytes are not the header size 348")
        }
        switch magic {
        case "n+1": layout = .singleFile
        case "ni1": layout = .pair
        case "": throw .unsupportedVersion(url, magic: "ANALYZE 7.5, which does not say left from right")
        default: throw .notNIfTI(url, found: "its magic is “\(magic)”, expected “n+1” or “ni1”")
        }
        let swapped = isByteSwapped
        dimensionCount = bytes.integer(Int16.self, at: 40, swapped: swapped)
        dimensions = (0..<7).map { bytes.integer(Int16.self, at: 42 + 2 * $0, swapped: swapped) }
        intentCode = bytes.integer(Int16.self, at: 68, swapped: swapped)
        datatypeCode = bytes.integer(Int16.self, at: 70, swapped: swapped)
        bitsPerVoxel = bytes.integer(Int16.self, at: 72, swapped: swapped)
        handedness = bytes.float(at: 76, swapped: swapped)
        pixelDimensions = (0..<7).map { bytes.float(at: 80 + 4 * $0, swapped: swapped) }
        dataOffset = bytes.float(at: 108, swapped: swapped)
        slope = bytes.float(at: 112, swapped: swapped)
        intercept = bytes.float(at: 116, swapped: swapped)
        units = bytes.integer(UInt8.self, at: 123, swapped: swapped)
        qformCode = bytes.integer(Int16.self, at: 252, swapped: swapped)
        sformCode = bytes.integer(Int16.self, at: 254, swapped: swapped)
        quaternion = SIMD3(
            bytes.float(at: 256, swapped: swapped), bytes.float(at: 260, swapped: swapped), bytes.float(at: 264, swapped: swapped))
        quaternionOffset = SIMD3(
            bytes.float(at: 268, swapped: swapped), bytes.float(at: 272, swapped: swapped), bytes.float(at: 276, swapped: swapped))
        sformRows = (0..<3).map { row in
            SIMD4((0..<4).map { bytes.float(at: 280 + 16 * row + 4 * $0, swapped: swapped) })
        }
    }

    /// The 348 bytes of a little-endian single-file header, and the four that say "no extension".
    func encoded() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.singleFileDataOffset)
        func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
            withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
        }
        func put(_ value: Float, at offset: Int) { put(value.bitPattern, at: offset) }
        put(Int32(Self.byteCount), at: 0)
        bytes[38] = UInt8(ascii: "r")
        put(dimensionCount, at: 40)
        for (index, dimension) in dimensions.enumerated() { put(dimension, at: 42 + 2 * index) }
        put(intentCode, at: 68)
        put(datatypeCode, at: 70)
        put(bitsPerVoxel, at: 72)
        put(handedness, at: 76)
        for (index, value) in pixelDimensions.enumerated() { put(value, at: 80 + 4 * index) }
        put(dataOffset, at: 108)
        put(slope, at: 112)
        put(intercept, at: 116)
        bytes[123] = units
        put(qformCode, at: 252)
        put(sformCode, at: 254)
        for axis in 0..<3 {
            put(quaternion[axis], at: 256 + 4 * axis)
            put(quaternionOffset[axis], at: 268 + 4 * axis)
            for column in 0..<4 { put(sformRows[axis][column], at: 280 + 16 * axis + 4 * column) }
        }
        bytes.replaceSubrange(344..<347, with: Array("n+1".utf8))
        return bytes
    }
}

/// Reads numbers of either byte order out of a header.
private struct HeaderBytes {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) {
        precondition(bytes.count >= NIfTIHeader.byteCount)
        self.bytes = bytes
    }
    func integer<T: FixedWidthInteger>(_ type: T.Type, at offset: Int, swapped: Bool) -> T {
        let value = bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
        return swapped ? value.byteSwapped : value
    }
    func float(at offset: Int, swapped: Bool) -> Float { Float(bitPattern: integer(UInt32.self, at: offset, swapped: swapped)) }
    func text(at offset: Int, count: Int) -> String {
        String(decoding: bytes[offset..<offset + count].prefix { $0 != 0 }, as: UTF8.self)
    }
}
