import DICOMObjects
import FigureRendering
import Foundation
import ImageFilters
import ImageRegistration
import ImagingCore
import MarginAnalysis
import Reporting

/// The pictures of a case: for each tumour three planes through its worst point, and a montage of slices.
struct CaseFigures {
    let profile: SiteProfile
    let scan: Scan
    let structures: [CaseObject]
    /// Around each tumour that was carried over, by its name, from this scan.
    let registrations: [(tumour: String, registration: ScanRegistration)]
    let planning: Scan
    /// The tumours where they lie in the treated scan.
    let tumours: [CaseObject]

    func draw(_ margins: [CaseMeasurements.TumourMargin]) throws -> [Figure] {
        try marginFigures(margins) + registrations.flatMap { try registrationFigures($0, $1) }
    }

    private func registrationFigures(_ tumour: String, _ registration: ScanRegistration) throws -> [Figure] {
        let resampled = planning.volume.resampled(
            onto: scan.geometry, through: registration.displacements(over: scan.geometry), outside: RegistrationFigures.outside(planning.modality))
        let focus = tumours.first { $0.name == tumour }.flatMap { tumour in
            tumour.surface.centroid.map { RegistrationFocus(center: $0, radiusMM: tumour.surface.longestDiameterMM / 2) }
        }
        let figures = RegistrationFigures(fixed: scan.volume, modality: scan.modality, resampled: resampled, quality: registration.quality, focus: focus)
        let described = "registration around tumour \(tumour), expected error \(String(format: "%.1f", registration.quality.expectedErrorMM)) mm"
        return [
            Figure(name: "registration-checker-\(tumour)",
                caption: "Planning and \(scan.modality.rawValue) scan in turns: edges go on from field to field where the registration holds.",
                altText: "Checkerboard of both scans in three planes: \(described).", png: try figures.checker().pngData()),
            Figure(name: "registration-edges-\(tumour)", caption: "Edges of the registered planning scan on the scan that was treated.",
                altText: "Edges of one scan on the other in three planes: \(described).", png: try figures.edges().pngData()),
        ]
    }

    private func marginFigures(_ margins: [CaseMeasurements.TumourMargin]) throws -> [Figure] {
        let renderer = FigureRenderer(window: window)
        // One set of pictures for each tumour: in the zone that decides.
        return try margins.filter { $0.verdict != nil }.flatMap { margin -> [Figure] in
            guard let result = margin.result else { return [] }
            let zone = margin.zone.object, zoneName = margin.zone.name, id = margin.tumour.name
            let overlays = [
                FigureOverlay(margin.tumour.levelSet, colour: FigureColour.tumour, name: "tumour \(id)"),
                FigureOverlay(zone.levelSet, colour: FigureColour.ice, name: zoneName.phrase),
            ] + structures.map { FigureOverlay($0.levelSet, colour: FigureColour.structure, name: $0.name, isDashed: true, framesPicture: false) }
            let value = FigureMark.text(ofMarginMM: result.minimumMarginMM)
            let mark = FigureMark(point: result.worstPoint, target: result.nearestZonePoint, text: value)
            let caption = FigureCaption(title: "Tumour \(id)", result: "smallest margin \(value)")
            let planes = try renderer.orthogonalPlanes(scan: scan.volume, overlays: overlays, at: result.worstPoint, mark: mark, caption: caption)
            let montage = try renderer.montage(scan: scan.volume, overlays: overlays, mark: mark, caption: caption)
            let map = MarginMapFigure(colours: MarginColours(requiredMM: profile.requiredMarginMM, targetMM: profile.targetMarginMM)).image(
                SurfaceMap(surface: result.map.surface, marginsMM: result.map.marginsMM), worst: result.worstPoint,
                caption: FigureCaption(title: "Tumour \(id), margin in the \(zoneName.phrase)", result: caption.result))
            let described = "outlines of tumour \(id) and \(zoneName.phrase) on the \(scan.modality.rawValue) scan; smallest margin \(value)"
            return [
                Figure(name: "planes-\(id)", caption: "Three planes through the point of tumour \(id) with the smallest margin.",
                    altText: "Axial, coronal and sagittal plane through the worst point: \(described).", png: planes.pngData(), place: .key),
                Figure(name: "montage-\(id)", caption: "Slices through tumour \(id).", altText: "Slices from one end of the tumour to the other: \(described).", png: montage.pngData(), place: .file),
                Figure(name: "margin-map-\(id)", caption: "The margin on the surface of tumour \(id) in the \(zoneName.phrase), from six sides.",
                    altText: "Surface of tumour \(id) from six sides, coloured by its margin in the \(zoneName.phrase); smallest margin \(value).", png: map.pngData(), place: .surface),
            ]
        }
    }

    private var window: DisplayWindow {
        scan.modality == .ct ? DisplayWindow(level: profile.windowCenter, width: profile.windowWidth)
            : DisplayWindow.suited(to: scan.volume, modality: scan.modality, site: profile.name)
    }
}
