import CDCMTK
import DICOMObjects
import Foundation
import ImageRegistration
import ImageSegmentation
import ImagingCore
import MarginAnalysis
import NIfTIFormat
import Reporting

/// The main job: one case, from its description to its folder of results.
public struct CaseVerification {
    public let description: CaseDescription
    public let profile: SiteProfile

    public init(description: CaseDescription, profile: SiteProfile) { (self.description, self.profile) = (description, profile) }

    /// Runs every stage and writes the results, which appear under their final name together at the end.
    ///
    /// - Parameter progress: gets the name of each stage as it begins and `nil` as it ends.
    /// - Returns: the report; a case that cannot be decided has one too. Throws when an input cannot be used or the results not be written.
    public func run(into folder: ResultsFolder, progress: @escaping (String?) -> Void = { _ in }) throws -> CaseReport {
        let started = Date()
        let clock = StageClock(progress: progress)
        let scans = try clock.measure("load", as: "reading scans") { try CaseScans.load(description) }
        let finder = CaseObjectFinder(description: description, profile: profile, scans: scans)
        let tumours = try clock.measure("tumours", as: "finding tumours") { try finder.tumours() }
        let structures = try clock.measure("structures", as: "reading structures") {
            try description.structures.map { (object: try finder.structure($0), limitMM: $0.limitMM ?? profile.limitMM(forStructure: $0.name)) }
        }
        let (probes, probeFindings) = clock.measure("probes", as: "finding probes") {
            let result = finder.probes()
            return (result.probes, result.findings)
        }
        var findings = try caseFindings(scans, tumours: tumours, structures: structures.map(\.object), probes: probes) + probeFindings
        let zone = try clock.measure("zone", as: description.isFollowup ? "finding the ablation zone" : "finding the ice") {
            try findZone(finder, probes: probes, tumours: tumours, findings: &findings)
        }

        var alignment: [String: SharedFrameCheck] = [:]
        var measurements: CaseMeasurements?
        if let zone {
            alignment = try clock.measure("alignment", as: "checking the shared frame of reference") {
                try checkAlignment(scans, tumours: tumours, structures: structures.map(\.object), zone: zone)
            }
            for (_, check) in alignment.sorted(by: { $0.key < $1.key }) { findings += check.findings }
            measurements = try clock.measure("margins", as: "measuring margins") {
                try CaseMeasurements(
                    tumours: tumours.filter { isPlaced($0, scans) }, zone: zone, zoneName: zoneName,
                    fieldOfView: scans.treated.geometry, structures: structures.filter { isPlaced($0.object, scans) }, alignment: alignment, profile: profile,
                    doubts: findings.filter { $0.severity == .error }.map(\.message))
            }
            findings += measurements?.findings ?? []
        }

        let inputs = try clock.measure("hash", as: "hashing the inputs") {
            try self.inputs(scans, objects: [zone].compactMap { $0 } + tumours + structures.map(\.object))
        }
        let figures = try clock.measure("figures", as: "drawing") {
            try CaseFigures(
                profile: profile, scan: scans.treated, zone: zone, zoneName: zoneName,
                structures: structures.map(\.object).filter { isPlaced($0, scans) }
            ).draw(measurements?.margins ?? [])
        }
        try clock.measure("masks", as: "writing masks") { try writeMasks(tumours: tumours, zone: zone, scans, to: folder) }

        let report = CaseReport(
            case: .init(id: description.id, site: description.site, profile: profile.name), inputs: inputs,
            tumours: try tumours.map(CaseReport.Tumour.init), probes: probes.enumerated().map(CaseReport.Probe.init),
            ice: .init(volumeML: zone.map { $0.surface.enclosedVolume / 1000 }, source: zone?.source ?? "none"),
            registration: registration(scans, alignment: alignment),
            margins: measurements?.margins.map { .init(tumour: $0.tumour.name, $0.result) } ?? [],
            structures: measurements?.structures ?? [], verdict: verdict(measurements, findings: findings), findings: findings.uniqued(),
            timingsS: clock.timingsS, provenance: provenance(inputs, started: started))
        for figure in figures { try folder.write(figure.png, to: figure.name + ".png") }
        try folder.write(Data(try HTMLReport.render(report, figures: figures).utf8), to: "report.html")
        try folder.write(try report.jsonData(), to: ResultsFolder.marker)
        try folder.commit()
        return report
    }

