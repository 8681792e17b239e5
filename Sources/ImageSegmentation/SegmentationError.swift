import ImagingCore

/// Why an object could not be found in a scan.
public enum SegmentationError: ReportableError, Hashable {
    case seedOutsideScan(PlaceOutsideScan)
    case seedInAir(PatientPoint)
    case seedOnBone(PatientPoint, hounsfieldUnits: Double)
    case diameterNotUsable(millimetres: Double, allowed: ClosedRange<Double>)
    case noTumourFound(PatientPoint)
    case tumourRunsOn(PatientPoint, foundMM: Double, statedMM: Double)
    case pointOutsideScan(PlaceOutsideScan, role: PromptPoint)
    case includeTooFar(PatientPoint, seed: PatientPoint, diameterMM: Double)
    case pointsContradict(inside: PatientPoint, outside: PatientPoint)
    case noProbesOrSeeds
    case probesOutsideScan(PlaceOutsideScan)
    case noIceFound(reason: String)
    case noZoneSeed
    case noZoneFound(PatientPoint, reason: String)

    /// What a point that a person gave besides the seed is meant for.
    public enum PromptPoint: String, Sendable { case include, exclude, axisEnd = "axis end" }

    public var category: FailureCategory {
        switch self {
        case .noProbesOrSeeds, .noZoneSeed: .inputMissing
        default: .badData
        }
    }

    public var finding: Finding {
        switch self {
        case .seedOutsideScan(let place):
            Finding(
                .error, "seed-outside-scan", "The seed \(place.point.text) lies outside the scan.",
                remedy: place.remedy(giving: "the seed"))
        case .seedInAir(let point):
            Finding(
                .error, "seed-in-air", "The seed \(point.text) lies in air.",
                remedy: "Put the seed on the tumour's solid part or into the ablation zone, and check the signs: L and P are positive towards the patient's left and back.")
        case .seedOnBone(let point, let value):
            Finding(
                .error, "seed-on-bone", "The seed \(point.text) lies on bone (\(Int(value.rounded())) HU).",
                remedy: "Move the seed onto the tumour, or use a site profile for bone.")
        case .diameterNotUsable(_, let allowed) where allowed.lowerBound == allowed.upperBound:
            Finding(
                .error, "scan-too-small", "The whole scan measures less than \(allowed.lowerBound) mm: no tumour can be looked for in it.",
                remedy: "Check the scan's voxel spacing; it must be in millimetres.")
        case .diameterNotUsable(let diameter, let allowed):
            Finding(
                .error, "diameter-not-usable",
                "A diameter of \(diameter) mm cannot be used in this scan; it must be \(allowed.lowerBound) to \(allowed.upperBound) mm.",
                remedy: "Give the approximate longest diameter in millimetres.")
        case .noTumourFound(let point):
            Finding(
                .error, "no-tumour-found", "Nothing at the seed \(point.text) stands out from its surroundings.",
                remedy: "Choose the series in which the tumour shows, correct the seed or diameter, or give a mask.")
        case .tumourRunsOn(let point, let found, let stated):
            Finding(
                .error, "tumour-runs-on",
                "What lies at the seed \(point.text) runs on for \(Int(found.rounded())) mm without an edge of its own; \(Int(stated.rounded())) mm were stated.",
                remedy: "Correct the seed or diameter, put exclude points into the neighbours, or give a mask.")
        case .pointOutsideScan(let place, let role):
            Finding(
                .error, "point-outside-scan", "The \(role.rawValue) point \(place.point.text) lies outside the scan.",
                remedy: place.remedy(giving: "the point"))
        case .includeTooFar(let point, let seed, let diameter):
            Finding(
                .error, "include-too-far",
                "The include point \(point.text) lies \(Int(point.distance(to: seed).rounded())) mm from the seed \(seed.text) of a tumour of \(Int(diameter.rounded())) mm.",
                remedy: "Give a second tumour its own seed, or correct the diameter.")
        case .pointsContradict(let inside, let outside):
            Finding(
                .error, "points-contradict",
                "The point \(outside.text) is to be left out, \(inside.text) beside it is to belong to the tumour.",
                remedy: "Move or remove one of the two points.")
        case .noProbesOrSeeds:
            Finding(
                .error, "no-probes-or-seeds", "The ice cannot be looked for: there is neither a probe nor a point to start from.",
                remedy: "Give the probes' tips and tails, or a point where ice is expected: in the case, or with --probe or --seed.")
        case .probesOutsideScan(let place):
            Finding(
                .error, "probes-outside-scan", "Every probe and seed lies outside the scan in which ice is looked for.",
                remedy: place.remedy(giving: "probes and seeds"))
        case .noZoneSeed:
            Finding(
                .error, "no-zone-seed", "The ablation zone cannot be looked for: there is no point to start from.",
                remedy: "Give a point inside the zone, such as the treated tumour's middle.")
        case .noZoneFound(let point, let reason):
            Finding(
                .error, "no-ablation-zone-found", "No ablation zone found at \(point.text): \(reason).",
                remedy: "Put the seed into the zone, choose the contrast phase in which it shows, or give it as a mask.")
        case .noIceFound(let reason):
            Finding(
                .error, "no-ice-found", "No ice found: \(reason).",
                remedy: "Check that this is the scan taken during freezing; give a scan from before freezing, or the ice as a mask.")
        }
    }
}
