import Foundation
import ImagingCore

/// Lung as it lies around a tumour on CT: what is denser, and no mere blur of something denser, belongs to the tumour.
///
/// A part-solid tumour is a solid core in ground glass. Grey levels learnt in its middle are the core's alone, and those learnt beside the
/// core are the glass's; only what lies further out tells the tumour from lung.
struct LungBackground {
    /// In HU; the spread is that of lung itself, without the vessels in it (one standard deviation).
    let level: Float, spread: Float
    /// Where odds are even, in spreads above the level. Lung is normal about its level, a tumour may have any level up to soft tissue.
    private let even: Float
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
    /// For spreads of some tens of HU.
    private static let usualEven: Float = 2
    /// Beyond this share of the stated radius a tumour hardly reaches; and how far lung is looked for there.
    private static let beyondShare: Float = 1.3, nearMM: Float = 6
    /// To this distance from the seed at least: a core whose size was stated may lie in ten millimetres of glass.
    static let reachMM = 24.0
    private static let leastShare: Float = 0.6, leastShareAround: Float = 0.52

    /// `nil` where less than about half of what lies around is lung: an organ's tumour may lie under lung.
    init?(around image: Volume<Float>, seed: PatientPoint, radiusMM: Float, sigma: Float) {
        let first = Self.beyondShare * radiusMM
        let sphere = SphereDirections.coarse
        let samples = RadialSamples(
            image, center: seed, sphere: sphere, smallestMM: first, largestMM: max(first + 10 + 0.5 * radiusMM, Float(Self.reachMM)),
            count: 16)
        let count = samples.radii.count, values = samples.values
        let lungs = values.filter { $0 < Self.densestHU }.sorted()
        let sideOfDirection = sphere.directions.map { RadialOdds.sides.nearest(to: $0) }
        /// The share of the volume, in all and by side, near by or wherever it was looked: ground glass may fill the one, an organ
        /// beyond the lung the other.
        func shares(below limit: Float) -> (all: Float, bySide: [Float]) {
            let reaches = [first + Self.nearMM, .infinity].map { reach in
                var lung = [Float](repeating: 0, count: RadialOdds.sides.count), all = lung
                for n in 0..<values.count where samples.radii[n % count] <= reach && !values[n].isNaN {
                    let volume = pow(samples.radii[n % count], 3) * sphere.solidAngles[n / count]
                    all[sideOfDirection[n / count]] += volume
                    if values[n] < limit { lung[sideOfDirection[n / count]] += volume }
                }
                return (all: lung.reduce(0, +) / max(all.reduce(0, +), 1), bySide: zip(lung, all).map { $0 / max($1, 1) })
            }
            return (max(reaches[0].all, reaches[1].all), zip(reaches[0].bySide, reaches[1].bySide).map { max($0, $1) })
        }
        guard shares(below: Self.densestHU).all > Self.leastShareAround, lungs.count > 30 else { return nil }
        // The mode, by the shortest stretch that holds a third.
        let third = lungs.count / 3
        let start = (0..<lungs.count - third).min { lungs[$0 + third] - lungs[$0] < lungs[$1 + third] - lungs[$1] } ?? 0
        let mode = lungs[start + third / 2]
        let below = lungs.filter { $0 < mode }, above = lungs.filter { $0 > mode }
        let deviation = (below.reduce(0) { $0 + ($1 - mode) * ($1 - mode) } / Float(max(below.count, 1))).squareRoot()
        let upwards = (above.quantile(0.68) ?? mode) - mode
        (level, spread) = (mode, max(deviation, sigma, 10, min(upwards, 60)))
        even = max(1, 2 * log(Self.tumourRangeHU / (spread * (2 * Float.pi).squareRoot()))).squareRoot()
        liesBeyond = shares(below: max(level + 3 * spread, Self.densestHU)).bySide.map { $0 > Self.leastShare }
    }

    /// Something else in lung's place that the object is to be told from: levels below `evenAt` are its.
    init(level: Float, evenAt: Float, inPlaceOf lung: LungBackground) {
        (self.level, liesBeyond) = (level, lung.liesBeyond)
        spread = max((evenAt - level) / Self.usualEven, 1)
        even = Self.usualEven
    }

    /// Logarithm of the odds that a grey level is not lung.
    func logOdds(_ value: Float) -> Float {
        max(-Self.certainlyLung, min(Self.certainlyTumour, ((value - level) / spread - even) * even))
    }
}
