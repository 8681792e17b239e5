import Foundation
import ImagingCore

/// How strong a scan's grain is, and over what volume neighbouring voxels share it.
///
/// Both come from differences between voxels at growing distances, by their median, so that edges count little. Texture of the tissue
/// is grain like any other: it hides an edge as noise does.
struct NoiseTexture {
    /// Standard deviation of a voxel.
    let sigma: Float
    /// The volume in mm³ that one independent value stands for.
    let volumeMM3: Float

    /// Variance × volume: the mean over V mm³ (many times `volumeMM3`) has the variance `density` / V.
    var density: Float { sigma * sigma * volumeMM3 }

    init(of image: Volume<Float>) {
        let size = image.size, h = image.geometry.spacing
        let step = max(1, size.voxelCount / 15_000)
        /// The variance of the difference at a lag, robustly; `nil` without enough pairs.
        func structure(_ lag: SIMD3<Int>) -> Double? {
            let stride = lag.x + size.i * (lag.y + size.j * lag.z)
            let differences: [Float] = image.withUnsafeVoxels { v in
                Swift.stride(from: 0, to: v.count, by: step).compactMap { offset in
                    let at = size.index(atOffset: offset)
                    guard at.i + lag.x < size.i, at.j + lag.y < size.j, at.k + lag.z < size.k else { return nil }
                    return abs(v[offset + stride] - v[offset])
                }
            }
            guard differences.count > 60, let middle = differences.median else { return nil }
            return pow(1.4826 * Double(middle), 2)
        }
        func planar(_ lag: Int) -> Double? {
            let both = [structure(SIMD3(lag, 0, 0)), structure(SIMD3(0, lag, 0))].compactMap { $0 }
            return both.isEmpty ? nil : both.reduce(0, +) / Double(both.count)
        }
        // Far enough for grain to be forgotten, near enough for few pairs to lie across an edge.
        let reach = max(2, min(8, Int((2.6 / max(h.x, h.y)).rounded(.up))))
        let curve = (1...reach).map { planar($0) ?? 0 }
        let plateau = max(curve.max() ?? 0, 1e-9)
        var area = 1.0
        for (index, value) in curve.enumerated() where value > 0 {
            let lag = Double(index + 1), correlation = 1 - value / plateau
            guard correlation > 0 else { break }
            area += correlation * 2 * .pi * lag
        }
        var length = 1.0
        for lag in 1...max(1, min(4, Int(3 / h.z))) {
            guard let value = structure(SIMD3(0, 0, lag)), value < plateau else { break }
            length += 2 * (1 - value / plateau)
        }
        sigma = Float(max((plateau / 2).squareRoot(), 1e-3))
        volumeMM3 = Float(h.x * h.y * h.z * area * length)
    }
}
