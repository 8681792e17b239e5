import Foundation
import ImageFilters
import ImagingCore

/// The ablation zone on a follow-up CT or MR: the even region at the seeds that does not enhance as what surrounds it does.
///
/// The zone's own grey level is read at the seeds; voxels of that level are the zone's, voxels of the surroundings' levels are not, and
/// levels beyond the zone's own (fluid in a cyst or bile duct beside it) are not either. The surface of least area that this holds up
/// (`TotalVariationCut`) is filled, so that bubbles and blood inside belong to the zone, and moved onto the half-height of the local edge
/// (`EdgeRefinement`). An enhancing rim lies outside (`ZoneRim`). What enhances in lumps at the edge is reported (`ZoneEdge`).
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
        guard !inScan.isEmpty else { throw .seedOutsideScan(first) }
        if let diameter = approximateDiameterMM, !(diameter.isFinite && usableDiameterMM.contains(diameter)) {
            throw .diameterNotUsable(millimetres: diameter, allowed: usableDiameterMM)
        }
        var search = try ZoneSearch(
            scan: scan, modality: modality, seeds: inScan, diameterMM: approximateDiameterMM ?? usualDiameterMM,
            diameterIsKnown: approximateDiameterMM != nil, parameters: parameters)
        var region = try search.region()
        for _ in 0..<2 where try search.grow(to: region) { region = try search.region() }
        if search.runsOn(region) { throw .noZoneFound(first, reason: ZoneSearch.runsOnReason) }
        return try search.refined(region)
    }
}

/// One search for a zone around seeds.
struct ZoneSearch {
    let modality: Modality
    let seeds: [PatientPoint]
    private(set) var radius: Double
    let diameterIsKnown: Bool
    let parameters: AblationZoneSegmentation.Parameters
    /// The scan around the seeds, as it is and in larger, smoothed voxels.
    let image, coarse, work: Volume<Float>
    /// Along each axis, whether the scan goes on beyond them.
    private let isCut: [(low: Bool, high: Bool)]
    /// Millimetres from the nearest seed.
    private let distance: Volume<Float>
    private var level: ZoneLevel

    init(
        scan: ScanVolume, modality: Modality, seeds: [PatientPoint], diameterMM: Double, diameterIsKnown: Bool,
        parameters: AblationZoneSegmentation.Parameters
    ) throws(SegmentationError) {
        (self.modality, self.seeds, self.diameterIsKnown, self.parameters) = (modality, seeds, diameterIsKnown, parameters)
        // The seeds lie in the scan, so some of it lies around them.
        let box = scan.geometry.indexRanges(around: seeds, marginMM: 1.1 * diameterMM + 6)!
        image = scan.floats(in: box.i, box.j, box.k)
        let size = scan.geometry.size
        isCut = [(box.i, size.i), (box.j, size.j), (box.k, size.k)].map { ($0.0.lowerBound > 0, $0.0.upperBound < $0.1) }
        let target = min(max(diameterMM / 20, 0.8), 1.6)
        let block = SIMD3<Int>(pointwiseMax(SIMD3(repeating: 1), (target / image.geometry.spacing).rounded(.toNearestOrAwayFromZero)))
        coarse = image.blockMeans(block)
        work = coarse.gaussianSmoothed(sigmaMM: 1.2)
        var distance = SeedField(grid: work.geometry, seed: seeds[0]).distances
        for seed in seeds.dropFirst() {
            distance = distance.combined(with: SeedField(grid: work.geometry, seed: seed).distances) { min($0, $1) }
        }
        self.distance = distance
        // Seeds along probes reach a part of the radius by themselves.
        guard diameterIsKnown else {
            let guessed = Self.radius(of: work, distance: distance, modality: modality)
            radius = guessed
            level = try ZoneLevel(work, modality: modality, distance: distance, radius: guessed, seed: seeds[0], parameters: parameters)
            return
        }
        let middle = PatientPoint(seeds.reduce(SIMD3<Double>.zero) { $0 + $1.lps } / Double(seeds.count))
        radius = max(diameterMM / 2 - 0.7 * (seeds.map { $0.distance(to: middle) }.max() ?? 0), 5)
        level = try ZoneLevel(work, modality: modality, distance: distance, radius: radius, seed: seeds[0], parameters: parameters)
    }

