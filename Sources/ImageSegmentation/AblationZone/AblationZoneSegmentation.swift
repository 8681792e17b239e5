import Foundation
import ImageFilters
import ImagingCore

/// The ablation zone on a follow-up CT or MR: the even region at the seeds that does not enhance as what surrounds it does.
///
/// The zone's own grey level is read at the seeds; voxels of that level are the zone's, voxels of the surroundings' levels are not, and
/// levels beyond the zone's own (fluid in a cyst or bile duct beside it) are not either. The surface of least area that this holds up
/// (`TotalVariationCut`) is filled, so that bubbles and blood inside belong to the zone, and moved onto the half-height of the local edge
/// (`EdgeRefinement`). An enhancing rim lies outside (`ZoneRim`). What enhances in lumps at the edge is reported (`ZoneEdge`).
/// Where a seed lies in blood, which differs from the rest, that is painted over first (`ZoneCore`).
public enum AblationZoneSegmentation {
    public struct Parameters: Sendable, Hashable {
        /// The zone lies in bone: dense levels are then not taken for enhancement.
        public var mayLieInBone = false
        public init(mayLieInBone: Bool = false) { self.mayLieInBone = mayLieInBone }
    }

    /// Diameters, in millimetres, that a procedure leaves.
    public static let usableDiameterMM = 5.0...150.0
    /// Looked for when no diameter is given.
    private static let usualDiameterMM = 40.0

    /// - Parameters:
    ///   - seeds: points inside the zone, in the scan's frame: the treated tumour's middle, or points along the probes' tips.
    ///   - approximateDiameterMM: the longest diameter, ±30 %; `nil` when it is not known.
    /// - Throws: `SegmentationError` when no seed lies in the scan, the diameter cannot be right, or no zone shows at the seeds.
    public static func segment(
        scan: ScanVolume, modality: Modality, seeds: [PatientPoint], approximateDiameterMM: Double? = nil,
        parameters: Parameters = Parameters()
    ) throws(SegmentationError) -> SegmentationResult {
        guard let first = seeds.first else { throw .noZoneSeed }
        let inScan = seeds.filter { scan.geometry.contains($0) }
        guard !inScan.isEmpty else { throw .seedOutsideScan(PlaceOutsideScan(first, scan: scan.geometry)) }
        if let diameter = approximateDiameterMM, !(diameter.isFinite && usableDiameterMM.contains(diameter)) {
            throw .diameterNotUsable(millimetres: diameter, allowed: usableDiameterMM)
        }
        let around = ZoneScan(scan, seeds: inScan, diameterMM: max(approximateDiameterMM ?? 0, usualDiameterMM))
        func outline(_ scan: ZoneScan) throws(SegmentationError) -> SegmentationResult {
            var search = try ZoneSearch(
                scan: scan, modality: modality, seeds: inScan, statedMM: approximateDiameterMM, parameters: parameters)
            var region = try search.region()
            for _ in 0..<2 where try search.grow(to: region) { region = try search.region() }
            region = search.separated(region)
            if search.runsOn(region) { throw .noZoneFound(first, reason: search.runsOnReason) }
            return try search.refined(region)
        }
        guard let core = ZoneCore(around.work, distance: around.distance, modality: modality) else { return try outline(around) }
        guard var whole = try? outline(around.painted(core)) else { return core.doubted(try outline(around)) }
        if let part = try? outline(around), !isPart(part, of: whole, statedMM: approximateDiameterMM) { return part }
        whole.findings.insert(core.finding, at: 0)
        return whole
    }

    /// By how much less a core alone is than the zone around it.
    private static let mostCoreShare = 0.85

    /// Whether an outline is that of a core alone: the smaller, unless its length is nearer to the one stated.
    private static func isPart(_ part: SegmentationResult, of whole: SegmentationResult, statedMM: Double?) -> Bool {
        let inner = part.levelSet.mask, outer = whole.levelSet.mask
        guard inner.volumeML < mostCoreShare * outer.volumeML else { return false }
        guard let statedMM else { return true }
        return abs(log(outer.longestMM / statedMM)) < abs(log(inner.longestMM / statedMM))
    }
}

/// One search for a zone around seeds.
struct ZoneSearch {
    let modality: Modality
    let seeds: [PatientPoint]
    private(set) var radius: Double
    /// The longest diameter that was given.
    let statedMM: Double?
    var diameterIsKnown: Bool { statedMM != nil }
    private let mostRadiusMM: Double
    /// A waist of what was found, behind which a neighbour may lie; and what was cut off at one, and the root mean square distance by
    /// which the outline would be wrong if that were the zone's.
    private(set) var waist: ZoneWaist?
    private(set) var cut: (volumeML: Double, distanceMM: Double)?
    /// By how much what was found is longer than the stated diameter allows.
    private(set) var tooLongMM = 0.0
    let parameters: AblationZoneSegmentation.Parameters
    let image, work: Volume<Float>
    private let distance: Volume<Float>
    private let isCut: [(low: Bool, high: Bool)]
    private var level: ZoneLevel

