import CDCMTK
import Foundation
import ImagingCore

/// A DICOM object that is being made, to be written as one file. Belongs to one thread at a time.
final class DICOMComposition {
    private static let unnamed = URL(filePath: "a new DICOM object")
    private let handle: OpaquePointer
    /// Whether text that is added may be other than ASCII.
    private(set) var takesAnyText = false

    init() throws(DICOMError) {
        var status = cdcmtk_status()
        guard let handle = cdcmtk_dataset_create(&status) else { throw DICOMError(status, file: Self.unnamed) }
        self.handle = handle
    }

    deinit { cdcmtk_dataset_close(handle) }

    var root: DICOMItem { DICOMItem(composition: self, pointer: cdcmtk_dataset_root(handle)) }

    /// Converts the text that is there to UTF-8, so that any text may be added.
    func convertToUTF8() throws(DICOMError) {
        var status = cdcmtk_status()
        guard cdcmtk_dataset_convert_to_utf8(handle, &status) != 0 else { throw DICOMError(status, file: Self.unnamed) }
        takesAnyText = true
    }

    fileprivate func writable(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where scalar == "\n" || scalar.properties.generalCategory != .control {
            scalars.append(scalar.isASCII || takesAnyText ? scalar : "?")
        }
        return String(scalars)
    }

    /// Writes the file, Explicit VR Little Endian.
    func save(to file: URL) throws(DICOMError) {
        var status = cdcmtk_status()
        guard cdcmtk_dataset_save(handle, file.path, &status) != 0 else { throw DICOMError(status, file: file) }
    }
}

/// The attributes of an object that is being made, or of an item of one of its sequences.
///
/// What is set replaces what was there. The tags and values are this module's own, so that a refusal is an internal error.
struct DICOMItem {
    fileprivate let composition: DICOMComposition
    fileprivate let pointer: OpaquePointer

    /// Components of a value are parted by backslashes. An empty text leaves the attribute without a value. What the object's character set
    /// cannot hold becomes a question mark, control characters are left out.
    func set(_ tag: DICOMTag, _ text: String) {
        let text = composition.writable(text)
        require(tag) {
            text.isEmpty ? cdcmtk_item_set_empty(pointer, tag.rawValue, &$0) : cdcmtk_item_set_string(pointer, tag.rawValue, text, &$0)
        }
    }

    /// Sets whole numbers (US, IS).
    func set(_ tag: DICOMTag, _ numbers: Int...) { set(tag, numbers.map(String.init).joined(separator: "\\")) }

    /// Sets decimal strings (DS), each to 16 characters.
    func set(_ tag: DICOMTag, decimals: [Double]) { set(tag, decimals.map(DecimalString.text).joined(separator: "\\")) }

    /// Sets a value of VR FD.
    func set(_ tag: DICOMTag, double: Double) { require(tag) { cdcmtk_item_set_doubles(pointer, tag.rawValue, [double], 1, &$0) } }

    /// Sets a value of VR OB, or Pixel Data.
    func set(_ tag: DICOMTag, bytes: [UInt8]) {
        require(tag) { cdcmtk_item_set_bytes(pointer, tag.rawValue, bytes, Int64(bytes.count), &$0) }
    }

    /// Sets an attribute without a value, or a sequence without items.
    func setEmpty(_ tag: DICOMTag) { require(tag) { cdcmtk_item_set_empty(pointer, tag.rawValue, &$0) } }

    /// Sets a code sequence of one item, and gives the item.
    @discardableResult
    func set(_ tag: DICOMTag, _ concept: CodedConcept) -> DICOMItem {
        setEmpty(tag)
        let item = append(to: tag)
        item.set(.codeValue, concept.value)
        item.set(.codingSchemeDesignator, concept.scheme)
        item.set(.codeMeaning, concept.meaning)
        return item
    }

    /// Takes the attributes over that `source` has, byte for byte.
    func copy(_ tags: [DICOMTag], from source: DICOMDataset) {
        for tag in tags where source.contains(tag) { require(tag) { cdcmtk_item_copy(pointer, source.item, tag.rawValue, &$0) } }
    }

    /// A new item at the end of a sequence.
    func append(to sequence: DICOMTag) -> DICOMItem {
        var status = cdcmtk_status()
        guard let item = cdcmtk_item_append(pointer, sequence.rawValue, &status) else {
            preconditionFailure("\(sequence): \(status.message)")
        }
        return DICOMItem(composition: composition, pointer: item)
    }

    /// Names an instance in two attributes, or in a new item of a sequence.
    func appendReference(to sequence: DICOMTag, sopClassUID: String, sopInstanceUID: String) -> DICOMItem {
        let item = append(to: sequence)
        item.set(.referencedSOPClassUID, sopClassUID)
        item.set(.referencedSOPInstanceUID, sopInstanceUID)
        return item
    }

    private func require(_ tag: DICOMTag, _ edit: (inout cdcmtk_status) -> Int32) {
        var status = cdcmtk_status()
        precondition(edit(&status) != 0, "\(tag): \(status.message)")
    }
}
