import Foundation
import ImageFilters
import ImagingCore

/// The visible ice around probes or a point, on CT or MR; several separate iceballs come as one surface and as `pieces`.
///
/// Evidence says of each voxel whether it is ice: by the levels that the tissue around it has and would have frozen
/// (`SurroundingTissue`), and by the change against a scan taken before freezing where there is one (`ReferenceTissue`). A smooth body
/// around the active ends is fitted to the evidence and completes it where it is hidden (`IceBodyFit`); what is not shaped and changed
/// as ice is gets refused (`IceAcceptance`). Where an edge is seen, the surface is then moved to half of the change (`EdgeRefinement`);
/// where none is, it follows from those edges (`IceCompletion`), but for what a vessel keeps warm (`WarmTissue`). From there it goes to the
/// 0 °C front (`FreezingFront`). What half of the change is depends on what lies beside the ice there, dark tissue on MR or ground glass
/// (`EvenTissue`).
///
/// `edgeUncertaintyMM` adds up how well the front is known, a share of the voxel and of the noise of single edge profiles, and what the
/// completion leaves open: its posterior deviation where no edge is seen, and how far it lies there from where the evidence ended.
public enum IceSegmentation {
    public struct Parameters: Sendable, Hashable {
        /// By how much CT numbers fall when tissue freezes (Sandison, Rewcastle & Hahn 1998).
        public var freezingDropHU = 85.0
        /// From the contour of half the change outwards to the visible 0 °C front; `nil` measures it (`FreezingFront`), 0 reports the
        /// contour of half the change itself.
        public var halfChangeToFrontMM: Double?
        /// Ice is not looked for further than this from a probe's active end or a seed.
        public var reachMM = 42.0
        /// Organ edges may have moved by this much between the scans that are compared.
        public var expectedMotionMM = 1.0
        /// The smallest volume that is ice rather than noise.
        public var smallestVolumeML = 0.4

        public init() {}
    }

    /// - Parameters:
    ///   - probes: in the scan's frame of reference; ice forms around their last 40 mm.
    ///   - seeds: points where ice is expected when there are no probes, such as the tumour's centre; with probes they only add,
    ///     unless on MR no ice lies at any track that was taken for a probe.
    ///   - reference: a scan of the same modality in the same frame of reference, before freezing; another contrast phase will do.
    /// - Throws: `SegmentationError.noIceFound` when nothing near the probes has frozen; a region is returned for ice only.
    public static func segment(
        scan: ScanVolume, modality: Modality, probes: [Probe], seeds: [PatientPoint] = [], reference: ScanVolume? = nil,
        parameters: Parameters = Parameters()
    ) throws(SegmentationError) -> SegmentationResult {
        do {
            return try segment(
                from: probes, scan: scan, modality: modality, seeds: seeds, reference: reference, parameters: parameters)
        } catch {
            // Vessels and gaps between muscles are dark on MR as a probe's track is.
            let areOnlyTracks = modality == .mr && !probes.isEmpty && probes.allSatisfy { $0.source == .detected }
            guard areOnlyTracks, !seeds.isEmpty, case .noIceFound = error else { throw error }
            guard var result = try? segment(
                from: [], scan: scan, modality: modality, seeds: seeds, reference: reference, parameters: parameters)
            else { throw error }
            result.findings.append(Finding(
                .warning, "tracks-without-ice",
                "No ice was found with the probes' tracks that the scan shows; it was looked for around the seeds alone.",
                remedy: "Look whether the tracks are probes; give the probes' tips and tails where they are known."))
            return result
        }
    }