    /// Takes the size of what was found for the zone's where no size was given and it is larger than guessed; false when it is not.
    mutating func grow(to region: Mask) throws(SegmentationError) -> Bool {
        let found = 1.15 * pow(region.volumeML * 1000 * 3 / (4 * .pi), 1.0 / 3)
        guard !diameterIsKnown, !level.liesInLung, found > 1.15 * radius else { return false }
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

    /// The voxels of the zone on `coarse`'s grid.
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

    /// A seed may lie between two thick slices.
    private var seedVoxels: [VoxelIndex] {
        let reach = Float(max(3, 0.6 * distance.geometry.spacing.max()))
        return distance.withUnsafeVoxels { d in d.indices.filter { d[$0] < reach }.map { distance.size.index(atOffset: $0) } }
    }

    /// Per millimetre; positive where grey levels and size speak for the zone.
    private func force(_ odds: GreyLevelOdds) -> Volume<Float> {
        let r = Float(radius), core = Float(min(0.2 * radius, 2.5)), farthest = Float(Self.farthestShare) * r
        let trust: Float = diameterIsKnown ? 0.3 : 0.12
        let evenness = level.evenness(of: work), inLung = level.liesInLung
        return odds.logOdds(of: work).combined(with: evenness, distance) { odds, even, d in
            if d < core { return 3 }
            if d > farthest { return -3 }
            let grey = inLung ? min(even, 1) : min(max(-1, min(1, (odds + 2) / 3)), even)
            return 1.1 * grey + trust * max(-1.5, min(0.5, 1.1 * (1 - d / r)))
        }
    }

    static let runsOnReason = "what lies there goes on for centimetres without an edge of its own, as a whole organ or a vessel does; "
        + "if the zone is that large, give its diameter"

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
        // So far no voxel was taken for the zone's: what reaches it has no edge of its own there. Round zones do where the seed is at an edge.
        let isCut = !diameterIsKnown && !level.liesInLung && shape.reachMM > 0.95 * Self.farthestShare * radius
        if isCut, shape.isLongForCut { throw .noZoneFound(seeds[0], reason: Self.runsOnReason) }
        let spacing = fine.geometry.spacing, voxelMM = ((spacing * spacing).sum() / 3).squareRoot()
        // The shares are such that the root mean square distance to the truth is met in the median of synthetic zones in real scans.
        let uncertainty = (pow(0.12 * pow(voxelMM, 1.5), 2) + pow(0.5 * outcome.residualMM, 2) + pow(9 * edge.unseenShare, 2)
            + pow(3 * edge.elsewhereShare, 2)).squareRoot()
        let doubts = sizeFindings(zone) + neighbourFinding(region) + shapeFinding(region, shape)
        return SegmentationResult(
            levelSet: zone, edgeUncertaintyMM: max(uncertainty, doubts.isEmpty && !edge.meetsDenseTissue ? 0.5 : 2),
            findings: level.findings + edge.findings + doubts,
            method: "ablation zone from seeds: even region without enhancement, least surface, edge at local half-height"
                + "\(rimmed == nil ? "" : " against its rim") (\(modality.rawValue))")
    }

    private func neighbourFinding(_ region: Mask) -> [Finding] {
        guard let part = region.partBehindWaist(from: seedVoxels) else { return [] }
        return [Finding(
            .warning, "ablation-zone-may-hold-neighbour",
            "A part of \((part.volumeML * 10).rounded() / 10) mL hangs on the ablation zone by a waist: it may be a neighbour of the same grey level.",
            remedy: diameterIsKnown ? "Look at the outline; if it runs into a neighbour, give a mask." : "Look at the outline; give the zone's approximate diameter.")]
    }

    /// The deepest point of an ellipsoid of 3 : 1 : 1 lies 0.69 of the radius of a ball of its volume from its surface.
    private static let leastRoundness = 0.66

    private func shapeFinding(_ region: Mask, _ shape: ZoneShape) -> [Finding] {
        let deepest = Double(region.signedDistance().withUnsafeVoxels { $0.max() ?? 0 })
        let isFlat = seeds.count == 1 && deepest < Self.leastRoundness * pow(region.volumeML * 1000 * 3 / (4 * .pi), 1.0 / 3)
        guard isFlat || shape.isLong else { return [] }
        return [Finding(
            .warning, "ablation-zone-irregular",
            "The ablation zone found is far from round: it may have run into a neighbour of its grey level.",
            remedy: "Look at the outline; if it runs into a neighbour, give \(diameterIsKnown ? "" : "the zone's approximate diameter or ")a mask.")]
    }

    private func sizeFindings(_ zone: LevelSet) -> [Finding] {
        let inside = Mask(zone.field) { $0 >= 0 }, volume = inside.volumeML
        var findings: [Finding] = []
        let expected = .pi / 6 * pow(2 * radius, 3) / 1000
        func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
        if diameterIsKnown, seeds.count == 1, volume > 1.7 * expected || volume < 0.15 * expected {
            findings.append(Finding(
                .warning, "ablation-zone-size",
                "The ablation zone found is \(rounded(volume)) mL, a ball of the expected diameter \(rounded(expected)) mL.",
                remedy: "Look at the outline; correct the diameter or the seed, or give a mask."))
        }
        let border = zone.geometry.size
        if let box = inside.boundingBox,
            box.i.lowerBound == 0 || box.j.lowerBound == 0 || box.k.lowerBound == 0 || box.i.upperBound == border.i || box.j.upperBound == border.j || box.k.upperBound == border.k {
            findings.append(Finding(
                .warning, "ablation-zone-leaves-scan",
                "The ablation zone reaches the edge of the scan: its part beyond is unknown, and so is the margin there.",
                remedy: "Use a scan that shows the whole zone."))
        }
        return findings
    }
}
