import Foundation
import ImagingCore

/// How high a rod lies that runs within one slice.
extension ShaftFit {
    /// Heights of either end that are tried, in slices.
    private static let farthest = 0.9, step = 0.15
    /// Neighbouring voxels share their errors, and bone beside the rod looks like a little of its light: a rise of the cost by this share
    /// counts as one standard deviation.
    private static let temperature = 0.012

    /// How uncertain a rod's height is along it.
    struct HeightSpread {
        /// Variances of the heights at ∓`halfMM` from the rod's middle, and their covariance, mm².
        var low = 0.0, high = 0.0, both = 0.0
        var halfMM = 1.0

        /// One standard deviation, in millimetres; a straight rod goes on as it is.
        func deviationMM(at along: Double) -> Double {
            let share = (1 + along / halfMM) / 2
            return max(0, (1 - share) * (1 - share) * low + share * share * high + 2 * share * (1 - share) * both).squareRoot()
        }
    }

    /// The rod at the mean of the heights and slopes that agree with the scan about as well as the best, and how far they spread.
    ///
    /// Slices that do not overlap show a rod within one of them alike wherever in it the rod runs, level or tilted: what agrees best by a
    /// little of the noise may then lie a slice's half off, and the mean nowhere near as far.
    ///
    /// - Parameter halfMM: half the length over which `cost` looks at the rod.
    func levelled(_ model: ShaftModel, halfMM: Double, cost: (ShaftModel) -> Double) -> (model: ShaftModel, spread: HeightSpread) {
        guard model.aspect == .line else { return (model, HeightSpread()) }
        let thickness = scan.geometry.spacing.z
        func moved(_ low: Double, _ high: Double) -> ShaftModel {
            var next = model
            next.middle.z += (low + high) / 2 * thickness
            next.direction.z += (high - low) * thickness / (2 * halfMM)
            next.direction /= next.direction.length
            return next
        }
        let heights = Array(stride(from: -Self.farthest, through: Self.farthest, by: Self.step))
        let tried = heights.flatMap { low in heights.map { high in (low: low, high: high) } }
        let costs = mapSlabs(of: tried.count, slab: heights.count) { $0.map { cost(moved(tried[$0].low, tried[$0].high)) } }.flatMap { $0 }
        let least = costs.min()!, temperature = max(1, Self.temperature * least)
        let weights = costs.map { exp(-($0 - least) / temperature) }, total = weights.reduce(0, +)
        func mean(_ value: (Double, Double) -> Double) -> Double {
            zip(tried, weights).reduce(0) { $0 + $1.1 * value($1.0.low, $1.0.high) } / total
        }
        let low = mean { low, _ in low }, high = mean { _, high in high }, square = thickness * thickness
        let spread = HeightSpread(
            low: square * mean { lower, _ in (lower - low) * (lower - low) },
            high: square * mean { _, upper in (upper - high) * (upper - high) },
            both: square * mean { lower, upper in (lower - low) * (upper - high) }, halfMM: halfMM)
        return (moved(low, high), spread)
    }
}
