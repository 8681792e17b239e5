import ImageFilters
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
        /// Where the margin is too small, and what lies that way; only in the zone that decides.
        var shortfalls: [MarginShortfall]?
    }

    /// How cold an object became; `nil` for one outside of what was simulated.
    typealias Exposure = (LevelSet) -> StructureExposure?

    /// Each tumour in each zone, in the zones' order.
    var margins: [TumourMargin] = []
    var structures: [CaseReport.Structure] = []
    /// How much of the organ lies in what this treatment froze; `nil` without an organ.
    var zoneInOrgan: (volumeML: Double, organVolumeML: Double)?
    var findings: [Finding] = []

    /// Measures each tumour and each structure in each zone; a structure's limit is for the first.
    ///
    /// - Parameters:
    ///   - deciding: the zone that the criterion is for.
    ///   - fieldOfView: the grid of the scan that shows the zone; tumour outside it leaves the verdict open.
    ///   - organ: of the tumours, for the surface at its capsule.
    ///   - ownZone: the first zone without what earlier ablations destroyed, for its share of the organ; the first zone where `nil`.
    ///   - intent: what the treatment is for; unless it is to cure, the profile's share of the tumour decides rather than the margin.
    ///   - exposure: how cold a structure became; `nil` without a simulation.
    ///   - doubts: what keeps any verdict from being sure, in sentences.
    init(
        tumours: [CaseObject], zones: [MeasuredZone], deciding: MarginZone, fieldOfView: GridGeometry,
        structures: [(object: CaseObject, limitMM: Double?)],
        organ: CaseObject? = nil, ownZone: CaseObject? = nil, profile: SiteProfile, intent: TreatmentIntent = .curative,
        exposure: Exposure? = nil, doubts: [String]
    ) throws {
        let surfaces = structures.compactMap { structure -> (name: String, surface: SurfaceDistance)? in
            let mesh = structure.object.surface
            return mesh.isEmpty ? nil : (structure.object.name, SurfaceDistance(mesh))
        }
        for tumour in tumours {
            let geometry = try TumourGeometry(tumour.levelSet)
            for zone in zones {
                var margin = TumourMargin(tumour: tumour, zone: zone)
                let isDeciding = zone.name == deciding
                do {
                    let result = try MarginAnalysis.margins(
                        of: geometry, in: zone.object.levelSet, zone: zone.name, uncertainty: Self.uncertainty(of: tumour, in: zone),
                        zoneFieldOfView: fieldOfView, organ: organ.map {
                            ($0.levelSet, profile.capsuleDepthMM ?? Self.usualCapsuleDepthMM)
                        })
                    margin.result = result
                    if isDeciding {
                        margin.shortfalls = result.map.shortfalls(below: profile.requiredMarginMM).map { $0.facing(surfaces) }
                        margin.verdict = Self.verdict(
                            on: tumour.name, result, profile, intent,
                            doubts: doubts + tumour.doubts + zone.object.doubtsAsZone + (tumour.alignment?.doubts ?? []))
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
        zoneInOrgan = try organ.map { organ in
            (
                try StructureDistance.overlapVolumeML(of: (ownZone ?? zones[0].object).levelSet, with: organ.levelSet),
                organ.surface.enclosedVolume / 1000)
        }
        for (object, limitMM) in structures {
            let cold = exposure?(object.levelSet)
            for (index, zone) in zones.enumerated() {
                do {
                    try measure(
                        object, in: zone, limitMM: index == 0 ? limitMM : nil, profile.limit(forStructure: object.name),
                        isDoubtful: !doubts.isEmpty, cold)
                } catch MarginError.zoneEmpty where index > 0 {}
            }
        }
    }

    /// - Parameter limitMM: `nil` in zones for which no limit is set.
    private mutating func measure(
        _ object: CaseObject, in zone: MeasuredZone, limitMM: Double?, _ asked: SiteProfile.StructureLimit?, isDoubtful: Bool,
        _ cold: StructureExposure?
    ) throws {
        let distance = try StructureDistance.measure(
            to: object.levelSet, named: object.name, from: zone.object.levelSet, zone: zone.name,
            uncertainty: MarginUncertainty(
                tumourSampling: object.sampling, zoneSampling: zone.object.sampling, tumourEdgeMM: object.edgeUncertaintyMM,
                zoneEdgeMM: zone.object.edgeUncertaintyMM, zoneOffsetMM: zone.offsetDeviationMM,
                zoneOffsetMapMM: zone.offsetDeviationMapMM, registrationErrorMM: object.alignment?.expectedErrorMM ?? 0))
        var entry = CaseReport.Structure(name: object.name, distance, limitMM: limitMM, lowestTemperatureC: cold?.lowestC)
        entry.timeBelow = cold.map { $0.longestS.map { .init(temperatureC: $0.temperatureC, longestS: $0.seconds) } }
        let keepsLimit = entry.status == .met
        if entry.status != nil, isDoubtful || object.alignment?.doubts.isEmpty == false { entry.status = .indeterminate }
        structures.append(entry)
        guard let limitMM else { return }
        findings += distance.findings
        if !keepsLimit { findings.append(Self.warning(object.name, distance, zone.name, limitMM: limitMM)) }
        findings += asked.map { Self.protection(of: object.name, distance, zone.name, asked: $0) } ?? []
    }

    /// A margin's verdict, or that of the share of the tumour where the intent is not to cure.
    private static func verdict(
        on tumour: String, _ margin: MarginResult, _ profile: SiteProfile, _ intent: TreatmentIntent, doubts: [String]
    ) -> Verdict {
        guard intent != .curative else {
            return Verdict(
                tumour: tumour, margin,
                criterion: MarginCriterion(
                    zone: margin.zone, requiredMarginMM: profile.requiredMarginMM, leavesOutCapsule: profile.capsuleDepthMM != nil),
                doubts: doubts)
        }
        guard let demand = profile.coverageDemands[intent] else {
            return Verdict(status: .indeterminate, reasons: [
                "The \(profile.name) profile does not say what share of a tumour is to freeze with the intent \(intent.rawValue).",
            ])
        }
        return Verdict(
            tumour: tumour, margin, criterion: VolumeCriterion(intent: intent, zone: margin.zone, coverage: demand.coverage),
            doubts: doubts)
    }

    /// Where the profile does not leave out the capsule, the value without it is still shown, for this depth.
    private static let usualCapsuleDepthMM = 5.0

    private static func uncertainty(of tumour: CaseObject, in zone: MeasuredZone) -> MarginUncertainty {
        MarginUncertainty(
            tumourSampling: tumour.sampling, zoneSampling: zone.object.sampling, tumourEdgeMM: tumour.edgeUncertaintyMM,
            zoneEdgeMM: zone.object.edgeUncertaintyMM, zoneOffsetMM: zone.offsetDeviationMM,
            zoneOffsetMapMM: zone.offsetDeviationMapMM, registrationErrorMM: tumour.alignment?.expectedErrorMM ?? 0)
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

    /// What the profile asks for where ice may come near: the lower end of the distance's interval counts.
    private static func protection(
        of name: String, _ distance: StructureDistance, _ zone: MarginZone, asked: SiteProfile.StructureLimit
    ) -> [Finding] {
        [
            ("hydrodissection", "fluid or gas between it and the ice (hydrodissection)", asked.hydrodissectionBelowMM),
            ("thermosensor", "a temperature sensor beside it (thermosensor)", asked.thermosensorBelowMM),
        ].compactMap { kind, what, belowMM in
            guard let belowMM, distance.minimumDistanceIntervalMM.lowerBound < belowMM else { return nil }
            return Finding(
                .warning, "structure-\(kind)",
                "The \(zone.phrase) may come within \(String(format: "%g", belowMM)) mm of the \(name); the profile asks for \(what).",
                remedy: "Check that it was done, or that it is not needed here.")
        }
    }
}
