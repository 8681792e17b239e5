import FigureRendering
import Foundation
import ImagingCore
import MarginAnalysis
import Reporting

/// The pictures of a simulated iceball: its isotherms on the scan, and its edge against the visible one.
struct SimulationFigures {
    let simulation: CaseSimulation
    let scan: ScanVolume
    let renderer: FigureRenderer

    private static let simulatedColour = RGBColour(240, 228, 66)

    /// Where the fit holds, a picture of the isotherms for each tumour; and always one of the two edges.
    func draw(_ margins: [CaseMeasurements.TumourMargin], ice: CaseObject) throws -> [Figure] {
        let deciding = margins.filter { $0.verdict != nil && $0.result != nil }
        return try (simulation.fit.isRejected ? [] : deciding.map { try isotherms($0, margins) }) + [edges(ice)]
    }

    private func isotherms(_ deciding: CaseMeasurements.TumourMargin, _ margins: [CaseMeasurements.TumourMargin]) throws -> Figure {
        let id = deciding.tumour.name,
            colours: [MarginZone: RGBColour] = [
                .visibleIce: FigureColour.ice, .isotherm20: FigureColour.isotherm20, .isotherm40: FigureColour.isotherm40
            ]
        let zones = margins.filter { $0.tumour.name == id && $0.result != nil }
        let overlays = [FigureOverlay(deciding.tumour.levelSet, colour: FigureColour.tumour, name: "tumour \(id)")] + zones.map {
            FigureOverlay($0.zone.object.levelSet, colour: colours[$0.zone.name] ?? FigureColour.ice, name: $0.zone.name.phrase)
        }
        let worst = margins.first { $0.tumour.name == id && $0.zone.name == .isotherm20 }?.result ?? deciding.result!
        let values = zones.compactMap { margin in margin.result.map { "\(margin.zone.name.phrase) \(FigureMark.text(ofMarginMM: $0.minimumMarginMM))" } }.joined(separator: ", ")
        let picture = try renderer.orthogonalPlanes(
            scan: scan, overlays: overlays, at: worst.worstPoint,
            caption: FigureCaption(title: "Tumour \(id)", result: "simulated isotherms"))
        return Figure(
            name: "isotherms-\(id)", caption: "Simulated isotherms around tumour \(id). Smallest margins: \(values).",
            altText: "Tumour \(id), visible ice and simulated isotherms in three planes; smallest margins \(values).",
            png: picture.pngData(), place: .more)
    }

    private func edges(_ ice: CaseObject) throws -> Figure {
        let middle = ice.surface.centroid ?? scan.geometry.center, after = simulation.after
        let overlays = [
            FigureOverlay(ice.levelSet, colour: FigureColour.ice, name: "visible ice"),
            FigureOverlay(simulation.simulatedIce, colour: Self.simulatedColour, name: "simulated edge", dash: .dashed),
        ]
        let described = String(format: "root mean square %.1f mm, largest %.1f mm", after.rmsMM, after.largestMM)
        let picture = try renderer.orthogonalPlanes(
            scan: scan, overlays: overlays, at: middle,
            caption: FigureCaption(title: "Observed and simulated edge", result: "rms \(String(format: "%.1f", after.rmsMM)) mm"))
        let verdict = simulation.fit.isRejected ? "The simulation was rejected" : "The simulation fits"
        return Figure(
            name: "ice-fit", caption: "\(verdict): distance of the visible edge from the simulated one \(described).",
            altText: "Outlines of the visible and the simulated ice in three planes; distance \(described).", png: picture.pngData(),
            place: .more)
    }
}
