import DICOMObjects
import FigureRendering
import ImageFilters
import ImagingCore
import MarginAnalysis
import Reporting

/// The segments that a case's result has on the grid of one of its scans.
struct CaseSegments {
    let result: CaseResult
    /// Of the site profile.
    let profile: String
    /// The result's own name, for tracking UIDs.
    let identity: String

    /// On the treated scan: tumours, zones, and the part of each tumour outside the zone that decides. What has no voxel there is left out.
    func onTreatedScan() -> [SegmentationWriter.Segment] {
        let grid = result.scans.treated.geometry
        var segments = result.placement.tumours.compactMap { tumour($0, on: grid) } + result.zones.compactMap { zone($0, on: grid) }
        for margin in result.margins where margin.verdict != nil {
            guard var mask = margin.tumour.levelSet.mask(onPartOf: grid) else { continue }
            mask = mask.subtracting(margin.zone.object.levelSet.resampled(onto: mask.geometry).mask)
            guard !mask.isEmpty else { continue }
            segments.append(
                .init(
                    label: "\(margin.tumour.name) outside \(margin.zone.name.rawValue)", category: ResultConcepts.morphologicallyAbnormal,
                    type: ResultConcepts.neoplasm, typeModifier: ResultConcepts.outsideZone,
                    anatomicRegion: ResultConcepts.organ(ofProfile: profile),
                    algorithm: .automatic("IceMargin: tumour less zone"), algorithmFamily: ResultConcepts.morphologicalOperations,
                    colour: .init(FigureColour.mark),
                    trackingID: "\(margin.tumour.name)-residual", trackingUID: trackingUID(.residual, margin.tumour.name), mask: mask))
        }
        return segments
    }

    /// On the planning scan: the tumours that were found or given there.
    func onPlanningScan() -> [SegmentationWriter.Segment] {
        result.tumours.filter(\.isInPlanningFrame).compactMap { tumour($0, on: result.scans.planning.geometry) }
    }

    private func tumour(_ tumour: CaseObject, on grid: GridGeometry) -> SegmentationWriter.Segment? {
        guard let mask = tumour.levelSet.mask(onPartOf: grid) else { return nil }
        return .init(
            label: tumour.name, category: ResultConcepts.morphologicallyAbnormal, type: ResultConcepts.neoplasm,
            anatomicRegion: ResultConcepts.organ(ofProfile: profile),
            algorithm: .semiautomatic("IceMargin: \(tumour.input == nil ? "from a seed" : "given mask")"),
            algorithmFamily: tumour.input == nil ? ResultConcepts.deformableModels : nil, colour: .init(FigureColour.tumour),
            trackingID: tumour.name, trackingUID: trackingUID(.tumour, tumour.name), mask: mask)
    }

    private func zone(_ zone: MeasuredZone, on grid: GridGeometry) -> SegmentationWriter.Segment? {
        guard let mask = zone.object.levelSet.mask(onPartOf: grid) else { return nil }
        let concept = ResultConcepts.zone(zone.name), name = String("IceMargin: \(zone.source)".prefix(64))
        return .init(
            label: zone.name.rawValue, category: ResultConcepts.category(of: zone.name), type: concept,
            anatomicRegion: ResultConcepts.organ(ofProfile: profile),
            algorithm: zone.object.input == nil ? .automatic(name) : .semiautomatic(name), algorithmFamily: family(of: zone),
            colour: .init(Self.colour(of: zone.name)),
            trackingID: zone.name.rawValue, trackingUID: trackingUID(.zone, zone.name.rawValue), mask: mask)
    }

    /// An isotherm comes of the simulation or of a set-back, also where the ice was given.
    private func family(of zone: MeasuredZone) -> CodedConcept? {
        switch zone.name {
        case .isotherm20, .isotherm40:
            zone.source.hasPrefix("simulated")
                ? ResultConcepts.own("bioheat", "Bioheat simulation") : ResultConcepts.morphologicalOperations
        case .visibleIce, .ablationZone: zone.object.input == nil ? ResultConcepts.deformableModels : nil
        }
    }

    enum Kind: String { case tumour, residual, zone, structure }

    /// The same object has one tracking UID in all objects of a result.
    func trackingUID(_ kind: Kind, _ name: String) -> String { DerivedUID.make(from: "tracking", identity, kind.rawValue, name) }

    private static func colour(of zone: MarginZone) -> RGBColour {
        switch zone {
        case .visibleIce, .ablationZone: FigureColour.ice
        case .isotherm20: FigureColour.isotherm20
        case .isotherm40: FigureColour.isotherm40
        }
    }
}

extension CIELabColour {
    init(_ colour: RGBColour) { self.init(red: colour.red, green: colour.green, blue: colour.blue) }
}

extension LevelSet {
    /// The voxels of `grid` inside, on the part of it around the object; `nil` where there are none.
    func mask(onPartOf grid: GridGeometry) -> Mask? {
        guard let ranges = grid.indexRanges(around: geometry.cornerPoints, marginMM: 0) else { return nil }
        let mask = resampled(onto: grid.cropped(ranges.i, ranges.j, ranges.k)).mask
        return mask.isEmpty ? nil : mask
    }
}