    private static func segment(
        from probes: [Probe], scan: ScanVolume, modality: Modality, seeds: [PatientPoint], reference: ScanVolume?, parameters: Parameters
    ) throws(SegmentationError) -> SegmentationResult {
        let located = try Located(
            scan: scan, modality: modality, probes: probes, seeds: seeds, reference: reference, parameters: parameters)
        let shown = located.origins.probesShow(in: located.native, modality: modality)
        let acceptance = IceAcceptance(located.evidence, work: located.work, usable: located.origins.usable(on: located.work.geometry))
        do {
            try acceptance.check(modality: modality, probesShow: shown, hasReference: located.evidence.hasReference)
        } catch { throw located.explained(error, modality: modality) }
        var result = refined(located, scan: scan, parameters: parameters, modality: modality)
        if modality == .ct, !probes.isEmpty, !shown {
            result.findings.append(Finding(
                .warning, "probes-not-visible", "No metal shows where the probes are said to lie.",
                remedy: "Check that the probes' positions belong to this scan and its frame of reference."))
        }
        result.findings += bareProbes(probes, in: result.levelSet)
        return result
    }

    /// Probes along whose active ends no ice was found.
    private static func bareProbes(_ probes: [Probe], in ice: LevelSet) -> [Finding] {
        probes.enumerated().compactMap { number, probe in
            let isFrozen = stride(from: 0, through: min(IceOrigins.activeLengthMM, probe.lengthMM), by: 2).contains { depth in
                let voxel = ice.geometry.continuousIndex(probe.point(atDepthMM: depth)).nearest
                return ice.geometry.size.contains(voxel) && ice.field[voxel] >= 0
            }
            return isFrozen ? nil : Finding(
                .warning, "probe-without-ice", "No ice was found around probe P\(number + 1).",
                remedy: "If the scan shows ice there, give a scan taken before freezing, or draw the ice.")
        }
    }

    /// The region looked at, and what was found there.
    struct Located {
        let native, work: Volume<Float>
        let origins: IceOrigins
        let evidence: IceEvidence

        init(
            scan: ScanVolume, modality: Modality, probes: [Probe], seeds: [PatientPoint], reference: ScanVolume?, parameters: Parameters
        ) throws(SegmentationError) {
            guard !probes.isEmpty || !seeds.isEmpty else { throw .noProbesOrSeeds }
            origins = IceOrigins(probes: probes, seeds: seeds, in: scan.geometry)
            guard !origins.isEmpty, let box = scan.geometry.indexRanges(around: origins.points, marginMM: parameters.reachMM + 6) else {
                throw .probesOutsideScan(PlaceOutsideScan((probes.map(\.tip) + seeds)[0], scan: scan.geometry))
            }
            native = scan.floats(in: box.i, box.j, box.k)
            let block = SIMD3<Int>(pointwiseMax(SIMD3(repeating: 1), (1.5 / native.geometry.spacing).rounded(.toNearestOrAwayFromZero)))
            work = native.blockMeans(block)
            do {
                evidence = try IceEvidence(work, modality: modality, origins: origins, reference: reference, parameters: parameters)
            } catch { throw Self.explained(error, work: work, origins: origins, modality: modality, isAlone: reference == nil) }
        }

        func explained(_ error: SegmentationError, modality: Modality) -> SegmentationError {
            Self.explained(error, work: work, origins: origins, modality: modality, isAlone: !evidence.hasReference)
        }

        /// That no ice was found, with bone as the reason where the ends lie in it.
        private static func explained(
            _ error: SegmentationError, work: Volume<Float>, origins: IceOrigins, modality: Modality, isAlone: Bool
        ) -> SegmentationError {
            guard case .noIceFound = error, modality == .ct, isAlone else { return error }
            let (toOrigin, toAxis) = origins.distances(on: work.geometry)
            let levels = work.values(in: Mask(toOrigin.combined(with: toAxis) { d, axis in d < 10 && axis > 3.5 ? 1 : 0 }) { $0 > 0 })
            guard Double(levels.count { $0 > 150 }) > leastBoneShare * Double(max(levels.count, 1)) else { return error }
            return .noIceFound(
                reason: "the probes' active ends or seeds lie in bone, in which ice cannot be told from unfrozen bone without an earlier scan")
        }
        private static let leastBoneShare = 0.3
    }

