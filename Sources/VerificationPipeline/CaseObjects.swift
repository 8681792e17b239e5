import DICOMObjects
import Foundation
import ImageFilters
import ImageSegmentation
import ImagingCore
import MarginAnalysis

/// An object of a case as a sub-voxel surface in its scan's frame of reference.
struct CaseObject: Sendable {
    /// A tumour's id, a structure's name, or the zone's name.
    var name: String
    var levelSet: LevelSet
    /// How finely the surface was sampled by the image or mask that it comes from.
    var sampling: SurfaceSampling
    /// One standard deviation of the surface along its normal, in millimetres, beside what the sampling adds.
    var edgeUncertaintyMM: Double
    /// `segmented`, or the mask that gave it.
    var source: String
    /// Whether it lies in the planning scan's frame of reference rather than in the treated scan's.
    var isInPlanningFrame: Bool
    /// How well it lies where the zone was seen; `nil` for what was seen on the same scan.
    var alignment: FrameAlignment?
    /// The file that gave it, and the grid in it; `nil` for what was segmented.
    var input: (file: URL, geometry: GridGeometry)?
    var findings: [Finding]

    /// Extracted anew at each call.
    var surface: TriangleMesh { levelSet.surface() }

    /// Why its surface may be wrong by more than its uncertainty says, in sentences: what the search for it warned of. None for a mask,
    /// whose author is believed.
    var doubts: [String] { input == nil ? findings.filter { $0.severity >= .warning }.map(\.message) : [] }

    /// The same for an object that margins are measured to: an edge that is hidden in part makes its uncertainty larger, but in bone
    /// nothing can be relied on.
    var doubtsAsZone: [String] { findings.filter { $0.code == IceSegmentation.inBoneCode }.map(\.message) }
}

/// Finds the objects of a case on its scans, or takes them from the masks that it gives.
struct CaseObjectFinder {
    let description: CaseDescription
    let profile: SiteProfile
    let scans: CaseScans

    /// The tumours, in the order of the case.
    func tumours() throws -> [CaseObject] {
        guard description.tumours.count > 1 else { return try description.tumours.map(tumour) }
        // Of several, a person wants to know which.
        return try description.tumours.map { entry in
            do {
                var found = try tumour(entry)
                found.findings = found.findings.map { $0.naming(entry.id) }
                return found
            } catch let error as SegmentationError { throw TumourError(id: entry.id, cause: error) }
        }
    }

    private func tumour(_ tumour: CaseDescription.Tumour) throws -> CaseObject {
        switch tumour.source {
        case .mask(let mask):
            return try imported(mask, name: tumour.id)
        case .prompt(var prompt):
            prompt.exclude += neighbours(of: prompt)
            let result = try TumourSegmentation.segment(
                scan: scans.planning.volume, modality: scans.planning.modality, prompt: prompt,
                parameters: .init(mayLieInBone: profile.lesion?.mayLieInBone ?? false))
            return segmented(result, name: tumour.id, isInPlanningFrame: true)
        }
    }

    /// The seeds of the case's other tumours: what lies there is not this one, unless the stated sizes say that a seed lies in both.
    private func neighbours(of prompt: TumourPrompt) -> [PatientPoint] {
        description.tumours.compactMap { other in
            guard case .prompt(let other) = other.source, other.seed != prompt.seed,
                scans.planning.volume.geometry.contains(other.seed)
            else { return nil }
            return other.seed.distance(to: prompt.seed) > max(other.diameterMM, prompt.diameterMM) / 2 ? other.seed : nil
        }
    }

    /// The probes that the case gives, compared with the scan, or those that the treated scan shows; none in an audit.
    func probes() -> ProbeDetection.Result {
        let (scan, modality) = (scans.treated.volume, scans.treated.modality)
        switch description.probes {
        case .given(let given):
            let probes = given.map { Probe(tip: $0.tip, tail: $0.tail, source: .given) }
            // Where they are to be put nothing shows yet.
            return .init(
                probes: probes, findings: description.isPlan ? [] : ProbeDetection.check(given: probes, in: scan, modality: modality))
        case .automatic:
            return description.isFollowup ? .init() : ProbeDetection.find(in: scan, modality: modality)
        }
    }

    /// The ice, or the ablation zone of an audit.
    ///
    /// - Parameters:
    ///   - seeds: where ice is expected when there are no probes, and an ablation zone: tumours, in the treated scan's frame of reference.
    ///   - tumours: those treated, for the size of an ablation zone.
    func zone(probes: [Probe], seeds: [PatientPoint], of tumours: [CaseObject]) throws -> CaseObject {
        let name = description.isFollowup ? "ablation zone" : "visible ice"
        if let zone = description.zone { return try imported(zone, name: name) }
        let (scan, modality) = (scans.treated.volume, scans.treated.modality)
        let result = if description.isFollowup {
            try AblationZoneSegmentation.segment(
                scan: scan, modality: modality, seeds: seeds, approximateDiameterMM: expectedZoneDiameterMM(tumours),
                parameters: .init(mayLieInBone: profile.lesion?.mayLieInBone ?? false))
        } else {
            try IceSegmentation.segment(scan: scan, modality: modality, probes: probes, seeds: seeds, reference: iceReference)
        }
        return segmented(result, name: name, isInPlanningFrame: false)
    }

    /// A single tumour with the margin it needs; several may share a zone or have one each.
    private func expectedZoneDiameterMM(_ tumours: [CaseObject]) -> Double? {
        guard tumours.count == 1 else { return nil }
        let usable = AblationZoneSegmentation.usableDiameterMM
        return min(max(tumours[0].surface.longestDiameterMM + 2 * profile.requiredMarginMM, usable.lowerBound), usable.upperBound)
    }

