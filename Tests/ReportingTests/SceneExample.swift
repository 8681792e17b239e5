import FigureRendering
import ImagingCore
import MarginAnalysis

@testable import Reporting

/// A scene with known voxels, spheres and margins: a tumour of 9 mm in ice of 14 mm whose middle lies 2 mm further to the head.
struct SceneExample {
    static let center = PatientPoint(-20, 30, 100)
    static let tumourMM = 9.0, iceMM = 14.0, offsetMM = 2.0
    /// The smallest margin: at the tumour's lower pole.
    static let smallestMM = iceMM - tumourMM - offsetMM
    /// Voxels of 1 × 1 × 2 mm; the centre is voxel (25, 24, 13).
    static let grid = try! GridGeometry(
        size: GridSize(50, 48, 26), spacing: SIMD3(1, 1, 2), origin: PatientPoint(-45, 6, 74), frameOfReferenceUID: "1.2.3")

    static func ball(_ center: PatientPoint, _ radiusMM: Double) -> LevelSet {
        let grid = try! GridGeometry(
            size: GridSize(70, 68, 70), spacing: SIMD3(0.7, 0.7, 0.7), origin: PatientPoint(-45, 6, 76), frameOfReferenceUID: "1.2.3")
        return LevelSet(
            field: Volume(geometry: grid) { voxels in
                for offset in voxels.indices {
                    voxels[offset] = Float(radiusMM - grid.point(grid.size.index(atOffset: offset)).distance(to: center))
                }
            })
    }

    /// What the treated scan has at a voxel, HU; some lie beyond what scanners give, and a corner beyond the scan.
    static func value(_ index: VoxelIndex) -> Float {
        index.i < 3 && index.j < 3 ? .nan : Float(40 * index.i - 37 * index.j + 3 * index.k - 900)
    }
    static func planning(_ index: VoxelIndex) -> Float { Float(index.i - 2 * index.j + index.k) }

    static func image(_ value: (VoxelIndex) -> Float) -> Volume<Float> {
        Volume(geometry: grid) { voxels in for offset in voxels.indices { voxels[offset] = value(grid.size.index(atOffset: offset)) } }
    }

    private static let tumour = ball(center, tumourMM), ice = ball(center + PatientVector(0, 0, offsetMM), iceMM), cold = ball(center, 7)
    private static let margins = Result {
        try [(MarginZone.visibleIce, ice), (.isotherm40, cold)].map { zone, levelSet in
            ReportScene.ZoneMargin(try MarginAnalysis.margins(ofTumour: tumour, in: levelSet, zone: zone), decides: zone == .visibleIce)
        }
    }

    static func scene(tumour id: String = "T1", structure: String = "bile duct") throws -> ReportScene {
        ReportScene(
            tumour: id,
            images: [
                .init(name: "ice scan", modality: .ct, volume: image(value)),
                .init(name: "planning scan", modality: .mr, volume: image(planning), note: "Registered."),
            ],
            objects: [
                .init(name: "tumour \(id)", label: id, kind: .tumour, levelSet: tumour),
                .init(name: "visible ice", label: "ice", kind: .ice, levelSet: ice),
                .init(name: "−40 °C isotherm", label: "−40 °C", kind: .isotherm40, levelSet: cold),
                .init(name: structure, label: structure, kind: .structure, levelSet: ball(center + PatientVector(18, 0, 0), 3)),
            ],
            probes: [.init(id: "P1", tip: center, tail: center + PatientVector(0, -60, 0))],
            margins: try margins.get(),
            colours: MarginColours(requiredMM: 5), focus: center, siteWindow: .softTissue)
    }
}
