import Foundation
import ImageFilters
import ImagingCore

/// A tumour from one point inside it and its approximate longest diameter, on CT or MR.
///
/// Readings along rays from the seed get their odds of being tumour from grey levels around the seed against those of each side's
/// surroundings, or of being anything but lung where lung lies around; the likeliest closed surface that differs little between
/// neighbouring rays is found by belief propagation (`RadialTumourFit`). The expected size decides only where grey levels do not, and
/// other sizes are tried beside it (`AskedAgain`). The surface is then moved onto the half-height of the local edge, smoothly and with its
/// spread known (`RadialEdgeFit`). A middle that differs from a shell around it is painted over with the shell's level (`TumourCore`).
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
        let around = TumourScan(region(of: scan, prompt: prompt), diameterMM: diameterMM)
        let near = around.image.geometry.indexRanges(around: [seed], marginMM: min(max(0.8 * diameterMM, 12), 30))!
        let search = OutlineSearch(prompt: prompt, modality: modality, texture: NoiseTexture(of: around.image.cropped(near.i, near.j, near.k)))
        return try refined(try search.outline(in: around, parameters: parameters), search: search, of: scan.geometry)
    }

    /// Nearer than this the surface about the seed takes an include point in by itself.
    private static let leastLobeMM: Float = 2
    /// A part of its own shows its edge, but for where it is joined to the rest.
    private static let leastLobeVisible = 0.6

    /// What include points add that the surface about the seed leaves out: each point's own surface and a bridge to it.
    private static func lobes(beyond fit: RadialTumourFit, in scan: TumourScan) -> [RadialTumourFit] {
        let field = RadialField(sphere: fit.sphere, radii: fit.radii), prompt = fit.expectation.prompt
        return prompt.include.compactMap { point in
            let place = SIMD3<Float>((point - fit.center).lps), distance = (place * place).sum().squareRoot()
            let outsideMM = distance - field.radius(place)
            guard outsideMM > leastLobeMM else { return nil }
            let own = TumourPrompt(seed: point, diameterMM: min(0.6 * prompt.diameterMM, 4 * Double(outsideMM)), exclude: prompt.exclude)
            var expectation = fit.expectation
            expectation.prompt = own
            var lobe = RadialTumourFit(scan.work, gradient: scan.gradient, expectation)
            lobe.refine()
            return lobe.visibleShare > leastLobeVisible ? lobe : nil
        }
    }

    private static func region(of scan: ScanVolume, prompt: TumourPrompt) -> Volume<Float> {
        // The seed lies in the scan, so some of it lies around the seed.
        let marginMM = max(0.9 * prompt.diameterMM + 9, LungBackground.reachMM)
        let box = scan.geometry.indexRanges(around: [prompt.seed] + prompt.include, marginMM: marginMM)!
        return scan.floats(in: box.i, box.j, box.k)
    }

    private static func refined(
        _ outline: TumourOutline, search: OutlineSearch, of scan: GridGeometry
    ) throws(SegmentationError) -> SegmentationResult {
        let (fit, image, prompt, modality) = (outline.fit, outline.scan.image, search.prompt, search.modality)
        let (asked, partSolid, middle) = (outline.asked, outline.partSolid, outline.middle), parts = [fit] + lobes(beyond: fit, in: outline.scan)
        let outcomes = parts.map { part in
            RadialEdgeFit(
                image: image, center: part.center, sphere: part.sphere, grainDensity: search.texture.density, expected: part.radii,
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
            + (middle?.finding(foundMM: longest, modality: modality).map { [$0] } ?? [])
        let sizeDoubtMM = TumourFindings.sizeDoubtMM(foundMM: longest, statedMM: fit.expectation.prompt.diameterMM)
        let spread = TumourEdgeSpread(
            fit: fit, edge: outcomes[0], slicesApartMM: slicesApartMM, ofStatedSize: asked.sizeDeviationLog,
            otherEdgeMM: max(partSolid?.edges.edgeDeviationMM ?? 0, middle?.edgeDeviationMM ?? 0, sizeDoubtMM), alikeMM: alike.deviationMM,
            blindPoints: strokes.count { $0.code != "axis-ends-off-edge" }, isHounsfield: modality == .ct)
        return SegmentationResult(
            levelSet: LevelSet(field: surface), edgeUncertaintyMM: spread.rootMeanSquareMM, findings: findings,
            method: "tumour from seed and diameter: likeliest closed surface around the seed by grey levels on rays, edge at local half-height (\(modality.rawValue))")
    }
}
