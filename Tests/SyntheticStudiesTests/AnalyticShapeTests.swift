import Foundation
import ImagingCore
import Testing

@testable import SyntheticStudies

@Suite struct AnalyticShapeTests {
    /// Counted on a fine lattice and on evenly spread points of the sphere, not by the formulas.
    @Test(arguments: [(r: 8.0, R: 10.0, d: 4.0), (r: 6, R: 14, d: 3), (r: 9, R: 5, d: 2), (r: 5, R: 6, d: 12)])
    func closedFormsAgreeWithCounting(r: Double, R: Double, d: Double) {
        let truth = BallInBall(radiusMM: r, zoneRadiusMM: R, offsetMM: d), step = 0.2, thickness = 5.0
        var inner = 0.0, innerCovered = 0.0, shell = 0.0, shellCovered = 0.0
        let reach = Int((r + thickness) / step) + 1
        for k in -reach...reach { for j in -reach...reach { for i in -reach...reach {
            let point = step * SIMD3(Double(i), Double(j), Double(k)), distance = length(point),
                isCovered = length(point + SIMD3(d, 0, 0)) < R
            if distance < r {
                inner += 1
                innerCovered += isCovered ? 1 : 0
            } else if distance < r + thickness {
                shell += 1
                shellCovered += isCovered ? 1 : 0
            }
        } } }
        #expect(abs(truth.coverage - innerCovered / inner) < 0.003)
        #expect(
            abs(truth.residualVolumeML - (inner - innerCovered) * step * step * step / 1000) < 0.008 * inner * step * step * step / 1000)
        #expect(abs(truth.shellCoverage(marginMM: thickness) - shellCovered / shell) < 0.003)

        var generator = SeededGenerator(seed: 5)
        let margins = (0..<40_000).map { _ in R - length(r * generator.direction() + SIMD3(d, 0, 0)) }
        #expect(abs(truth.minimumMarginMM - margins.min()!) < 0.01)
        for limit in [0.0, 2, 5] {
            #expect(abs(truth.surfaceShare(below: limit) - Double(margins.count { $0 < limit }) / 40_000) < 0.01)
        }
    }
}
