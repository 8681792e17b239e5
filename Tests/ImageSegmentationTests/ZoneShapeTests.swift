import Foundation
import ImageFilters
import ImagingCore
import Testing
@testable import ImageSegmentation

/// What an ablation zone looks like, and what it does not.
@Suite struct ZoneShapeTests {
    private typealias Body = @Sendable (SIMD3<Double>) -> Double

    private static func shape(
        _ body: Body, spacing: SIMD3<Double> = SIMD3(repeating: 1), seeds: [PatientPoint] = [PatientPoint(0, 0, 0)]
    ) throws -> ZoneShape {
        let size = (SIMD3(64, 64, 64) / spacing).rounded(.up)
        let grid = try AnalyticScan.grid(Int(size.x), Int(size.y), Int(size.z), spacing: spacing)
        let roughly = Volume<Float>(geometry: grid) { target in
            for offset in target.indices { target[offset] = Float(body(grid.point(grid.size.index(atOffset: offset)).lps)) }
        }
        return ZoneShape(roughly.signedDistanceToZero(), seeds: seeds)
    }

    /// Turned out of the axes, and in slices of several millimetres.
    @Test(arguments: [SIMD3(1, 1, 1), SIMD3(0.8, 0.8, 2.5), SIMD3(1.5, 1.5, 5)])
    func ellipsoidHasItsAxes(spacing: SIMD3<Double>) throws {
        let straight = ellipsoid(SIMD3(1, -2, 0.4), SIMD3(22, 10, 8)), r = 0.5.squareRoot()
        for body: Body in [straight, { p in straight(SIMD3(r * (p.x + p.z), p.y, r * (p.z - p.x))) }] {
            let found = try Self.shape(body, spacing: spacing)
            #expect(abs(found.lengthMM - 44) < 1.5, "\(found)")
            #expect(abs(found.widthMM - 2 * 80.0.squareRoot()) < 0.8, "\(found)")
            #expect(abs(found.thicknessMM - 16) < 0.5 * spacing.max() + 0.5, "\(found)")
        }
    }

    /// Zones of one probe or several, whole or cut by an organ's capsule or a vessel, and what runs through organs.
    @Test(arguments: [
        (ellipsoid(.zero, SIMD3(25, 10, 10)), false),
        (ellipsoid(.zero, SIMD3(20, 20, 8)), false),
        ({ p in min(ellipsoid(.zero, SIMD3(24, 12, 12))(p), p.y + 3) }, false),
        ({ p in max(ellipsoid(SIMD3(-10, 0, 0), SIMD3(12, 12, 18))(p), ellipsoid(SIMD3(11, 3, 0), SIMD3(12, 12, 18))(p)) }, false),
        ({ p in min(4 - hypot(p.y, p.z), 25 - abs(p.x)) }, true),
        ({ p in min(4 - hypot(hypot(p.x, p.y) - 25, p.z), p.x + 12) }, true),
        ({ p in min(4 - abs(p.z), 14 - abs(p.y), 28 - abs(p.x)) }, true),
        (ellipsoid(.zero, SIMD3(repeating: 1.8)), true),
    ] as [(@Sendable (SIMD3<Double>) -> Double, Bool)])
    func longThinBodiesAreNoZones(body: @escaping @Sendable (SIMD3<Double>) -> Double, isRefused: Bool) throws {
        let found = try Self.shape(body)
        #expect((found.refusal != nil) == isRefused, "\(found)")
    }

    /// A vessel keeps a groove in a zone from freezing, 14 mm wide and two thirds as deep as the zone. Ridges stay beside it.
    private static let grooved: Body = { p in min(ellipsoid(.zero, SIMD3(17, 15, 16))(p), hypot(p.x, p.y - 12) - 9) }

