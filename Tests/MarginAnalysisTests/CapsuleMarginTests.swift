import Foundation
import ImagingCore
import Testing

@testable import MarginAnalysis

@Suite struct CapsuleMarginTests {
    private func result(tumourRadius: Double, zoneRadius: Double, organRadius: Double, organX: Double) throws -> MarginResult {
        let grid = try AnalyticShape.grid(spacing: SIMD3(0.8, 0.8, 1), halfWidthMM: 30)
        let organ = AnalyticShape.sphere(radius: organRadius, at: SIMD3(organX, 0, 0))
        return try MarginAnalysis.margins(
            ofTumour: AnalyticShape.sphere(radius: tumourRadius, at: .zero).levelSet(on: grid),
            in: AnalyticShape.sphere(radius: zoneRadius, at: SIMD3(-6, 0, 0)).levelSet(on: grid), zone: .visibleIce,
            organ: (organ.levelSet(on: grid), 5))
    }

    /// A ball of 10 mm that reaches 2 mm out of an organ of 60 mm radius about (−52, 0, 0), in a zone of 20 mm about (−6, 0, 0).
    ///
    /// Its points at an angle θ from the capsule's side lie 60 − √(52² + 10² + 1040 cos θ) deep, less than 5 where cos θ > 221 ⁄ 1040, and
    /// have the margin 20 − √(136 + 120 cos θ).
    @Test func surfaceNearTheCapsuleIsLeftOut() throws {
        let result = try result(tumourRadius: 10, zoneRadius: 20, organRadius: 60, organX: -52), capsule = try #require(result.capsule)
        let cosine = 221.0 / 1040
        #expect(abs(capsule.excludedSurfaceFraction - (1 - cosine) / 2) < 0.005)
        #expect(abs(result.minimumMarginMM - 4) < 0.05)
        #expect(abs(try #require(capsule.minimumMarginMM) - (20 - (136 + 120 * cosine).squareRoot())) < 0.2)
        #expect(abs(try #require(capsule.worstPoint).lps.x - 10 * cosine) < 0.7)

        func verdict(_ required: Double, _ leavesOutCapsule: Bool) -> Verdict.Status {
            Verdict(
                tumour: "T1", result,
                criterion: MarginCriterion(zone: .visibleIce, requiredMarginMM: required, leavesOutCapsule: leavesOutCapsule)
            ).status
        }
        #expect(verdict(6, false) == .notMet && verdict(6, true) == .met && verdict(9, true) == .notMet)
    }

    @Test func aNoduleWhollyAtTheCapsuleIsNotEvaluable() throws {
        let result = try result(tumourRadius: 4, zoneRadius: 20, organRadius: 60, organX: -59), capsule = try #require(result.capsule)
        #expect(capsule.excludedSurfaceFraction == 1 && capsule.minimumMarginMM == nil && capsule.minimumMarginIntervalMM == nil)
        let verdict = Verdict(
            tumour: "T1", result, criterion: MarginCriterion(zone: .visibleIce, requiredMarginMM: 5, leavesOutCapsule: true))
        #expect(verdict.status == .indeterminate && verdict.reasons.joined().contains("capsule"))
    }

    /// Tumour that the zone surely leaves uncovered is not forgiven for lying at the capsule: the zone ends at x = 4, the tumour at x = 10.
    @Test func uncoveredTumourAtTheCapsuleIsNotMet() throws {
        let result = try result(tumourRadius: 10, zoneRadius: 10, organRadius: 60, organX: -52)
        #expect(abs(result.minimumMarginMM + 6) < 0.05)
        let verdict = Verdict(
            tumour: "T1", result, criterion: MarginCriterion(zone: .visibleIce, requiredMarginMM: 0, leavesOutCapsule: true))
        #expect(verdict.status == .notMet)
    }
}
