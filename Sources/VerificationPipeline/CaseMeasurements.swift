import ImageRegistration
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
    ///   - alignment: per tumour, how well the planning scan fits the treated one there.
    ///   - doubts: what keeps any verdict from being sure, in sentences.
    init(
        tumours: [CaseObject], zone: CaseObject, zoneName: MarginZone, fieldOfView: GridGeometry, structures: [(object: CaseObject, limitMM: Double?)],
        alignment: [String: SharedFrameCheck], profile: SiteProfile, doubts: [String]
    ) throws {
        let largestErrorMM = alignment.values.map(\.expectedErrorMM).max() ?? 0
        for tumour in tumours {
            let check = alignment[tumour.name]
            let uncertainty = MarginUncertainty(
                tumourSampling: tumour.sampling, zoneSampling: zone.sampling, tumourEdgeMM: tumour.edgeUncertaintyMM,
                zoneEdgeMM: zone.edgeUncertaintyMM, registrationErrorMM: check?.expectedErrorMM ?? largestErrorMM)
            let result = try MarginAnalysis.margins(
                ofTumour: tumour.levelSet, in: zone.levelSet, zone: zoneName, uncertainty: uncertainty, zoneFieldOfView: fieldOfView)
            let moved = check.map { check in check.isTrusted ? [] : check.findings.map(\.message) } ?? []
            let verdict = Verdict(
                tumour: tumour.name, result, criterion: MarginCriterion(zone: zoneName, requiredMarginMM: profile.requiredMarginMM), doubts: doubts + moved)
            margins.append(TumourMargin(tumour: tumour, result: result, verdict: verdict))
            findings += result.findings
        }
        for (object, limitMM) in structures {
            let distance = try StructureDistance.measure(
                to: object.levelSet, named: object.name, from: zone.levelSet, zone: zoneName,
                uncertainty: MarginUncertainty(
                    tumourSampling: object.sampling, zoneSampling: zone.sampling, zoneEdgeMM: zone.edgeUncertaintyMM, registrationErrorMM: largestErrorMM))
            var entry = CaseReport.Structure(name: object.name, distance, limitMM: limitMM)
            if entry.status != nil, !doubts.isEmpty { entry.status = .indeterminate }
            self.structures.append(entry)
            findings += distance.findings
            if let limitMM, entry.status != .met { findings.append(Self.warning(object.name, distance, zoneName, limitMM: limitMM)) }
        }
    }

    private static func warning(_ name: String, _ distance: StructureDistance, _ zone: MarginZone, limitMM: Double) -> Finding {
        let millimetres = (distance.minimumDistanceMM * 10).rounded() / 10
        return Finding(
            .warning, "structure-near-zone",
            "The \(zone.phrase) comes to \(millimetres) mm from the \(name) (negative: into it); at least \(limitMM) mm is wanted.",
            remedy: "Look at the pictures near that place before freezing on.")
    }
}
