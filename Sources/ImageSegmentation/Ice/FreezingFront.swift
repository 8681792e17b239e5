import Foundation
import ImagingCore

/// How far outside the contour of half the change the 0 °C front lies.
///
/// Tissue freezes over some degrees, so that below the front the image changes along a ramp; the contour of half the change lies half a
/// ramp inside the front. The ramp's width is what the edge of the ice is wider than a sharp edge in the same scan; how well that is
/// known decides how far it is believed against what physics expects (`FreezingRamp`).
struct FreezingFront {
    /// From the half change outwards to the front, and its standard deviation.
    let shiftMM: Double, deviationMM: Double

    /// A scanner's blur in the slice plane where it could not be measured; as a half rise, for voxels of some width.
    private static let usualBlurMM = 0.6, usualDeviationMM = 0.12, leastBlurMM = 0.35
    /// How often edges that were taken for sharp are not.
    private static let lessShare = 0.1
    /// Standard deviations of what else changes the half rise of ice: the reading's own, and as shares of how far single profiles disagree.
    /// Noise and uneven tissue let the surface wave about the edge, which widens it more than it narrows it, and no more than so much.
    private static let readingDeviationMM = 0.02, wideShare = 0.24, narrowShare = 0.15, tooWideMM = 0.06, tooNarrowMM = 0.04
    /// What else moves the contour of half the change.
    private static let contourDeviationMM = 0.12

    /// - Parameter residualMM: how far the edges of single profiles disagree (see `EdgeRefinement.Outcome`).
    init(iceRise: FrontRise?, sharpness: ScanSharpness?, voxelMM: Double, ramp: FreezingRamp, residualMM: Double) {
        let wide = min(Self.tooWideMM, Self.floor(Self.wideShare * residualMM))
        let narrow = min(Self.tooNarrowMM, Self.floor(Self.narrowShare * residualMM))
        let blurs = Self.blurs(sharpness, voxelMM: voxelMM)
        var sum = 0.0, mean = 0.0, square = 0.0
        for width in stride(from: 0.0, through: ramp.widestMM, by: 0.05) {
            var likelihood = ramp.density(ofWidthMM: width)
            if let iceRise {
                likelihood *= blurs.reduce(0) { sum, blur in
                    let excess = iceRise.halfRiseMM - EdgeProfile.halfRise(ofRampMM: width, blurMM: blur.mm)
                    let floor = excess > 0 ? wide : narrow
                    let away = excess / (iceRise.deviationMM * iceRise.deviationMM + floor * floor).squareRoot()
                    // Heavy tails: an edge may be unlike any of these.
                    return sum + blur.weight * (exp(-0.5 * away * away) + 0.01)
                }
            }
            let shift = width / 2
            sum += likelihood
            mean += likelihood * shift
            square += likelihood * shift * shift
        }
        shiftMM = mean / sum
        deviationMM = (max(0, square / sum - shiftMM * shiftMM) + Self.contourDeviationMM * Self.contourDeviationMM).squareRoot()
    }

    private static func floor(_ unevenMM: Double) -> Double {
        (readingDeviationMM * readingDeviationMM + unevenMM * unevenMM).squareRoot()
    }

    /// What the scanner's blur may be, with weights. Edges that were taken for sharp may move or lean, so that the blur may also be less.
    private static func blurs(_ sharpness: ScanSharpness?, voxelMM: Double) -> [(mm: Double, weight: Double)] {
        let least = (leastBlurMM * leastBlurMM + voxelMM * voxelMM / 4).squareRoot()
        let usual = (usualBlurMM * usualBlurMM + voxelMM * voxelMM / 4).squareRoot()
        let (mean, deviation) = sharpness.map { ($0.halfRiseMM, $0.deviationMM) } ?? (usual, usualDeviationMM)
        let normal = stride(from: -2.5, through: 2.5, by: 0.5).map { z in
            (mm: max(least, mean + z * deviation), weight: exp(-0.5 * z * z))
        }
        let total = normal.reduce(0) { $0 + $1.weight }
        guard sharpness != nil, mean > least else { return normal }
        let less = (0..<10).map { n in (mm: least + (Double(n) + 0.5) / 10 * (mean - least), weight: 0.1 * lessShare * total) }
        return normal + less
    }
}
