import ImageFilters
import ImagingCore

/// A scan around a tumour's seed.
struct TumourScan {
    /// As it is; in larger voxels; those a little smoothed; and how fast the last changes (grey levels per mm).
    let image, coarse, work, gradient: Volume<Float>
    private let diameterMM: Double

    init(_ image: Volume<Float>, diameterMM: Double) {
        (self.image, self.diameterMM) = (image, diameterMM)
        let target = min(max(diameterMM / 16, 0.5), 1.5)
        let block = SIMD3<Int>(pointwiseMax(SIMD3(repeating: 1), (target / image.geometry.spacing).rounded(.toNearestOrAwayFromZero)))
        coarse = image.blockMeans(block)
        work = coarse.gaussianSmoothed(sigmaMM: SIMD3(repeating: Self.smoothingMM(diameterMM)))
        gradient = work.gradientLengths()
    }

    static func smoothingMM(_ diameterMM: Double) -> Double { min(max(0.05 * diameterMM, 0.6), 1.2) }

    /// With the rest of the tumour's level in place of its middle's.
    func painted(_ core: TumourCore) -> TumourScan { TumourScan(core.paintedOver(image), diameterMM: diameterMM) }
}
