import DICOMObjects
import ImageRegistration
import ImageSegmentation
import ImagingCore
import Reporting

/// A case's objects where they can be measured against each other, and how they came there.
struct CasePlacement {
    /// In one frame of reference with the zone; those whose place is not known are left out.
    var tumours: [CaseObject] = []
    var structures: [(object: CaseObject, limitMM: Double?)] = []
    /// The organ that holds the tumours, where the case gives it.
    var organ: CaseObject?
    /// What earlier ablations destroyed.
    var earlierZones: [CaseObject] = []
    /// The ice, or the ablation zone; `nil`, with a finding, when the scan shows none.
    var zone: CaseObject?
    var registration: CaseReport.Registration
    var findings: [Finding] = []
    /// For pictures: the registration around each tumour, by its name.
    var registrations: [(tumour: String, registration: ScanRegistration)] = []
}

/// Finds the zone and brings everything into its frame of reference.
struct CasePlacer {
    let description: CaseDescription
    let profile: SiteProfile
    let scans: CaseScans
    let finder: CaseObjectFinder
    let clock: StageClock

    /// Whether something of the planning scan has to be registered to the treated one.
    func needsRegistration(_ objects: [CaseObject]) -> Bool {
        scans.planning.seriesInstanceUID != scans.treated.seriesInstanceUID
            && (!scans.shareFrameOfReference || description.registration.isAlways)
            && (description.zone?.frame == .planning || objects.contains(where: \.isInPlanningFrame))
    }

    func place(
        tumours: [CaseObject], structures: [(object: CaseObject, limitMM: Double?)], organ: CaseObject?, earlierZones: [CaseObject] = [],
        probes: [Probe]
    ) throws -> CasePlacement {
        // An organ and earlier zones are carried over as structures are.
        let others = [organ].compactMap { $0 } + earlierZones
        let all = structures + others.map { ($0, nil) }
        var placement = needsRegistration(tumours + all.map(\.object))
            ? try registered(tumours: tumours, structures: all, probes: probes)
            : try sharingFrame(tumours: tumours, structures: all, probes: probes)
        func take(_ object: CaseObject) -> CaseObject? {
            placement.structures.lastIndex { $0.object.name == object.name }.map { placement.structures.remove(at: $0).object }
        }
        placement.earlierZones = earlierZones.reversed().compactMap(take).reversed()
        placement.organ = organ.flatMap(take)
        return placement
    }

    /// The zone; `nil`, with a finding, when the scan shows none.
    private func zone(
        _ probes: [Probe], seeds: [PatientPoint], of tumours: [CaseObject], _ findings: inout [Finding]
    ) throws -> CaseObject? {
        guard !description.isPlan else { return nil }
        return try clock.measure("zone", as: description.isFollowup ? "finding the ablation zone" : "finding the ice") {
            do {
                let zone = try finder.zone(probes: probes, seeds: seeds, of: tumours)
                findings += zone.findings
                if description.isBeforeFreezing { findings.append(Self.iceTooEarly) }
                return zone
            } catch let error as SegmentationError where error.isAboutTheScan {
                findings.append(description.isBeforeFreezing ? Self.noIceYet : error.finding)
                return nil
            }
        }
    }

    private static let noIceYet = Finding(.info, "no-ice-yet", "The scan shows no ice, as is to be expected before freezing (elapsed: 0).")
    private static let iceTooEarly = Finding(
        .error, "ice-before-freezing",
        "The scan shows what looks like ice, though the case says that it was taken before freezing (elapsed: 0).",
        remedy: "Correct “elapsed”, or look at the pictures: is it ice?")
}

