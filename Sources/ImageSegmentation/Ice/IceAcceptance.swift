import ImageFilters
import ImagingCore

/// Whether what was found looks like ice: an edge all around where it can show, and over it the change that freezing makes.
///
/// Cysts, bile, gas, fat, bowel content and unfrozen tumours stand out from their surroundings too; they differ in how much, in where it
/// changes, and in their shape. Where no probe shows that a procedure goes on, more is asked for.
struct IceAcceptance {
    /// The share of the surface that shows an edge.
    let visibleShare: Double
    /// The smallest radius (but for 1 in 40) from the centroid as a share of the mean one, of the least even body: ice is round.
    let evenness: Double
    /// That of the least full body; and on MR the signal inside as a share of that of the tissue around.
    let fullness: Double, signalShare: Float?
    /// Of the inside that says anything, the share that says ice; and the share that says anything.
    let agreement: Double, speakingShare: Double
    let volumeML: Double
    /// The median grey level inside.
    let level: Float
    /// CT: places on the surface that show an edge, the share of them over which levels change as freezing does, and the typical fall where
    /// the tissue around is not lung (`nil` where it mostly is).
    let places: Int, fittingShare: Double, typicalDropHU: Float?

    private static let dropRangeHU: ClosedRange<Float> = 50...125, typicalRangeHU: ClosedRange<Float> = 60...115,
        typicalRangeWithProbesHU: ClosedRange<Float> = 50...130
    /// On MR, where no probe shows: what the share of the surface that shows an edge and its fullness must come to together, and how much
    /// more for each share of signal that is left above that of a void. Ice in 77 scans came to 1.54 and more at 0.07 of the signal and
    /// less; what else is dark, at 600 places in scans without ice, to 1.48 and less at 0.09 and more, but for one of 0.7 mL.
    private static let leastClearAndFull = 1.45, morePerSignal = 2.0, voidSignal: Float = 0.08
    private static let lungHU: Float = -500, lungIceHU: ClosedRange<Float> = -520...25
    private static let insideMM = 2.0...6.0, outsideMM = 2.0...5.0

    /// - Parameters:
    ///   - work: grey levels on the coarse grid.
    ///   - usable: 0 at metal.
    init(_ evidence: IceEvidence, work: Volume<Float>, usable: Volume<Float>) {
        let bodies = evidence.bodies.bodies
        visibleShare = evidence.bodies.visibleShare
        evenness = bodies.map { body in
            // A few rays may start in a crack.
            body.radii.sorted()[body.radii.count / 40] * Double(body.radii.count) / body.radii.reduce(0, +)
        }.min()!
        volumeML = evidence.region.volumeML
        let core = evidence.region.eroded(byMM: 2), inside = core.isEmpty ? evidence.region : core
        let certainty = evidence.evidence.values(in: inside), speaking = certainty.filter { abs($0) > 0.1 }
        agreement = Double(speaking.count { $0 > 0 }) / Double(max(speaking.count, 1))
        speakingShare = Double(speaking.count) / Double(max(certainty.count, 1))
        let clear = inside.intersection(Mask(usable) { $0 > 0 })
        level = work.median(in: clear) ?? 0
        fullness = bodies.map(\.fullness).min()!
        signalShare = (evidence.tissue as? SurroundingTissue)?.signalShare(of: work, in: clear)
        var drops: [Float] = [], fitting = 0, all = 0
        for body in bodies {
            for ray in body.directions.indices where body.visibility[ray] > 0.5 {
                let u = body.directions[ray], r = body.radii[ray]
                func mean(_ from: Double, _ to: Double) -> Float? { Self.mean(work, usable, body.centre, u, from, to) }
                guard let within = mean(r - Self.insideMM.upperBound, r - Self.insideMM.lowerBound),
                    let beyond = mean(r + Self.outsideMM.lowerBound, r + Self.outsideMM.upperBound)
                else { continue }
                all += 1
                if beyond < Self.lungHU {
                    fitting += Self.lungIceHU.contains(within) ? 1 : 0
                } else {
                    drops.append(beyond - within)
                    fitting += Self.dropRangeHU.contains(beyond - within) ? 1 : 0
                }
            }
        }
        (places, fittingShare) = (all, Double(fitting) / Double(max(all, 1)))
        typicalDropHU = 2 * drops.count > all ? drops.median : nil
    }

    /// The mean of the image along a stretch of a ray; `nil` when most of it cannot be used.
    private static func mean(
        _ work: Volume<Float>, _ usable: Volume<Float>, _ centre: SIMD3<Double>, _ u: SIMD3<Double>, _ from: Double, _ to: Double
    ) -> Float? {
        var sum: Float = 0, count = 0, tried = 0
        for t in stride(from: max(from, 0.5), through: max(to, 0.5), by: 0.75) {
            tried += 1
            let voxel = work.geometry.continuousIndex(PatientPoint(centre + t * u)).nearest
            guard work.size.contains(voxel), usable[voxel] > 0 else { continue }
            sum += work[voxel]
            count += 1
        }
        return 2 * count >= tried && count > 0 ? sum / Float(count) : nil
    }

