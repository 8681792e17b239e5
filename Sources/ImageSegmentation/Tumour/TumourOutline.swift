import Foundation
import ImagingCore

/// A surface about a tumour's seed, and what was learnt with it.
struct TumourOutline {
    /// In which it was found.
    let scan: TumourScan
    var fit: RadialTumourFit
    let asked: AskedAgain
    var partSolid: PartSolidTumour?
    var middle: DifferingMiddle?
}

/// Looks for the surface that a prompt means.
struct OutlineSearch {
    let prompt: TumourPrompt
    let modality: Modality
    let texture: NoiseTexture

    /// - Throws: `SegmentationError` when the seed cannot be right, or nothing stands out.
    func outline(in scan: TumourScan, parameters: TumourSegmentation.Parameters) throws(SegmentationError) -> TumourOutline {
        do {
            try checkSeed(scan.work, parameters: parameters)
        } catch .seedInAir(let seed) {
            guard let cavity = cavity(in: scan) else { throw .seedInAir(seed) }
            return cavity
        }
        let found = try surface(in: scan)
        // Marrow and cortex lie in layers around whatever grows in bone.
        guard found.fit.expectation.lung == nil, !parameters.mayLieInBone else { return found }
        let isUneven = found.fit.odds.insideSpread > Self.unevenSpread * found.fit.expectation.sigma
        let parts = isUneven ? smaller(than: 2 * Double(found.fit.meanRadius), found.fit.expectation, in: scan) : []
        for part in parts {
            if let core = TumourCore(in: scan.coarse, within: part, modality: modality, isOutline: false),
                let whole = whole(around: core, in: scan),
                !whole.middle!.edges.coreIsMeant, missLog(of: whole) < missLog(of: found) + Self.mostMissGainedLog { return whole }
        }
        guard let core = TumourCore(in: scan.coarse, within: found.fit, modality: modality) else { return found }
        let whole = whole(around: core, in: scan)
        if let whole, !whole.middle!.edges.coreIsMeant { return whole }
        var alone = found
        alone.middle = whole?.middle ?? DifferingMiddle(unjoined: core)
        return alone
    }

    /// The tumour whose middle is air: no other air is enclosed by soft tissue with lung around.
    private func cavity(in scan: TumourScan) -> TumourOutline? {
        guard modality == .ct else { return nil }
        for part in smaller(than: prompt.diameterMM, expectation(isInLung: false, in: scan), in: scan)
        where part.odds.insideMedian < Self.airHU {
            guard let core = TumourCore(in: scan.coarse, within: part, modality: modality, isOutline: false) else { continue }
            let whole = whole(around: core, in: scan, priorOfCore: 0)
            return whole?.fit.expectation.lung != nil ? whole : nil
        }
        return nil
    }

    /// From so many standard deviations of grain on, levels in a surface are those of more than one thing.
    private static let unevenSpread: Float = 3
    private static let airHU: Float = -700
    private static let sharesOfParts: [Float] = [0.8, 0.6, 0.45, 0.3]
    private static let leastRadiusOfPartMM: Float = 2
    private static let leastVisibleOfPart = 0.9

    /// Surfaces about the seed smaller than that of a mean diameter, the largest first.
    private func smaller(
        than diameterMM: Double, _ expectation: RadialTumourFit.Expectation, in scan: TumourScan
    ) -> [RadialTumourFit] {
        Self.sharesOfParts.compactMap { share in
            var own = expectation
            own.share = share * Float(diameterMM / prompt.diameterMM)
            guard own.radius > Self.leastRadiusOfPartMM else { return nil }
            var part = RadialTumourFit(scan.work, gradient: scan.gradient, own)
            part.refine()
            return part.visibleShare > Self.leastVisibleOfPart && part.holds(prompt.seed) && part.meanRadius < 0.45 * Float(diameterMM)
                ? part : nil
        }
    }

    /// The outline of a middle with the shell around it.
    private func whole(around core: TumourCore, in scan: TumourScan, priorOfCore: Double? = nil) -> TumourOutline? {
        guard var whole = try? surface(in: scan.painted(core)), core.isEnclosed(by: whole.fit) else { return nil }
        whole.middle = DifferingMiddle(core, whole: whole.fit, priorOfCore: priorOfCore)
        return whole
    }