    /// Clarities below the first are no edge, above the second as good as any.
    private static let clearEdge: ClosedRange<Float> = 0.05...0.3
    /// The Gaussian that smooths the surface; the dent that a vessel makes is wider.
    private static let smoothingMM = 1.2
    /// What an edge's sides must tell of themselves without an earlier scan. In lung they need not: the evidence doubts what is steep there,
    /// and no fat is near; on MR fat is bright.
    private static let leastTold: Float = 0.15
    /// Where an organ ends at lung or gas it is brighter by more than this, also beside a thick slice that mixes the two; where ice ends at
    /// fat, mostly by less. Such slices through an organ's dome have every level, that of ice too, and no other edge there is as strong.
    private static let organBesideLungHU: Float = 120
    /// By which share of the way to the front a surface moves where it shows no edge. It is carried on from edges, outside of which the front
    /// lies, and held within what the evidence bounds, outside of which it need not lie: half is taken between the two. In lung what is
    /// hidden lies at vessels and the chest wall, and stays.
    private static let hiddenShare: Float = 0.5
    /// Steps of the surface towards its edge. Many let noise lead it astray; in lung, where the edge stands far above the noise and the
    /// evidence, which doubts what is steep, ends well inside, many reach it.
    static let passes = 3, passesInLung = 5
    /// A tumour within lung's ice differs from it by half of the ice's own step; noise and vessels of the ice by much less than this.
    static let rimShareInLung: Float = 0.3

