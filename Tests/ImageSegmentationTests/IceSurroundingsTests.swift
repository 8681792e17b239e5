import ImagingCore
import Testing

@testable import ImageSegmentation

/// What around the ice makes its edge unsure, on a ball of 14 mm whose surroundings are drawn.
@Suite struct IceSurroundingsTests {
    private static func surroundings(
        modality: Modality = .ct, hasReference: Bool = false, _ level: @escaping @Sendable (SIMD3<Double>) -> Double
    ) throws -> IceSurroundings {
        let grid = try AnalyticScan.grid(60, 60, 30)
        let ball = ellipsoid(.zero, SIMD3(repeating: 14))
        let scan = AnalyticScan.make(grid, noise: 0, seed: 1, level).floats(in: 0..<60, 0..<60, 0..<30)
        let surface = AnalyticScan.make(grid, noise: 0, seed: 1) { 100 * ball($0) }.floats(in: 0..<60, 0..<60, 0..<30).mapped { $0 / 100 }
        return IceSurroundings(
            of: surface, in: scan, farFrom: scan.mapped { _ in 100 }, modality: modality, hasReference: hasReference)
    }

    /// Two openings of radius 7 mm in a shell of radius 17 mm: 2 π 7² / 4 π 17² = 8 %, of which blur hides some.
    @Test func vesselInLungMakesIceUnsure() throws {
        let found = try Self.surroundings { p in p.y * p.y + p.z * p.z < 49 ? 40 : -850 }
        #expect(found.denseInLungShare > 0.05 && found.denseInLungShare < 0.085, "\(found.denseInLungShare)")
        #expect(found.deviationMM == 2 && found.findings.map(\.code) == ["ice-beside-lung-vessels"])
    }

    /// The same vessel in muscle, lung without one, MR, and a vessel that an earlier scan tells from ice.
    @Test func nothingElseDoes() throws {
        for found in [
            try Self.surroundings { p in p.y * p.y + p.z * p.z < 36 ? 40 : 60 }, try Self.surroundings { _ in -850 },
            try Self.surroundings(hasReference: true) { p in p.y * p.y + p.z * p.z < 49 ? 40 : -850 },
            try Self.surroundings(modality: .mr) { p in p.y * p.y + p.z * p.z < 36 ? 40 : -850 },
        ] { #expect(found.deviationMM == 0 && found.findings.isEmpty) }
    }
}
