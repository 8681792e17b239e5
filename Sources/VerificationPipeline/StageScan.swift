import DICOMObjects
import Foundation
import ImagingCore
import NIfTIFormat

/// A scan that one stage is run on by itself: a DICOM series, or a volume in a NIfTI file.
public struct StageScan: Sendable {
    public var volume: ScanVolume
    public var modality: Modality
    /// `nil` for a NIfTI file.
    public var seriesInstanceUID: String?
    /// Nothing is known of the patient of a NIfTI file.
    public var patient = PatientIdentity()
    public var findings: [Finding]

    /// Reads a scan.
    ///
    /// - Parameters:
    ///   - path: the folder of a DICOM series, or a NIfTI file.
    ///   - seriesUID: picks one of several series of the folder.
    ///   - modality: what a NIfTI file, which does not say, holds; a DICOM series says so itself.
    ///   - role: what the scan is for, in messages.
    public static func read(_ path: URL, seriesUID: String? = nil, modality: Modality? = nil, role: String) throws -> StageScan {
        guard NIfTIFile.isNamed(path) else {
            let scan = try CaseScans.scan(.init(folder: path, seriesUID: seriesUID), role: role)
            return StageScan(
                volume: scan.volume, modality: scan.modality, seriesInstanceUID: scan.seriesInstanceUID, patient: scan.patient,
                findings: scan.findings)
        }
        guard let modality else {
            throw StageScanError.modalityNotGiven(path, option: ["moving", "fixed"].contains(role) ? "--\(role)-modality" : "--modality")
        }
        guard seriesUID == nil else { throw StageScanError.noSeries(path) }
        let image = try NIfTIFile.read(path)
        let findings = image.findings + (modality == .ct ? [notHounsfield(image.volume, in: path)].compactMap { $0 } : [])
        return StageScan(volume: .float32(image.volume), modality: modality, findings: findings)
    }

    /// A part of a body with nothing darker than this, in HU, holds neither fat nor gas, and its noise does not reach below water.
    private static let darkestHU: Float = -30
    /// Air and bone alike are beyond it.
    private static let leastSpanHU: Float = 100

    /// A DICOM series rescales its values; a file may hold them as they were stored (0 for air), or by another unit.
    private static func notHounsfield(_ volume: Volume<Float>, in file: URL) -> Finding? {
        let (lowest, highest) = volume.withUnsafeVoxels { voxels in
            voxels.reduce((Float.infinity, -Float.infinity)) { (min($0.0, $1), max($0.1, $1)) }
        }
        guard lowest > darkestHU || highest - lowest < leastSpanHU else { return nil }
        return Finding(
            .warning, "values-not-hounsfield",
            "The values of \(file.lastPathComponent) lie between \(lowest) and \(highest), which cannot be HU: air has \u{2212}1000, fat about \u{2212}100.",
            remedy: "Export the scan in HU (with the rescale intercept added), or correct the modality.")
    }

    /// Checks that `other` is another scan that shows the same patient in the same space by the same modality, as far as both say.
    public func requireComparable(with other: StageScan, role: String) throws(StageScanError) {
        if let a = seriesInstanceUID, let b = other.seriesInstanceUID, a == b { throw .sameSeries(role: role) }
        guard modality == other.modality else { throw .modalitiesDiffer(role: role, other.modality, modality) }
        let conflicts = patient.conflicts(with: other.patient)
        guard conflicts.isEmpty else { throw .patientDiffers(role: role, conflicts.map(\.title)) }
        if let a = volume.geometry.frameOfReferenceUID, let b = other.volume.geometry.frameOfReferenceUID, a != b {
            throw .framesDiffer(role: role)
        }
    }
}

/// Why a scan cannot be used by a stage.
public enum StageScanError: ReportableError, Hashable {
    case modalityNotGiven(URL, option: String)
    case noSeries(URL)
    case modalitiesDiffer(role: String, Modality, Modality)
    case patientDiffers(role: String, [String])
    case framesDiffer(role: String)
    case sameSeries(role: String)

    public var category: FailureCategory {
        switch self {
        case .modalityNotGiven, .noSeries: .usage
        default: .badData
        }
    }

    public var finding: Finding {
        switch self {
        case .modalityNotGiven(let file, let option):
            Finding(.error, "modality-not-given", "\(file.lastPathComponent) is a NIfTI file, which does not say whether it is CT or MR.",
                    remedy: "Give \(option) CT (values in HU) or \(option) MR.")
        case .noSeries(let file):
            Finding(
                .error, "no-series", "\(file.lastPathComponent) is a NIfTI file, which has no series to choose from.",
                remedy: "Leave out the series UID.")
        case .modalitiesDiffer(let role, let theirs, let ours):
            Finding(.error, "modalities-differ", "The \(role) scan is \(theirs.rawValue), this one \(ours.rawValue); their values cannot be compared.",
                    remedy: "Give a scan of the same modality.")
        case .patientDiffers(let role, let conflicts):
            Finding(.error, "patient-differs", "The \(role) scan differs in \(conflicts.joined(separator: ", ")): it may be of another patient.",
                    remedy: "Check that the right series were chosen.")
        case .sameSeries(let role):
            Finding(.error, "same-series", "The \(role) scan is the scan itself: nothing in it can have changed.",
                    remedy: "Give a scan from before freezing, or leave it out.")
        case .framesDiffer(let role):
            Finding(.error, "frames-differ", "The \(role) scan lies in another frame of reference.",
                    remedy: "Give a scan of the same session, on the same table, or leave it out.")
        }
    }
}
