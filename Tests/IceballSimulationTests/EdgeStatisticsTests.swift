import Foundation
import Testing

@testable import IceballSimulation

/// The algebra and the distribution by which an edge fit judges errors that vary together.
@Suite struct EdgeStatisticsTests {
    /// Against a matrix whose factor was written down first.
    @Test func factorsOfAMatrix() {
        let lower: [[Double]] = [[2, 0, 0], [-1, 3, 0], [0.5, 4, 0.25]]
        let factor = SymmetricFactor(count: 3) { a, b in (0..<3).reduce(0) { $0 + lower[a][$1] * lower[b][$1] } }
        // L y = v for y = (1, 2, −1).
        let solved = factor.whitened([2, 5, 8.25])
        #expect(zip(solved, [1, 2, -1]).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(abs(factor.logDeterminant - 2 * log(2 * 3 * 0.25)) < 1e-12)
    }

    /// Quantiles of χ² from tables.
    @Test(
        arguments: [
            (value: 23.209, freedom: 10.0, tail: 0.01), (15.987, 10, 0.1), (37.566, 20, 0.01), (19.337, 20, 0.5), (76.154, 50, 0.01)
        ])
    func tailOfChiSquared(value: Double, freedom: Double, tail: Double) {
        #expect(abs(EdgePatches.chiSquaredTail(value, degreesOfFreedom: freedom) - tail) < 0.03 * tail + 0.0005)
    }
}
