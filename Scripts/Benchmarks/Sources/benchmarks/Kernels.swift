import DICOMObjects
import FigureRendering
import Foundation
import ImageFilters
import ImagingCore

/// One timed call of each kernel.
struct Kernels {
    let inputs: BenchmarkInputs
    /// Holds the DICOM series, where one was written.
    private let series: URL
    private let floats: Volume<Float>
    private let levelSet: LevelSet
    /// A turn of 0.1 radians and a shift about the middle of the grid.
    private let rigid = AffineTransform(
        rotation: .rotation(about: PatientVector(1, 2, 3), radians: 0.1), about: BenchmarkInputs.geometry.center,
        translation: PatientVector(3, -2, 5))

    static let names = [
        "distance", "signed-distance", "components-26", "gaussian", "resample-linear", "resample-cubic", "resample-int16", "median",
        "gradient", "isosurface", "closing",
    ]

    init(_ inputs: BenchmarkInputs, folder: URL) {
        self.inputs = inputs
        series = folder.appending(path: "series")
        floats = inputs.scan.converted()
        levelSet = LevelSet(field: Volume<Float>(geometry: inputs.mask.geometry) { voxels in
            inputs.mask.signedDistance().withUnsafeVoxels { source in _ = voxels.update(fromContentsOf: source) }
        })
    }

    /// How long a call took on the clock and on all processors together, and a number that depends on its result.
    struct Timing {
        let seconds: Double
        let processorSeconds: Double
        let check: Double
    }

    /// `nil` for an unknown name.
    func time(_ name: String) throws -> Timing? {
        let middle = VoxelIndex(300, 200, 100)
        let grid = BenchmarkInputs.geometry
        switch name {
        case "distance": return Self.time { Double(inputs.mask.distanceToInside()[middle]) }
        case "signed-distance": return Self.time { Double(inputs.mask.signedDistance()[middle]) }
        case "components-26": return Self.time { Double(inputs.mask.connectedComponents(.twentySix).components.count) }
        case "gaussian": return Self.time { Double(floats.gaussianSmoothed(sigmaMM: 1.6)[middle]) }
        case "resample-linear": return Self.time { Double(floats.resampled(onto: grid, through: rigid)[middle]) }
        case "resample-cubic": return Self.time { Double(floats.resampled(onto: grid, through: rigid, interpolation: .cubic)[middle]) }
        case "resample-int16": return Self.time { Double(inputs.scan.resampled(onto: grid, through: rigid)[middle]) }
        case "median": return Self.time { Double(floats.medianFiltered()[middle]) }
        case "gradient": return Self.time { Double(floats.gradientMagnitude()[middle]) }
        case "isosurface": return Self.time { Double(levelSet.surface().triangles.count) }
        case "load": return try Self.time { try Double(SeriesCatalog.scan(series).series[0].load().volume.value(at: middle)) }
        case "overlays": return try Self.time { try overlayBytes() }
        case "closing": return Self.time { Double(inputs.mask.closed(byMM: 5).count) }
        default: return nil
        }
    }

    /// All slices as PNGs with the mask's outline.
    private func overlayBytes() throws -> Double {
        let overlay = FigureOverlay(levelSet, colour: FigureColour.ice, name: "ice")
        let images = try FigureRenderer(window: .softTissue)
            .slices(scan: .int16(inputs.scan), overlays: [overlay], 0..<BenchmarkInputs.size.k)
        return Double(RGBImage.pngData(of: images).reduce(0) { $0 + $1.count })
    }

    static func time(_ body: () throws -> Double) rethrows -> Timing {
        let start = ContinuousClock.now
        let processorStart = clock()
        let check = try body()
        let processor = Double(clock() - processorStart) / Double(CLOCKS_PER_SEC)
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return Timing(seconds: Double(seconds) + Double(attoseconds) * 1e-18, processorSeconds: processor, check: check)
    }
}
