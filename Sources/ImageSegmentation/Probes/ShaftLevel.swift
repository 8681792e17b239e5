import Foundation
import ImagingCore

/// How high a rod lies that runs within one slice.
extension ShaftFit {
    /// Heights of either end that are tried, in slices.
    private static let farthest = 0.9, step = 0.15
    /// Neighbouring voxels share their errors: a rise of the cost by this share counts as one standard deviation.
    private static let temperature = 0.003

    /// The rod at the mean of the heights and slopes that agree with the scan about as well as the best.
    ///
    /// Slices that do not overlap show a rod within one of them alike wherever in it the rod runs, level or tilted: what agrees best by a
    /// little of the noise may then lie a slice's half off, and the mean nowhere near as far.
    ///
    /// - Parameter halfMM: half the length over which `cost` looks at the rod.
    func levelled(_ model: ShaftModel, halfMM: Double, cost: (ShaftModel) -> Double) -> ShaftModel {
        guard model.aspect == .line else { return model }
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
        var low = 0.0, high = 0.0, total = 0.0
        for (entry, cost) in zip(tried, costs) {
            let weight = exp(-(cost - least) / temperature)
            (low, high, total) = (low + weight * entry.low, high + weight * entry.high, total + weight)
        }
        return moved(low / total, high / total)
    }
}
