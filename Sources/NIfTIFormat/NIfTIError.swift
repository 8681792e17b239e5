import Foundation
import ImagingCore

/// Why a NIfTI file cannot be read or written.
public enum NIfTIError: ReportableError, Hashable {
    case missing(URL)
    case notNIfTI(URL, found: String)
    case truncated(URL, expectedBytes: Int, foundBytes: Int)
    case corruptCompression(URL, reason: String)
    case unsupportedVersion(URL, magic: String)
    case badDimensions(URL, dimensions: [Int])
    case notSingleVolume(URL, dimensions: [Int])
    case unsupportedDatatype(URL, code: Int)
    case badDataOffset(URL, Float)
    case badOrientation(URL, form: String, reason: GeometryError)
    case sheared(URL, form: String, degrees: Double)
    case notDisplacements(URL)
    case cannotWrite(URL, reason: String)

    public var category: FailureCategory {
        switch self {
        case .missing: .inputMissing
        case .cannotWrite: .cannotWrite
        default: .badData
        }
    }

    public var finding: Finding {
        switch self {
        case .missing(let url):
            Finding(.error, "nifti-missing", "There is no file at \(url.path).", remedy: "Check the path.")
        case .notNIfTI(let url, let found):
            Finding(.error, "nifti-not-nifti", "\(url.lastPathComponent) is not a NIfTI-1 file: \(found).",
                    remedy: "Export the image as NIfTI-1 (.nii or .nii.gz).")
        case .truncated(let url, let expected, let found):
            Finding(.error, "nifti-truncated", "\(url.lastPathComponent) holds at most \(found) bytes; its header needs \(expected).",
                    remedy: "Copy or export the file again.")
        case .corruptCompression(let url, let reason):
            Finding(.error, "nifti-corrupt", "\(url.lastPathComponent) cannot be decompressed: \(reason).",
                    remedy: "Copy or export the file again.")
        case .unsupportedVersion(let url, let magic):
            Finding(.error, "nifti-version", "\(url.lastPathComponent) is of a kind that is not read: \(magic).",
                    remedy: "Convert it to NIfTI-1 (.nii or .nii.gz).")
        case .badDimensions(let url, let dimensions):
            Finding(.error, "nifti-dimensions", "\(url.lastPathComponent) has impossible dimensions \(dimensions).",
                    remedy: "Export the file again.")
        case .notSingleVolume(let url, let dimensions):
            Finding(.error, "nifti-not-one-volume",
                    "\(url.lastPathComponent) holds more than one volume: \(dimensions.map(String.init).joined(separator: " × ")).",
                    remedy: "Save the one volume that is meant as a file of its own.")
        case .unsupportedDatatype(let url, let code):
            Finding(.error, "nifti-datatype", "\(url.lastPathComponent) has voxels of NIfTI datatype \(code), which is not read.",
                    remedy: "Save the image with whole-number or real voxels.")
        case .badDataOffset(let url, let offset):
            Finding(.error, "nifti-offset", "\(url.lastPathComponent) says that its voxels begin at byte \(offset).",
                    remedy: "Export the file again.")
        case .badOrientation(let url, let form, let reason):
            Finding(.error, "nifti-orientation", "The \(form) of \(url.lastPathComponent) is unusable. \(reason.finding.message)",
                    remedy: "Export the file again, with its position and orientation.")
        case .sheared(let url, let form, let degrees):
            Finding(.error, "nifti-sheared",
                    "The \(form) of \(url.lastPathComponent) is sheared: its axes are \(degrees.formatted(places: 2))° off a right angle.",
                    remedy: "Resample the image onto a grid with right angles (for example onto the scan that it belongs to).")
        case .notDisplacements(let url):
            Finding(.error, "nifti-not-displacements", "\(url.lastPathComponent) holds no displacement field: three finite components for each voxel, marked as vectors.",
                    remedy: "Give the displacement.nii.gz that `icemargin register` writes, or a field that ITK wrote.")
        case .cannotWrite(let url, let reason):
            Finding(.error, "nifti-cannot-write", "\(url.path) cannot be written: \(reason).",
                    remedy: "Check the folder, its permissions and the free space.")
        }
    }
}

extension Double {
    func formatted(places: Int) -> String { String(format: "%.\(places)f", self) }
}
