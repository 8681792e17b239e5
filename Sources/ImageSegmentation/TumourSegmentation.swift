import Foundation
import ImageFilters
import ImagingCore

/// A tumour from one point inside it and its approximate longest diameter, on CT or MR.
///
/// Grey levels near the seed and in a shell around the tumour give each voxel its odds of being tumour; the expected size adds a
/// prior that decides only where grey levels do not. The surface of least area that these odds hold up (`TotalVariationCut`) is moved
/// onto the half-height of the local edge (`EdgeRefinement`).
public enum TumourSegmentation {
    public struct Parameters: Sendable, Hashable {
        /// Sites in bone: a seed on bone is then no error.
        public var mayLieInBone = false
        public init(mayLieInBone: Bool = false) { self.mayLieInBone = mayLieInBone }
    }

    /// Diameters, in millimetres, that a scan can show and a procedure can treat.
    public static let usableDiameterMM = 3.0...150.0

    /// - Parameters:
    ///   - seed: a point inside the tumour, best near its middle.
    ///   - diameterMM: approximate longest diameter; ±25 % does no harm where the edge shows.
    /// - Throws: `SegmentationError` when seed or diameter cannot be right, or nothing stands out at the seed.
    public static func segment(
        scan: ScanVolume, modality: Modality, seed: PatientPoint, diameterMM: Double, parameters: Parameters = Parameters()
    ) throws(SegmentationError) -> SegmentationResult {
        try segment(scan: scan, modality: modality, prompt: TumourPrompt(seed: seed, diameterMM: diameterMM), parameters: parameters)
    }

    /// - Throws: `SegmentationError` when a point or the diameter cannot be right, points contradict each other, or nothing stands out.
    public static func segment(
        scan: ScanVolume, modality: Modality, prompt: TumourPrompt, parameters: Parameters = Parameters()
    ) throws(SegmentationError) -> SegmentationResult {
        let (seed, diameterMM) = (prompt.seed, prompt.diameterMM)
        try prompt.check(in: scan.geometry, usableDiameterMM: usableDiameterMM)
        let (image, radius) = region(of: scan, prompt: prompt)
        let target = min(max(diameterMM / 16, 0.5), 1.5)
        let block = SIMD3<Int>(pointwiseMax(SIMD3(repeating: 1), (target / image.geometry.spacing).rounded(.toNearestOrAwayFromZero)))
        let coarse = image.blockMeans(block)
        let work = coarse.gaussianSmoothed(sigmaMM: SIMD3(repeating: min(max(0.05 * diameterMM, 0.6), 1.2)))
        try checkSeed(work, modality: modality, seed: seed, parameters: parameters)

        let field = SeedField(grid: work.geometry, seed: seed)
        var odds = GreyLevelOdds(
            image: work, inside: field.mask { $0 < max(0.5 * radius, 1.5) }, outside: field.mask { $0 > 1.3 * radius && $0 < 1.3 * radius + 10 })
        var region = Mask(empty: work.geometry)
        for pass in 0..<3 {
            let force = force(odds: odds.logOdds(of: work), distance: field.distances, radius: radius, prompt: prompt)
            let u = TotalVariationCut.solve(force: force, iterations: pass == 2 ? 120 : 60)
            region = Mask(u) { $0 >= 0.5 }.joined(to: field.seeds(withinMM: min(0.3 * radius, 3)) + prompt.include.map { work.geometry.continuousIndex($0).nearest }).fillingHoles()
            guard region.count > 0, pass < 2 else { break }
            let distance = Volume<Float>.levels(of: region).signedDistanceToZero()
            odds = GreyLevelOdds(
                image: work, inside: Mask(distance) { $0 > Float(min(1.2, 0.3 * radius)) }, outside: Mask(distance) { $0 < -1.8 && $0 > -10 })
        }
        guard region.count > 0 else { throw .noTumourFound(seed) }
        // Vessels and the partial volume beside them hang on a tumour as thin bulges.
        let opened = region.opened(byMM: min(0.3 * radius, 4))
        if 4 * opened.count > 3 * region.count { region = opened }
        return try refined(region, coarse: coarse, image: image, seed: seed, radius: radius, modality: modality)
    }

    private static func region(of scan: ScanVolume, prompt: TumourPrompt) -> (Volume<Float>, Double) {
        // The seed lies in the scan, so some of it lies around the seed.
        let box = scan.geometry.indexRanges(around: [prompt.seed] + prompt.include, marginMM: 0.9 * prompt.diameterMM + 9)!
        return (scan.floats(in: box.i, box.j, box.k), prompt.diameterMM / 2)
    }