    init(
        scan: ZoneScan, modality: Modality, seeds: [PatientPoint], statedMM: Double?, parameters: AblationZoneSegmentation.Parameters
    ) throws(SegmentationError) {
        (self.modality, self.seeds, self.statedMM, self.parameters) = (modality, seeds, statedMM, parameters)
        (image, work, distance, isCut) = (scan.image, scan.work, scan.distance, scan.isCut)
        mostRadiusMM = Self.mostRadiusMM(stated: statedMM, seeds: seeds)
        radius = min(Self.radius(of: work, distance: distance, modality: modality), mostRadiusMM)
        level = try ZoneLevel(work, modality: modality, distance: distance, radius: radius, seed: seeds[0], parameters: parameters)
    }

    /// The largest radius that a stated longest diameter allows, as a share of it: within this most voxels were nearer to the zone's level
    /// than to that around in zones of a median of .37 and up to .49 of their diameters, which are known ±30 %.
    private static let mostRadiusShare = 0.62

    private static func mostRadiusMM(stated: Double?, seeds: [PatientPoint]) -> Double {
        guard let stated else { return .infinity }
        // Seeds along probes reach a part of the radius by themselves.
        let middle = PatientPoint(seeds.reduce(SIMD3<Double>.zero) { $0 + $1.lps } / Double(seeds.count))
        return max(mostRadiusShare * (stated - 1.4 * (seeds.map { $0.distance(to: middle) }.max() ?? 0)), 5)
    }

    /// Takes the size of what was found for the zone's where that is larger than guessed and not larger than was said; else false.
    mutating func grow(to region: Mask) throws(SegmentationError) -> Bool {
        let found = min(1.15 * pow(region.volumeML * 1000 * 3 / (4 * .pi), 1.0 / 3), mostRadiusMM)
        guard !level.liesInLung, found > 1.15 * radius else { return false }
        radius = found
        level = try ZoneLevel(work, modality: modality, distance: distance, radius: radius, seed: seeds[0], parameters: parameters)
        return true
    }

    /// How far from the seeds most voxels are nearer to the seeds' level than to that of the brighter tissue around, from 5 to 40 mm.
    private static func radius(of work: Volume<Float>, distance: Volume<Float>, modality: Modality) -> Double {
        let thick = Float(0.6 * work.geometry.spacing.max()), near = work.values(in: Mask(distance) { $0 < max(4, thick) }),
            level = near.median ?? 0
        let spread = max(1.4826 * (near.map { abs($0 - level) }.median ?? 0), modality == .ct ? 6 : 0.04 * abs(level))
        let reach = max(
            0.5 * ZoneLevel.contrast(of: level, to: work.values(in: Mask(distance) { $0 > 8 && $0 < 45 }), spread: spread, modality),
            1.5 * spread)
        let step: Float = 2
        var counts = [(own: Int, all: Int)](repeating: (0, 0), count: 20)
        work.withUnsafeVoxels { values in
            distance.withUnsafeVoxels { distance in
                for offset in 0..<values.count where distance[offset] < 40 {
                    counts[Int(distance[offset] / step)].all += 1
                    if abs(values[offset] - level) < reach { counts[Int(distance[offset] / step)].own += 1 }
                }
            }
        }
        let end = counts.indices.first { $0 >= 2 && 2 * counts[$0].own < counts[$0].all } ?? 20
        return max(Double(end) * Double(step), 5)
    }

    /// How many radii from the seeds no voxel is taken for the zone's any more.
    private static let farthestShare = 2.2

    /// The voxels of the zone on `work`'s grid.
    mutating func region() throws(SegmentationError) -> Mask {
        let r = Float(radius)
        var odds = GreyLevelOdds(
            image: work, inside: Mask(distance) { $0 < max(0.5 * r, 3) }, outside: Mask(distance) { $0 > 1.4 * r && $0 < 1.4 * r + 10 })
        var region = Mask(empty: work.geometry)
        for pass in 0..<3 {
            let u = TotalVariationCut.solve(force: force(odds), iterations: pass == 2 ? 120 : 60)
            region = Mask(u) { $0 >= 0.5 }.joined(to: seedVoxels).fillingHoles()
            guard region.count > 0 else { throw .noZoneFound(seeds[0], reason: "nothing there stands out from its surroundings") }
            let depth = Volume<Float>.levels(of: region).signedDistanceToZero()
            if pass < 2 {
                if !level.liesInLung { level.follow(work.values(in: Mask(depth) { $0 > 1.5 && $0 < 5 })) }
                odds = GreyLevelOdds(image: work, inside: Mask(depth) { $0 > 1.2 }, outside: Mask(depth) { $0 < -1.8 && $0 > -10 })
            }
        }
        // Necks to muscle, bowel or a vessel's wall of the same level.
        let opening = min(0.35 * radius, 5), opened = region.opened(byMM: opening).joined(to: seedVoxels)
        // Corners that the opening took off are the zone's own.
        if 3 * opened.count > 2 * region.count {
            region = level.liesInLung ? opened : region.intersection(opened.dilated(byMM: 0.8 * opening))
        }
        return withoutNeighbour(region)
    }

