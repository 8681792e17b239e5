import Foundation
import ImagingCore

/// Why a mask cannot be used.
public enum MaskError: ReportableError, Hashable {
    case empty(String)
    case notAMask(String, lowest: Float, highest: Float)
    case unclearInside(String)
    case severalLabels(String, [Int])
    case noOrientation(String)
    case otherFrame(String, maskUID: String, scanUID: String)
    case missesScan(String, mask: String, scan: String)

    public var category: FailureCategory { .badData }

    static func negativeInside(_ name: String) -> Finding {
        Finding(
            .info, "mask-signed-distances",
            "\(name) holds signed distances that are negative inside; they were taken so, because its border is positive.")
    }

    public var finding: Finding {
        switch self {
        case .empty(let name):
            Finding(.error, "mask-empty", "The mask \(name) is empty.", remedy: "Check that the right file, segment or region was given.")
        case .notAMask(let name, let lowest, let highest):
            Finding(.error, "mask-values", "\(name) does not look like a mask: its values run from \(lowest) to \(highest).",
                    remedy: "Save it with 0 outside and 1 inside, with the share of each voxel that is inside, or as signed distances in mm.")
        case .unclearInside(let name):
            Finding(.error, "mask-unclear-inside", "\(name) holds signed distances, but its border lies on both sides, so which side is inside cannot be told.",
                    remedy: "Save it as a mask with 0 outside and 1 inside, or with more room around the object.")
        case .severalLabels(let name, let labels):
            Finding(.error, "mask-labels", "\(name) holds several labels: \(labels.map(String.init).joined(separator: ", ")).",
                    remedy: "Save the one label that is meant as a mask of its own.")
        case .noOrientation(let name):
            Finding(.error, "mask-orientation", "\(name) does not say where it lies in the patient, so left and right cannot be told apart.",
                    remedy: "Export the mask again, with its position and orientation (qform or sform).")
        case .otherFrame(let name, let maskUID, let scanUID):
            Finding(.error, "mask-frame", "The mask \(name) lies in the frame of reference \(maskUID), but the scan in \(scanUID).",
                    remedy: "Draw the mask on this scan, or name the scan that it belongs to.")
        case .missesScan(let name, let mask, let scan):
            Finding(.error, "mask-misses-scan", "The mask \(name) lies outside the scan: it spans \(mask) mm, the scan \(scan) mm (LPS).",
                    remedy: "Check that the mask belongs to this scan, and the way that it was exported.")
        }
    }
}
