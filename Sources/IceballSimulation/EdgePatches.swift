import Foundation
import ImagingCore

/// Whether a sound model could leave an edge as far from it as it did, judged by the means of patches, within which errors are alike.
struct EdgePatches {
    /// Errors of a segmented edge are alike over about this distance, those of a model over longer ones, mm.
    private static let edgeCorrelationMM = 10.0, modelCorrelationMM = 20.0
    /// A model is rejected when an edge would be so far from it with less than this probability, or lies farther away on average than this.
    static let leastProbability = 0.01, largestMeanMM = 2.5

    private let edge: [EdgeFit.EdgePoint]
    /// Points of each patch over which a model errs alike.
    private let patches: [[Int]]

    init(_ edge: [EdgeFit.EdgePoint]) {
        self.edge = edge
        patches = Dictionary(grouping: edge.indices) { (edge[$0].position.lps / Self.modelCorrelationMM).rounded(.down) }
            .sorted { ($0.key.z, $0.key.y, $0.key.x) < ($1.key.z, $1.key.y, $1.key.x) }.map(\.value)
    }

    /// Of a patch's mean: the points of each smaller patch err together.
    private func edgeVariance(_ patch: [Int]) -> Double {
        let single = patch.reduce(0) { $0 + edge[$1].uncertaintyMM * edge[$1].uncertaintyMM } / Double(patch.count)
        let independent = Set(patch.map { (edge[$0].position.lps / Self.edgeCorrelationMM).rounded(.down) }).count
        return single / Double(independent)
    }

    /// The probability that a sound model and its priors leave as much as this, or more: χ² of the patches' means and the parameters
    /// together has as many degrees of freedom as there are patches.
    func probability(_ distances: [Double], _ values: [Double]) -> Double {
        let usual = EdgeErrors.usualModelErrorMM * EdgeErrors.usualModelErrorMM
        let misfit = patches.reduce(0.0) { sum, patch in
            let mean = patch.reduce(0) { $0 + distances[$1] } / Double(patch.count)
            return sum + mean * mean / (edgeVariance(patch) + usual)
        }
        return Self.chiSquaredTail(misfit + values.reduce(0) { $0 + $1 * $1 }, degreesOfFreedom: Double(patches.count))
    }

    /// P(χ² > value), by Wilson and Hilferty's cube root.
    static func chiSquaredTail(_ value: Double, degreesOfFreedom k: Double) -> Double {
        let spread = 2 / (9 * k), normal = (cbrt(value / k) - (1 - spread)) / spread.squareRoot()
        return 0.5 * erfc(normal / 2.0.squareRoot())
    }
}