    /// Without a part that hangs on by a waist and lies where the stated size says the zone ends: a gallbladder or muscle of its level.
    private func withoutNeighbour(_ region: Mask) -> Mask {
        guard let part = region.partBehindWaist(from: seedVoxels), let reach = distance.values(in: part).median,
            Double(reach) > 0.8 * radius
        else {
            return region
        }
        return region.subtracting(part).joined(to: seedVoxels)
    }

    /// A stated diameter holds ±30 %, and outlines of coarse voxels reach a little farther; what lies
    /// about a seed behind a waist may be less than the whole.
    private static let longestShare = 1.4, shortestShare = 0.6
    /// The standard deviation of a true length's logarithm about that of the stated one.
    private static let lengthSpread = 0.3
    /// Where the waist's share decides between two lengths that are as likely, and by how much the logarithm of the odds changes with it:
    /// between zones and neighbours seen shares were .74 to .92, in zones themselves rarely below .9.
    private static let decidingWaistShare = 0.88, oddsPerWaistShare = 6.0
    private static let shallowestWaistShare = 0.95

    /// The region cut at its waists where the stated diameter speaks for what is left; notes the waist where it does not.
    mutating func separated(_ region: Mask) -> Mask {
        var rest = region
        for _ in 0..<4 {
            waist = ZoneWaist(rest, seeds: seeds).flatMap { $0.share < Self.shallowestWaistShare ? $0 : nil }
            guard let found = waist, let statedMM else { break }
            let shorter = rest.subtracting(found.part).joined(to: seedVoxels), length = rest.longestMM, lengthCut = shorter.longestMM
            // Of two lognormal densities; a part that hardly adds to the length is neither likely nor unlikely by that.
            let lengthOdds = log(length / lengthCut) * 0.5 * log(length * lengthCut / (statedMM * statedMM)) / pow(Self.lengthSpread, 2)
            let isLikelier = lengthOdds > Self.oddsPerWaistShare * (found.share - Self.decidingWaistShare)
            guard lengthCut > Self.shortestShare * statedMM, length > Self.longestShare * statedMM || isLikelier else { break }
            cut = (region.volumeML - shorter.volumeML, hypot(cut?.distanceMM ?? 0, found.distanceMM))
            (rest, waist) = (shorter, nil)
        }
        if let share = waist?.share, share > Self.decidingWaistShare { waist = nil }
        tooLongMM = statedMM.map { rest.longestMM > Self.longestShare * $0 ? rest.longestMM - Self.longestShare * $0 : 0 } ?? 0
        return rest
    }

    /// A seed may lie between two thick slices.
    var seedVoxels: [VoxelIndex] {
        let reach = Float(max(3, 0.6 * distance.geometry.spacing.max()))
        return distance.withUnsafeVoxels { d in d.indices.filter { d[$0] < reach }.map { distance.size.index(atOffset: $0) } }
    }

    /// Per millimetre; positive where grey levels and size speak for the zone.
    private func force(_ odds: GreyLevelOdds) -> Volume<Float> {
        let r = Float(radius), core = Float(min(0.2 * radius, 2.5)), farthest = Float(Self.farthestShare) * r
        let trust: Float = 0.12, evenness = level.evenness(of: work), inLung = level.liesInLung
        return odds.logOdds(of: work).combined(with: evenness, distance) { odds, even, d in
            if d < core { return 3 }
            if d > farthest { return -3 }
            let grey = inLung ? min(even, 1) : min(max(-1, min(1, (odds + 2) / 3)), even)
            return 1.1 * grey + trust * max(-1.5, min(0.5, 1.1 * (1 - d / r)))
        }
    }

    var runsOnReason: String {
        "what lies there goes on for centimetres without an edge of its own, as a whole organ or a vessel does; if the zone is "
            + (diameterIsKnown ? "larger than the diameter given, correct it" : "that large, give its diameter")
    }

