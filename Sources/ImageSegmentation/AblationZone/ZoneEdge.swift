import ImageFilters
import ImagingCore

/// What lies along the edge of an ablation zone: how much of it differs from the zone, and lumps that enhance.
struct ZoneEdge {
    /// The share of the surface outside which the level differs from the zone's.
    let contrastShare: Double
    /// The share outside which the zone, if it went on, would look the same: whatever does not enhance; in lung whatever is as dense.
    let unseenShare: Double
    /// On MR the share outside which tissue is brighter than the organ around, by more than the zone differs from that: fat, in which the
    /// zone may go on at a level of its own.
    let elsewhereShare: Double
    /// The share across which the level changes by more than the zone's own unevenness explains.
    let clearShare: Double
    /// In lung: what lies beside the zone is as dense, and thick enough to have been taken for a part of it.
    private(set) var meetsDenseTissue = false
    private(set) var findings: [Finding] = []

    /// - Parameters:
    ///   - profiles: across the zone's edge.
    ///   - rim: the layer around the zone, which shows where the zone ends whatever lies behind.
    init(zone: LevelSet, image: Volume<Float>, level: ZoneLevel, modality: Modality, profiles: [RimProfiles], rim: ZoneRim? = nil) {
        let limit = modality == .ct ? ZoneLevel.leastContrastHU : ZoneLevel.leastContrastShare * abs(level.inside)
        let smooth = image.gaussianSmoothed(sigmaMM: 1.2)
        let beyond = Float(1 + 0.5 * image.geometry.spacing.max())
        let shell = Mask(zone.field) { $0 < -beyond && $0 > -beyond - 2 }, outside = smooth.values(in: shell)
        let hasRim = rim?.presence.values(in: shell).map { $0 > Self.surePresence } ?? outside.map { _ in false }
        contrastShare = Double(outside.count { abs($0 - level.inside) > limit }) / Double(max(outside.count, 1))
        let blind = zip(outside, hasRim).count { value, hasRim in
            if hasRim { return false }
            // What is no brighter than the zone does not enhance: fat, or fat mixed with muscle between two bellies of it.
            if modality == .ct && level.around > level.inside { return value <= level.inside + limit }
            return level.liesInLung ? value > level.inside - Self.asDenseHU : abs(value - level.inside) <= limit || modality == .ct && value < Self.fatHU
        }
        unseenShare = Double(blind) / Double(max(outside.count, 1))
        let brightest = max(level.around, level.inside) + abs(level.around - level.inside)
        // A layer brighter than the zone is no more than a step on the way to what is brighter still.
        let endsAtRim = rim.map { $0.step < 0 } ?? false
        let elsewhere = modality == .ct ? 0 : zip(outside, hasRim).count { $0 > brightest && !($1 && endsAtRim) }
        elsewhereShare = Double(elsewhere) / Double(max(outside.count, 1))
        clearShare = Self.clearShare(profiles, core: smooth.values(in: Mask(zone.field) { $0 > Self.coreMM }))
        let doubtful = unseenShare + elsewhereShare
        if doubtful > Self.toleratedUnseenShare {
            findings.append(Finding(
                .info, "ablation-zone-edge-unseen",
                "\(Int((100 * doubtful).rounded())) % of the ablation zone's edge borders on \(level.liesInLung ? "tissue as dense as itself" : "fat or tissue that looks the same"): the zone may reach further there, or less far.",
                remedy: "Look at the outline there, or give a mask."))
        }
        if level.liesInLung, let mouth = Self.mouth(of: zone, image: smooth, level: level, rimMM: rim?.widthMM ?? 0) {
            meetsDenseTissue = true
            findings.append(Finding(
                .warning, "ablation-zone-meets-dense-tissue",
                "Around \(mouth.text) the ablation zone goes over into something as dense as itself (a vessel, the chest wall, blood), "
                    + "of which a part may have been taken along.",
                remedy: "Look at the outline there, or give a mask."))
        }
        if let lump = Self.lump(zone: zone, image: smooth, level: level, modality: modality) {
            findings.append(Finding(
                .warning, "nodular-enhancement",
                "A lump of \((lump.volumeML * 10).rounded() / 10) mL at or in the ablation zone enhances, around \(lump.place.text).",
                remedy: "Look at it: it may be residual tumour; an even, thin rim is not."))
        }
    }

