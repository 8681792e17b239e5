import Foundation
import ImageFilters
import ImagingCore

/// A tumour from one point inside it and its approximate longest diameter, on CT or MR.
///
/// Readings along rays from the seed get their odds of being tumour from grey levels around the seed against those of each side's
/// surroundings, or of being anything but lung where lung lies around; the likeliest closed surface that differs little between
/// neighbouring rays is found by belief propagation (`RadialTumourFit`). The expected size decides only where grey levels do not, and
/// other sizes are tried beside it (`AskedAgain`). The surface is then moved onto the half-height of the local edge, smoothly and with its
/// spread known (`RadialEdgeFit`).
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

        let near = image.geometry.indexRanges(around: [seed], marginMM: min(max(1.6 * radius, 12), 30))!
        let texture = NoiseTexture(of: image.cropped(near.i, near.j, near.k))
        let smoothing = Float(min(max(0.05 * diameterMM, 0.6), 1.2))
        let kernelVolume = pow(4 * Float.pi, 1.5) * smoothing * smoothing * smoothing
        let grain = texture.volumeMM3 + kernelVolume
        var expectation = RadialTumourFit.Expectation(
            prompt: prompt, sigma: texture.sigma * (texture.volumeMM3 / grain).squareRoot(), grainVolumeMM3: grain)
        if modality == .ct {
            expectation.lightestTissue = LungBackground.solidHU
            expectation.lung = LungBackground(around: work, seed: seed, radiusMM: Float(radius), sigma: expectation.sigma)
        }
        let gradient = work.gradientLengths()
        let search = TumourSearch(work: work, gradient: gradient)
        guard var fit = search.corrected(expectation) else { throw .noTumourFound(seed) }
        let asked = AskedAgain(search, about: fit, seed: seed)
        fit = asked.likeliest
        if let whole = whole(around: fit, image: image, work, gradient) { fit = whole }
        let partSolid = GroundGlass(in: image, under: fit).flatMap { PartSolidTumour(fit, glass: $0) }
        if let partSolid, let lung = fit.expectation.lung {
            var core = RadialTumourFit(work, gradient: gradient, partSolid.coreExpectation(fit.expectation))
            core.refine()
            if core.visibleShare >= TumourFindings.leastVisibleShare {
                if partSolid.coreIsMeant {
                    fit = core
                } else {
                    // What lies around is better known when the tumour is.
                    for _ in 0..<2 { fit.refine(with: GlassRim(around: core, of: fit, glass: partSolid.glass, lung: lung), in: coarse) }
                }
            }
        }
        return try refined(
            fit, prompt: prompt, lobes: lobes(beyond: fit, work, gradient), partSolid: partSolid, asked: asked, image: image,
            of: scan.geometry, texture: texture, modality: modality)
    }

    /// The surface of a part-solid tumour of which `fit` is the core; `nil` where no ground glass lies around it.
    private static func whole(
        around fit: RadialTumourFit, image: Volume<Float>, _ work: Volume<Float>, _ gradient: Volume<Float>
    ) -> RadialTumourFit? {
        guard GroundGlass(in: image, beyond: fit) != nil else { return nil }
        var own = fit.expectation
        own.share = 2 * fit.meanRadius / Float(own.prompt.diameterMM / 2)
        var whole = RadialTumourFit(work, gradient: gradient, own)
        whole.refine()
        guard whole.visibleShare > 0.8, whole.meanRadius > fit.meanRadius + 1 else { return nil }
        return GroundGlass(in: image, under: whole) != nil ? whole : nil
    }

    /// Nearer than this the surface about the seed takes an include point in by itself.
    private static let leastLobeMM: Float = 2
    /// A part of its own shows its edge, but for where it is joined to the rest.
    private static let leastLobeVisible = 0.6

    /// What include points add that the surface about the seed leaves out: each point's own surface and a bridge to it.
    private static func lobes(beyond fit: RadialTumourFit, _ work: Volume<Float>, _ gradient: Volume<Float>) -> [RadialTumourFit] {
        let field = RadialField(sphere: fit.sphere, radii: fit.radii), prompt = fit.expectation.prompt
        return prompt.include.compactMap { point in
            let place = SIMD3<Float>((point - fit.center).lps), distance = (place * place).sum().squareRoot()
            let outsideMM = distance - field.radius(place)
            guard outsideMM > leastLobeMM else { return nil }
            let own = TumourPrompt(seed: point, diameterMM: min(0.6 * prompt.diameterMM, 4 * Double(outsideMM)), exclude: prompt.exclude)
            var expectation = fit.expectation
            expectation.prompt = own
            var lobe = RadialTumourFit(work, gradient: gradient, expectation)
            lobe.refine()
            return lobe.visibleShare > leastLobeVisible ? lobe : nil
        }
    }

    private static func region(of scan: ScanVolume, prompt: TumourPrompt) -> (Volume<Float>, Double) {
        // The seed lies in the scan, so some of it lies around the seed.
        let marginMM = max(0.9 * prompt.diameterMM + 9, LungBackground.reachMM)
        let box = scan.geometry.indexRanges(around: [prompt.seed] + prompt.include, marginMM: marginMM)!
        return (scan.floats(in: box.i, box.j, box.k), prompt.diameterMM / 2)
    }

    private static func checkSeed(
        _ work: Volume<Float>, modality: Modality, seed: PatientPoint, parameters: Parameters
    ) throws(SegmentationError) {
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

    private static func refined(
        _ fit: RadialTumourFit, prompt: TumourPrompt, lobes: [RadialTumourFit], partSolid: PartSolidTumour?, asked: AskedAgain,
        image: Volume<Float>, of scan: GridGeometry, texture: NoiseTexture, modality: Modality
    ) throws(SegmentationError) -> SegmentationResult {
        let parts = [fit] + lobes
        let outcomes = parts.map { part in
            RadialEdgeFit(
                image: image, center: part.center, sphere: part.sphere, grainDensity: texture.density, expected: part.radii,
                expectedDeviation: 0.2, odds: part.odds, ends: part.expectation.prompt.axis.map { [$0.first, $0.second] } ?? [],
                glassHU: part.glassHU ?? GroundGlass(in: image, under: part)?.levelHU
            ).fit(part.radii)
        }
        let reach = Double(outcomes.map { $0.radii.max()! }.max()!) + 9
        let crop = image.geometry.indexRanges(around: parts.map(\.center) + prompt.include, marginMM: reach)!
        let grid = image.geometry.cropped(crop.i, crop.j, crop.k)
        let found = zip(parts, outcomes).map { part, outcome in
            RadialField(sphere: part.sphere, radii: outcome.radii).levels(on: grid, center: part.center)
        }.reduce(nil as Volume<Float>?) { whole, part in whole.map { $0.combined(with: part) { max($0, $1) } } ?? part }!
        let surface = StrokeShape(prompt: prompt).applied(to: found).signedDistanceToZero()
        let inside = Mask(surface) { $0 >= 0 }
        guard !inside.isEmpty else { throw .noTumourFound(fit.expectation.prompt.seed) }
        let longest = LevelSet(field: surface).surface().longestDiameterMM
        guard longest < 1.1 * TumourSearch.longestBelievedMM(stated: fit.expectation.prompt.diameterMM) else {
            throw .tumourRunsOn(fit.expectation.prompt.seed, foundMM: longest, statedMM: fit.expectation.prompt.diameterMM)
        }
        let slicesApartMM = image.geometry.spacing.max()
        let alike = AlikeNeighbours(beside: fit, edge: outcomes[0], slicesApartMM: slicesApartMM)
        let strokes = StrokeFindings(prompt: prompt, parts: parts, found: found, surface: surface).findings
        let border = surface.comesNearBorder(of: scan) ? [TumourFindings.reachesScanEdge] : []
        let findings = border + TumourFindings(fit: fit, modality: modality, alike: alike).findings(longestDiameterMM: longest) + strokes
            + (partSolid.map { [$0.finding(foundMM: longest)] } ?? []) + (asked.finding.map { [$0] } ?? [])
        let sizeDoubtMM = TumourFindings.sizeDoubtMM(foundMM: longest, statedMM: fit.expectation.prompt.diameterMM)
        let spread = TumourEdgeSpread(
            fit: fit, edge: outcomes[0], slicesApartMM: slicesApartMM, ofStatedSize: asked.sizeDeviationLog,
            otherEdgeMM: max(partSolid?.edgeDeviationMM ?? 0, sizeDoubtMM), alikeMM: alike.deviationMM,
            blindPoints: strokes.count { $0.code != "axis-ends-off-edge" }, isHounsfield: modality == .ct)
        return SegmentationResult(
            levelSet: LevelSet(field: surface), edgeUncertaintyMM: spread.rootMeanSquareMM, findings: findings,
            method: "tumour from seed and diameter: likeliest closed surface around the seed by grey levels on rays, edge at local half-height (\(modality.rawValue))")
    }
}
