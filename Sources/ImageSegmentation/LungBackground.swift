import Foundation
import ImagingCore

/// Lung as it lies around a tumour on CT: what is denser, and no mere blur of something denser, belongs to the tumour.
///
/// A part-solid tumour is a solid core in ground glass. Grey levels learnt in its middle are the core's alone, and those learnt beside the
/// core are the glass's; only what lies further out tells the tumour from lung.
struct LungBackground {
    /// In HU; the spread is that of lung itself, without the vessels in it (one standard deviation).
    let level: Float, spread: Float
    /// For each of `RadialOdds.sides`.
    let liesBeyond: [Bool]

    /// Above this, soft tissue; ground glass lies below.
    static let solidHU: Float = -150
    /// Ground glass lies below, whatever blur adds to it.
    static let glassHU: Float = -250
    /// Lung and what is likely taken for it.
    private static let densestHU: Float = -600
    /// Levels of tumours in lung, from glass to soft tissue.
    private static let tumourRangeHU: Float = 950
    private static let certainlyLung: Float = 6, certainlyTumour: Float = 3
    /// Beyond this share of the stated radius a tumour hardly reaches; and how far lung is looked for there.
    private static let beyondShare: Float = 1.3, depthMM: Float = 10
    private static let leastShare: Float = 0.6, leastShareAround: Float = 0.4

    /// `nil` where lung does not lie around.
    init?(around image: Volume<Float>, seed: PatientPoint, radiusMM: Float, sigma: Float) {
        let first = Self.beyondShare * radiusMM
        let sphere = SphereDirections.coarse
        let samples = RadialSamples(image, center: seed, sphere: sphere, smallestMM: first, largestMM: first + Self.depthMM, count: 12)
        let count = samples.radii.count, values = samples.values
        let lungs = values.filter { $0 < Self.densestHU }.sorted()
        guard Float(lungs.count) > Self.leastShareAround * Float(values.count), lungs.count > 30 else { return nil }
        // The mode, by the shortest stretch that holds a third.
        let third = lungs.count / 3
        let start = (0..<lungs.count - third).min { lungs[$0 + third] - lungs[$0] < lungs[$1 + third] - lungs[$1] } ?? 0
        let mode = lungs[start + third / 2]
        let below = lungs.filter { $0 < mode }, above = lungs.filter { $0 > mode }
        let deviation = (below.reduce(0) { $0 + ($1 - mode) * ($1 - mode) } / Float(max(below.count, 1))).squareRoot()
        let upwards = (above.quantile(0.68) ?? mode) - mode
        (level, spread) = (mode, max(deviation, sigma, 10, min(upwards, 60)))
        let limit = max(level + 3 * spread, Self.densestHU)
        var seen = [Float](repeating: 0, count: RadialOdds.sides.count), all = seen
        for n in 0..<sphere.count {
            let side = RadialOdds.sides.nearest(to: sphere.directions[n])
            for s in 0..<count where !values[n * count + s].isNaN {
                all[side] += sphere.solidAngles[n]
                if values[n * count + s] < limit { seen[side] += sphere.solidAngles[n] }
            }
        }
        liesBeyond = zip(seen, all).map { $0 > Self.leastShare * $1 }
    }

    /// Logarithm of the odds that a grey level is not lung.
    func logOdds(_ value: Float) -> Float {
        // Lung is normal about its level, a tumour may have any level up to soft tissue: where the two are equal, and how fast they part.
        let even = (2 * log(Self.tumourRangeHU / (spread * (2 * Float.pi).squareRoot()))).squareRoot()
        return max(-Self.certainlyLung, min(Self.certainlyTumour, ((value - level) / spread - even) * even))
    }
}
