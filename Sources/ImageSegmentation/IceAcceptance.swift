import ImageFilters
import ImagingCore

/// Whether what was found looks like ice: an edge all around where it can show, and over it the change that freezing makes.
///
/// Cysts, bile, gas, fat, bowel content and unfrozen tumours stand out from their surroundings too; they differ in how much, in where it
/// changes, and in an inside that is not even. Where no metal shows that a procedure goes on, more is asked for.
struct IceAcceptance {
    let modality: Modality
    /// Whether metal (CT) or its void (MR) shows where the probes are said to lie.
    let probesShow: Bool
    let hasReference: Bool

    /// Ice is this much below its tissue; the drop of one place spreads around 85.
    private static let dropRangeHU: ClosedRange<Float> = 50...125, typicalDropHU: ClosedRange<Float> = 60...115
    private static let lungHU: Float = -500, lungIceHU: ClosedRange<Float> = -520...25
    /// Ice of any organ without contrast medium lies below this; without metal only what no cyst reaches is believed.
    private static let brightestIceHU: Float = 25, brightestIceWithoutMetalHU: Float = -8
    /// Ice is round: its smallest radius is at least this share of its mean radius, seen from its centroid.
    private static let leastEvenness = 0.25
    /// Pockets of fat between organs and pieces of bowel that look like ice are smaller than this.
    private static let smallestUnconfirmedML = 2.5
    private static let insideMM = 2.0...6.0, outsideMM = 2.0...5.0

    /// - Parameters:
    ///   - work: grey levels on the coarse grid.
    ///   - usable: 0 at metal.
    /// - Throws: `SegmentationError.noIceFound` with the reason.
    func check(_ evidence: IceEvidence, work: Volume<Float>, usable: Volume<Float>) throws(SegmentationError) {
        let bodies = evidence.bodies
        let share = bodies.visibleShare
        let needed = hasReference ? 0.12 : modality == .ct ? (probesShow ? 0.1 : 0.3) : (probesShow ? 0.4 : 0.85)
        guard share >= needed else {
            throw .noIceFound(reason: "only \(percent(share)) of what could be the ice's surface shows an edge")
        }
        guard bodies.bodies.allSatisfy({ $0.radii.min()! > Self.leastEvenness * $0.radii.reduce(0, +) / Double($0.radii.count) }) else {
            throw .noIceFound(reason: "the region near the probes or seeds is not shaped as ice is")
        }
        guard probesShow || hasReference || evidence.region.volumeML >= Self.smallestUnconfirmedML || (share > 0.8 && evidence.region.volumeML >= 1) else {
            throw .noIceFound(reason: "what stands out at the probes or seeds is too small to be told from normal anatomy")
        }
        let core = evidence.region.eroded(byMM: 2), inside = core.isEmpty ? evidence.region : core
        let certainty = evidence.evidence.values(in: inside)
        let speaking = certainty.filter { abs($0) > 0.1 }
        let agreeing = Double(speaking.count { $0 > 0 }) / Double(max(speaking.count, 1))
        guard agreeing > 0.6, Double(speaking.count) > 0.2 * Double(certainty.count) else {
            throw .noIceFound(reason: "the tissue near the probes or seeds does not look frozen")
        }
        if modality == .ct, !hasReference { try checkDrop(evidence, work: work, usable: usable, inside: inside) }
    }

    private func checkDrop(_ evidence: IceEvidence, work: Volume<Float>, usable: Volume<Float>, inside: Mask) throws(SegmentationError) {
        var drops: [Float] = [], fitting = 0, all = 0
        for body in evidence.bodies.bodies {
            for ray in body.directions.indices where body.visibility[ray] > 0.5 {
                let u = body.directions[ray], r = body.radii[ray]
                guard let within = mean(work, usable, body.centre, u, r - Self.insideMM.upperBound, r - Self.insideMM.lowerBound),
                    let beyond = mean(work, usable, body.centre, u, r + Self.outsideMM.lowerBound, r + Self.outsideMM.upperBound)
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
        guard all >= 20, Double(fitting) > 0.5 * Double(all) else {
            throw .noIceFound(reason: "at only \(percent(Double(fitting) / Double(max(all, 1)))) of the places with an edge the tissue changes by as much as freezing does")
        }
        let typical = drops.median ?? 85
        guard 2 * drops.count < all || Self.typicalDropHU.contains(typical) else {
            throw .noIceFound(reason: "the region near the probes or seeds differs from the tissue around by \(Int(typical.rounded())) HU; freezing makes about 85")
        }
        let level = work.median(in: inside.intersection(Mask(usable) { $0 > 0 })) ?? 0
        guard probesShow || level < Self.brightestIceWithoutMetalHU else {
            throw .noIceFound(reason: "the region at the seeds reads \(Int(level.rounded())) HU, as fluid or unfrozen tissue may")
        }
    }

    /// The mean of the image along a stretch of a ray; `nil` when most of it cannot be used.
    private func mean(
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

    private func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
}

extension IceOrigins {
    /// Whether the probes show along their shafts, as metal on CT and as a dark line on MR: without that their positions are not confirmed.
    func probesShow(in scan: Volume<Float>, modality: Modality) -> Bool {
        let size = scan.size
        func darkest(_ place: PatientPoint, reach: Int) -> (least: Float, most: Float)? {
            let voxel = scan.geometry.continuousIndex(place).nearest
            guard size.contains(voxel) else { return nil }
            var range = (scan[voxel], scan[voxel])
            for j in max(0, voxel.j - reach)...min(size.j - 1, voxel.j + reach) {
                for i in max(0, voxel.i - reach)...min(size.i - 1, voxel.i + reach) {
                    let value = scan[VoxelIndex(i, j, voxel.k)]
                    range = (min(range.0, value), max(range.1, value))
                }
            }
            return range
        }
        var shown = 0, all = 0
        for probe in probes {
            guard let axis = probe.direction else { continue }
            switch modality {
            case .ct:
                for depth in stride(from: 2.0, through: min(Self.activeLengthMM, max(probe.lengthMM, 3)), by: 2) {
                    guard let found = darkest(probe.point(atDepthMM: depth), reach: 2) else { continue }
                    all += 1
                    shown += found.most > 450 ? 1 : 0
                }
            case .mr:
                // Beyond the ice, where the shaft crosses tissue with signal.
                let across = axis.cross(abs(axis.lps.x) < 0.6 ? PatientVector(1, 0, 0) : PatientVector(0, 1, 0)).normalized!
                let sideways = (across.lps, axis.cross(across).lps)
                for depth in stride(from: 36.0, through: min(90, probe.lengthMM), by: 2) {
                    let foot = probe.point(atDepthMM: depth).lps
                    let beside = [7.0, -7].flatMap { [PatientPoint(foot + $0 * sideways.0), PatientPoint(foot + $0 * sideways.1)] }
                        .compactMap { darkest($0, reach: 0)?.least }.quantile(0.3)
                    guard let here = darkest(PatientPoint(foot), reach: 1), let beside, beside > 0 else { continue }
                    all += 1
                    shown += here.least < 0.7 * beside ? 1 : 0
                }
            }
        }
        return all >= 5 && Double(shown) > 0.6 * Double(all)
    }
}