/// Scans in one frame of reference.
extension CasePlacer {
    private func sharingFrame(
        tumours: [CaseObject], structures: [(object: CaseObject, limitMM: Double?)], probes: [Probe]
    ) throws -> CasePlacement {
        var placement = CasePlacement(tumours: tumours, structures: structures, registration: .init(rigid: .init(.identity), quality: .init(
            method: scans.shareFrameOfReference ? "shared-frame-of-reference" : "none", trusted: false, expectedErrorMM: nil)))
        placement.zone = try zone(probes, seeds: tumours.compactMap(\.surface.centroid), of: tumours, &placement.findings)
        let objects = tumours + structures.map(\.object)
        // Nothing to compare within one scan; what was not compared is not known.
        if scans.planning.seriesInstanceUID == scans.treated.seriesInstanceUID {
            placement.registration.quality = .init(method: "shared-frame-of-reference", trusted: true, expectedErrorMM: 0)
        }
        // Without a zone it is the probes, on the treated scan, that matter.
        let zoneIsPlanning = placement.zone?.isInPlanningFrame ?? false
        guard scans.planning.seriesInstanceUID != scans.treated.seriesInstanceUID,
            objects.contains(where: { $0.isInPlanningFrame != zoneIsPlanning })
        else { return placement }

        let checks = try clock.measure("alignment", as: "checking the shared frame of reference") {
            try tumours.map { try frameCheck($0, zone: placement.zone) }
        }
        // A patient who moved within the frame is followed as one in another frame is.
        if checks.contains(where: { $0.followedMM != nil }) {
            var followed = try registered(tumours: tumours, structures: structures, probes: probes)
            followed.findings = checks.flatMap(\.findings) + followed.findings
            return followed
        }
        let alignments = checks.map {
            FrameAlignment(expectedErrorMM: $0.expectedErrorMM, doubts: $0.isTrusted ? [] : $0.findings.map(\.message))
        }
        align(&placement, alignments)
        placement.findings += checks.flatMap(\.findings)
        var measures: [String: Double] = [:]
        measures["shiftMM"] = checks.compactMap { $0.translation?.shift.length }.max()
        measures["correlation"] = checks.compactMap { $0.translation?.correlation }.min()
        placement.registration.quality = .init(
            method: "shared-frame-of-reference", trusted: checks.allSatisfy(\.isTrusted), measures: measures,
            expectedErrorMM: checks.map(\.expectedErrorMM).max() ?? 0)
        return placement
    }

    private func frameCheck(_ tumour: CaseObject, zone: CaseObject?) throws -> SharedFrameCheck {
        let (planning, treated) = (scans.planning, scans.treated)
        guard planning.modality != treated.modality, let focus = tumour.focus else {
            return try SharedFrameCheck(
                planning: planning.volume, treated: treated.volume, modality: treated.modality, tumour: tumour.levelSet,
                zone: zone?.levelSet)
        }
        return SharedFrameCheck(
            planning: RegistrationScan(planning.volume, modality: planning.modality),
            treated: RegistrationScan(treated.volume, modality: treated.modality, excluded: zone?.levelSet.mask), focus: focus)
    }

    /// Says of all that comes from the other scan than the zone how well it lies: of each tumour its own, of structures the worst.
    private func align(_ placement: inout CasePlacement, _ alignments: [FrameAlignment]) {
        let zoneIsPlanning = placement.zone?.isInPlanningFrame ?? false
        let worst = FrameAlignment(expectedErrorMM: alignments.map(\.expectedErrorMM).max() ?? 0, doubts: alignments.flatMap(\.doubts))
        for index in placement.tumours.indices where placement.tumours[index].isInPlanningFrame != zoneIsPlanning {
            placement.tumours[index].alignment = alignments[index]
        }
        for index in placement.structures.indices where placement.structures[index].object.isInPlanningFrame != zoneIsPlanning {
            placement.structures[index].object.alignment = worst
        }
    }
}

