import ImageFilters
import ImagingCore

/// Unfrozen tissue beside ice in lung, on CT without an earlier scan: a tumour that sticks out of the ice, the chest wall, a large vessel.
///
/// Its edge against lung is seven times as strong as the one against ice, so that it may have been taken along. But what is watery falls by
/// about 85 HU when it freezes, and no ice comes to what water reads.
enum WarmInLung {
    /// Unfrozen water; the ice of blood is darker by more than noise and faint streaks.
    private static let leastHU: Float = 0
    /// Bone does not tell.
    private static let boneHU: Float = 150
    /// The Gaussian that noise is smoothed by, and what is narrower than twice the second (small vessels, streaks) is left.
    private static let smoothingMM = 1.2, narrowMM = 1.5
    /// Nearer to a shaft than this lie its streaks.
    private static let streakMM: Float = 6
    /// Farther outside of the ice nothing of it matters.
    private static let outsideMM: Float = 2

    /// What of it lies in or beside what was taken for ice.
    ///
    /// - Parameters:
    ///   - scan: HU.
    ///   - depth: millimetres inside what was taken for ice, on the same grid.
    ///   - toAxis: millimetres from the nearest shaft, on the same grid.
    static func mask(in scan: Volume<Float>, depth: Volume<Float>, toAxis: Volume<Float>) -> Mask {
        let sigma = SIMD3<Double>(repeating: smoothingMM).replacing(with: SIMD3(repeating: 0), where: scan.geometry.spacing .> 2)
        let bright = scan.gaussianSmoothed(sigmaMM: sigma).combined(with: toAxis) { level, axis in
            axis > streakMM && level > leastHU && level < boneHU ? 1 : 0
        }
        return Mask(bright) { $0 > 0 }.opened(byMM: narrowMM).intersection(Mask(depth) { $0 > -outsideMM })
    }
}
