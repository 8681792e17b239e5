import Foundation
import ImageFilters
import ImagingCore
import Testing

@testable import MarginAnalysis

@Suite struct SmallestMarginErrorTests {
    /// `count` patches far apart, looking evenly into all directions, all with a margin of 4 mm but the first.
    static func patches(_ count: Int, first: Double = 4, localMM: Double = 0, sharedMM: Double = 0) -> [SmallestMarginError.Patch] {
        (0..<count).map { index in
            let z = 1 - 2 * (Double(index) + 0.5) / Double(count), angle = Double.pi * (1 + 5.0.squareRoot()) * (Double(index) + 0.5)
            let radius = (1 - z * z).squareRoot()
            return .init(
                marginMM: index == 0 ? first : 4, direction: SIMD3(radius * cos(angle), radius * sin(angle), z), localMM: localMM,
                sharedMM: sharedMM,
                cell: SIMD3(10 * index, 0, 0))
        }
    }

    /// 97.5 % of the smallest of n standard normal variables lie above Φ⁻¹(1 − 0.975^(1/n)).
    @Test(arguments: [(1, 1.960), (2, 2.236), (10, 2.803), (100, 3.479)])
    func equalMarginsOfManyPatchesFallShortAsOrderStatisticsDo(count: Int, quantile: Double) {
        let error = SmallestMarginError(patches: Self.patches(count, localMM: 0.5), registrationErrorMM: 0, halfWidthMM: 0.98)
        #expect(abs(error.aboveMM - 0.5 * quantile) < 0.1)
    }

    /// A tumour in the middle of its ice: the margin shrinks by the length of the shift, whose 97.5 % point is 3.058 standard deviations of
    /// one component (χ with 3 degrees of freedom).
    @Test func aShiftFromTheMiddleShrinksTheMarginByItsLength() {
        let componentMM = 2 / 3.0.squareRoot()
        let error = SmallestMarginError(patches: Self.patches(400), registrationErrorMM: 2, halfWidthMM: 1.96 * componentMM)
        #expect(abs(error.aboveMM - 3.058 * componentMM) < 0.2)
    }

    @Test func whatAllPatchesShareMovesTheSmallestAsItMovesOne() {
        let error = SmallestMarginError(patches: Self.patches(100, sharedMM: 0.5), registrationErrorMM: 0, halfWidthMM: 0.98)
        #expect(abs(error.aboveMM - 0.98) < 0.08)
        #expect(error.belowMM == 0.98)
    }

    /// The same shift, now seen in the margins: they lean by 2 mm to one side, which a registration's error of 2 mm explains.
    @Test func aLeanThatTheRegistrationExplainsMayNotBeThere() {
        var leaning = Self.patches(400)
        for index in leaning.indices { leaning[index].marginMM += 2 * leaning[index].direction.x }
        let componentMM = 2 / 3.0.squareRoot()
        let error = SmallestMarginError(patches: leaning, registrationErrorMM: 2, halfWidthMM: 1.96 * componentMM)
        #expect(abs(error.aboveMM - 3.058 * componentMM) < 0.2)
        // One of 10 mm it does not explain: there is one worst side, whose margin changes by one component.
        for index in leaning.indices { leaning[index].marginMM += 8 * leaning[index].direction.x }
        let sided = SmallestMarginError(patches: leaning, registrationErrorMM: 2, halfWidthMM: 1.96 * componentMM)
        #expect(sided.aboveMM < 2.5 * componentMM)
    }

    @Test func onePlaceFarBelowTheOthersIsAsUncertainAsItIsAlone() {
        let error = SmallestMarginError(patches: Self.patches(20, first: -6, localMM: 0.5), registrationErrorMM: 0, halfWidthMM: 0.98)
        #expect(abs(error.aboveMM - 0.98) < 0.08)
    }

    @Test func withoutErrorsNothingIsUncertain() {
        let error = SmallestMarginError(patches: Self.patches(20), registrationErrorMM: 0, halfWidthMM: 0)
        #expect(error.aboveMM == 0 && error.belowMM == 0)
    }
}

@Suite struct SurfaceCertaintyTests {
    /// A ball of 10 mm, 3 mm off the middle of one of 15 mm: margins from 2 to 8 mm, those at height z being 5 − 3 z / 10 to first order.
    static func margins(registrationErrorMM: Double) throws -> MarginResult {
        let grid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 22)
        return try MarginAnalysis.margins(
            ofTumour: AnalyticShape.sphere(radius: 10, at: SIMD3(0, 0, 3)).levelSet(on: grid),
            in: AnalyticShape.sphere(radius: 15, at: .zero).levelSet(on: grid), zone: .visibleIce,
            uncertainty: MarginUncertainty(registrationErrorMM: registrationErrorMM))
    }

    @Test func aPlaceIsSureWhereItsMarginIsTwoDeviationsFromTheRequiredOne() throws {
        let componentMM = 0.5, result = try Self.margins(registrationErrorMM: componentMM * 3.0.squareRoot())
        let certainty = try #require(result.map.certainty(ofAtLeast: 5))
        // At height z above the tumour's middle the margin is 15 − |(r, z + 3)|; area is even in z.
        let shares = (0..<20_000).map { index -> Double in
            let z = -10 + 20 * (Double(index) + 0.5) / 20_000
            return (15 - (100 - z * z + (z + 3) * (z + 3)).squareRoot() - 5) / componentMM
        }
        let enough = Double(shares.count { $0 >= 1.96 }) / 20_000, short = Double(shares.count { $0 <= -1.96 }) / 20_000
        #expect(abs(certainty.enough - enough) < 0.02)
        #expect(abs(certainty.short - short) < 0.02)
        #expect(abs(certainty.enough + certainty.unsure + certainty.short - 1) < 1e-9)
    }

    @Test func aShortfallNamesTheStructureThatLiesThatWay() throws {
        let shortfall = try #require(try Self.margins(registrationErrorMM: 1).map.shortfalls(below: 5).first)
        let grid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 50)
        func surface(at center: SIMD3<Double>) -> SurfaceDistance {
            SurfaceDistance(AnalyticShape.sphere(radius: 5, at: center).levelSet(on: grid).surface())
        }
        // The worst point is (0, 0, 13); the vessel begins 12 mm above it, the duct lies nearer but to the side.
        let ahead = shortfall.facing([("duct", surface(at: SIMD3(14, 0, 13))), ("vessel", surface(at: SIMD3(0, 0, 30)))]).ahead
        #expect(ahead?.name == "vessel")
        #expect(abs((ahead?.distanceMM ?? 0) - 12) < 0.3)
        #expect(shortfall.facing([("duct", surface(at: SIMD3(14, 0, 13)))]).ahead == nil)
        let probability = try #require(shortfall.probability)
        #expect(probability > 0.999)
    }
}
