import FigureRendering
import Foundation
import ImageFilters
import ImageRegistration
import ImagingCore

/// Pictures that show a person whether a registration is to be believed.
public struct RegistrationFigures {
    /// The side of a field of the checkerboard, and how far from the tumour pictures reach.
    private static let fieldMM = 20.0
    private static let reachMM = 75.0
    /// Edges that are drawn on CT: fat against soft tissue, and bone.
    private static let edgesHU: [(level: Float, name: String, colour: RGBColour)] = [
        (-40, "moving: soft tissue", FigureColour.tumour), (180, "moving: bone", FigureColour.ice),
    ]
    private static let edgeSmoothingMM = 1.5

    /// What a resampled scan shows where it does not reach: air, or no signal.
    public static func outside(_ modality: Modality) -> Float { modality == .ct ? -1024 : 0 }

    private let fixed, moving: Volume<Float>
    /// Grey values of the moving scan as it is shown by itself.
    private let movingWindow: DisplayWindow
    private let isMovingCT: Bool
    private let center: PatientPoint
    private let tumour: FigureOverlay?
    private let renderer: FigureRenderer
    private let caption: FigureCaption

    /// The part of the fixed scan's grid that pictures show.
    ///
    /// - Parameter focus: the tumour in the fixed frame; the middle of the scan is shown when there is none.
    static func part(of grid: GridGeometry, around focus: RegistrationFocus?) -> (i: Range<Int>, j: Range<Int>, k: Range<Int>) {
        // Pictures run along the patient's axes, which an oblique grid crosses. The middle lies within the grid.
        grid.indexRanges(around: [middle(of: grid, focus)], marginMM: 1.5 * reachMM)!
    }

    private static func middle(of grid: GridGeometry, _ focus: RegistrationFocus?) -> PatientPoint {
        let wanted = focus?.center ?? grid.center
        return grid.contains(wanted) ? wanted : grid.center
    }

    /// - Parameters:
    ///   - scan: the fixed scan, or its `part`.
    ///   - resampled: the moving scan on the same grid, of `movingModality`.
    ///   - focus: the tumour in the fixed frame; the middle of the scan when there is none.
    public init(
        fixed scan: ScanVolume, modality: Modality, resampled: Volume<Float>, movingModality: Modality, quality: RegistrationQuality,
        focus: RegistrationFocus?
    ) {
        let box = Self.part(of: scan.geometry, around: focus)
        center = Self.middle(of: scan.geometry, focus)
        fixed = scan.floats(in: box.i, box.j, box.k)
        moving = resampled.cropped(box.i, box.j, box.k)
        isMovingCT = movingModality == .ct
        movingWindow = DisplayWindow.suited(to: .float32(moving), modality: movingModality, site: "")
        tumour = focus.flatMap { try? Self.ball($0, in: scan.geometry.frameOfReferenceUID) }
        var renderer = FigureRenderer(window: DisplayWindow.suited(to: scan, modality: modality, site: ""))
        renderer.surroundingsMM = Self.reachMM
        self.renderer = renderer
        caption = FigureCaption(
            title: "Registration: \(quality.status.rawValue)",
            result: quality.statedErrorMM.map { String(format: "expected error at the tumour %.1f mm", $0) } ?? "error unknown")
    }

    /// The tumour as a ball.
    private static func ball(_ focus: RegistrationFocus, in frameOfReferenceUID: String?) throws -> FigureOverlay {
        let stepMM = max(0.5, focus.radiusMM / 16), count = Int((2 * focus.radiusMM / stepMM).rounded(.up)) + 5
        let corner = focus.center - PatientVector(SIMD3(repeating: stepMM * Double(count - 1) / 2))
        let grid = try GridGeometry(
            size: GridSize(count, count, count), spacing: SIMD3(repeating: stepMM), origin: corner, frameOfReferenceUID: frameOfReferenceUID
        )
        let field = Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices {
                voxels[offset] = Float(focus.radiusMM - grid.point(grid.size.index(atOffset: offset)).distance(to: focus.center))
            }
        }
        return FigureOverlay(
            LevelSet(field: field), colour: FigureColour.structure, name: "tumour, as given", dash: .dashed, framesPicture: false)
    }

    /// Fields of the fixed and the moving scan in turns: edges go on across fields where the scans fit.
    public func checker() throws -> RGBImage {
        let size = fixed.size, spacing = fixed.geometry.spacing
        func field(_ index: Int, _ spacing: Double) -> Int { Int(Double(index) * spacing / Self.fieldMM) }
        // The moving scan's values as they would be shown by themselves, in those of the fixed scan.
        let window = renderer.window, factor = Float(window.width / movingWindow.width)
        let shift = Float(window.level) - factor * Float(movingWindow.level)
        let mixed = fixed.withUnsafeVoxels { fixed in
            moving.withUnsafeVoxels { moving in
                Volume<Float>(geometry: self.fixed.geometry) { voxels in
                    for k in 0..<size.k {
                        for j in 0..<size.j {
                            for i in 0..<size.i {
                                let offset = size.offset(VoxelIndex(i, j, k))
                                let isFixed = (field(i, spacing.x) + field(j, spacing.y) + field(k, spacing.z)) % 2 == 0
                                voxels[offset] = isFixed ? fixed[offset] : factor * moving[offset] + shift
                            }
                        }
                    }
                }
            }
        }
        return try renderer.orthogonalPlanes(scan: .float32(mixed), overlays: [tumour].compactMap { $0 }, at: center, caption: caption)
    }

    /// The fixed scan with edges of the moving one over it.
    public func edges() throws -> RGBImage {
        let smooth = moving.gaussianSmoothed(sigmaMM: Self.edgeSmoothingMM)
        let levels = isMovingCT ? Self.edgesHU : [(Float(movingWindow.level), "moving: brighter tissue", FigureColour.ice)]
        let overlays = levels.map { edge in
            FigureOverlay(LevelSet(field: smooth.mapped { $0 - edge.level }), colour: edge.colour, name: edge.name, framesPicture: false)
        }
        return try renderer.orthogonalPlanes(
            scan: .float32(fixed), overlays: [tumour].compactMap { $0 } + overlays, at: center, caption: caption)
    }
}
