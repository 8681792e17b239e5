import Foundation
import ImageFilters
import ImagingCore

/// A tumour from one point inside it and its approximate longest diameter, on CT or MR.
///
/// Readings along rays from the seed get their odds of being tumour from grey levels around the seed against those of each side's
/// surroundings; the likeliest closed surface that differs little between neighbouring rays is found by belief propagation
/// (`RadialTumourFit`). The expected size decides only where grey levels do not. The surface is then moved onto the half-height of the
/// local edge, smoothly and with its spread known (`RadialEdgeFit`).
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

        let texture = NoiseTexture(of: image, in: SeedField(grid: image.geometry, seed: seed).mask { $0 < max(1.6 * radius, 12) })
        let smoothing = Float(min(max(0.05 * diameterMM, 0.6), 1.2))
        let kernelVolume = pow(4 * Float.pi, 1.5) * smoothing * smoothing * smoothing
        let grain = texture.volumeMM3 + kernelVolume
        var expectation = RadialTumourFit.Expectation(prompt: prompt, sigma: texture.sigma * (texture.volumeMM3 / grain).squareRoot(), grainVolumeMM3: grain)
        if modality == .ct { expectation.denserThan = lungThreshold(around: work, seed: seed, radius: radius, sigma: expectation.sigma) }
        let gradient = work.gradientLengths()
        var fit = bestFit(work, gradient, expectation)
        fit.refine()
        guard fit.visibleShare >= TumourFindings.leastVisibleShare else { throw .noTumourFound(seed) }
        return try refined(fit, lobes: lobes(beyond: fit, work, gradient), image: image, texture: texture, modality: modality)
    }

    /// The fit from the stated size, or from another where that one shows more of an edge.
    private static func bestFit(_ work: Volume<Float>, _ gradient: Volume<Float>, _ expectation: RadialTumourFit.Expectation) -> RadialTumourFit {
        var best: RadialTumourFit?, bestScore = -Double.infinity
        for share: Float in [1, 0.55, 0.3, 0.17] where share == 1 || expectation.radius * share > 3 {
            let fit = RadialTumourFit(work, gradient: gradient, expectation, startShare: share)
            let ratio = log(Double(fit.meanRadius / (0.9 * expectation.radius)))
            let score = fit.visibleShare - 0.1 * ratio * ratio
            if score > bestScore { (best, bestScore) = (fit, score) }
            if bestScore > 0.85 { break }
        }
        return best!
    }

    /// What include points add that the surface about the seed leaves out: each point's own surface and a bridge to it.
    private static func lobes(beyond fit: RadialTumourFit, _ work: Volume<Float>, _ gradient: Volume<Float>) -> [RadialTumourFit] {
        let field = RadialField(sphere: fit.sphere, radii: fit.radii), prompt = fit.expectation.prompt
        return prompt.include.compactMap { point in
            let place = SIMD3<Float>((point - fit.center).lps), distance = (place * place).sum().squareRoot()
            guard distance > field.radius(place) - 1 else { return nil }
            let own = TumourPrompt(seed: point, diameterMM: 0.6 * prompt.diameterMM, exclude: prompt.exclude)
            var expectation = fit.expectation
            expectation.prompt = own
            var lobe = RadialTumourFit(work, gradient: gradient, expectation, startShare: 1)
            lobe.refine()
            return lobe
        }
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

    /// The grey level above which lung is no longer just lung, for a tumour that lies in lung; else `nil`.
    private static func lungThreshold(around work: Volume<Float>, seed: PatientPoint, radius: Double, sigma: Float) -> Float? {
        let shell = work.values(in: SeedField(grid: work.geometry, seed: seed).mask { $0 > 1.25 * radius && $0 < 1.25 * radius + 10 })
        let lung = shell.filter { $0 < -600 }
        guard 2 * lung.count > shell.count, let mode = lung.median else { return nil }
        return mode + max(5 * sigma, 130)
    }

    private static func refined(
        _ fit: RadialTumourFit, lobes: [RadialTumourFit], image: Volume<Float>, texture: NoiseTexture, modality: Modality
    ) throws(SegmentationError) -> SegmentationResult {
        let parts = [fit] + lobes
        let outcomes = parts.map { part in
            RadialEdgeFit(
                image: image, center: part.center, sphere: part.sphere, grainDensity: texture.density, expected: part.radii,
                expectedDeviation: 0.2, odds: part.odds, ends: part.expectation.prompt.axis.map { [$0.first, $0.second] } ?? []
            ).fit(part.radii)
        }
        let reach = Double(outcomes.map { $0.radii.max()! }.max()!) + 9
        let crop = image.geometry.indexRanges(around: parts.map(\.center), marginMM: reach)!
        let grid = image.geometry.cropped(crop.i, crop.j, crop.k)
        let surface = zip(parts, outcomes).map { part, outcome in
            RadialField(sphere: part.sphere, radii: outcome.radii).levels(on: grid, center: part.center)
        }.reduce(nil as Volume<Float>?) { whole, part in whole.map { $0.combined(with: part) { max($0, $1) } } ?? part }!.signedDistanceToZero()
        let inside = Mask(surface) { $0 >= 0 }
        guard !inside.isEmpty else { throw .noTumourFound(fit.expectation.prompt.seed) }
        let findings = TumourFindings(fit: fit, modality: modality).findings(longestDiameterMM: LevelSet(field: surface).surface().longestDiameterMM)
        let outcome = outcomes[0]
        var squares: Float = 0, area: Float = 0
        for n in outcome.radii.indices {
            let patch = fit.sphere.solidAngles[n] * outcome.radii[n] * outcome.radii[n]
            squares += patch * outcome.deviationsMM[n] * outcome.deviationsMM[n]
            area += patch
        }
        let uncertainty = Double(squares / max(area, 1e-6)).squareRoot()
        return SegmentationResult(
            levelSet: LevelSet(field: surface), edgeUncertaintyMM: max(uncertainty, 0.2), findings: findings,
            method: "tumour from seed and diameter: likeliest closed surface around the seed by grey levels on rays, edge at local half-height (\(modality.rawValue))")
    }

}
