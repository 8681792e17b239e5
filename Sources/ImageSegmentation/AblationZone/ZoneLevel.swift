import ImagingCore

/// The grey level of an ablation zone and of what surrounds it.
struct ZoneLevel {
    /// The zone's own level and the spread of smoothed voxels about it.
    private(set) var inside: Float
    let spread: Float
    /// The commonest level of the shell around the zone.
    let around: Float
    /// On MR the commonest level there on the zone's other side, where enough lies on it: a zone may be brighter than the organ around it
    /// and darker than the fat.
    private let beyond: Float?
    /// Where tissues darker and brighter than the zone surround it, the edges between those pass through its level: farther from that
    /// than this speaks against the zone. Infinite elsewhere.
    private let reach: Float
    let modality: Modality
    private(set) var findings: [Finding] = []

    /// Zones do not reach this on CT: blood that has clotted may reach 80 HU.
    private static let enhancedHU: Float = 105
    private static let fatHU: Float = -60, airHU: Float = -500, fluidHU: Float = 18
    /// What a zone must differ from its surroundings by: HU, or a share of the signal.
    static let leastContrastHU: Float = 12, leastContrastShare: Float = 0.06
    /// What less than this share of the voxels around has is no tissue around.
    private static let leastTissueShare: Float = 1.0 / 7
    /// `reach` in standard deviations of the zone's middle, and at least as a share of its level: of .045 and .06 the former let fewer
    /// zones in kidneys go on into the cortex.
    private static let reachSpreads: Float = 3, leastReachShare: Float = 0.045

    /// - Throws: when the level at the seeds is not a zone's, or that of what surrounds it.
    init(
        _ work: Volume<Float>, modality: Modality, distance: Volume<Float>, radius: Double, seed: PatientPoint,
        parameters: AblationZoneSegmentation.Parameters
    ) throws(SegmentationError) {
        self.modality = modality
        let r = Float(radius)
        let reach = max(min(max(0.35 * r, 2.5), 6), Float(0.6 * work.geometry.spacing.max()))
        let near = work.values(in: Mask(distance) { $0 < reach }), isCT = modality == .ct
        // Bubbles are part of a zone, and no measure of it; a seed in air has nothing else around it.
        let solid = isCT ? near.filter { $0 > -200 } : near
        guard let level = (4 * solid.count > near.count ? solid : near).median else {
            throw .seedOutsideScan(PlaceOutsideScan(seed, scan: work.geometry))
        }
        inside = level
        let own = 1.4826 * (solid.map { abs($0 - level) }.median ?? 0)
        spread = max(own, isCT ? 5 : 0.03 * abs(level))
        let shell = work.values(in: Mask(distance) { $0 > 1.25 * r && $0 < 1.25 * r + 12 })
        around = Self.commonest(shell, width: Self.width(level, spread, modality)) ?? level
        beyond = isCT ? nil : Self.level(beside: level, in: shell, spread: spread, modality, isBrighter: around < level)
        let middle = work.values(in: Mask(distance) { $0 < max(0.5 * r, 3) }), middleLevel = middle.median ?? level
        let uneven = 1.4826 * (middle.map { abs($0 - middleLevel) }.median ?? 0)
        let isBetween = beyond != nil && around != level
        self.reach = isBetween ? max(Self.reachSpreads * uneven, Self.leastReachShare * abs(level)) : .infinity
        if isCT {
            if level < Self.airHU { throw .seedInAir(seed) }
            if level < Self.fatHU || level < ZoneEdge.fatHU && !liesInLung {
                throw .noZoneFound(seed, reason: "the seed lies in fat (\(Int(level.rounded())) HU)")
            }
            if level > Self.enhancedHU, !parameters.mayLieInBone {
                throw .noZoneFound(seed, reason: "the tissue there reads \(Int(level.rounded())) HU, as enhanced tissue or bone does")
            }
            if level < Self.fluidHU {
                findings.append(Finding(
                    .info, "ablation-zone-reads-as-fluid", "The region at the seed reads \(Int(level.rounded())) HU, as fluid does.",
                    remedy: "Make sure that it is the ablation zone and no cyst or fluid collection."))
            }
        }
        let limit = isCT ? max(Self.leastContrastHU, 1.5 * spread) : max(Self.leastContrastShare * abs(level), 1.5 * spread)
        let differing = Double(shell.count { abs($0 - level) > limit }) / Double(max(shell.count, 1))
        guard differing > 0.4 else {
            throw .noZoneFound(
                seed, reason: "the tissue there reads as what lies around it does (\(Int(level.rounded())) and \(Int(around.rounded())))")
        }
        if isCT, !liesInLung { try checkEnhancement(shell, seed: seed) }
    }