    /// Whether it is shaped as ice where nothing confirms it on MR: the less of a void it is, the clearer and fuller it must be.
    private var isFullVoid: Bool {
        let excess = Double(max(0, (signalShare ?? 0) - Self.voidSignal))
        return visibleShare + fullness > Self.leastClearAndFull + Self.morePerSignal * excess
    }

    /// Throws `SegmentationError.noIceFound` with the reason, when this is not ice.
    ///
    /// - Parameters:
    ///   - probesShow: metal (CT) or its void (MR) shows where the probes are said to lie.
    ///   - hasReference: what changed was measured against a scan before freezing.
    func check(modality: Modality, probesShow: Bool, hasReference: Bool) throws(SegmentationError) {
        func refuse(_ reason: String) throws(SegmentationError) { throw .noIceFound(reason: reason) }
        func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
        let confirmed = probesShow || hasReference
        // Pockets of fat, pieces of bowel and the like reach the lower of these values, not both at once.
        let needed = hasReference ? 0.12 : probesShow ? (modality == .ct ? 0.1 : 0.4) : modality == .ct ? 0.3 : 0.62
        if visibleShare < needed { try refuse("only \(percent(visibleShare)) of what could be the ice's surface shows an edge") }
        let isRound =
            confirmed ? evenness > 0.2 : modality == .ct ? evenness > 0.55 && visibleShare + evenness > 1.05 : isFullVoid
        if !isRound { try refuse("what stands out near the probes or seeds is not shaped as ice is") }
        if !confirmed, volumeML < (visibleShare > 0.8 ? 1 : 2.5) {
            try refuse("what stands out at the probes or seeds is too small to be told from normal anatomy")
        }
        if agreement < 0.6 || speakingShare < (confirmed ? 0.2 : 0.3) {
            try refuse("the tissue near the probes or seeds does not look frozen")
        }
        guard modality == .ct, !hasReference else { return }
        if places < 20 || fittingShare < (confirmed ? 0.4 : 0.6) {
            try refuse("at only \(percent(fittingShare)) of the places with an edge the tissue changes by as much as freezing does")
        }
        if let typicalDropHU, !(probesShow ? Self.typicalRangeWithProbesHU : Self.typicalRangeHU).contains(typicalDropHU) {
            try refuse("what stands out differs from the tissue around by \(Int(typicalDropHU.rounded())) HU; freezing makes about 85")
        }
        // No cyst and no bile reach so far down.
        if !confirmed, level > -8 {
            try refuse("the region at the seeds reads \(Int(level.rounded())) HU, as fluid or unfrozen tissue may")
        }
    }
}

extension IceOrigins {
    /// Whether the probes show along their shafts, as metal on CT and as a dark line on MR: without that their positions are not confirmed.
    func probesShow(in scan: Volume<Float>, modality: Modality) -> Bool {
        let samples = probes.flatMap { modality == .ct ? metal(along: $0, in: scan) : voids(along: $0, in: scan) }
        return samples.count >= 5 && Double(samples.count { $0 }) > 0.6 * Double(samples.count)
    }

    private static let metalHU: Float = 450

    private func metal(along probe: Probe, in scan: Volume<Float>) -> [Bool] {
        stride(from: 2.0, through: min(Self.activeLengthMM, max(probe.lengthMM, 3)), by: 2).compactMap { depth in
            scan.extremes(near: probe.point(atDepthMM: depth), reach: 2).map { $0.upperBound > Self.metalHU }
        }
    }

    /// Beyond the ice, where the shaft crosses tissue with signal.
    private func voids(along probe: Probe, in scan: Volume<Float>) -> [Bool] {
        guard let axis = probe.direction else { return [] }
        let u = axis.cross(abs(axis.lps.x) < 0.6 ? PatientVector(1, 0, 0) : PatientVector(0, 1, 0)).normalized!, v = axis.cross(u)
        return stride(from: 36.0, through: min(90, probe.lengthMM), by: 2).compactMap { depth in
            let foot = probe.point(atDepthMM: depth)
            let beside = [7.0, -7].flatMap { [foot + $0 * u, foot + $0 * v] }.compactMap { scan.extremes(near: $0, reach: 1)?.lowerBound }
            guard let here = scan.extremes(near: foot, reach: 1), let darker = beside.quantile(0.3), darker > 0 else { return nil }
            // Slices much thicker than a shaft dim its void.
            return here.lowerBound < 0.85 * darker
        }
    }
}

extension Volume<Float> {
    /// The least and the greatest value within `reach` voxels in the slice of a point; `nil` outside the grid.
    fileprivate func extremes(near point: PatientPoint, reach: Int) -> ClosedRange<Float>? {
        let voxel = geometry.continuousIndex(point).nearest
        guard size.contains(voxel) else { return nil }
        var (low, high) = (self[voxel], self[voxel])
        for j in Swift.max(0, voxel.j - reach)...Swift.min(size.j - 1, voxel.j + reach) {
            for i in Swift.max(0, voxel.i - reach)...Swift.min(size.i - 1, voxel.i + reach) {
                let value = self[VoxelIndex(i, j, voxel.k)]
                (low, high) = (Swift.min(low, value), Swift.max(high, value))
            }
        }
        return low...high
    }
}
