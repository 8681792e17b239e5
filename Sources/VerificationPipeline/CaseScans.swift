import DICOMObjects
import Foundation
import ImagingCore

/// Why a scan of a case cannot be found.
public enum ScanSelectionError: ReportableError {
    case noUsableSeries(role: String, folder: URL, reasons: [String])
    case severalSeries(role: String, folder: URL, choices: [String])
    case noSuchSeries(role: String, folder: URL, choices: [String])

    public var category: FailureCategory { .badData }

    public var finding: Finding {
        switch self {
        case .noUsableSeries(let role, let folder, let reasons):
            Finding(.error, "no-usable-series", "No series for the \(role) scan in \(folder.path) can be used. \(reasons.joined(separator: " "))",
                    remedy: "`icemargin inspect \(folder.path)` says what is there and what is wrong with it.")
        case .severalSeries(let role, let folder, let choices):
            Finding(.error, "several-series", "\(folder.path) has \(choices.count) series that could be the \(role) scan: \(choices.joined(separator: "; ")).",
                    remedy: "Choose one by its Series Instance UID, or in the case by a part of its description.")
        case .noSuchSeries(let role, let folder, let choices):
            Finding(.error, "no-such-series", "\(folder.path) has no series with the seriesUID or description given for the \(role) scan; it has \(choices.isEmpty ? "none" : choices.joined(separator: "; ")).",
                    remedy: "Correct the seriesUID or description.")
        }
    }
}

/// The scans of a case, loaded.
struct CaseScans {
    var planning: Scan
    var treated: Scan
    var prefreeze: Scan?

    static func load(_ description: CaseDescription) throws -> CaseScans {
        let planning = try scan(description.planning, role: "planning")
        return CaseScans(
            planning: planning, treated: description.isPlan ? planning : try scan(description.treated, role: description.treatedRole),
            prefreeze: try description.prefreeze.map { try scan($0, role: "prefreeze") })
    }

    static func scan(_ series: CaseDescription.Series, role: String) throws -> Scan {
        let catalog = try SeriesCatalog.scan(series.folder)
        func name(_ entry: SeriesEntry) -> String { "\(entry.seriesInstanceUID) (\(entry.modality), “\(entry.description)”)" }

        let chosen = catalog.series.filter { entry in
            (series.seriesUID ?? entry.seriesInstanceUID) == entry.seriesInstanceUID
                && (series.description.map { entry.description.localizedCaseInsensitiveContains($0) } ?? true)
        }
        if chosen.isEmpty, series.seriesUID != nil || series.description != nil {
            throw ScanSelectionError.noSuchSeries(role: role, folder: series.folder, choices: catalog.series.map(name))
        }
        let usable = chosen.filter(\.usable)
        guard let entry = usable.first else {
            let reasons = (chosen.flatMap(\.findings) + catalog.findings).filter { $0.severity > .info }.map(\.message)
            let there = chosen.isEmpty ? ["It holds no DICOM images."] : ["It has \(chosen.map(name).joined(separator: "; "))."]
            throw ScanSelectionError.noUsableSeries(
                role: role, folder: series.folder, reasons: reasons.isEmpty ? there : Array(reasons.prefix(3)))
        }
        guard usable.count == 1 else {
            throw ScanSelectionError.severalSeries(role: role, folder: series.folder, choices: usable.map(name))
        }
        return try entry.load()
    }

    static let patientDiffersCode = "patient-differs"

    /// What differs between the scans that must not: errors for another patient, unless all that differs is `accepted`.
    func identityFindings(roles: (planning: String, treated: String), accepted: Set<PatientIdentity.Attribute>) -> [Finding] {
        [(roles.treated, treated)].appending(prefreeze.map { ("prefreeze", $0) }).flatMap { role, scan -> [Finding] in
            let conflicts = planning.patient.conflicts(with: scan.patient)
            guard !conflicts.isEmpty else { return [] }
            let message = "The \(roles.planning) and the \(role) scan differ in \(conflicts.map(\.title).joined(separator: ", "))"
            guard accepted.isSuperset(of: conflicts) else {
                return [Finding(
                    .error, Self.patientDiffersCode, message + ": they may be of two patients.",
                    remedy: "Check that the right series were chosen. Where the difference is known and explained, the case can accept it:"
                        + " acceptIdentityDifferences: [\(conflicts.map(\.rawValue).joined(separator: ", "))].")]
            }
            return [Finding(
                .warning, "patient-difference-accepted", message + "; the case accepts that: both are taken to be of one patient.")]
        }
    }

    static let noDICOMCode = "no-dicom-results"

    /// Why no DICOM objects can be written: what one patient's scans give must never enter another's study, and what has no UID cannot be
    /// referred to.
    ///
    /// - Parameter findings: `identityFindings`.
    func reasonsAgainstDICOM(beside findings: [Finding]) -> [Finding] {
        if findings.contains(where: { $0.code == Self.patientDiffersCode }) {
            return [Finding(
                .warning, Self.noDICOMCode, "No DICOM objects are written: they would join scans in one study that may be of two patients.",
                remedy: "Check that the right series were chosen.")]
        }
        let uids = [planning, treated].flatMap { [$0.studyInstanceUID, $0.seriesInstanceUID] + $0.instances.map(\.sopInstanceUID) }
        return !uids.contains("") ? [] : [Finding(
            .warning, Self.noDICOMCode, "No DICOM objects are written: some images have no Study, Series or SOP Instance UID to refer to.",
            remedy: "Export the original images.")]
    }

    /// Whether planning coordinates hold in the treated scan without a registration.
    var shareFrameOfReference: Bool {
        guard let a = planning.volume.geometry.frameOfReferenceUID, let b = treated.volume.geometry.frameOfReferenceUID else {
            return false
        }
        return a == b
    }
}

extension CaseDescription {
    var treatedRole: String { isFollowup ? "followup" : isPlan ? "planning" : "intraprocedural" }
}

extension Array {
    fileprivate func appending(_ element: Element?) -> [Element] { element.map { self + [$0] } ?? self }
}
