import Foundation
@testable import DICOMObjects

/// Encodes small DICOM files byte by byte, independently of DCMTK, so that tests read what they did not write with it.
struct DICOMBytes {
    enum Syntax: String {
        case implicitLittle = "1.2.840.10008.1.2"
        case explicitLittle = "1.2.840.10008.1.2.1"
        case explicitBig = "1.2.840.10008.1.2.2"

        var isExplicit: Bool { self != .implicitLittle }
        var isBigEndian: Bool { self == .explicitBig }
    }

    enum Value {
        case text(String, String)  // VR, components joined by backslash
        case latin1(String, String)
        case us([UInt16])
        case ss([Int16])
        case fd([Double])
        case ow([UInt16])
        case ob([UInt8])
        case sequence([[DICOMTag: Value]])

        var vr: String {
            switch self {
            case .text(let vr, _), .latin1(let vr, _): vr
            case .us: "US"
            case .ss: "SS"
            case .fd: "FD"
            case .ow: "OW"
            case .ob: "OB"
            case .sequence: "SQ"
            }
        }
    }

    static func text(_ vr: String, _ numbers: [Double]) -> Value { .text(vr, numbers.map { "\($0)" }.joined(separator: "\\")) }

    /// A whole file: preamble, meta header and dataset in the given syntax.
    static func file(_ attributes: [DICOMTag: Value], syntax: Syntax = .explicitLittle) -> Data {
        var meta = Data()
        func add(_ element: UInt32, _ value: Value) { meta += encode(DICOMTag(rawValue: 0x0002_0000 | element), value, .explicitLittle) }
        add(0x01, .ob([0, 1]))
        add(0x02, attributes[.sopClassUID] ?? .text("UI", "1.2.840.10008.5.1.4.1.1.2"))
        add(0x03, attributes[.sopInstanceUID] ?? .text("UI", "1.2.3"))
        add(0x10, .text("UI", syntax.rawValue))
        add(0x12, .text("UI", "1.2.3.4"))
        var groupLength = encode(0x0002_0000, .us([]), .explicitLittle)
        groupLength.replaceSubrange(4..<8, with: Data([UInt8(ascii: "U"), UInt8(ascii: "L"), 4, 0]))
        withUnsafeBytes(of: UInt32(meta.count).littleEndian) { groupLength += $0 }
        return Data(count: 128) + Data("DICM".utf8) + groupLength + meta + dataset(attributes, syntax)
    }

    static func dataset(_ attributes: [DICOMTag: Value], _ syntax: Syntax) -> Data {
        attributes.sorted { $0.key.rawValue < $1.key.rawValue }.reduce(into: Data()) { $0 += encode($1.key, $1.value, syntax) }
    }

    private static func encode(_ tag: DICOMTag, _ value: Value, _ syntax: Syntax) -> Data {
        func integer<I: FixedWidthInteger>(_ value: I) -> Data {
            withUnsafeBytes(of: syntax.isBigEndian ? value.bigEndian : value.littleEndian) { Data($0) }
        }
        var body = Data()
        switch value {
        case .text(let vr, let text): body = padded(Data(text.utf8), with: vr == "UI" ? 0 : 32)
        case .latin1(_, let text): body = padded(text.data(using: .isoLatin1)!, with: 32)
        case .us(let numbers), .ow(let numbers): for number in numbers { body += integer(number) }
        case .ss(let numbers): for number in numbers { body += integer(number) }
        case .fd(let numbers): for number in numbers { body += integer(number.bitPattern) }
        case .ob(let bytes): body = padded(Data(bytes), with: 0)
        case .sequence(let items):
            for item in items {
                let content = dataset(item, syntax)
                body += integer(UInt16(0xFFFE)) + integer(UInt16(0xE000)) + integer(UInt32(content.count)) + content
            }
        }
        var header = integer(UInt16(tag.rawValue >> 16)) + integer(UInt16(tag.rawValue & 0xFFFF))
        guard syntax.isExplicit else { return header + integer(UInt32(body.count)) + body }
        header += Data(value.vr.utf8)
        header += ["OB", "OW", "SQ"].contains(value.vr) ? Data(count: 2) + integer(UInt32(body.count)) : integer(UInt16(body.count))
        return header + body
    }

    private static func padded(_ data: Data, with byte: UInt8) -> Data { data.count % 2 == 0 ? data : data + [byte] }
}

/// A folder that goes away with the test.
final class TemporaryFolder {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("dicom-test-\(UUID().uuidString)")
    init() { try! FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: url) }

    @discardableResult func write(_ data: Data, _ name: String) -> URL {
        let file = url.appendingPathComponent(name)
        try! FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try! data.write(to: file)
        return file
    }
}
