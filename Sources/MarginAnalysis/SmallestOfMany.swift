import Foundation
import ImagingCore

/// How far the smallest of many uncertain margins is expected to lie below the true smallest margin.
///
/// Where much of a tumour's surface has nearly the same margin, the place at which errors happen to be most negative is taken for
/// the worst. Errors are alike within a patch of the surface and independent between patches.
enum SmallestOfMany {
    /// Over this distance errors of a segmented edge are alike: its smoothing, on both sides.
    static let patchMM = 8.0
    /// Larger errors come from stretches without a visible edge, over many patches alike; only this much of them is local.
    static let largestLocalErrorMM = 0.75

    /// Millimetres, at least 0: the smallest patch margin less the expectation of the smallest after normal errors of `errorMM`.
    static func expectedShortfallMM(of map: MarginMap, errorMM: Double) -> Double {
        let errorMM = min(errorMM, largestLocalErrorMM)
        guard errorMM > 0 else { return 0 }
        var smallest: [SIMD3<Int>: Double] = [:]
        for (vertex, margin) in zip(map.surface.vertices, map.marginsMM) {
            let patch = SIMD3<Int>((vertex.lps / patchMM).rounded(.down))
            smallest[patch] = min(smallest[patch] ?? .infinity, margin)
        }
        guard let lowest = smallest.values.min() else { return 0 }
        // Patches so far above the lowest never come out smallest.
        let margins = smallest.values.filter { $0 < lowest + 6 * errorMM }.sorted()
        return max(0, lowest - expectedMinimum(of: margins, errorMM: errorMM))
    }

    /// The expectation of the minimum of independent normal variables with these means: top − ∫ P(minimum ≤ t) dt.
    private static func expectedMinimum(of means: [Double], errorMM: Double) -> Double {
        let low = means[0] - 6 * errorMM, top = means[0] + 6 * errorMM, steps = 240
        let step = (top - low) / Double(steps)
        var integral = 0.0
        for index in 0..<steps {
            let t = low + (Double(index) + 0.5) * step
            let noneBelow = means.reduce(1.0) { $0 * 0.5 * erfc((t - $1) / (errorMM * 2.0.squareRoot())) }
            integral += (1 - noneBelow) * step
        }
        return top - integral
    }
}
