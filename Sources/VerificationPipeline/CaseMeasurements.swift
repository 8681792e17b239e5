import ImagingCore
import MarginAnalysis
import Reporting

/// What is measured in a case whose tumours and zone lie in one frame of reference.
struct CaseMeasurements {
    struct TumourMargin {
        var tumour: CaseObject
        var result: MarginResult
        var verdict: Verdict
    }

    var margins: [TumourMargin] = []
    var structures: [CaseReport.Structure] = []
    var findings: [Finding] = []

    /// Measures each tumour and structure against the zone.
    ///
    /// - Parameters:
    ///   - fieldOfView: the grid of the scan that shows the zone; tumour outside it leaves the verdict open.
    ///   - organ: of the tumours, for the surface at its capsule.
    ///   - doubts: what keeps any verdict from being sure, in sentences.
    init(
        tumours: [CaseObject], zone: CaseObject, zoneName: MarginZone, fieldOfView: GridGeometry, structures: [(object: CaseObject, limitMM: Double?)],
        organ: CaseObject? = nil, profile: SiteProfile, doubts: [String]
    ) throws {
        for tumour in tumours {
            let uncertainty = MarginUncertainty(
                tumourSampling: tumour.sampling, zoneSampling: zone.sampling, tumourEdgeMM: tumour.edgeUncertaintyMM,
                zoneEdgeMM: zone.edgeUncertaintyMM, registrationErrorMM: tumour.alignment?.expectedErrorMM ?? 0)
            let result = try MarginAnalysis.margins(
                ofTumour: tumour.levelSet, in: zone.levelSet, zone: zoneName, uncertainty: uncertainty, zoneFieldOfView: fieldOfView,
                organ: organ.map { ($0.levelSet, profile.capsuleDepthMM ?? Self.usualCapsuleDepthMM) })
            let verdict = Verdict(
                tumour: tumour.name, result, criterion: MarginCriterion(zone: zoneName, requiredMarginMM: profile.requiredMarginMM, leavesOutCapsule: profile.capsuleDepthMM != nil),
                doubts: doubts + tumour.doubts + (tumour.alignment?.doubts ?? []))
            margins.append(TumourMargin(tumour: tumour, result: result, verdict: verdict))
            findings += result.findings
            if result.tumourCoverage == 0 { findings.append(Self.apart(tumour.name, zoneName)) }
        }
        for (object, limitMM) in structures {
            let distance = try StructureDistance.measure(
                to: object.levelSet, named: object.name, from: zone.levelSet, zone: zoneName,
                uncertainty: MarginUncertainty(
                    tumourSampling: object.sampling, zoneSampling: zone.sampling, zoneEdgeMM: zone.edgeUncertaintyMM,
                    registrationErrorMM: object.alignment?.expectedErrorMM ?? 0))
            var entry = CaseReport.Structure(name: object.name, distance, limitMM: limitMM)
            let keepsLimit = entry.status == .met
            if entry.status != nil, !doubts.isEmpty || object.alignment?.doubts.isEmpty == false { entry.status = .indeterminate }
            self.structures.append(entry)
            findings += distance.findings
            if let limitMM, !keepsLimit { findings.append(Self.warning(object.name, distance, zoneName, limitMM: limitMM)) }
        }
    }

    /// Where the profile does not leave out the capsule, the value without it is still shown, for this depth.
    private static let usualCapsuleDepthMM = 5.0

    private static func apart(_ tumour: String, _ zone: MarginZone) -> Finding {
        Finding(
            .warning, "zone-misses-tumour", "The \(zone.phrase) and the tumour \(tumour) lie apart.",
            remedy: "Look at the pictures: are the scans, the seed and the masks those of this treatment?")
    }

    private static func warning(_ name: String, _ distance: StructureDistance, _ zone: MarginZone, limitMM: Double) -> Finding {
        let millimetres = (distance.minimumDistanceMM * 10).rounded() / 10
        return Finding(
            .warning, "structure-near-zone",
            "The \(zone.phrase) comes to \(millimetres) mm from the \(name) (negative: into it); at least \(limitMM) mm is wanted.",
            remedy: "Look at the pictures near that place before freezing on.")
    }
}
