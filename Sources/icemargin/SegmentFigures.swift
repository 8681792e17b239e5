import FigureRendering
import ImageFilters
import ImageSegmentation
import ImagingCore
import Foundation
import VerificationPipeline

/// The pictures of an object that was found in a scan.
struct SegmentFigures {
    private let scan: ScanVolume
    private let overlay: FigureOverlay
    private let center: PatientPoint
    private let caption: FigureCaption
    private let renderer: FigureRenderer

    /// - Parameters:
    ///   - object: what it is called in the legend.
    ///   - surface: of the result's level set.
    init(scan: StageScan, object: String, result: SegmentationResult, surface: TriangleMesh) {
        self.scan = scan.volume
        overlay = FigureOverlay(result.levelSet, colour: object == "tumour" ? FigureColour.tumour : FigureColour.ice, name: object)
        center = surface.centroid ?? result.levelSet.geometry.center
        caption = FigureCaption(
            title: object.prefix(1).uppercased() + object.dropFirst(),
            result: String(format: "%.1f mL, edge ± %.1f mm", surface.enclosedVolume / 1000, result.edgeUncertaintyMM))
        let liesInLung = scan.modality == .ct && scan.volume.airShare(around: center, withinMM: 30) > 0.4
        renderer = FigureRenderer(window: DisplayWindow.suited(to: scan.volume, modality: scan.modality, site: liesInLung ? "lung" : ""))
    }

    /// Three planes through the object's middle.
    func planes() throws -> RGBImage { try renderer.orthogonalPlanes(scan: scan, overlays: [overlay], at: center, caption: caption) }
    /// Slices from one end of the object to the other.
    func montage() throws -> RGBImage { try renderer.montage(scan: scan, overlays: [overlay], caption: caption) }
}

extension ScanVolume {
    /// The share of voxels in a box around a point that hold air or aerated lung.
    fileprivate func airShare(around point: PatientPoint, withinMM reach: Double) -> Double {
        guard let box = geometry.indexRanges(around: [point], marginMM: reach) else { return 0 }
        let values = floats(in: box.i, box.j, box.k)
        return values.withUnsafeVoxels { Double($0.count { $0 < -500 }) / Double($0.count) }
    }
}