    /// How far an outline's length lies from the one stated.
    private func missLog(of outline: TumourOutline) -> Double { abs(log(outline.fit.longestDiameterMM / prompt.diameterMM)) }
    private static let mostMissGainedLog = 0.1

    private func surface(in scan: TumourScan) throws(SegmentationError) -> TumourOutline {
        let search = TumourSearch(work: scan.work, gradient: scan.gradient)
        guard let first = search.corrected(expectation(in: scan)) else { throw .noTumourFound(prompt.seed) }
        let asked = AskedAgain(search, about: first, seed: prompt.seed)
        var found = TumourOutline(scan: scan, fit: asked.likeliest, asked: asked)
        if let whole = Self.withGlass(around: found.fit, in: scan) { found.fit = whole }
        found.partSolid = GroundGlass(in: scan.image, under: found.fit).flatMap { PartSolidTumour(found.fit, glass: $0) }
        guard let partSolid = found.partSolid, let lung = found.fit.expectation.lung else { return found }
        var core = RadialTumourFit(scan.work, gradient: scan.gradient, partSolid.coreExpectation(found.fit.expectation))
        core.refine()
        guard core.visibleShare >= TumourFindings.leastVisibleShare else { return found }
        if partSolid.edges.coreIsMeant {
            found.fit = core
        } else {
            // What lies around is better known when the tumour is.
            let glass = partSolid.glass
            for _ in 0..<2 { found.fit.refine(with: GlassRim(around: core, of: found.fit, glass: glass, lung: lung), in: scan.coarse) }
        }
        return found
    }

    private func expectation(isInLung: Bool = true, in scan: TumourScan) -> RadialTumourFit.Expectation {
        let smoothing = Float(TumourScan.smoothingMM(prompt.diameterMM))
        let kernelVolume = pow(4 * Float.pi, 1.5) * smoothing * smoothing * smoothing
        let grain = texture.volumeMM3 + kernelVolume
        var expectation = RadialTumourFit.Expectation(
            prompt: prompt, sigma: texture.sigma * (texture.volumeMM3 / grain).squareRoot(), grainVolumeMM3: grain)
        if modality == .ct, isInLung {
            expectation.lightestTissue = LungBackground.solidHU
            expectation.lung = LungBackground(
                around: scan.work, seed: prompt.seed, radiusMM: Float(prompt.diameterMM / 2), sigma: expectation.sigma)
        }
        return expectation
    }

    /// The surface of a part-solid tumour of which `fit` is the core; `nil` where no ground glass lies around it.
    private static func withGlass(around fit: RadialTumourFit, in scan: TumourScan) -> RadialTumourFit? {
        guard GroundGlass(in: scan.image, beyond: fit) != nil else { return nil }
        var own = fit.expectation
        own.share = 2 * fit.meanRadius / Float(own.prompt.diameterMM / 2)
        var whole = RadialTumourFit(scan.work, gradient: scan.gradient, own)
        whole.refine()
        guard whole.visibleShare > 0.8, whole.meanRadius > fit.meanRadius + 1 else { return nil }
        return GroundGlass(in: scan.image, under: whole) != nil ? whole : nil
    }

    private func checkSeed(_ work: Volume<Float>, parameters: TumourSegmentation.Parameters) throws(SegmentationError) {
        let seed = prompt.seed, field = SeedField(grid: work.geometry, seed: seed)
        let near = work.median(in: field.mask { $0 <= 2.5 }) ?? work[field.seedVoxel]
        switch modality {
        case .ct:
            if near < Self.airHU { throw .seedInAir(seed) }
            if near > 320, !parameters.mayLieInBone { throw .seedOnBone(seed, hounsfieldUnits: Double(near)) }
        case .mr:
            let bright = work.quantile(0.9, in: field.mask { _ in true }) ?? 0
            if near < 0.06 * bright { throw .seedInAir(seed) }
        }
    }
}