    private static func checkSeed(_ work: Volume<Float>, modality: Modality, seed: PatientPoint, parameters: Parameters) throws(SegmentationError) {
        let field = SeedField(grid: work.geometry, seed: seed)
        let near = work.median(in: field.mask { $0 <= 2.5 }) ?? work[field.seedVoxel]
        switch modality {
        case .ct:
            if near < -700 { throw .seedInAir(seed) }
            if near > 320, !parameters.mayLieInBone { throw .seedOnBone(seed, hounsfieldUnits: Double(near)) }
        case .mr:
            let bright = work.quantile(0.9, in: field.mask { _ in true }) ?? 0
            if near < 0.06 * bright { throw .seedInAir(seed) }
        }
    }

    /// Odds from grey levels plus the size prior, per millimetre; what the strokes say about a ball around each comes before both.
    private static func force(odds: Volume<Float>, distance: Volume<Float>, radius: Double, prompt: TumourPrompt) -> Volume<Float> {
        let r = Float(radius), core = Float(min(0.25 * radius, 2.5))
        var force = odds.combined(with: distance) { odds, d in
            if d < core { return 3 }
            if d > 1.75 * r { return -3 }
            let prior = max(-1.5, min(0.5, 1.1 * (1 - d / r)))
            return 1.1 * max(-1, min(1, odds / 3)) + 0.35 * prior
        }
        let reach = Float(min(0.4 * radius, 4))
        for (points, value) in [(prompt.include, Float(3)), (prompt.exclude, -3)] {
            for point in points {
                force = force.combined(with: SeedField(grid: odds.geometry, seed: point).distances) { $1 < reach ? value : $0 }
            }
        }
        return force
    }

    /// Outgrowths narrower than this share of the stated diameter are vessels, not tumour.
    private static let openingShare = 0.3
    /// The Gaussian that smooths the surface, as a share of the stated radius.
    private static let smoothingShare = 0.12

    private static func refined(
        _ region: Mask, coarse: Volume<Float>, image: Volume<Float>, seed: PatientPoint, radius: Double, modality: Modality
    ) throws(SegmentationError) -> SegmentationResult {
        let rough = Volume<Float>.levels(of: region)
        guard let box = region.boundingBox else { throw .noTumourFound(seed) }
        let corners = [VoxelIndex(box.i.lowerBound, box.j.lowerBound, box.k.lowerBound), VoxelIndex(box.i.upperBound - 1, box.j.upperBound - 1, box.k.upperBound - 1)]
            .map { coarse.geometry.point($0) }
        let crop = image.geometry.indexRanges(around: corners, marginMM: 9)!
        let fine = image.cropped(crop.i, crop.j, crop.k)
        let start = rough.interpolated(onto: fine.geometry)
        let startDistance = start.signedDistanceToZero()
        let noise = fine.noise(in: Mask(startDistance) { abs($0) < 8 })
        let refinement = EdgeRefinement(
            image: fine, validity: nil, noise: noise, averagingMM: min(max(0.16 * radius, 1.2), 2.5), largestShiftMM: Float(min(max(0.25 * radius, 0.8 + 0.4 * fine.geometry.spacing.max()), 3)))
        let outcome = refinement.refine(start)

        var findings: [Finding] = []
        let surface = outcome.surface.regularized(openingMM: openingShare * radius, smoothingMM: min(max(smoothingShare * radius, 0.8), 2))
        let inside = Mask(surface) { $0 >= 0 }
        guard !inside.isEmpty else { throw .noTumourFound(seed) }
        let expected = .pi / 6 * pow(2 * radius, 3) / 1000
        if inside.volumeML > 2.2 * expected {
            findings.append(Finding(
                .warning, "tumour-larger-than-stated", "The tumour found at the seed is \(rounded(inside.volumeML)) mL, a sphere of the stated diameter \(rounded(expected)) mL.",
                remedy: "Look whether the outline runs into a neighbour; if so give a mask."))
        }
        if inside.volumeML < 0.2 * expected {
            findings.append(Finding(
                .warning, "tumour-smaller-than-stated", "The tumour found at the seed is \(rounded(inside.volumeML)) mL, a sphere of the stated diameter \(rounded(expected)) mL.",
                remedy: "Look at the outline; correct the diameter, or give a mask."))
        }
        if outcome.visibleShare < 0.5 {
            findings.append(Finding(
                .warning, "tumour-edge-partly-invisible",
                "Only \(Int((100 * outcome.visibleShare).rounded())) % of the tumour's surface shows an edge; the rest follows the stated diameter.",
                remedy: "Choose the phase in which the tumour shows, or give a mask."))
        }
        let spacing = fine.geometry.spacing
        let uncertainty = (pow(0.15, 2) * (spacing * spacing).sum() / 3 + pow(0.35 * outcome.residualMM, 2)
            + pow(1.5 * (1 - outcome.visibleShare), 2)).squareRoot()
        return SegmentationResult(
            levelSet: LevelSet(field: surface), edgeUncertaintyMM: max(uncertainty, 0.2), findings: findings,
            method: "tumour from seed and diameter: least surface held up by grey-level odds, edge at local half-height (\(modality.rawValue))")
    }

    private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
