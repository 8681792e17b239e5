import ImageFilters
import ImagingCore

/// Tissue that a vessel keeps unfrozen within the smooth shape of ice, on CT without an earlier scan.
///
/// Beside metal what looks unfrozen says little against ice, for streaks look so too (`IceEvidence`), and the smooth shape closes the dent
/// that a vessel makes there. But a streak is thin, lies in one slice and has dark ones beside it, so that the evidence about it, averaged
/// over the width of a vessel, speaks for neither. What is unfrozen on that scale too, goes on in the tissue outside and reaches deep into
/// the shape is no streak.
enum WarmTissue {
    /// The Gaussian over which evidence is averaged: of vessels from 5 mm across, with the wall of tissue that they warm, most is left.
    private static let averagingMM = 2.0
    /// Where less than this share of what is averaged is clear of metal, nothing is known.
    private static let leastClear: Float = 0.2
    /// Mean evidence that is sure, and that which tissue found by it ends at: half of it lies within 2 mm of the edge.
    private static let sure: Float = -0.5, end: Float = -0.25
    /// Tissue this far outside belongs to the surroundings.
    private static let outsideMM: Float = 4
    /// Within the shape by more than the first it is looked for; it is as large as a ball 5 mm across at least, and reaches in this far.
    /// What metal's blooming and streaks left in 50 scans was smaller (0.065 mL) and less deep (2.6 mm).
    private static let insideMM: Float = 1, leastML = 0.08, leastReachMM: Float = 3
    /// It is followed this far from where it is sure.
    private static let followedMM = 6.0
    /// By how much the mean evidence changes per millimetre across an edge.
    private static let risePerMM: Float = 1.0 / 3

    /// The shape without the warm tissue that enters it, not a distance, cut at 9 mm inside; `nil` where none does.
    ///
    /// - Parameters:
    ///   - shape: positive inside, in about millimetres.
    ///   - evidence: −1 (unfrozen) … 1 (ice), which nothing has weakened beside metal; on a coarser grid.
    ///   - toAxis: millimetres from the nearest shaft, on the evidence's grid.
    static func leftOut(of shape: Volume<Float>, evidence: Volume<Float>, toAxis: Volume<Float>) -> Volume<Float>? {
        let metal = IceEvidence.metalMM(on: evidence.geometry)
        let clear = toAxis.mapped { (axis: Float) -> Float in axis < metal ? 0 : 1 }
        let sum = evidence.combined(with: clear) { $0 * $1 }.gaussianSmoothed(sigmaMM: averagingMM)
        let mean = sum.combined(with: clear.gaussianSmoothed(sigmaMM: averagingMM)) { sum, share in share > leastClear ? sum / share : 0 }
        let depth = shape.interpolated(onto: evidence.geometry), unfrozen = Mask(mean) { $0 < sure }
        let around = unfrozen.intersection(Mask(depth) { $0 < -outsideMM })
        let within = unfrozen.joined(to: around).intersection(Mask(depth) { $0 > insideMM })
        let warm = within.pieces().filter { $0.volumeML >= leastML && depth.values(in: $0).max()! >= leastReachMM }
        guard let first = warm.first else { return nil }
        let near = Volume<Float>.levels(of: warm.dropFirst().reduce(first) { $0.union($1) }.dilated(byMM: followedMM))
        let outside = mean.combined(with: near) { mean, near in near > 0 ? (mean - end) / risePerMM : .greatestFiniteMagnitude }
        return shape.combined(with: outside.clamped(to: 9).interpolated(onto: shape.geometry)) { min($0, $1) }
    }
}