    private static func refined(
        _ located: Located, scan: ScanVolume, parameters: Parameters, modality: Modality
    ) -> SegmentationResult {
        let (native, origins, evidence) = (located.native, located.origins, located.evidence), region = evidence.region
        let box = region.boundingBox!
        let corners = [
            VoxelIndex(box.i.lowerBound, box.j.lowerBound, box.k.lowerBound),
            VoxelIndex(box.i.upperBound - 1, box.j.upperBound - 1, box.k.upperBound - 1),
        ].map { region.geometry.point($0) }
        let crop = native.geometry.indexRanges(around: corners, marginMM: 11)!
        let fine = native.cropped(crop.i, crop.j, crop.k)
        let toAxis = origins.distances(on: fine.geometry).toAxis, metal = IceEvidence.metalMM(on: fine.geometry)
        let seen = evidence.bodies.visibility.interpolated(onto: fine.geometry)
        var (iceness, validity) = evidence.tissue.edgeImage(of: fine)
        validity = validity.combined(with: toAxis, seen) { w, axis, seen in axis < metal || seen < 0.25 ? 0 : w }
        let dense = modality == .ct && !evidence.hasReference
            ? DenseInLung.leaving(evidence.bodies.depth.interpolated(onto: fine.geometry), in: fine) : nil
        if let dense { validity = validity.combined(with: Volume<Float>.levels(of: dense)) { w, dense in dense > 0 ? 0 : w } }
        var start = Volume<Float>.levels(of: region).interpolated(onto: fine.geometry)
        let rough = Mask(start) { $0 >= 0 }, depth = rough.signedDistance()
        let tissue = evidence.isInLung ? EvenTissue(in: iceness, scan: fine, depth: depth)
            : modality == .mr && !evidence.hasReference ? EvenTissue(in: iceness, depth: depth) : nil
        if let tissue {
            iceness = tissue.iceness(of: iceness)
            start = Volume<Float>.levels(of: rough.without(tissue.mask, leastML: parameters.smallestVolumeML))
        }
        let noise = iceness.noise(in: Mask(depth) { abs($0) < 8 })
        let refinement = EdgeRefinement(
            image: iceness, validity: validity, evidence: evidence.hasReference ? nil : evidence.evidence.interpolated(onto: fine.geometry),
            leastTold: modality == .ct && !evidence.isInLung ? Self.leastTold : nil,
            largestRiseOutwards: modality == .ct && !evidence.hasReference && !evidence.isSurroundedByLung ? Self.organBesideLungHU : nil,
            polarity: evidence.tissue.polarity, noise: noise,
            expectedStep: modality == .ct && !evidence.hasReference && tissue == nil
                ? .freezing(byHU: Float(parameters.freezingDropHU)) : nil,
            insideReachMM: 5, rimShare: evidence.isInLung ? Self.rimShareInLung : nil, averagingMM: 2.5, largestShiftMM: 4,
            passes: evidence.isInLung ? Self.passesInLung : Self.passes)
        let first = refinement.refine(start)
        let completion = IceCompletion(
            of: evidence.bodies.bodies, surface: first.surface, clarity: first.clarity, evidence: evidence.evidence,
            compared: evidence.hasReference)
        // In lung the evidence ends well inside of the ice.
        let dented = modality == .ct && !evidence.hasReference && !evidence.isSurroundedByLung
            ? WarmTissue.leftOut(
                of: completion.surface, evidence: evidence.tissue.evidence(of: located.work),
                toAxis: origins.distances(on: located.work.geometry).toAxis) : nil
        let outcome = refinement.refine(dented ?? completion.surface)
        let front = Self.front(
            of: outcome, edge: fine, beyondMM: evidence.isInLung && tissue != nil ? FrontRise.beforeOtherTissueMM : FrontRise.reachMM,
            usable: validity, origins: origins, modality: modality, scan: scan)
        let shift = Float(parameters.halfChangeToFrontMM ?? front.shiftMM)
        let clear = Self.clearEdge, hidden = evidence.isInLung ? 0 : Self.hiddenShare
        let outwards = outcome.clarity.mapped { (clarity: Float) -> Float in
            let seen = max(0, min(1, (clarity - clear.lowerBound) / (clear.upperBound - clear.lowerBound)))
            return shift * (hidden + (1 - hidden) * seen)
        }
        let warm = evidence.isInLung && !evidence.hasReference ? WarmInLung(in: fine, depth: outcome.surface, toAxis: toAxis) : nil
        let frozen = warm?.leftOut(of: outcome.surface, shiftMM: shift, outwards: outwards) ?? outcome.surface
        let whole = frozen.filledBetweenThickSlices()
        let moved = shift == 0 ? whole : whole.combined(with: outwards.interpolated(onto: whole.geometry)) { $0 + $1 }
        let surface = moved.regularized(openingMM: 0, smoothingMM: smoothingMM)

        var findings = evidence.findings
        if surface.comesNearBorder(of: scan.geometry) {
            findings.append(Finding(
                .warning, "ice-reaches-scan-edge", "The ice reaches the edge of the scan: how far it goes beyond is not known.",
                remedy: "Scan a wider or longer region around the ice; margins that end at the scan's edge cannot be evaluated."))
        }
        if let hidden = evidence.bodies.hiddenEdgeFinding(hasReference: evidence.hasReference) { findings.append(hidden) }
        let surroundings = IceSurroundings(
            of: outcome.surface, clarity: outcome.clarity, in: fine, farFrom: toAxis, denseInLung: dense, warmInLung: warm,
            glass: tissue?.glassShare ?? 0, isCompared: evidence.hasReference, modality: modality)
        findings += surroundings.findings
        let uncertainty = Self.uncertainty(
            front: front, edges: outcome, completion: completion, surroundings: surroundings,
            isCompared: evidence.hasReference, spacing: fine.geometry.spacing)
        var result = SegmentationResult(
            levelSet: LevelSet(field: surface), edgeUncertaintyMM: uncertainty, findings: findings,
            method: "visible ice by \(evidence.description), \(Self.place(shift)) (\(modality.rawValue))")
        result.pieces = Mask(surface) { $0 >= 0 }.pieces().map { .init(volumeML: $0.volumeML, centroid: PatientPoint($0.centroid)) }
        return result
    }

    private static let besideSeedMM = 2.0