/// Scans that are registered.
extension CasePlacer {
    private func registered(
        tumours: [CaseObject], structures: [(object: CaseObject, limitMM: Double?)], probes: [Probe]
    ) throws -> CasePlacement {
        let stage = CaseRegistration(
            choice: description.registration, planning: scans.planning, treated: scans.treated, treatedRole: description.treatedRole,
            isRigidByProfile: profile.isRegistrationRigid)
        var placement = CasePlacement(registration: stage.report([]))
        // Ice that probes show where to look for is found first, so that it is not compared.
        var zoneFindings: [Finding] = []
        if description.zone?.frame != .planning, description.zone != nil || !probes.isEmpty {
            placement.zone = try zone(probes, seeds: [], of: tumours, &zoneFindings)
        }
        let carried = tumours.filter(\.isInPlanningFrame)
        func register() throws -> [CaseRegistration.Outcome] {
            try clock.measure("registration", as: "registering the scans") {
                let excluded = placement.zone?.levelSet.mask
                return try carried.isEmpty ? [stage.register(around: nil, excluded: excluded)] : carried.map {
                    try stage.register(around: $0, excluded: excluded)
                }
            }
        }
        var outcomes = try register()
        if placement.zone == nil {
            let seeds = try self.seeds(tumours, outcomes)
            zoneFindings = []
            if let given = description.zone {
                placement.zone = try finder.zone(probes: probes, seeds: [], of: tumours)
                precondition(given.frame == .planning)
            } else if !(probes.isEmpty && seeds.isEmpty) {
                placement.zone = try zone(probes, seeds: seeds, of: tumours, &zoneFindings)
                if placement.zone != nil { outcomes = try register() }
            }
        }
        placement.findings = zoneFindings + zip(outcomes, carried.isEmpty ? [nil] : carried.map(\.name)).flatMap {
            stage.findings($0, tumour: $1)
        }
        placement.registration = stage.report(outcomes)
        placement.registrations = zip(carried, outcomes).compactMap { tumour, outcome in outcome.registration.map { (tumour.name, $0) } }
        try carry(tumours, structures, outcomes, into: &placement)
        return placement
    }

    /// Where tumours lie in the treated scan, as far as is known.
    private func seeds(_ tumours: [CaseObject], _ outcomes: [CaseRegistration.Outcome]) throws -> [PatientPoint] {
        var remaining = outcomes[...]
        return tumours.compactMap { tumour in
            guard let center = tumour.surface.centroid, tumour.isInPlanningFrame else { return tumour.surface.centroid }
            return remaining.popFirst()?.usable.map { $0.fixedPoint(of: center) }
        }
    }

    /// Carries what lies in the planning frame: each tumour by the registration around it, a structure by that of the nearest tumour.
    private func carry(
        _ tumours: [CaseObject], _ structures: [(object: CaseObject, limitMM: Double?)], _ outcomes: [CaseRegistration.Outcome],
        into placement: inout CasePlacement
    ) throws {
        let treated = scans.treated.geometry
        func alignment(_ registration: ScanRegistration) -> FrameAlignment {
            let quality = registration.quality
            return FrameAlignment(expectedErrorMM: quality.expectedErrorMM, doubts: quality.status == .pass ? [] : quality.reasons)
        }
        var used: [(center: PatientPoint, registration: ScanRegistration)] = [], remaining = outcomes[...]
        for tumour in tumours {
            guard tumour.isInPlanningFrame else {
                placement.tumours.append(tumour)
                continue
            }
            guard let registration = remaining.popFirst()?.usable else { continue }
            var copy = try tumour.carriedRigidly(to: treated.frameOfReferenceUID, registration.fixedPoint)
            copy.alignment = alignment(registration)
            placement.tumours.append(copy)
            if let center = tumour.surface.centroid { used.append((center, registration)) }
        }
        if used.isEmpty, let only = outcomes.first?.usable, tumours.allSatisfy({ !$0.isInPlanningFrame }) {
            used = [(treated.center, only)]
        }
        func nearest(to object: CaseObject) -> ScanRegistration? {
            let points = object.surface.vertices
            return used.min { a, b in Self.distance(a.center, points) < Self.distance(b.center, points) }?.registration
        }
        for (object, limitMM) in structures {
            guard object.isInPlanningFrame else {
                placement.structures.append((object, limitMM))
                continue
            }
            guard let registration = nearest(to: object) else { continue }
            var copy = try object.carried(to: treated, through: registration, registration.fixedPoint)
            copy.alignment = alignment(registration)
            placement.structures.append((copy, limitMM))
        }
        if let zone = placement.zone, zone.isInPlanningFrame {
            placement.zone = try used.first.map { try zone.carried(to: treated, through: $0.registration, $0.registration.fixedPoint) }
        }
    }

    private static func distance(_ center: PatientPoint, _ points: [PatientPoint]) -> Double {
        points.map { $0.distance(to: center) }.min() ?? .infinity
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