    @Test(arguments: [SIMD3(1, 1, 1), SIMD3(0.8, 0.8, 2.5)]) func groovedBodyIsSharpAndRoundOnesAreNot(spacing: SIMD3<Double>) throws {
        func sharpness(_ body: Body) throws -> Double {
            let size = (SIMD3(64, 64, 64) / spacing).rounded(.up)
            let grid = try AnalyticScan.grid(Int(size.x), Int(size.y), Int(size.z), spacing: spacing)
            return Volume<Float>(geometry: grid) { target in
                for offset in target.indices { target[offset] = Float(body(grid.point(grid.size.index(atOffset: offset)).lps)) }
            }.signedDistanceToZero().sharpnessMM(ballMM: 6)
        }
        for round in [ellipsoid(.zero, SIMD3(16, 16, 16)), ellipsoid(SIMD3(1, 0, 2), SIMD3(22, 14, 14))] {
            let sharp = try sharpness(round)
            #expect(sharp < 1, "\(sharp)")
        }
        let grooved = try sharpness(Self.grooved)
        #expect(grooved > 1.4, "\(grooved)")
        #expect(try sharpness { _ in -1 } == 0)
    }

    /// The outline is rounder than such a zone.
    @Test func groovedZoneIsLessCertainThanAWholeOne() throws {
        func uncertainty(_ body: @escaping Body) throws -> Double {
            let grid = try AnalyticScan.grid(80, 80, 32, spacing: SIMD3(1, 1, 2.5))
            let scan = AnalyticScan.make(grid, noise: 10) { body($0) > 0 ? 50 : 108 }
            let found = try AblationZoneSegmentation.segment(scan: scan, modality: .ct, seeds: [PatientPoint(-2, -6, 0)])
            return found.edgeUncertaintyMM
        }
        let whole = try uncertainty(ellipsoid(.zero, SIMD3(17, 15, 16))), grooved = try uncertainty(Self.grooved)
        #expect(whole <= 0.5 && grooved > 0.53, "\(whole) \(grooved)")
    }

    /// Who names points along a zone says himself how long it is.
    @Test func lengthThatSeedsSpanIsNotDoubted() throws {
        let rod: Body = { p in min(5 - hypot(p.y, p.z), 26 - abs(p.x)) }
        let one = try Self.shape(rod, seeds: [PatientPoint(-22, 0, 0)])
        let two = try Self.shape(rod, seeds: [PatientPoint(-22, 0, 0), PatientPoint(22, 0, 0)])
        #expect(one.refusal != nil && two.refusal == nil)
        #expect(abs(one.reachMM - 48) < 1 && abs(two.reachMM - 22) < 1, "\(one) \(two)")
    }

    /// A vessel twice as bright as the organ in slices 8 mm apart, straight and bent: either it shows that it is long, or it goes on where
    /// the search ends. A zone as bright ends where it does, from wherever in it the search starts.
    @Test func vesselsOnMRAreNoZones() throws {
        let straight: Body = { p in min(5 - hypot(p.y, p.z), 45 - abs(p.x)) }
        let bent: Body = { p in min(6 - hypot(hypot(p.x, p.y) - 12, p.z), p.x + 12) }
        for (seed, body, text) in [(SIMD3<Double>.zero, straight, "mm long"), (SIMD3(12.0, 0, 0), bent, "without an edge of its own")] {
            let error = #expect(throws: SegmentationError.self) { try Self.find(seed, body) }
            #expect(error?.finding.message.contains(text) == true, "\(String(describing: error))")
        }
    }
    @Test(arguments: [SIMD3(0.0, 0, 0), SIMD3(-9.0, 0, 0)])
    func zoneAsBrightAsAVesselIsFound(seed: SIMD3<Double>) throws {
        let zone = ellipsoid(.zero, SIMD3(18, 10, 12)), found = try Self.find(seed, zone)
        #expect(SurfaceComparison(found.levelSet, on: found.levelSet.geometry, trueDistance: zone).dice > 0.85)
    }
    private static func find(_ seed: SIMD3<Double>, _ body: @escaping Body) throws -> SegmentationResult {
        let grid = try AnalyticScan.grid(90, 90, 15, spacing: SIMD3(1.5, 1.5, 8))
        let scan = AnalyticScan.make(grid, noise: 8) { p in body(p) > 0 ? 240 : 120 }
        return try AblationZoneSegmentation.segment(scan: scan, modality: .mr, seeds: [PatientPoint(seed)])
    }
}
