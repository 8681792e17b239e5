import Foundation
import ImageFilters
import ImagingCore
import Testing
@testable import ImageSegmentation

/// Neighbours of a zone's own grey level, and what a stated diameter says about them.
@Suite struct ZoneWaistTests {
    static let zone = AblationZoneTests.zone

    private static func mask(_ body: (SIMD3<Double>) -> Double, spacing: SIMD3<Double> = SIMD3(1, 1, 2)) throws -> Mask {
        let grid = try AnalyticScan.grid(70, 50, Int(50 / spacing.z), spacing: spacing)
        return Mask(Volume<Float>(geometry: grid) { target in
            for offset in target.indices { target[offset] = Float(body(grid.point(grid.size.index(atOffset: offset)).lps)) }
        }) { $0 >= 0 }
    }
    private static func find(_ scan: ScanVolume, _ seed: SIMD3<Double>, _ diameter: Double?) throws -> SegmentationResult {
        try AblationZoneSegmentation.segment(scan: scan, modality: .ct, seeds: [PatientPoint(seed)], approximateDiameterMM: diameter)
    }

    /// Balls of 12 and 10 mm, 17 mm apart, share a circle of 6.7 mm around a point 9.8 mm from the first one's middle.
    @Test(arguments: [SIMD3(1, 1, 1), SIMD3(1, 1, 2), SIMD3(0.8, 0.8, 2.5)])
    func twoBallsShareTheirCircle(spacing: SIMD3<Double>) throws {
        let both = try Self.mask({ p in max(12 - (p + SIMD3(8, 0, 0)).length, 10 - (p - SIMD3(9, 0, 0)).length) }, spacing: spacing)
        let waist = try #require(ZoneWaist(both, seeds: [PatientPoint(-10, 2, 0)]))
        #expect(abs(waist.share - 0.69) < 0.1, "\(waist.share)")
        let along = (17.0 * 17 + 144 - 100) / 34, cap = 10 + along - 17
        let truth = .pi * (4.0 / 3 * 1000 - cap * cap * (30 - cap) / 3) / 1000
        #expect(abs(waist.part.volumeML - truth) < 0.15 * truth, "\(waist.part.volumeML) \(truth)")
        #expect(!waist.part[both.geometry.continuousIndex(PatientPoint(-8, 0, 0)).nearest])
        // The ball's far side lies up to 17 mm from the rest, its mean square is some 10 mm; the rest's surface is the whole's but there.
        #expect(waist.distanceMM > 3 && waist.distanceMM < 8, "\(waist.distanceMM)")
    }

    @Test func oneBodyHasNoWaist() throws {
        #expect(ZoneWaist(try Self.mask(ellipsoid(.zero, SIMD3(25, 12, 14))), seeds: [PatientPoint(15, 2, 0)]) == nil)
        #expect(ZoneWaist(try Self.mask { _ in -1 }, seeds: [PatientPoint(0, 0, 0)]) == nil)
    }

    /// Turned out of the axes; voxels' centres lie up to half a voxel within.
    @Test func longestExtentIsTheLongAxis() throws {
        let r = 0.5.squareRoot(), body = ellipsoid(.zero, SIMD3(22, 10, 9))
        for turned in [try Self.mask(body), try Self.mask { p in body(SIMD3(r * (p.x + p.y), r * (p.y - p.x), p.z)) }] {
            #expect(abs(turned.longestMM - 43) < 1.5, "\(turned.longestMM)")
        }
        #expect(try Self.mask { _ in -1 }.longestMM == 0)
    }

    /// What was found is 61 mm long, the zone itself 32 mm. The diameter may be 30 % off.
    @Test(arguments: [(24.0, true), (32, true), (42, true), (60, false)])
    func statedDiameterDecidesWhatLiesBehindAWaist(diameter: Double, isCut: Bool) throws {
        let beside = ellipsoid(SIMD3(-22, 2, -4), SIMD3(14, 13, 15))
        var search = try Self.search(Self.zone, seed: PatientPoint(4, -2, 1), diameter)
        let own = Self.region(of: search) { Self.zone($0) > 0 }, both = Self.region(of: search) { Self.zone($0) > 0 || beside($0) > 0 }
        let found = search.separated(both)
        #expect((search.cut != nil) == isCut && (search.waist != nil) == !isCut)
        let expected = isCut ? own : both
        #expect(abs(found.volumeML - expected.volumeML) < 0.12 * expected.volumeML, "\(found.volumeML) \(expected.volumeML)")
        // Whatever was decided may be wrong.
        #expect(try search.refined(found).edgeUncertaintyMM >= 2)
    }