    /// Most soft tissue and all vessels read more than this in any phase after contrast medium.
    private static let leastEnhancedHU: Float = 85
    /// Organs read more than this once contrast medium is in them; around those of an abdomen without any it was 37 to 60.
    private static let surelyPlainHU: Float = 60

    private mutating func checkEnhancement(_ shell: [Float], seed: PatientPoint) throws(SegmentationError) {
        let soft = shell.filter { $0 > 0 && $0 < 250 }
        guard 20 * soft.count > shell.count, let bright = soft.quantile(0.9), bright < Self.leastEnhancedHU else { return }
        let text = "the tissue around reads no more than \(Int(bright.rounded())) HU"
        // The few voxels between a zone and fat around it prove nothing.
        guard bright >= Self.surelyPlainHU || 4 * soft.count < shell.count else {
            throw .noZoneFound(seed, reason: "\(text), so the scan is without contrast medium and does not show what is ablated")
        }
        findings.append(Finding(
            .warning, "scan-not-enhanced", "The scan seems to be without contrast medium: \(text).",
            remedy: "Use a contrast-enhanced phase; without one, residual tumour looks like ablated tissue."))
    }

    /// The level with most values within `width` of it.
    static func commonest(_ values: [Float], width: Float) -> Float? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        var best = (count: 0, at: sorted[0]), low = 0
        for high in sorted.indices {
            while sorted[high] - sorted[low] > 2 * width { low += 1 }
            if high - low > best.count { best = (high - low, sorted[(low + high) / 2]) }
        }
        return best.at
    }

    /// Takes the level of what lies inside the edge for the zone's: the treated tumour at the seeds may differ from the rest, which ends
    /// there. It moves by no more than two fifths of the way to the surroundings, and never away from them; not at all between two tissues.
    mutating func follow(_ rim: [Float]) {
        guard let level = rim.median, rim.count > 50, reach == .infinity else { return }
        let share = (level - inside) / (around - inside)
        if share > 0 { inside += min(share, 0.4) * (around - inside) }
    }

    /// By how much the zone differs from what surrounds it: from the tissue nearer to its level where there are two.
    var contrast: Float { min(abs(around - inside), beyond.map { abs($0 - inside) } ?? .infinity) }

    /// By how much the commonest level of what enhances among some values, or of all where little does, differs from a zone's level. On MR
    /// of what is darker or brighter, the nearer.
    static func contrast(of level: Float, to values: [Float], spread: Float, _ modality: Modality) -> Float {
        let brighter = Self.level(beside: level, in: values, spread: spread, modality, isBrighter: true),
            darker = modality == .mr ? Self.level(beside: level, in: values, spread: spread, modality, isBrighter: false) : nil
        let beside = [brighter, darker].compactMap { $0.map { abs($0 - level) } }
        return beside.min() ?? abs((commonest(values, width: width(level, spread, modality)) ?? level) - level)
    }

    /// The commonest of the values that are brighter or darker than a zone's level; `nil` where few are.
    private static func level(beside level: Float, in values: [Float], spread: Float, _ modality: Modality, isBrighter: Bool) -> Float? {
        let least = modality == .ct ? max(leastContrastHU, 1.5 * spread) : max(leastContrastShare * abs(level), 1.5 * spread)
        let beside = values.filter { isBrighter ? $0 > level + least && (modality == .mr || $0 < level + 200) : $0 < level - least }
        guard Float(beside.count) > leastTissueShare * Float(values.count) else { return nil }
        return commonest(beside, width: width(level, spread, modality))
    }

    private static func width(_ level: Float, _ spread: Float, _ modality: Modality) -> Float {
        max(2 * spread, modality == .ct ? 10 : 0.08 * abs(level))
    }

    /// In lung the zone is as dense as vessels and chest wall: the half height alone tells it from lung.
    var liesInLung: Bool { modality == .ct && around < inside - 300 }

    /// 1 at the zone's own level, 0 half way to the surroundings' and −1 beyond that; towards the other side 0 half way to what lies there,
    /// or −1 where a level lies beyond the zone's own spread (fluid beside tissue without contrast medium).
    func evenness(of image: Volume<Float>) -> Volume<Float> {
        let level = inside, span = around - inside, scale = 1 / max(4 * spread, 0.5 * abs(span)), sign: Float = span > 0 ? 1 : -1
        let rise = abs(span) > 2 * spread ? 1 / span : 0
        let otherRise = beyond.map { abs($0 - level) > 2 * spread && ($0 - level) * span < 0 ? 1 / ($0 - level) : 0 } ?? 0
        let perReach = 1 / reach
        return image.mapped { (value: Float) -> Float in
            let rest = value - level, off = rest * perReach, away = min(sign * rest, 0) * scale
            return max(-1, min(1.6 - 1.6 * off * off, 1.6 - 1.6 * away * away, 1.6 - 3.2 * rest * rise, 1.6 - 3.2 * rest * otherRise))
        }
    }
}