    private var zoneName: MarginZone { description.isFollowup ? .ablationZone : profile.zone }
}

/// The parts of a run.
extension CaseVerification {
    /// Whether an object's place in the treated scan is known.
    private func isPlaced(_ object: CaseObject, _ scans: CaseScans) -> Bool { !object.isInPlanningFrame || scans.shareFrameOfReference }

    /// What is known about the case before anything is measured.
    private func caseFindings(_ scans: CaseScans, tumours: [CaseObject], structures: [CaseObject], probes: [Probe]) throws -> [Finding] {
        var findings = scans.identityFindings(roles: (planning: "planning", treated: description.treatedRole))
        if !(tumours + structures).allSatisfy({ isPlaced($0, scans) }) {
            findings.append(Finding(
                .error, "frames-not-registered",
                "The planning and the \(description.treatedRole) scan lie in different frames of reference, or in none: where the tumour lies in the \(description.isFollowup ? "ablation zone" : "ice") is not known, so no margin is measured.",
                remedy: "Use a planning scan of the same session, on the same table."))
        }
        if zoneName == .visibleIce {
            findings.append(Finding(
                .info, "visible-ice-is-not-lethal",
                "Margins are measured to the visible ice, whose edge is near 0 °C. Tumour cells die reliably below about −40 °C, millimetres inside that edge."))
        }
        findings += (tumours + structures).flatMap(\.findings)
        findings += LesionFindings(profile: profile).findings(for: tumours)
        if description.organ != nil {
            findings.append(Finding(
                .warning, "organ-not-used",
                "The case gives the organ, but surface at the organ's capsule is not yet left out of margins: they count the whole tumour surface.",
                remedy: "Judge by the picture of the worst point whether it lies at the capsule."))
        }
        if probes.isEmpty, !description.isFollowup {
            findings.append(Finding(
                .info, "no-probes", "No probe was found on the ice scan.",
                remedy: "List the probes in the case to guide the search for ice."))
        }
        return findings
    }

    /// The zone; `nil`, with a finding, when the scan shows none.
    private func findZone(_ finder: CaseObjectFinder, probes: [Probe], tumours: [CaseObject], findings: inout [Finding]) throws -> CaseObject? {
        do {
            let zone = try finder.zone(probes: probes, tumours: tumours)
            findings += zone.findings
            return zone
        } catch let error as SegmentationError where error.isAboutTheScan {
            findings.append(error.finding)
            return nil
        }
    }

    /// How well the scans fit around each tumour; nothing when no object is carried from one scan into the other.
    private func checkAlignment(
        _ scans: CaseScans, tumours: [CaseObject], structures: [CaseObject], zone: CaseObject
    ) throws -> [String: SharedFrameCheck] {
        guard scans.shareFrameOfReference, scans.planning.seriesInstanceUID != scans.treated.seriesInstanceUID,
            (tumours + structures).contains(where: { $0.isInPlanningFrame != zone.isInPlanningFrame })
        else { return [:] }
        return Dictionary(uniqueKeysWithValues: try tumours.map { tumour in
            (tumour.name, try SharedFrameCheck(
                planning: scans.planning.volume, treated: scans.treated.volume,
                modality: scans.planning.modality == scans.treated.modality ? scans.planning.modality : nil, tumour: tumour.levelSet, zone: zone.levelSet))
        })
    }

    private func registration(_ scans: CaseScans, alignment: [String: SharedFrameCheck]) -> CaseReport.Registration {
        let checks = alignment.values
        guard scans.shareFrameOfReference else {
            return .init(rigid: .init(.identity), quality: .init(method: "none", trusted: false, expectedErrorMM: nil))
        }
        // Nothing to compare within one scan; otherwise what was not compared is not known.
        let isOneScan = scans.planning.seriesInstanceUID == scans.treated.seriesInstanceUID
        guard isOneScan || !checks.isEmpty else {
            return .init(rigid: .init(.identity), quality: .init(method: "shared-frame-of-reference", trusted: false, expectedErrorMM: nil))
        }
        var measures: [String: Double] = [:]
        measures["shiftMM"] = checks.compactMap { $0.translation?.shift.length }.max()
        measures["correlation"] = checks.compactMap { $0.translation?.correlation }.min()
        return .init(
            rigid: .init(.identity),
            quality: .init(
                method: "shared-frame-of-reference", trusted: checks.allSatisfy(\.isTrusted), measures: measures,
                expectedErrorMM: checks.map(\.expectedErrorMM).max() ?? 0))
    }

