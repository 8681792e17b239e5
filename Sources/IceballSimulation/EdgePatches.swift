import Foundation
import ImagingCore

/// The statistics of an observed edge whose errors are alike within patches.
struct EdgePatches {
    /// Errors of a segmented edge are alike over about this distance, those of a model over longer ones, mm.
    private static let edgeCorrelationMM = 10.0, modelCorrelationMM = 20.0
    /// What a model leaves wrong beside its constants: at least this (grid, shape of the probe), mm.
    static let leastModelErrorMM = 0.4
    /// What it is expected to leave wrong in a patient, where tissues are uneven and vessels are not all known, mm; gels without either were
    /// predicted to 2.3 mm at worst, patients to 2.6 mm on average before any fit.
    static let usualModelErrorMM = 1.2
    /// A model is rejected when an edge would be so far from it with less than this probability, or lies farther away on average than this.
    static let leastProbability = 0.01, largestMeanMM = 2.5

    private let edge: [EdgeFit.EdgePoint]
    private let smallCount: Int
    /// Points of each large patch.
    private let large: [[Int]]

    init(_ edge: [EdgeFit.EdgePoint]) {
        self.edge = edge
        func cells(_ size: Double) -> [SIMD3<Double>: [Int]] {
            Dictionary(grouping: edge.indices) { (edge[$0].position.lps / size).rounded(.down) }
        }
        smallCount = cells(Self.edgeCorrelationMM).count
        large = cells(Self.modelCorrelationMM).sorted { ($0.key.z, $0.key.y, $0.key.x) < ($1.key.z, $1.key.y, $1.key.x) }.map(\.value)
    }

    /// Per point: 1 / variance, less for outliers, shared among the points that one error moves together.
    func weights(_ distances: [Double], modelErrorMM: Double) -> [Double] {
        let share = min(1, Double(smallCount) / Double(edge.count))
        return zip(edge, distances).map { point, distance in
            let variance = point.uncertaintyMM * point.uncertaintyMM + modelErrorMM * modelErrorMM, size = abs(distance) / variance.squareRoot()
            return share / variance * (size > EdgeFit.huber ? EdgeFit.huber / size : 1)
        }
    }

    /// Per point, 1 / variance of the edge alone, 1/mm², so that the points of a patch together know as much as one of them.
    var precisions: [Double] {
        let share = min(1, Double(smallCount) / Double(edge.count))
        return edge.map { share / ($0.uncertaintyMM * $0.uncertaintyMM) }
    }

    func cost(_ distances: [Double], _ values: [Double], _ modelErrorMM: Double) -> Double {
        zip(distances, weights(distances, modelErrorMM: modelErrorMM)).reduce(0) { $0 + $1.0 * $1.0 * $1.1 } + values.reduce(0) { $0 + $1 * $1 }
    }

    /// One standard deviation, in millimetres, of what is left between the patches beyond the edge's own errors.
    ///
    /// - Parameter unknowns: how many of the parameters the edge determines.
    func modelErrorMM(_ distances: [Double], unknowns: Double) -> Double {
        let found = large.map { patch in patch.reduce(0) { $0 + distances[$1] } / Double(patch.count) }
        let expected = large.map(edgeVariance).reduce(0, +) / Double(large.count)
        let freedom = max(Double(large.count) - unknowns, Double(large.count) / 4)
        let excess = found.reduce(0) { $0 + $1 * $1 } / freedom - expected
        return max(excess, Self.leastModelErrorMM * Self.leastModelErrorMM).squareRoot()
    }

    /// Of a patch's mean: the points of each small patch err together.
    private func edgeVariance(_ patch: [Int]) -> Double {
        let single = patch.reduce(0) { $0 + edge[$1].uncertaintyMM * edge[$1].uncertaintyMM } / Double(patch.count)
        let independent = Set(patch.map { (edge[$0].position.lps / Self.edgeCorrelationMM).rounded(.down) }).count
        return single / Double(independent)
    }

    /// The probability that a sound model and its priors leave as much as this, or more: χ² of the patches' means and the parameters together
    /// has as many degrees of freedom as there are patches.
    func probability(_ distances: [Double], _ values: [Double]) -> Double {
        let usual = Self.usualModelErrorMM * Self.usualModelErrorMM
        let misfit = large.reduce(0.0) { sum, patch in
            let mean = patch.reduce(0) { $0 + distances[$1] } / Double(patch.count)
            return sum + mean * mean / (edgeVariance(patch) + usual)
        }
        return Self.chiSquaredTail(misfit + values.reduce(0) { $0 + $1 * $1 }, degreesOfFreedom: Double(large.count))
    }

    /// P(χ² > value), by Wilson and Hilferty's cube root.
    static func chiSquaredTail(_ value: Double, degreesOfFreedom k: Double) -> Double {
        let spread = 2 / (9 * k), normal = (cbrt(value / k) - (1 - spread)) / spread.squareRoot()
        return 0.5 * erfc(normal / 2.0.squareRoot())
    }
}
