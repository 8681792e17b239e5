import ImagingCore
import Testing

@testable import ImageSegmentation

/// What around the ice makes its edge unsure, on a ball of 14 mm whose surroundings are drawn.
@Suite struct IceSurroundingsTests {
    private static func surroundings(
        modality: Modality = .ct, clarity: Float = 0, isCompared: Bool = false, _ level: @escaping @Sendable (SIMD3<Double>) -> Double
    ) throws -> IceSurroundings {
        let grid = try AnalyticScan.grid(60, 60, 30)
        let ball = ellipsoid(.zero, SIMD3(repeating: 14))
        let scan = AnalyticScan.make(grid, noise: 0, seed: 1, level).floats(in: 0..<60, 0..<60, 0..<30)
        let surface = AnalyticScan.make(grid, noise: 0, seed: 1) { 100 * ball($0) }.floats(in: 0..<60, 0..<60, 0..<30).mapped { $0 / 100 }
        return IceSurroundings(
            of: surface, clarity: scan.mapped { _ in clarity }, in: scan, farFrom: scan.mapped { _ in 100 },
            denseInLung: DenseInLung.leaving(surface, in: scan), isCompared: isCompared, modality: modality)
    }

    /// A vessel of radius 9 mm through the ball opens 1 − √(1 − 9²/14²) = 23 % of its surface, and hides 2 mm more all around: 38 %.
    @Test func vesselInLungMakesIceUnsure() throws {
        let found = try Self.surroundings { p in p.y * p.y + p.z * p.z < 81 ? 40 : -850 }
        #expect(found.enteredInLungShare > 0.25 && found.enteredInLungShare < 0.4, "\(found.enteredInLungShare)")
        #expect(found.findings.map(\.code) == ["ice-beside-lung-vessels"])
    }

    /// A scan before freezing shows the bone's texture without ice: less is unsure then, and nobody is asked for what was given.
    @Test func boneIsLessUnsureAgainstAnEarlierScan() throws {
        let alone = try Self.surroundings { _ in 250 }, compared = try Self.surroundings(isCompared: true) { _ in 250 }
        #expect(compared.deviationMM > 1 && compared.deviationMM < alone.deviationMM / 2)
        #expect(alone.findings.map(\.code) == [IceSegmentation.inBoneCode] && compared.findings.map(\.code) == [IceSegmentation.inBoneCode])
        #expect(alone.findings[0].remedy.contains("give a scan") && !compared.findings[0].remedy.contains("give a scan"))
    }

    /// A kidney full of contrast medium is as dense as spongy bone, but has no cortex.
    @Test func enhancedKidneyIsNoBone() throws {
        let kidney = try Self.surroundings { _ in 180 }, spongy = try Self.surroundings { p in abs(p.x) > 16 ? 400 : 180 }
        #expect(kidney.boneShare == 0 && kidney.findings.isEmpty)
        #expect(spongy.boneShare > 0.9 && spongy.findings.map(\.code) == [IceSegmentation.inBoneCode])
    }

    /// The same vessel in muscle, lung without one, one whose edge against the ice shows, a thin one, and MR.
    @Test func nothingElseDoes() throws {
        for found in [
            try Self.surroundings { p in p.y * p.y + p.z * p.z < 81 ? 40 : 60 }, try Self.surroundings { _ in -850 },
            try Self.surroundings(clarity: 1) { p in p.y * p.y + p.z * p.z < 81 ? 40 : -850 },
            try Self.surroundings { p in p.y * p.y + p.z * p.z < 9 ? 40 : -850 },
            try Self.surroundings(modality: .mr) { p in p.y * p.y + p.z * p.z < 81 ? 40 : -850 },
        ] { #expect(found.deviationMM == 0 && found.findings.isEmpty) }
    }
}
