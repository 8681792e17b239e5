import Foundation
import ImageFilters
import ImagingCore

/// What the voxels of a region would read if nothing were frozen, and what follows from that.
protocol UnfrozenTissue {
    /// −1 (unfrozen) … 1 (ice), nearer to 0 the less can be told, on the image's grid.
    func evidence(of image: Volume<Float>) -> Volume<Float>
    /// An image in which ice and its surroundings differ, and 0 in the second where it cannot be trusted.
    func edgeImage(of fine: Volume<Float>) -> (Volume<Float>, validity: Volume<Float>)
    /// See `EdgeRefinement.polarity`.
    var polarity: Float { get }
}

/// What speaks for ice at each voxel of a region, and the bodies of ice that follow.
struct IceEvidence {
    let tissue: any UnfrozenTissue
    let findings: [Finding]
    let description: String
    let bodies: IceBodies
    let region: Mask
    let hasReference: Bool
    /// See `SurroundingTissue`.
    let isInLung: Bool, isSurroundedByLung: Bool
    /// −1 … 1 on the coarse grid, 0 at metal.
    let evidence: Volume<Float>

    /// Half the width, in millimetres, of what metal and its blooming hide, and a share of a voxel more.
    static func metalMM(on grid: GridGeometry) -> Float { 2.0 + 0.4 * Float(max(grid.spacing.x, grid.spacing.y)) }
    /// Beside metal CT is dark as ice is, which counts for less farther along the shaft than ice usually grows.
    private static let shadowMM: Float = 6, usualMM: Float = 16
    /// Within so much of metal, around the middle of what a probe freezes (and half as far again, less and less), streaks of any level lie
    /// in the ice itself: what looks unfrozen there speaks little against it.
    private static let streakMM: Float = 4, frozenFirstMM: Float = 8
    private static let strengthPerMM: Float = 1.2
    /// Before the ice is known, tissue this far from the active ends is taken to be unfrozen.
    private static let firstClearanceMM: Float = 22
    private static let clearanceMM: Float = 4

    init(
        _ work: Volume<Float>, modality: Modality, origins: IceOrigins, reference: ScanVolume?, parameters: IceSegmentation.Parameters
    ) throws(SegmentationError) {
        let (toOrigin, toAxis) = origins.distances(on: work.geometry)
        let toMiddle = origins.distanceToMiddles(on: work.geometry)
        var findings: [Finding] = []
        var compared = reference.flatMap {
            ReferenceTissue(
                $0, work: work, modality: modality, toOrigin: toOrigin, toAxis: toAxis, toMiddle: toMiddle, parameters: parameters)
        }
        if reference != nil, compared == nil {
            findings.append(
                Finding(
                    .warning, "reference-misses-ice", "The scan before freezing does not cover the region of the ice; it was not used.",
                    remedy: "Give a scan that covers the probes' tips."))
        }
        func surrounding(_ toBody: Volume<Float>, clearanceMM: Float) -> SurroundingTissue {
            SurroundingTissue(
                work, modality: modality, toBody: toBody, clearanceMM: clearanceMM, toAxis: toAxis,
                dropHU: Float(parameters.freezingDropHU), isCompared: compared != nil)
        }
        func weighed(_ tissue: SurroundingTissue) -> Volume<Float> {
            let metal = Self.metalMM(on: work.geometry)
            var e = tissue.evidence(of: work)
            if let compared {
                e = e.combined(with: compared.evidence(of: work)) { around, before in max(-1, min(1, before + 0.7 * around)) }
            }
            return e.combined(with: toAxis, toMiddle) { e, axis, middle in
                if axis < metal { return 0 }
                guard axis < metal + Self.shadowMM, modality == .ct else { return e }
                if e < 0 { return e * max(0, min(1, (axis - metal) / Self.streakMM), min(1, 2 * (middle / Self.frozenFirstMM - 1))) }
                let far = max(0, min(1, (middle - Self.usualMM) / 6))
                return e * (1 - 0.75 * far * (1 - (axis - metal) / Self.shadowMM))
            }
        }
        var tissue = surrounding(toOrigin, clearanceMM: Self.firstClearanceMM)
        var evidence = weighed(tissue)
        let reach = Float(parameters.reachMM)
        let distancePrior = toOrigin.mapped { (distance: Float) -> Float in
            let near = max(0, min(1, (20 - distance) / 12)), far = max(0, min(1, (distance - 22) / (reach - 22)))
            return 0.3 * near - 0.15 - 1.35 * far * far
        }
        let none = SegmentationError.noIceFound(
            reason:
                "nothing of \(parameters.smallestVolumeML) mL or more near the probes or seeds looks as their tissue does when it freezes")
        func cut(_ prior: Volume<Float>, iterations: Int, smallestML: Double) throws(SegmentationError) -> Mask {
            let force = evidence.combined(with: prior) { Self.strengthPerMM * ($0 + $1) }
            let u = TotalVariationCut.solve(force: force, iterations: iterations)
            let region = origins.nearby(Mask(u) { $0 >= 0.5 }, toOrigin: toOrigin).fillingHoles().keepingPieces(ofAtLeastML: smallestML)
            guard region.count > 0 else { throw none }
            return region
        }
        let rough = try cut(distancePrior, iterations: 60, smallestML: parameters.smallestVolumeML / 4)
        guard var bodies = IceBodies(evidence, groups: origins.groups(in: rough)) else { throw none }
        for _ in 0..<2 {
            if modality == .ct { compared?.readFat(of: work, depth: bodies.depth, toAxis: toAxis) }
            tissue = surrounding(bodies.depth.mapped { (d: Float) -> Float in -d }, clearanceMM: Self.clearanceMM)
            evidence = weighed(tissue)
            bodies = IceBodies(evidence, groups: bodies.bodies.map { IceGroup(centre: $0.centroid, ends: $0.ends) })!
        }
        let opened = try cut(bodies.prior, iterations: 120, smallestML: parameters.smallestVolumeML).withoutRays()
        region = origins.nearby(opened, toOrigin: toOrigin).keepingPieces(ofAtLeastML: parameters.smallestVolumeML)
        guard region.count > 0 else { throw none }
        hasReference = compared != nil
        (isInLung, isSurroundedByLung) = (tissue.isInLung, tissue.isSurroundedByLung)
        (self.tissue, self.findings, self.evidence, self.bodies) = (compared ?? tissue, findings, evidence, bodies)
        description = compared == nil ? "the change against the tissue around" : "the change against the scan before freezing"
    }
}
