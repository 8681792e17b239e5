import CDCMTK
import Foundation
import ImagingCore

/// Why a DICOM file or series cannot be read.
public struct DICOMError: ReportableError, Hashable {
    public var finding: Finding
    public var category: FailureCategory

    public init(_ finding: Finding, category: FailureCategory = .badData) {
        self.finding = finding
        self.category = category
    }

    /// The failure of a call into `CDCMTK` on a file.
    init(_ status: cdcmtk_status, file: URL) {
        let name = file.path
        switch Int32(status.code) {
        case Int32(CDCMTK_CANNOT_OPEN.rawValue):
            self.init(Finding(.error, "cannot-open", "\(name) cannot be opened: \(status.message).",
                              remedy: "Check the path and the permission to read it."), category: .inputMissing)
        case Int32(CDCMTK_NOT_DICOM.rawValue):
            let shouldBeDICOM = ["dcm", "dicom", "ima"].contains(file.pathExtension.lowercased())
            self.init(Finding(shouldBeDICOM ? .warning : .info, "not-dicom", "\(name) was passed over: \(status.message).",
                              remedy: shouldBeDICOM ? "Export or copy the file again." : ""))
        case Int32(CDCMTK_NOT_SUPPORTED.rawValue):
            self.init(Finding(.error, "not-supported", "\(name) cannot be read: \(status.message).",
                              remedy: "Export it uncompressed (Explicit VR Little Endian)."))
        case Int32(CDCMTK_CANNOT_WRITE.rawValue):
            self.init(Finding(.error, "cannot-write", "\(name) cannot be written: \(status.message).",
                              remedy: "Check the folder, its permissions and the free space."), category: .cannotWrite)
        case Int32(CDCMTK_INTERNAL.rawValue):
            self.init(Finding(.error, "dcmtk-failed", "\(name) cannot be processed: \(status.message).",
                              remedy: "Check that DCMTK is installed completely (package libdcmtk-dev)."), category: .internalError)
        default:
            self.init(Finding(.error, "broken-file", "\(name) is broken: \(status.message).",
                              remedy: "Export or copy the file again; a copy that broke off is the usual cause."))
        }
    }
}

extension cdcmtk_status {
    /// The text that came with the code.
    var message: String {
        withUnsafeBytes(of: text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
