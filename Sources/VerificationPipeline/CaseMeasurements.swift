import ImagingCore
import MarginAnalysis
import Reporting

/// What is measured in a case whose tumours and zone lie in one frame of reference.
struct CaseMeasurements {
    struct TumourMargin {
        var tumour: CaseObject
        var zone: MeasuredZone
        /// `nil`, with a finding, where the zone is empty.
        var result: MarginResult?
        /// Only in the zone that decides.
        var verdict: Verdict?
    }

    /// Each tumour in each zone, in the zones' order.
    var margins: [TumourMargin] = []
    var structures: [CaseReport.Structure] = []
    var findings: [Finding] = []

    /// Measures each tumour in each zone, and each structure against the first zone.
    ///
    /// - Parameters:
    ///   - deciding: the zone that the criterion is for.
    ///   - fieldOfView: the grid of the scan that shows the zone; tumour outside it leaves the verdict open.
    ///   - organ: of the tumours, for the surface at its capsule.
    ///   - doubts: what keeps any verdict from being sure, in sentences.
    init(
        tumours: [CaseObject], zones: [MeasuredZone], deciding: MarginZone, fieldOfView: GridGeometry, structures: [(object: CaseObject, limitMM: Double?)],
        organ: CaseObject? = nil, profile: SiteProfile, doubts: [String]
    ) throws {
        let criterion = MarginCriterion(zone: deciding, requiredMarginMM: profile.requiredMarginMM, leavesOutCapsule: profile.capsuleDepthMM != nil)
        for tumour in tumours {
            let geometry = try TumourGeometry(tumour.levelSet)
            for zone in zones {
                var margin = TumourMargin(tumour: tumour, zone: zone)
                let isDeciding = zone.name == deciding
                do {
                    let result = try MarginAnalysis.margins(
                        of: geometry, in: zone.object.levelSet, zone: zone.name, uncertainty: Self.uncertainty(of: tumour, in: zone),
                        zoneFieldOfView: fieldOfView, organ: organ.map { ($0.levelSet, profile.capsuleDepthMM ?? Self.usualCapsuleDepthMM) })
                    margin.result = result
                    if isDeciding {
                        margin.verdict = Verdict(
                            tumour: tumour.name, result, criterion: criterion, doubts: doubts + tumour.doubts + zone.object.doubtsAsZone + (tumour.alignment?.doubts ?? []))
                        findings += result.findings
                        if result.tumourCoverage == 0 { findings.append(Self.apart(tumour.name, zone.name)) }
                    }
                } catch MarginError.zoneEmpty where zone.name != zones[0].name {
                    let finding = Self.empty(zone)
                    findings.append(finding)
                    if isDeciding { margin.verdict = Verdict(status: .notMet, reasons: ["\(tumour.name): \(finding.message)"]) }
                }
                margins.append(margin)
            }
        }
        let zone = zones[0].object, zoneName = zones[0].name
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

    private static func uncertainty(of tumour: CaseObject, in zone: MeasuredZone) -> MarginUncertainty {
        MarginUncertainty(
            tumourSampling: tumour.sampling, zoneSampling: zone.object.sampling, tumourEdgeMM: tumour.edgeUncertaintyMM,
            zoneEdgeMM: zone.object.edgeUncertaintyMM, zoneOffsetMM: zone.offsetDeviationMM, registrationErrorMM: tumour.alignment?.expectedErrorMM ?? 0)
    }

    private static func empty(_ zone: MeasuredZone) -> Finding {
        Finding(
            .info, "zone-empty", "The visible ice is too small to hold a \(zone.name.phrase) (\(zone.source)).",
            remedy: "Measure again when the ice has grown.")
    }

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
