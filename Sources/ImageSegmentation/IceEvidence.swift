import Foundation
import ImageFilters
import ImagingCore

/// What speaks for ice at each voxel of a region.
struct IceEvidence {
    /// For `TotalVariationCut`, per millimetre.
    let force: Volume<Float>
    let findings: [Finding]
    let description: String
    /// See `EdgeRefinement.polarity`.
    let polarity: Float

    private let tissue: any UnfrozenTissue
    private let modality: Modality
    private let parameters: IceSegmentation.Parameters
    private let origins: IceOrigins
    private let toOrigin: Volume<Float>
    private let coarseIceness: Volume<Float>, coarseConfidence: Volume<Float>

    /// Half the width, in millimetres, of what metal and its blooming hide, and a share of a voxel more.
    private static let metalMM: Float = 2.0
    private static let strengthPerMM: Float = 1.2
    private static let bayMM = 12.0

    init(
        _ work: Volume<Float>, modality: Modality, origins: IceOrigins, reference: ScanVolume?, parameters: IceSegmentation.Parameters
    ) throws(SegmentationError) {
        let (toOrigin, toAxis) = origins.distances(on: work.geometry)
        (self.modality, self.parameters, self.origins, self.toOrigin) = (modality, parameters, origins, toOrigin)
        var findings: [Finding] = []
        if let reference, let compared = ReferenceTissue(
            reference, work: work, modality: modality, toOrigin: toOrigin, toAxis: toAxis, parameters: parameters) {
            tissue = compared
            description = "the change against the scan before freezing"
        } else {
            if reference != nil {
                findings.append(Finding(
                    .warning, "reference-misses-ice", "The scan before freezing does not cover the region of the ice; it was not used.",
                    remedy: "Give a scan that covers the probes' tips."))
            }
            tissue = try SurroundingTissue(work, modality: modality, origins: origins, toOrigin: toOrigin, toAxis: toAxis)
            description = "the change against the tissue around"
        }
        self.findings = findings
        polarity = tissue is ReferenceTissue || modality == .mr ? 1 : 0
        let (iceness, confidence) = tissue.iceness(of: work)
        let metal = Self.metalMM + 0.4 * Float(max(work.geometry.spacing.x, work.geometry.spacing.y))
        (coarseIceness, coarseConfidence) = (iceness, confidence.combined(with: toAxis) { w, axis in axis < metal ? 0 : w })
        let reach = Float(parameters.reachMM)
        let evidence = iceness.combined(with: coarseConfidence) { h, w in w * max(-1, min(1, 2 * h - 1)) }
        force = evidence.combined(with: toOrigin) { evidence, distance in
            let near = max(0, min(1, (20 - distance) / 12)), far = max(0, min(1, (distance - 22) / (reach - 22)))
            return Self.strengthPerMM * (evidence + 0.3 * near - 0.15 - 1.35 * far * far)
        }
    }

    /// The pieces of a region that come within 6 mm of an active end, or 10 mm of a seed where there is no probe.
    func nearOrigins(_ region: Mask) -> Mask {
        let near: Float = origins.probes.isEmpty ? 10 : 6
        let size = region.size
        let starts = toOrigin.withUnsafeVoxels { d in d.indices.filter { d[$0] <= near }.map { size.index(atOffset: $0) } }
        return region.joined(to: starts)
    }

    /// A region without the bays that only tissue which hides ice (fat, bone, metal) makes: ice itself bulges.
    func completed(_ region: Mask) -> Mask {
        guard !region.isEmpty else { return region }
        let hidden = Mask(coarseConfidence) { $0 < 0.35 }
        return region.union(region.closed(byMM: Self.bayMM).intersection(hidden))
    }

    /// Checks that the inside of a region has changed as ice does.
    func requireIce(_ region: Mask, parameters: IceSegmentation.Parameters) throws(SegmentationError) {
        guard region.count > 0 else { throw .noIceFound(reason: "nothing of \(parameters.smallestVolumeML) mL or more near the probes has changed as tissue does when it freezes") }
        let core = region.eroded(byMM: 2)
        let level = coarseIceness.median(in: core.isEmpty ? region : core) ?? 0
        guard level > 0.6 else {
            throw .noIceFound(reason: "the region near the probes has changed by only \(Int((100 * level).rounded())) % of what freezing does")
        }
    }

    /// Iceness at full resolution, and 0 where metal or doubtful tissue hides it.
    func iceness(of fine: Volume<Float>) -> (Volume<Float>, validity: Volume<Float>) {
        let (iceness, confidence) = tissue.iceness(of: fine)
        let toAxis = origins.distances(on: fine.geometry).toAxis
        let metal = Self.metalMM + 0.4 * Float(fine.geometry.spacing.x)
        let limited = iceness.mapped { (h: Float) -> Float in max(-1.5, min(2.5, h)) }
        return (limited, confidence.combined(with: toAxis) { w, axis in axis < metal || w < 0.2 ? 0 : 1 })
    }
}

/// What the voxels of a region would read if nothing were frozen.
protocol UnfrozenTissue {
    /// - Returns: the share of the way from unfrozen tissue to ice, and how far that can be trusted (0 … 1), on the image's grid.
    func iceness(of image: Volume<Float>) -> (Volume<Float>, confidence: Volume<Float>)
}
