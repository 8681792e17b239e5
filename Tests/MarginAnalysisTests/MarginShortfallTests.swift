import Foundation
import ImagingCore
import Testing

@testable import MarginAnalysis

@Suite struct MarginShortfallTests {
    private func map(_ tumour: AnalyticShape, in zone: AnalyticShape) throws -> MarginMap {
        let grid = try AnalyticShape.grid(spacing: SIMD3(0.8, 0.8, 1.2), halfWidthMM: 32, shift: SIMD3(0.2, -0.3, 0.1))
        return try MarginAnalysis.margins(ofTumour: tumour.levelSet(on: grid), in: zone.levelSet(on: grid), zone: .visibleIce).map
    }

    /// A ball of 8 mm, 3 mm off the centre of one of 15 mm: below 5 mm where cos θ > ((15 − 5)² − 9 − 64) ⁄ 48, a cap of 2 π r² (1 − 27 ⁄
    /// 48) around the direction of the offset, where 1 mm is missing.
    @Test(arguments: [
        (SIMD3(1.0, 0, 0), "left"), (SIMD3(-1.0, 0, 0), "right"), (SIMD3(0, 0.7071, -0.7071), "posterior-inferior"),
        (SIMD3(0, -0.6, 0.8), "superior-anterior"),
    ])
    func oneSidedShortfallIsACap(direction: SIMD3<Double>, name: String) throws {
        let shortfalls = try map(.sphere(radius: 8, at: 3 * direction), in: .sphere(radius: 15, at: .zero)).shortfalls(below: 5)
        #expect(shortfalls.count == 1)
        let found = try #require(shortfalls.first)
        #expect(abs(found.areaMM2 - 2 * .pi * 64 * (1 - 27.0 / 48)) < 4)
        #expect(abs(found.missingMM - 1) < 0.05 && abs(found.worstMarginMM - 4) < 0.05)
        #expect(length(found.worstPoint.lps - 11 * direction) < 1.5)
        let towards = try #require(found.direction)
        #expect((towards.lps * direction).sum() > 0.99)
        // Where two sides are equally strong, either may come first.
        #expect(Set(towards.anatomicalName.split(separator: "-")) == Set(name.split(separator: "-")))
    }

    @Test func bothEndsOfALongTumourAreSeparate() throws {
        let tumour = AnalyticShape.capsule(radius: 5, halfLength: 12, along: SIMD3(0, 0, 1), at: SIMD3(0, 0, 1))
        let shortfalls = try map(tumour, in: .sphere(radius: 20, at: .zero)).shortfalls(below: 5)
        #expect(shortfalls.map { $0.direction?.anatomicalName } == ["superior", "inferior"])
        // 20 − (12 ± 1) − 5.
        #expect(abs(shortfalls[0].worstMarginMM - 2) < 0.05 && abs(shortfalls[1].worstMarginMM - 4) < 0.05)
    }

    @Test func whatLacksAllAroundHasNoDirection() throws {
        let shortfalls = try map(.sphere(radius: 9, at: .zero), in: .sphere(radius: 12, at: .zero)).shortfalls(below: 5)
        #expect(shortfalls.count == 1 && shortfalls[0].direction == nil)
        #expect(abs(shortfalls[0].areaMM2 - 4 * .pi * 81) < 10)
    }

    @Test func enoughEverywhereHasNone() throws {
        #expect(try map(.sphere(radius: 6, at: .zero), in: .sphere(radius: 15, at: .zero)).shortfalls(below: 5).isEmpty)
    }
}
