import CDCMTK
import Foundation
import ImagingCore

/// The attributes of a DICOM file, or of one item of a sequence in it. Read-only.
///
/// Values are read from the file when they are asked for, so a dataset may be opened for one number in a large file.
/// A dataset and its items belong to one thread at a time. Text comes as Unicode whatever the file's character set.
public struct DICOMDataset {
    /// How much of a file is opened.
    public enum Extent: Sendable {
        case wholeFile
        /// The attributes before Pixel Data (7FE0,0010).
        case upToPixelData

        fileprivate var rawValue: Int32 {
            switch self {
            case .wholeFile: Int32(CDCMTK_WHOLE_FILE.rawValue)
            case .upToPixelData: Int32(CDCMTK_UP_TO_PIXEL_DATA.rawValue)
            }
        }
    }

    let file: OpenDICOMFile
    let item: OpaquePointer

    /// Opens a file, with or without meta header; throws a `DICOMError` when it is not there, not DICOM or broken.
    public init(contentsOf url: URL, extent: Extent = .wholeFile) throws(DICOMError) {
        file = try OpenDICOMFile(url, extent: extent.rawValue)
        item = cdcmtk_dataset_root(file.handle)
    }

    private init(file: OpenDICOMFile, item: OpaquePointer) {
        self.file = file
        self.item = item
    }

    public var url: URL { file.url }
    public var transferSyntaxUID: String { String(cString: cdcmtk_dataset_transfer_syntax(file.handle)) }
    /// The meta header (group 0002); empty when the file has none.
    public var metaHeader: DICOMDataset { DICOMDataset(file: file, item: cdcmtk_dataset_meta(file.handle)) }

    /// Whether the attribute is there, with a value or without.
    public func contains(_ tag: DICOMTag) -> Bool { cdcmtk_item_contains(item, tag.rawValue) != 0 }

    /// The value's components, without the blanks around them; empty when the attribute is missing or has no value.
    public func strings(_ tag: DICOMTag) -> [String] {
        guard let text = text(tag), !text.isEmpty else { return [] }
        return text.split(separator: "\\", omittingEmptySubsequences: false).map { String($0.trimmedOfPadding) }
    }

    /// The first component of the value; `nil` when the attribute is missing or its first component is empty.
    public func string(_ tag: DICOMTag) -> String? {
        guard let text = text(tag) else { return nil }
        let first = text.prefix { $0 != "\\" }.trimmedOfPadding
        return first.isEmpty ? nil : String(first)
    }

    /// The numbers of a value of any VR; NaN for a component that is not a number. Empty when the attribute is missing.
    ///
    /// Throws when the file ends inside the value.
    public func numbers(_ tag: DICOMTag) throws(DICOMError) -> [Double] {
        try values(of: tag, zero: 0.0) { cdcmtk_item_numbers(item, tag.rawValue, $0, $1, &$2) } ?? []
    }

    /// The first number of the value; `nil` when the attribute is missing, empty, unreadable or not a finite number.
    public func number(_ tag: DICOMTag) -> Double? {
        guard let value = try? numbers(tag).first, value.isFinite else { return nil }
        return value
    }

    /// The first number of the value where that is a whole number; `nil` as for `number(_:)`.
    public func integer(_ tag: DICOMTag) -> Int? { number(tag).flatMap { Int(exactly: $0) } }

    /// The value's bytes, words little endian; `nil` when the attribute is missing.
    ///
    /// Throws when the file ends inside the value, and for encapsulated pixel data.
    public func bytes(_ tag: DICOMTag) throws(DICOMError) -> [UInt8]? {
        try values(of: tag, zero: 0) { cdcmtk_item_bytes(item, tag.rawValue, $0, $1, &$2) }
    }

    /// The items of a sequence; empty when the attribute is missing or is not a sequence.
    public func items(_ tag: DICOMTag) -> [DICOMDataset] {
        let pointers = try? values(of: tag, zero: OpaquePointer?.none) { cdcmtk_item_items(item, tag.rawValue, $0, $1, &$2) }
        return (pointers ?? []).compactMap { $0.map { DICOMDataset(file: file, item: $0) } }
    }

    /// The first item of a sequence; `nil` when there is none.
    public func item(_ tag: DICOMTag) -> DICOMDataset? { items(tag).first }

    private func text(_ tag: DICOMTag) -> String? {
        var status = cdcmtk_status()
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
            let count = Int(cdcmtk_item_string(item, tag.rawValue, buffer.baseAddress, Int64(buffer.count), &status))
            if count < 0 { return nil }
            if count <= buffer.count { return String(decoding: UnsafeRawBufferPointer(buffer).prefix(count), as: UTF8.self) }
            var long = [CChar](repeating: 0, count: count)
            guard cdcmtk_item_string(item, tag.rawValue, &long, Int64(count), &status) == Int64(count) else { return nil }
            return long.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Asks for the number of elements, then for the elements; `nil` when the attribute is missing.
    private func values<Element>(
        of tag: DICOMTag, zero: Element, _ copy: (UnsafeMutablePointer<Element>?, Int64, inout cdcmtk_status) -> Int64
    ) throws(DICOMError) -> [Element]? {
        var status = cdcmtk_status()
        let count = Int(copy(nil, 0, &status))
        if count > 0 {
            var elements = [Element](repeating: zero, count: count)
            let copied = elements.withUnsafeMutableBufferPointer { copy($0.baseAddress, Int64(count), &status) }
            if Int(copied) == count { return elements }
        } else if count == 0 {
            return []
        }
        if Int32(status.code) == Int32(CDCMTK_MISSING.rawValue) { return nil }
        throw DICOMError(status, file: file.url)
    }
}

/// Owns the open file that a dataset and its items look into.
final class OpenDICOMFile {
    let url: URL
    let handle: OpaquePointer

    init(_ url: URL, extent: Int32) throws(DICOMError) {
        var status = cdcmtk_status()
        guard let handle = cdcmtk_dataset_open(url.path, extent, &status) else { throw DICOMError(status, file: url) }
        self.url = url
        self.handle = handle
    }

    deinit { cdcmtk_dataset_close(handle) }
}

extension StringProtocol {
    /// Without the blanks and NULs that DICOM pads values with.
    var trimmedOfPadding: SubSequence {
        func isPadding(_ c: Character) -> Bool { c == " " || c == "\0" }
        guard let first = firstIndex(where: { !isPadding($0) }), let last = lastIndex(where: { !isPadding($0) }) else {
            return self[startIndex..<startIndex]
        }
        return self[first...last]
    }
}
