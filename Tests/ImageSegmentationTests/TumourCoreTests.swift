import ImagingCore
import Testing
@testable import ImageSegmentation

/// Tumours with a middle that differs from the rest, in which the seed lies.
@Suite struct TumourCoreTests {
    static let center = SIMD3(0.37, -0.81, 0.9)
    private static let whole = ellipsoid(center, SIMD3(13, 12, 12)), middle = ellipsoid(center + SIMD3(0.8, 0, -0.5), SIMD3(9, 8, 8))

    private static func find(
        _ modality: Modality, stated: Double, noise: Double = 12, _ value: @escaping @Sendable (SIMD3<Double>) -> Double
    ) throws -> (result: SegmentationResult, grid: GridGeometry) {
        let grid = try AnalyticScan.grid(90, 90, 28), scan = AnalyticScan.make(grid, noise: noise, value)
        return (try TumourSegmentation.segment(scan: scan, modality: modality, seed: PatientPoint(center), diameterMM: stated), grid)
    }
    private static func dice(_ found: (result: SegmentationResult, grid: GridGeometry), _ truth: (SIMD3<Double>) -> Double) -> Double {
        SurfaceComparison(found.result.levelSet, on: found.grid, trueDistance: truth).dice
    }
    /// What is said where a shell is seen.
    private static let shellCodes: Set = ["tumour-middle-differs", "tumour-middle-alone", "tumour-two-edges", "tumour-in-shell"]
    private static func codes(_ found: (result: SegmentationResult, grid: GridGeometry)) -> [String] { found.result.findings.map(\.code) }

    /// Dead within an enhancing rim on CT; brighter or darker than its shell on MR.
    @Test(arguments: [
        (modality: Modality.ct, middle: 70.0, shell: 155.0, around: 105.0), (.mr, 300, 640, 400), (.mr, 680, 230, 400),
    ])
    func middleAndShellAreTheTumour(modality: Modality, middle: Double, shell: Double, around: Double) throws {
        let found = try Self.find(modality, stated: 25) { Self.middle($0) > 0 ? middle : Self.whole($0) > 0 ? shell : around }
        #expect(Self.dice(found, Self.whole) > 0.95, "\(Self.dice(found, Self.whole))")
        #expect(Self.codes(found) == ["tumour-middle-differs"], "\(found.result.findings)")
    }

    /// Fluid within a wall whose level lies between it and the organ; one so thin that blur leaves no level part of it.
    @Test(arguments: [
        (modality: Modality.mr, wallMM: 6.2, fluid: 110.0, wall: 270.0, around: 400.0), (.mr, 3, 110, 270, 400), (.ct, 3.4, 10, 65, 105),
    ])
    func wallOfALevelInBetweenBelongsToTheTumour(modality: Modality, wallMM: Double, fluid: Double, wall: Double, around: Double) throws {
        let inner = ellipsoid(Self.center, SIMD3(13, 12, 12) - wallMM)
        let found = try Self.find(modality, stated: 26) { inner($0) > 0 ? fluid : Self.whole($0) > 0 ? wall : around }
        #expect(Self.dice(found, Self.whole) > 0.95, "\(Self.dice(found, Self.whole))")
    }

    /// An edge that is merely wide has no shell.
    @Test func wideEdgeStaysAtItsHalfHeight() throws {
        let found = try Self.find(.mr, stated: 23) { 250 + 150 * min(1, max(0, 0.5 - Self.whole($0) / 5)) }
        #expect(Self.dice(found, Self.whole) > 0.93, "\(Self.dice(found, Self.whole))")
        #expect(Self.shellCodes.isDisjoint(with: Self.codes(found)), "\(found.result.findings)")
    }

    /// The stated diameter tells a tumour in an organ's bright cortex from one with a bright rim.
    @Test func sizeOfTheMiddleMeansTheMiddle() throws {
        let found = try Self.find(.ct, stated: 17) { Self.middle($0) > 0 ? 70 : Self.whole($0) > -5 ? 155 : 105 }
        #expect(Self.dice(found, Self.middle) > 0.93, "\(Self.dice(found, Self.middle))")
    }

    /// The middle is as long as to where the shell begins, though a search for less than it may have ended before that.
    @Test func middleIsMeasuredToItsEdge() throws {
        let found = try Self.find(.ct, stated: 16) { Self.middle($0) > 0 ? 60 : Self.whole($0) > 0 ? 170 : 50 }
        #expect(Self.dice(found, Self.middle) > 0.9, "\(Self.dice(found, Self.middle))")
        #expect(Self.codes(found) == ["tumour-middle-alone"], "\(found.result.findings)")
    }

    /// A sharp kernel's overshoot, vessels on some sides, fat around, and marrow within cortical bone are no shell.
    @Test(arguments: [0, 1, 2, 3]) func whatIsNoShellIsLeftOut(around: Int) throws {
        let found = try Self.find(.ct, stated: 20) { point in
            let place = point - Self.center
            if Self.middle(point) > 0 { return 60 }
            switch around {
            case 0: return Self.middle(point) > -1.5 ? 110 : 105
            case 1: return abs(place.x - 11) < 2 || abs(place.y + 11) < 2 ? 180 : 105
            case 2: return place.x > 12 ? 120 : -100
            default: return Self.whole(point) > -4 ? 170 : Self.whole(point) > -6 ? 550 : 50
            }
        }
        #expect(Self.dice(found, Self.middle) > 0.92, "\(Self.dice(found, Self.middle))")
        #expect(Self.shellCodes.isDisjoint(with: Self.codes(found)), "\(found.result.findings)")
    }

    @Test func airInACavityBelongsToTheTumour() throws {
        let found = try Self.find(.ct, stated: 25, noise: 20) { Self.middle($0) > 0 ? -970 : Self.whole($0) > 0 ? 30 : -850 }
        #expect(Self.dice(found, Self.whole) > 0.95, "\(Self.dice(found, Self.whole))")
        #expect(Self.codes(found) == ["tumour-middle-differs"], "\(found.result.findings)")
    }

    /// Lung without a tumour, and gas in bowel between fat.
    @Test(arguments: [(wall: -850.0, around: -850.0), (wall: 40, around: -100)]) func otherAirIsRefused(wall: Double, around: Double) throws {
        #expect(throws: SegmentationError.seedInAir(PatientPoint(Self.center))) {
            try Self.find(.ct, stated: 25) { Self.middle($0) > 0 ? -950 : Self.whole($0) > 0 ? wall : around }
        }
    }
}