    /// The scan that shows the tissue before it froze, where one lies in the ice scan's frame of reference.
    private var iceReference: ScanVolume? {
        [scans.prefreeze, scans.planning].compactMap { $0 }.first { scan in
            scan.seriesInstanceUID != scans.treated.seriesInstanceUID && scan.modality == scans.treated.modality
                && scan.geometry.frameOfReferenceUID != nil
                && scan.geometry.frameOfReferenceUID == scans.treated.geometry.frameOfReferenceUID
        }?.volume
    }

    func structure(_ structure: CaseDescription.Structure) throws -> CaseObject {
        try imported(structure.mask, name: structure.name)
    }

    /// How far from the zone the patient's surface is looked for.
    private static let outlineReachMM = 60.0
    /// One standard deviation of the surface between body and air; on MR fat and water are shifted against each other.
    private static func outlineDeviationMM(_ modality: Modality) -> Double { modality == .ct ? 0.3 : 0.8 }

    private static func isSurface(of outside: LevelSet, within distanceMM: Double, of points: [PatientPoint]) -> Bool {
        let surface = SurfaceDistance(outside.surface())
        return points.contains { surface.nearest(to: $0, within: distanceMM) != nil }
    }

    /// Structures that the profile takes from the body's outline and for which the case gives no mask, on the treated scan.
    func bodyOutlines(around zone: CaseObject) -> (structures: [(object: CaseObject, limitMM: Double?)], findings: [Finding]) {
        let given = Set(description.structures.map { $0.name.lowercased() })
        let wanted = profile.structures.filter { $0.isBodyOutline && !given.contains($0.name.lowercased()) }
        guard let first = wanted.first else { return ([], []) }
        func missing(_ reason: String) -> (structures: [(object: CaseObject, limitMM: Double?)], findings: [Finding]) {
            (
                [],
                [Finding(
                    .info, "body-outline-not-seen", "The distance to the \(first.name) was not measured: \(reason).",
                    remedy: "Give a mask of it, if it is near.")])
        }
        let modality = scans.treated.modality
        guard let outside = BodySurface.outside(
            of: scans.treated.volume, modality: modality, around: zone.surface.vertices, marginMM: Self.outlineReachMM),
            // Farther away, in the corners of what was looked at, not all of the surface was seen.
            Self.isSurface(of: outside, within: Self.outlineReachMM, of: zone.surface.vertices)
        else { return missing("none is in the scan’s view within \(Int(Self.outlineReachMM)) mm of the ice") }
        let findings = modality == .ct ? [] : [Finding(
            .info, "body-outline-from-mr",
            "The \(first.name) was taken from the MR scan, where ice that reaches it looks like the air outside: close to the ice the distance may read too small.",
            remedy: "Give a mask of the \(first.name) where it is near.")]
        return (wanted.map { limit in
            (CaseObject(
                name: limit.name, levelSet: outside, sampling: SurfaceSampling(.levelSet, on: outside.geometry),
                edgeUncertaintyMM: Self.outlineDeviationMM(modality), source: "body outline", isInPlanningFrame: false, findings: []),
                limit.limitMM)
        }, findings)
    }

    /// What earlier ablations destroyed, in the order of the case.
    func earlierZones() throws -> [CaseObject] {
        try description.earlierZones.enumerated().map { try imported($1, name: "earlier zone \($0 + 1)") }
    }

    func organ(_ mask: CaseDescription.FramedMask) throws -> CaseObject { try imported(mask, name: "organ") }

    private func segmented(_ result: SegmentationResult, name: String, isInPlanningFrame: Bool) -> CaseObject {
        CaseObject(
            name: name, levelSet: result.levelSet, sampling: SurfaceSampling(.levelSet, on: result.levelSet.geometry),
            edgeUncertaintyMM: result.edgeUncertaintyMM, source: "segmented", isInPlanningFrame: isInPlanningFrame,
            findings: result.findings)
    }

    /// A mask with fewer voxels inside has no shape.
    private static let fewestVoxels = 8

    /// An object that was drawn elsewhere. Where its author put the edge is taken as it is.
    private func imported(_ mask: CaseDescription.FramedMask, name: String) throws -> CaseObject {
        let scan = mask.frame == .planning ? scans.planning : scans.treated
        let placed = try ImportedMask.read(mask.source).placed(in: scan.geometry)
        var findings = placed.findings
        if placed.mask.count < Self.fewestVoxels {
            findings.append(Finding(
                .error, "mask-few-voxels",
                "The mask \(placed.name) has only \(placed.mask.count) voxels inside; where the surface lies cannot be told from them.",
                remedy: "Check the mask; draw it on a finer grid."))
        }
        return CaseObject(
            name: name, levelSet: placed.levelSet, sampling: placed.sampling,
            edgeUncertaintyMM: 0, source: placed.name, isInPlanningFrame: mask.frame == .planning,
            input: (mask.source.file, placed.geometry),
            findings: findings)
    }
}

/// Why one of a case's several tumours could not be found.
struct TumourError: ReportableError {
    let id: String
    let cause: SegmentationError

    var finding: Finding { cause.finding.naming(id) }
    var category: FailureCategory { cause.category }
}

extension Finding {
    /// The same, said of one of several.
    fileprivate func naming(_ id: String) -> Finding { Finding(severity, code, "\(id): \(message)", remedy: remedy) }
}