    static let fatHU: Float = -30
    private static let asDenseHU: Float = 150, toleratedUnseenShare = 0.15
    private static let surePresence: Float = 0.8

    /// Less of `clearShare` is no zone's outline on MR. Over 40 synthetic zones it was 0.89 or more; of the outlines found at 322 points of
    /// normal tissue it was more than 0.88 in seven, some of them vessels and bones with an edge of their own.
    static let leastClearShare = 0.88
    private static let clearSpreads: Float = 3, surelyClearShare: Float = 0.3
    static let coreMM: Float = 2

    /// - Parameter core: smoothed voxels deep in the zone.
    static func clearShare(_ profiles: [RimProfiles], core: [Float]) -> Double {
        let middle = core.median ?? 0, unevenness = 1.4826 * (core.map { abs($0 - middle) }.median ?? 0)
        let clear = min(clearSpreads * unevenness, surelyClearShare * abs(middle))
        return Double(profiles.count { abs($0.step) > clear }) / Double(max(profiles.count, 1))
    }

    /// Vessels thinner than twice this are no part of what the opening of a zone leaves.
    private static let mouthMM = 1.8, leastMouthML = 0.05

    /// Where the largest piece of dense tissue that is thicker than a rim touches the zone; `nil` where aerated lung lies all around.
    private static func mouth(of zone: LevelSet, image: Volume<Float>, level: ZoneLevel, rimMM: Float) -> PatientPoint? {
        let dense = Mask(image.combined(with: zone.field) { value, depth in
            depth < -0.5 - 1.5 * rimMM && depth > -6 - rimMM && value > level.inside - asDenseHU ? 1 : 0
        }) { $0 > 0 }
        let pieces = dense.opened(byMM: mouthMM).connectedComponents()
        let largest = pieces.components.map { pieces.mask(of: $0) }.max { $0.volumeML < $1.volumeML }
        return largest.flatMap { $0.volumeML >= leastMouthML ? centre(of: $0) : nil }
    }

    /// A rim is thinner than twice this; what outlines the lump is blurred by as much.
    private static let rimMM = 2.0
    private static let shellMM: Float = 14
    /// In thick slices a vessel's section alone holds more.
    private static func leastVolumeML(_ image: Volume<Float>) -> Double { max(0.15, 0.05 * image.geometry.spacing.max()) }

    /// The largest lump that enhances: beside the zone more than its surroundings do, in it as they do. Vessels run on beyond the shell
    /// that is looked at and are passed over.
    private static func lump(
        zone: LevelSet, image: Volume<Float>, level: ZoneLevel, modality: Modality
    ) -> (volumeML: Double, place: PatientPoint)? {
        let span = level.around - level.inside
        let beside: Float, inside: Float
        if level.liesInLung {
            (beside, inside) = (level.inside + 40, level.inside + 40)
        } else {
            guard span > 0 else { return nil }
            beside = level.around + max(0.35 * span, modality == .ct ? 25 : 0.2 * level.around)
            inside = level.inside + 0.75 * span
        }
        let bright = Mask(image.combined(with: zone.field) { value, depth in
            if depth < -shellMM { return 0 }
            return depth > 1.5 ? (value > inside ? 1 : 0) : (value > beside ? 1 : 0)
        }) { $0 > 0 }
        let lumps = bright.opened(byMM: rimMM).connectedComponents()
        let candidates = lumps.components.compactMap { component -> (volumeML: Double, place: PatientPoint)? in
            let mask = lumps.mask(of: component)
            guard mask.volumeML >= leastVolumeML(image) else { return nil }
            let depths = zone.field.values(in: mask)
            guard let nearest = depths.max(), let farthest = depths.min(), nearest > -3, farthest > -(shellMM - 1.5) else { return nil }
            return (mask.volumeML, centre(of: mask))
        }
        return candidates.max { $0.volumeML < $1.volumeML }
    }

    private static func centre(of mask: Mask) -> PatientPoint {
        var sum = SIMD3<Double>.zero, count = 0.0
        mask.withUnsafeVoxels { voxels in
            for offset in voxels.indices where voxels[offset] != 0 {
                sum += mask.geometry.point(mask.size.index(atOffset: offset)).lps
                count += 1
            }
        }
        return PatientPoint(sum / max(count, 1))
    }
}