    /// - Parameters:
    ///   - outcome: the surface at half of the change.
    ///   - edge: an image in which the change stands out.
    ///   - beyondMM: no more of what lies outside of the surface is looked at.
    private static func front(
        of outcome: EdgeRefinement.Outcome, edge: Volume<Float>, beyondMM: Float, usable: Volume<Float>, origins: IceOrigins,
        modality: Modality, scan: ScanVolume
    ) -> FreezingFront {
        let surface = outcome.surface
        // Probes that are not known lie around a seed as often as on it.
        let beside = origins.probes.isEmpty ? Self.besideSeedMM : 0
        let radii = origins.distanceToMiddles(on: surface.geometry).values(in: Mask(surface) { abs($0) < 1 })
        let ramp = FreezingRamp(radiusMM: Double(radii.reduce(0, +)) / Double(max(radii.count, 1)) - beside)
        let near = Mask(surface) { abs($0) < 6 }, levels = edge.values(in: near)
        let contrast = 0.4 * ((levels.quantile(0.9) ?? 0) - (levels.quantile(0.1) ?? 0))
        let ice = FrontRise(of: edge, across: surface, usable: usable, leastContrast: contrast, beyondMM: beyondMM)
        let grid = scan.geometry, k = surface.geometry.size.k, first = Int(grid.continuousIndex(surface.geometry.origin).ijk.z.rounded())
        let slices = max(0, first)..<min(grid.size.k, first + k)
        let nearIce = surface.mapped { (phi: Float) -> Float in phi + 8 }
        var strong: Float = 400
        if modality == .mr {
            let signal = scan.floats(in: 0..<grid.size.i, 0..<grid.size.j, slices)
            strong = 0.5 * (signal.values(in: Mask(signal) { $0 > 0 }).quantile(0.9) ?? 0)
        }
        let sharp = ScanSharpness(scan, slices: slices, excluding: nearIce, leastContrast: strong)
        return FreezingFront(
            iceRise: ice, sharpness: sharp, voxelMM: surface.geometry.spacing.x, ramp: ramp, residualMM: outcome.residualMM)
    }

    /// One standard deviation of the surface along its normal, in millimetres: how well the front is known, how far single edges disagree
    /// (more than half a millimetre is no longer noise), what is hidden, where the smooth completion and the evidence disagree, and a share
    /// of a voxel.
    ///
    /// Against an earlier scan, where single edges carry the noise of two scans that the surface averages, half of their disagreement
    /// counts, and parts that err alike are counted more than once (`ofCompared`).
    ///
    /// What is stated was 1.5 times the root mean square distance to the truth in the median of 111 synthetic scans made of real ones, and
    /// less than it in 7; on 54 phantoms with other ramps and shapes, 1.2 times and less in 15. Against an earlier scan it was
    /// 1.4 times in 117 of the former and less in 17, and 1.1 times in 14 of the latter and less in 4. No other weights of the parts met
    /// the two kinds any better.
    private static func uncertainty(
        front: FreezingFront, edges: EdgeRefinement.Outcome, completion: IceCompletion, surroundings: IceSurroundings, isCompared: Bool,
        spacing: SIMD3<Double>
    ) -> Double {
        let disagreeing = (isCompared ? 0.5 : 1) * (0.9 * edges.residualMM + 1.2 * max(0, edges.residualMM - 0.5))
        let hidden = 0.6 * completion.hiddenDeviationMM, apart = 0.4 * completion.contradictionMM
        let all = (
            [front.deviationMM, disagreeing, hidden, apart, surroundings.deviationMM].reduce(0) { $0 + $1 * $1 }
                + 0.01 * (spacing * spacing).sum()
        ).squareRoot()
        return isCompared ? ofCompared * all : all
    }
    private static let ofCompared = 0.9

    /// The code of the finding that ice lies in bone: margins to it cannot be trusted.
    public static let inBoneCode = "ice-in-bone"

    private static func place(_ shiftMM: Float) -> String {
        let tenths = Int((10 * shiftMM).rounded())
        return tenths == 0 ? "edge at half of the change" : "edge \(Float(tenths) / 10) mm outside half of the change"
    }
}