    /// Of how far voxels were taken for the zone's: what reaches this has no edge of its own there. Outside lung 1 of 666 synthetic
    /// zones did with a diameter within 30 %, and 77 of 101 outlines from seeds in normal tissue.
    private static let endOfSearchShare = 0.97

    /// Whether it ends only where the search does and is longer than was stated, or too long for its thickness. Round zones reach as far
    /// where the seed is at an edge.
    func goesOn(_ shape: ZoneShape) -> Bool {
        guard !level.liesInLung, shape.reachMM > Self.endOfSearchShare * Self.farthestShare * radius else { return false }
        return diameterIsKnown ? tooLongMM > 0 : shape.isLongForCut
    }

    /// Whether the region reaches to where the search ends and the scan does not.
    func runsOn(_ region: Mask) -> Bool {
        guard let box = region.boundingBox else { return false }
        let size = region.size, reached = [(box.i, size.i), (box.j, size.j), (box.k, size.k)]
        return zip(reached, isCut).contains { axis, cut in
            axis.0.lowerBound == 0 && cut.low || axis.0.upperBound == axis.1 && cut.high
        }
    }

    // MARK: Surface

    func refined(_ region: Mask) throws(SegmentationError) -> SegmentationResult {
        guard let box = region.boundingBox else { throw .noZoneFound(seeds[0], reason: "nothing there stands out from its surroundings") }
        let corners = [
            VoxelIndex(box.i.lowerBound, box.j.lowerBound, box.k.lowerBound),
            VoxelIndex(box.i.upperBound - 1, box.j.upperBound - 1, box.k.upperBound - 1),
        ].map { region.geometry.point($0) }
        let crop = image.geometry.indexRanges(around: corners, marginMM: 16)!
        let fine = image.cropped(crop.i, crop.j, crop.k)
        let start = Volume<Float>.levels(of: region).interpolated(onto: fine.geometry)
        let noise = fine.noise(in: Mask(Mask(start) { $0 >= 0 }.signedDistance()) { abs($0) < 8 })
        // First to the edge against what follows, as if there were no rim.
        var refinement = EdgeRefinement(
            image: fine, validity: nil, noise: noise, averagingMM: min(max(0.12 * radius, 1.2), 2.5),
            largestShiftMM: Float(min(0.8 + 0.4 * fine.geometry.spacing.max(), 3)))
        refinement.countedShares = 0...1
        let outcome = refinement.refine(start)
        let shaped = outcome.surface.regularized(openingMM: min(0.25 * radius, 4), smoothingMM: min(max(0.06 * radius, 0.7), 1.5))
            .keepingPieces(at: seeds)
        let profiles = ZoneRim.patches(of: shaped, image: fine)
        let rimmed = ZoneRim.zoneInside(shaped, patches: profiles, noise: noise, steps: ZoneRim.steps(level))
        let surface = rimmed?.surface ?? shaped
        let zone = LevelSet(field: surface)
        guard !Mask(surface, where: { $0 >= 0 }).isEmpty else { throw .noZoneFound(seeds[0], reason: "what stands out there is too small") }
        let edge = ZoneEdge(zone: zone, image: fine, level: level, modality: modality, profiles: profiles, rim: rimmed?.rim)
        guard edge.contrastShare > 0.4 else {
            throw .noZoneFound(
                seeds[0],
                reason: "only \(Int((100 * edge.contrastShare).rounded())) % of the edge of what lies there differs from its surroundings")
        }
        guard modality == .ct || edge.clearShare > ZoneEdge.leastClearShare else {
            throw .noZoneFound(
                seeds[0],
                reason: "what lies there is so uneven itself that only \(Int((100 * edge.clearShare).rounded())) % of its edge stands out")
        }
        let shape = ZoneShape(surface, seeds: seeds)
        if let reason = shape.refusal { throw .noZoneFound(seeds[0], reason: reason) }
        if goesOn(shape) { throw .noZoneFound(seeds[0], reason: runsOnReason) }
        let spacing = fine.geometry.spacing, voxelMM = ((spacing * spacing).sum() / 3).squareRoot()
        let uncertainty = uncertaintyMM(surface, edge, rimmed?.rim, residualMM: outcome.residualMM, voxelMM: voxelMM)
        let doubts = sizeFindings(zone) + neighbourFinding(region) + shapeFinding(region, shape)
        return SegmentationResult(
            levelSet: zone, edgeUncertaintyMM: max(uncertainty, doubts.isEmpty && !edge.meetsDenseTissue ? 0.5 : 2),
            findings: level.findings + edge.findings + doubts,
            method: "ablation zone from seeds: even region without enhancement, least surface, edge at local half-height"
                + "\(rimmed == nil ? "" : " against its rim") (\(modality.rawValue))")
    }
}