    private func verdict(_ measurements: CaseMeasurements?, findings: [Finding]) -> CaseReport.Verdict {
        guard let measurements, !measurements.margins.isEmpty else {
            let errors = findings.filter { $0.severity == .error }.map(\.message)
            return .init(status: .indeterminate, reasons: errors.isEmpty ? ["No margin was measured."] : errors)
        }
        let combined = Verdict(combining: measurements.margins.map(\.verdict))
        return Verdict(status: combined.status, reasons: combined.reasons.uniqued())
    }

    private func inputs(_ scans: CaseScans, objects: [CaseObject]) throws -> [CaseReport.Input] {
        let series = [("planning", scans.planning), (description.treatedRole, scans.treated)] + (scans.prefreeze.map { [("prefreeze", $0)] } ?? [])
        return try series.map { role, scan in
            CaseReport.Input(
                role: role, seriesInstanceUID: scan.seriesInstanceUID, modality: scan.modality.rawValue, geometry: scan.geometry,
                sha256: try sha256(ofFiles: scan.files), findings: scan.findings)
        } + objects.compactMap { object in
            try object.input.map { input in
                CaseReport.Input(
                    role: object.name, seriesInstanceUID: nil, modality: nil, geometry: input.geometry, sha256: try sha256(ofFiles: [input.file]))
            }
        }
    }

    /// What was segmented as masks on the whole grid of its scan, which viewers want; what was given on its own. Level sets hold the part around the object.
    private func writeMasks(tumours: [CaseObject], zone: CaseObject?, _ scans: CaseScans, to folder: ResultsFolder) throws {
        let objects = tumours.map { ("tumour-\($0.name)", $0) } + (zone.map { [(description.isFollowup ? "ablation-zone" : "ice", $0)] } ?? [])
        for (name, object) in objects {
            let scan = object.isInPlanningFrame ? scans.planning : scans.treated, mask = object.levelSet.mask
            try NIfTIFile.write(object.input == nil ? mask.placed(in: scan.geometry) : mask, to: folder.url("masks/\(name).nii.gz"))
            try NIfTIFile.write(object.levelSet, to: folder.url("masks/\(name)-level-set.nii.gz"))
        }
    }

    private func provenance(_ inputs: [CaseReport.Input], started: Date) -> CaseReport.Provenance {
        .init(
            version: iceMarginVersion, dcmtk: String(cString: cdcmtk_version()), runID: UUID().uuidString,
            created: started.formatted(.iso8601),
            parameters: [
                "profile": profile.name == description.site ? .string(profile.name) : .string(description.site), "zone": .string(zoneName.rawValue),
                "requiredMarginMM": .number(profile.requiredMarginMM), "targetMarginMM": .number(profile.targetMarginMM),
            ],
            inputSHA256: Dictionary(inputs.map { ($0.role, $0.sha256) }) { $1 })
    }
}

extension SegmentationError {
    /// Whether the scan lacks what was looked for, rather than the case having described it wrongly.
    fileprivate var isAboutTheScan: Bool {
        switch self {
        case .noIceFound, .noZoneFound: true
        default: false
        }
    }
}

extension Array where Element: Hashable {
    /// Each element once, where it came first.
    fileprivate func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

extension CaseReport.Tumour {
    init(_ tumour: CaseObject) throws {
        let surface = tumour.surface
        guard let centroid = surface.centroid else { throw MarginError.tumourEmpty }
        self.init(id: tumour.name, volumeML: surface.enclosedVolume / 1000, longestDiameterMM: surface.longestDiameterMM, centroidLPS: centroid)
    }
}

extension CaseReport.Probe {
    init(_ index: Int, _ probe: Probe) {
        self.init(id: "P\(index + 1)", tipLPS: probe.tip, tailLPS: probe.tail, source: probe.source.rawValue)
    }
}