    /// A zone 60 mm long with a bulge on its side is as long without it: no diameter speaks against it, not even one a fifth too small.
    @Test(arguments: [48.0, 60, 72]) func partThatDoesNotLengthenTheZoneIsNotCutOff(diameter: Double) throws {
        let zone: @Sendable (SIMD3<Double>) -> Double = { p in
            max(ellipsoid(SIMD3(-5, 0, 0), SIMD3(18, 30, 18))(p), ellipsoid(SIMD3(10, -4, 0), SIMD3(18, 18, 18))(p))
        }
        var search = try Self.search(zone, seed: PatientPoint(-6, 1, 0), diameter)
        let region = Self.region(of: search) { zone($0) > 0 }
        // The waist is there.
        let waist = try #require(ZoneWaist(region, seeds: search.seeds))
        #expect(waist.share > 0.86 && waist.share < 0.95 && waist.part.volumeML > 0.2 * region.volumeML, "\(waist.share)")
        #expect(search.separated(region).volumeML == region.volumeML && search.cut == nil)
    }

    private static func search(
        _ zone: @escaping @Sendable (SIMD3<Double>) -> Double, seed: PatientPoint, _ diameter: Double
    ) throws -> ZoneSearch {
        let scan = AnalyticScan.make(try AnalyticScan.grid(110, 96, 34, spacing: SIMD3(1, 1, 3)), noise: 8) { zone($0) > 0 ? 50 : 108 }
        return try ZoneSearch(
            scan: ZoneScan(scan, seeds: [seed], diameterMM: 60), modality: .ct, seeds: [seed], statedMM: diameter,
            parameters: AblationZoneSegmentation.Parameters())
    }
    private static func region(of search: ZoneSearch, _ body: (SIMD3<Double>) -> Bool) -> Mask {
        let grid = search.work.geometry
        return Mask(Volume<Float>(geometry: grid) { target in
            for offset in target.indices { target[offset] = body(grid.point(grid.size.index(atOffset: offset)).lps) ? 1 : 0 }
        }) { $0 > 0 }
    }

    /// Bowel or muscle 90 mm long, darker than what lies around it: no zone of 26 mm ends where the search does, one of 90 mm ends with it.
    @Test func whatGoesOnFarBeyondTheStatedDiameterIsNoZone() throws {
        let body = ellipsoid(.zero, SIMD3(45, 27, 24))
        let scan = AnalyticScan.make(try AnalyticScan.grid(96, 64, 22, spacing: SIMD3(1.5, 1.5, 4)), noise: 10) { body($0) > 0 ? 60 : 108 }
        let error = #expect(throws: SegmentationError.self) { try Self.find(scan, SIMD3(4, 2, 0), 26) }
        #expect(error?.finding.message.contains("larger than the diameter given") == true, "\(String(describing: error))")
        let found = try Self.find(scan, SIMD3(4, 2, 0), 90)
        #expect(SurfaceComparison(found.levelSet, on: found.levelSet.geometry, trueDistance: body).dice > 0.93)
    }

    /// A gallbladder almost of the zone's level lies against it in slices of 4 mm; the diameter is a quarter too small.
    @Test func diameterThatIsTooSmallLeavesOutANeighbour() throws {
        let beside = ellipsoid(SIMD3(10, 2, -22), SIMD3(15, 13, 13))
        let scan = AnalyticScan.make(try AnalyticScan.grid(100, 96, 26, spacing: SIMD3(1, 1, 4)), noise: 14) { p in
            Self.zone(p) > 0 ? 50 : beside(p) > 0 ? 55 : 108
        }
        let comparison = SurfaceComparison(try Self.find(scan, SIMD3(4, -2, 1), 24).levelSet, on: scan.geometry, trueDistance: Self.zone)
        #expect(comparison.dice > 0.9, "\(comparison.dice) \(comparison.meanSigned)")
    }

    /// Two balls that are one zone, as long as was said, stay one.
    @Test func twoBallsOfTheStatedLengthStayTogether() throws {
        let body: @Sendable (SIMD3<Double>) -> Double = { p in
            max(ellipsoid(SIMD3(-9, 0, 0), SIMD3(12, 12, 14))(p), ellipsoid(SIMD3(9, 2, 0), SIMD3(12, 12, 14))(p))
        }
        let scan = AnalyticScan.make(try AnalyticScan.grid(96, 80, 30, spacing: SIMD3(1, 1, 2.5)), noise: 12) { body($0) > 0 ? 50 : 108 }
        let found = try Self.find(scan, SIMD3(-8, 0, 0), 43)
        #expect(SurfaceComparison(found.levelSet, on: scan.geometry, trueDistance: body).dice > 0.93)
        #expect(!found.findings.contains { $0.code == "ablation-zone-cut-at-waist" }, "\(found.findings)")
    }
}
