import DICOMObjects
import FigureRendering
import Foundation
import ImageFilters
import ImageRegistration
import ImageSegmentation
import ImagingCore
import MarginAnalysis
import Reporting

/// What the page's viewer shows of a case: around each tumour both scans in the treated one's frame, and what was found in them.
struct CaseScenes {
    let description: CaseDescription
    let profile: SiteProfile
    let result: CaseResult
    private var scans: CaseScans { result.scans }
    private var placement: CasePlacement { result.placement }
    private var probes: [Probe] { result.probes }

    init(description: CaseDescription, profile: SiteProfile, result: CaseResult) {
        (self.description, self.profile, self.result) = (description, profile, result)
    }

    /// Of all scenes of a page together.
    private static let mostVoxels = 2_300_000

    /// One for each tumour that could be placed; without any, one of what the treated scan shows.
    func scenes() throws -> [ReportScene] {
        let count = max(1, placement.tumours.count)
        guard !placement.tumours.isEmpty else { return [try scene(of: nil, margins: [], mostVoxels: Self.mostVoxels)] }
        return try placement.tumours.map { tumour in
            try scene(of: tumour, margins: result.margins.filter { $0.tumour.name == tumour.name }, mostVoxels: Self.mostVoxels / count)
        }
    }

    private func scene(of tumour: CaseObject?, margins: [CaseMeasurements.TumourMargin], mostVoxels: Int) throws -> ReportScene {
        let planned = result.plan?.zones.first?.levelSet.surface().vertices
        let zonePoints = placement.zone?.surface.vertices ?? planned ?? probes.map(\.tip), tumourPoints = tumour?.surface.vertices ?? []
        let grid = SceneGrid.grid(
            of: scans.treated.geometry, around: tumourPoints.isEmpty ? zonePoints : tumourPoints,
            and: tumourPoints.isEmpty ? [] : zonePoints, mostVoxels: mostVoxels)
        let results = margins.compactMap { margin in margin.result.map { ReportScene.ZoneMargin($0, decides: margin.verdict != nil) } }
        return ReportScene(
            tumour: tumour?.name, images: try images(on: grid, around: tumour), objects: objects(of: tumour, margins),
            probes: probes.enumerated().map { .init(id: "P\($0 + 1)", tip: $1.tip, tail: $1.tail) },
            margins: results.filter(\.decides) + results.filter { !$0.decides }, colours: MarginColours(profile, description.intent),
            focus: tumour?.surface.centroid ?? placement.zone?.surface.centroid ?? grid.center,
            siteWindow: DisplayWindow(level: profile.windowCenter, width: profile.windowWidth))
    }

    private func objects(of tumour: CaseObject?, _ margins: [CaseMeasurements.TumourMargin]) -> [ReportScene.Object] {
        var objects =
            tumour.map { [ReportScene.Object(name: "tumour \($0.name)", label: $0.name, kind: .tumour, levelSet: $0.levelSet)] } ?? []
        if margins.isEmpty, let zone = placement.zone {
            objects.append(.init(name: zone.name, label: "ice", kind: .ice, levelSet: zone.levelSet))
        }
        for margin in margins where margin.result != nil {
            let (kind, label): (ReportScene.Object.Kind, String) =
                switch margin.zone.name {
                case .visibleIce: (.ice, "ice")
                case .ablationZone: (.ice, "zone")
                case .isotherm20: (.isotherm20, "−20 °C")
                case .isotherm40: (.isotherm40, "−40 °C")
                }
            objects.append(.init(name: margin.zone.name.phrase, label: label, kind: kind, levelSet: margin.zone.object.levelSet))
        }
        objects += (result.plan?.zones ?? []).map { zone in
            let (kind, label): (ReportScene.Object.Kind, String) =
                switch zone.name {
                case .visibleIce, .ablationZone: (.ice, "plan")
                case .isotherm20: (.isotherm20, "plan −20 °C")
                case .isotherm40: (.isotherm40, "plan −40 °C")
                }
            return .init(name: "planned \(zone.name.phrase)", label: label, kind: kind, levelSet: zone.levelSet)
        }
        objects += placement.tumours.filter { $0.name != tumour?.name }.map {
            .init(name: "tumour \($0.name)", label: $0.name, kind: .tumour, levelSet: $0.levelSet)
        }
        return objects
            + placement.structures.map {
                .init(name: $0.object.name, label: $0.object.name, kind: .structure, levelSet: $0.object.levelSet)
            }
    }
}

/// The scans on a scene's grid.
extension CaseScenes {
    private func images(on grid: GridGeometry, around tumour: CaseObject?) throws -> [ReportScene.Image] {
        let treated = ReportScene.Image(
            name: description.isFollowup ? "follow-up scan" : description.isPlan ? "planning scan" : "ice scan",
            modality: scans.treated.modality,
            volume: scans.treated.volume.part(on: grid, outside: .nan))
        guard scans.planning.seriesInstanceUID != scans.treated.seriesInstanceUID else { return [treated] }
        func planning(_ volume: Volume<Float>, _ note: String) -> [ReportScene.Image] {
            [treated, .init(name: "planning scan", modality: scans.planning.modality, volume: volume, note: note)]
        }
        if let registration = (placement.registrations.first { $0.tumour == tumour?.name } ?? placement.registrations.first)?.registration {
            let quality = registration.quality
            let note =
                switch quality.status {
                case .pass:
                    "The planning scan was registered to the \(treated.name); error to expect at the tumour \(String(format: "%.1f", quality.expectedErrorMM)) mm."
                case .doubtful: "The registration of the planning scan to the \(treated.name) is doubtful: see whether it holds here."
                case .fail: "The registration failed. The planning scan is shown where it was left; nothing was measured with it."
                }
            return planning(scans.planning.volume.part(on: grid, through: registration.displacements(over: grid), outside: .nan), note)
        }
        guard scans.shareFrameOfReference else { return [treated] }
        return planning(
            scans.planning.volume.part(on: grid, outside: .nan),
            "Both scans lie as their shared frame of reference puts them.")
    }
}
