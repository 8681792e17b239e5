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
    /// The half rises that were measured; `nil` where they could not be.
    let iceHalfRiseMM: Double?, sharpHalfRiseMM: Double?

    /// A scanner's blur in the slice plane where it could not be measured; as a half rise, for voxels of some width.
    private static let usualBlurMM = 0.6, usualDeviationMM = 0.12, leastBlurMM = 0.35
    /// How often edges that were taken for sharp are not.
    private static let lessShare = 0.1
    /// Standard deviations of what else changes the half rise of ice: uneven tissue and an uneven surface widen more than they narrow.
    private static let tooWideMM = 0.15, tooNarrowMM = 0.04
    /// What else moves the contour of half the change.
    private static let contourDeviationMM = 0.12

    init(iceHalfRise: (mm: Double, deviation: Double)?, sharpness: ScanSharpness?, voxelMM: Double, ramp: FreezingRamp) {
        (iceHalfRiseMM, sharpHalfRiseMM) = (iceHalfRise?.mm, sharpness?.halfRiseMM)
        let blurs = Self.blurs(sharpness, voxelMM: voxelMM)
        var sum = 0.0, mean = 0.0, square = 0.0
        for width in stride(from: 0.0, through: ramp.widestMM, by: 0.05) {
            var likelihood = ramp.density(ofWidthMM: width)
            if let iceHalfRise {
                likelihood *= blurs.reduce(0) { sum, blur in
                    let excess = iceHalfRise.mm - EdgeProfile.halfRise(ofRampMM: width, blurMM: blur.mm)
                    let floor = excess > 0 ? Self.tooWideMM : Self.tooNarrowMM
                    let away = excess / (iceHalfRise.deviation * iceHalfRise.deviation + floor * floor).squareRoot()
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

extension EdgeProfile {
    private static let sectors = 12, fewestSectors = 4, fewestLines = 12
    private static let largestSlant: Float = 0.35

    /// The half rise of the image across a surface where its normal lies about in the slice plane, and its standard deviation: the median
    /// over sectors around the surface's middle, so that vessels and fat on some sides do not count. `nil` where too little of it shows.
    ///
    /// - Parameters:
    ///   - surface: signed distance, positive inside.
    ///   - usable: positive where the image can be trusted.
    static func halfRise(
        of image: Volume<Float>, across surface: Volume<Float>, usable: Volume<Float>, leastContrast: Float
    ) -> (mm: Double, deviation: Double)? {
        let size = image.size, spacing = SIMD3<Float>(image.geometry.spacing), strideJ = size.i, strideK = size.i * size.j
        guard size.k > 2, size.i > 2, size.j > 2 else { return nil }
        var profiles = [EdgeProfile](repeating: EdgeProfile(), count: sectors), slants = [Float](repeating: 0, count: sectors)
        let centroid = Mask(surface) { $0 >= 0 }.centroid, middle = SIMD3<Float>(image.geometry.continuousIndex(PatientPoint(centroid)).ijk)
        image.withUnsafeVoxels { image in
            usable.withUnsafeVoxels { usable in
                surface.withUnsafeVoxels { phi in
                    let sample = TrilinearSampler(image, size: size), valid = TrilinearSampler(usable, size: size)
                    for k in 1..<size.k - 1 {
                        for j in 1..<size.j - 1 {
                            for i in 1..<size.i - 1 {
                                let here = i &+ j &* strideJ &+ k &* strideK
                                guard abs(phi[here]) < 0.7 * spacing.x else { continue }
                                let g = SIMD3(
                                    phi[here &+ 1] - phi[here &- 1], phi[here &+ strideJ] - phi[here &- strideJ],
                                    phi[here &+ strideK] - phi[here &- strideK]) / (2 * spacing)
                                let length = (g * g).sum().squareRoot(), slant = abs(g.z) / max(length, 1e-6)
                                guard length > 0.5, slant < largestSlant else { continue }
                                let perMM = g / length / spacing, at = SIMD3(Float(i), Float(j), Float(k)), foot = at - phi[here] * perMM
                                let turn = (atan2(at.y - middle.y, at.x - middle.x) / (2 * .pi) + 0.5) * Float(sectors)
                                let sector = min(sectors - 1, Int(turn))
                                slants[sector] += slant * slant
                                profiles[sector].add { t in
                                    let place = foot + t * perMM
                                    return valid(place) > 0.7 ? sample(place) : nil
                                }
                            }
                        }
                    }
                }
            }
        }
        // A voxel blurs by a twelfth of the square of its width; a leaning normal meets its long side.
        let extra = (spacing.z * spacing.z - spacing.x * spacing.x) / 12
        let sides = zip(profiles, slants).compactMap { profile, slant -> (step: Float, half: Double)? in
            guard profile.lines >= fewestLines, let rise = profile.rise, abs(rise.after - rise.before) > leastContrast,
                rise.unevenness < 0.2
            else { return nil }
            let square = rise.halfMM * rise.halfMM - max(0, extra) * slant / Float(profile.lines)
            return (rise.after - rise.before, Double(max(0.04, square)).squareRoot())
        }
        // Vessels and fat on some sides change the step there; such sides do not count.
        guard let usual = sides.map(\.step).median else { return nil }
        let halves = sides.filter { abs($0.step - usual) < 0.25 * abs(usual) }.map(\.half).sorted()
        guard halves.count >= fewestSectors else { return nil }
        let median = halves[halves.count / 2], spread = halves.map { abs($0 - median) }.sorted()[halves.count / 2]
        return (median, 1.4826 * 1.25 * spread / Double(halves.count).squareRoot())
    }
}
