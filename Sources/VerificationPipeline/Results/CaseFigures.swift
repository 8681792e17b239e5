import DICOMObjects
import FigureRendering
import Foundation
import ImageFilters
import ImageRegistration
import ImagingCore
import MarginAnalysis
import Reporting

/// The pictures of a case: for each tumour three planes through its worst point, a montage of slices and the margin on its surface; then
/// how well the scans were registered.
struct CaseFigures {
    let profile: SiteProfile
    let result: CaseResult
    let intent: TreatmentIntent

    private var scan: Scan { result.scans.treated }

    /// A picture before it is encoded.
    private struct Drawing {
        var figure: Figure
        var image: RGBImage

        init(_ name: String, _ caption: String, altText: String, _ image: RGBImage, _ place: Figure.Place) {
            figure = Figure(name: name, caption: caption, altText: altText, png: Data(), place: place)
            self.image = image
        }
    }

    func draw() throws -> [Figure] {
        let deciding = result.margins.filter { $0.verdict != nil && $0.result != nil }
        var drawings = try deciding.flatMap(marginDrawings)
        // Without a margin the picture has to show why.
        drawings += try result.plan.map(planDrawings) ?? []
        for tumour in result.placement.tumours where result.plan == nil && !deciding.contains(where: { $0.tumour.name == tumour.name }) {
            drawings.append(try planes(of: tumour))
        }
        if result.placement.tumours.isEmpty, let zone = result.placement.zone { drawings.append(try planes(of: zone)) }
        drawings += try result.placement.registrations.flatMap { try registrationDrawings($0, $1) }
        let files = RGBImage.pngData(of: drawings.map(\.image), .small)
        return try zip(drawings, files).map { drawing, png in
            var figure = drawing.figure
            figure.png = png
            return figure
        } + simulationFigures()
    }

    private func simulationFigures() throws -> [Figure] {
        guard let simulation = result.simulation, let ice = result.placement.zone else { return [] }
        return try SimulationFigures(simulation: simulation, scan: scan.volume, renderer: renderer).draw(result.margins, ice: ice)
    }

    private var renderer: FigureRenderer {
        FigureRenderer(
            window: scan.modality == .ct
                ? DisplayWindow(level: profile.windowCenter, width: profile.windowWidth)
                : DisplayWindow.suited(to: scan.volume, modality: scan.modality, site: profile.name))
    }
}

/// Tumours and zones.
extension CaseFigures {
    private func marginDrawings(_ margin: CaseMeasurements.TumourMargin) throws -> [Drawing] {
        guard let result = margin.result else { return [] }
        let zoneName = margin.zone.name, id = margin.tumour.name, overlays = overlays(of: margin)
        let value = FigureMark.text(ofMarginMM: result.minimumMarginMM)
        let mark = FigureMark(point: result.worstPoint, target: result.nearestZonePoint, text: value)
        let caption = FigureCaption(title: "Tumour \(id)", result: "smallest margin \(value)")
        let planes = try renderer.orthogonalPlanes(
            scan: scan.volume, overlays: overlays, at: result.worstPoint, mark: mark, caption: caption)
        let montage = try renderer.montage(scan: scan.volume, overlays: overlays, mark: mark, caption: caption)
        let map = MarginMapFigure(colours: MarginColours(profile, intent)).image(
            SurfaceMap(surface: result.map.surface, marginsMM: result.map.marginsMM), worst: result.worstPoint,
            caption: FigureCaption(title: "Tumour \(id), margin in the \(zoneName.phrase)", result: caption.result))
        let described = "outlines of tumour \(id) and \(zoneName.phrase) on the \(scan.modality.rawValue) scan; smallest margin \(value)"
        return [
            Drawing(
                "planes-\(id)", "Three planes through the point of tumour \(id) with the smallest margin.",
                altText: "Axial, coronal and sagittal plane through the worst point: \(described).", planes, .key),
            Drawing(
                "montage-\(id)", "Slices through tumour \(id).", altText: "Slices from one end of the tumour to the other: \(described).",
                montage, .file),
            Drawing(
                "margin-map-\(id)", "The margin on the surface of tumour \(id) in the \(zoneName.phrase), from six sides.",
                altText:
                    "Surface of tumour \(id) from six sides, coloured by its margin in the \(zoneName.phrase); smallest margin \(value).",
                map, .surface),
        ]
    }

    /// The tumour, every zone that it was measured in, and what must not freeze.
    private func overlays(of margin: CaseMeasurements.TumourMargin) -> [FigureOverlay] {
        let zones = result.margins.filter { $0.tumour.name == margin.tumour.name && $0.result != nil }.map(\.zone)
        return [FigureOverlay(margin.tumour.levelSet, colour: FigureColour.tumour, name: "tumour \(margin.tumour.name)", thickness: 2.4)]
            + zones.map { zone in
                let (colour, dash): (RGBColour, OutlineDash) =
                    switch zone.name {
                    case .visibleIce, .ablationZone: (FigureColour.ice, .none)
                    case .isotherm20: (FigureColour.isotherm20, .dashed)
                    case .isotherm40: (FigureColour.isotherm40, .dotted)
                    }
                return FigureOverlay(zone.object.levelSet, colour: colour, name: zone.name.phrase, dash: dash)
            } + structures
    }

    private var structures: [FigureOverlay] {
        result.placement.structures.enumerated().map { index, structure in
            // A picture's font has no letters beyond Europe's; the report has the name.
            let name = structure.object.name, shown = FigureOverlay.canWrite(name) ? name : "structure \(index + 1)"
            return FigureOverlay(structure.object.levelSet, colour: FigureColour.structure, name: shown, dash: .long, framesPicture: false)
        }
    }

    /// Planes through the middle of an object that no margin was measured for.
    private func planes(of object: CaseObject) throws -> Drawing {
        let isTumour = result.placement.tumours.contains { $0.name == object.name }, name = isTumour ? "tumour \(object.name)" : object.name
        let outline = FigureOverlay(object.levelSet, colour: isTumour ? FigureColour.tumour : FigureColour.ice, name: name)
        let zone = isTumour ? result.placement.zone.map { [FigureOverlay($0.levelSet, colour: FigureColour.ice, name: $0.name)] } ?? [] : []
        let image = try renderer.orthogonalPlanes(
            scan: scan.volume, overlays: [outline] + zone + structures, at: object.surface.centroid ?? scan.volume.geometry.center,
            caption: FigureCaption(title: name.prefix(1).uppercased() + name.dropFirst(), result: "no margin measured"))
        return Drawing(
            "planes-\(isTumour ? object.name : "zone")", "Three planes through the middle of the \(name); no margin was measured.",
            altText:
                "Axial, coronal and sagittal plane through the middle of the \(name) on the \(scan.modality.rawValue) scan, with its outline.",
            image, .key)
    }
}

/// Plans.
extension CaseFigures {
    /// The ice that is planned, dashed throughout: nothing of it was seen.
    private func planDrawings(_ plan: CasePlan) throws -> [Drawing] {
        let colours: [MarginZone: RGBColour] = [
            .visibleIce: FigureColour.ice, .isotherm20: FigureColour.isotherm20, .isotherm40: FigureColour.isotherm40,
        ]
        let zones = plan.zones.map { zone in
            FigureOverlay(
                zone.levelSet, colour: colours[zone.name] ?? FigureColour.ice, name: "planned \(zone.name.phrase)",
                dash: zone.name == .isotherm40 ? .dotted : .dashed)
        }
        return try result.placement.tumours.map { tumour in
            let margins = plan.course.margins.filter { $0.tumour == tumour.name }
            let deciding = margins.first { plan.requiredMM[$0.zone] != nil } ?? margins[0]
            let value = deciding.steps.last.map { FigureMark.text(ofMarginMM: $0.marginMM) } ?? "none"
            let outline = FigureOverlay(tumour.levelSet, colour: FigureColour.tumour, name: "tumour \(tumour.name)", thickness: 2.4)
            let image = try renderer.orthogonalPlanes(
                scan: scan.volume, overlays: [outline] + zones + structures,
                at: deciding.worst ?? tumour.surface.centroid ?? scan.volume.geometry.center,
                caption: FigureCaption(title: "Tumour \(tumour.name): PLAN, simulated, no ice seen", result: "planned margin \(value)"))
            let described = "planned margin to the \(deciding.zone.phrase) at the end of the protocol \(value), simulated"
            return Drawing(
                "plan-\(tumour.name)", "The ice that is planned around tumour \(tumour.name): \(described). No ice has been seen.",
                altText: "Outlines of tumour \(tumour.name) and of planned, simulated ice on the \(scan.modality.rawValue) scan; \(described).",
                image, .key)
        }
    }
}

/// Registrations.
extension CaseFigures {
    private func registrationDrawings(_ tumour: String, _ registration: ScanRegistration) throws -> [Drawing] {
        let focus = result.placement.tumours.first { $0.name == tumour }.flatMap { tumour in
            tumour.surface.centroid.map { RegistrationFocus(center: $0, radiusMM: tumour.surface.longestDiameterMM / 2) }
        }
        let (i, j, k) = RegistrationFigures.part(of: scan.volume.geometry, around: focus), part = scan.volume.floats(in: i, j, k),
            planning = result.scans.planning
        let resampled = planning.volume.part(
            on: part.geometry, through: registration.displacements(over: part.geometry),
            outside: RegistrationFigures.outside(planning.modality))
        let figures = RegistrationFigures(
            fixed: .float32(part), modality: scan.modality, resampled: resampled, movingModality: planning.modality,
            quality: registration.quality, focus: focus)
        let quality = registration.quality
        let described = "registration around tumour \(tumour), expected error "
            + (quality.statedErrorMM.map { String(format: "%.1f mm", $0) } ?? "unknown")
        return [
            Drawing(
                "registration-checker-\(tumour)",
                "Planning and \(scan.modality.rawValue) scan in turns: edges go on from field to field where the registration holds.",
                altText: "Checkerboard of both scans in three planes: \(described).", try figures.checker(), .more),
            Drawing(
                "registration-edges-\(tumour)", "Edges of the registered planning scan on the scan that was treated.",
                altText: "Edges of one scan on the other in three planes: \(described).", try figures.edges(), .more),
        ]
    }
}

extension MarginColours {
    /// The margin of a profile, which is what is required only where the treatment is to cure.
    init(_ profile: SiteProfile, _ intent: TreatmentIntent) {
        self.init(requiredMM: profile.requiredMarginMM, requirement: intent == .curative ? "required" : "needed to cure")
    }
}
