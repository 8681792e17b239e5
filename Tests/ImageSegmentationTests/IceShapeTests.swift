import ImagingCore
import Testing

@testable import ImageSegmentation

/// What tells ice from other dark places on MR where no probe shows: it is as full as an ellipsoid, also when it is long.
@Suite struct IceShapeTests {
    private static let directions = IceBodyFit.evenDirections(600)

    /// From a point off the middle to an ellipsoid, by the quadratic equation.
    private static func radii(ofEllipsoid axes: SIMD3<Double>, from start: SIMD3<Double>) -> [Double] {
        directions.map { u in
            let a = (u / axes * u / axes).sum(), b = (u / axes * start / axes).sum(), c = (start / axes * start / axes).sum() - 1
            return (-b + (b * b - a * c).squareRoot()) / a
        }
    }

    @Test func ellipsoidIsFullWhateverItsAxes() {
        for axes in [SIMD3(12.0, 12, 12), SIMD3(10, 15, 22), SIMD3(9, 20, 20)] {
            let radii = Self.radii(ofEllipsoid: axes, from: SIMD3(2, -3, 1))
            #expect(abs(IceBodyFit.fullness(directions: Self.directions, radii: radii) - 1) < 0.01)
        }
    }

    /// Balls of 12 mm about points 18 mm apart; the moments of the same shape by numerical integration.
    @Test func waistIsNotFull() {
        let radii = Self.directions.map { u in 9 * abs(u.x) + (144 - 81 * (1 - u.x * u.x)).squareRoot() }
        #expect(abs(IceBodyFit.fullness(directions: Self.directions, radii: radii) - 0.668) < 0.01)
    }

    private static func scan(
        _ dark: @escaping @Sendable (SIMD3<Double>) -> Double, level: Double = 13, noise: Double = 14
    ) throws -> ScanVolume {
        let grid = try AnalyticScan.grid(72, 72, 13, spacing: SIMD3(1.5, 1.5, 8.75))
        return AnalyticScan.make(grid, noise: noise, seed: 21) { (p: SIMD3<Double>) -> Double in
            (dark(p) > 0 ? level : 260) * (1 + 0.003 * p.x)
        }
    }

    private static func refusal(_ scan: ScanVolume, around start: SIMD3<Double>) -> String? {
        IceWithoutReferenceTests.refusal(scan, .mr, seeds: [start])
    }

    /// Where slices are thick no probe may show, and the ends of the ice lie between them.
    @Test func longIceIsFoundBetweenThickSlices() throws {
        for axes in [SIMD3(11.0, 25, 22), SIMD3(12, 27, 25)] {
            let ice = ellipsoid(SIMD3(1, -2, 3), axes), scan = try Self.scan(ice, noise: 40)
            #expect(Self.refusal(scan, around: SIMD3(2, -1, 4)) == nil, "\(axes)")
        }
    }

    /// Frozen tissue gives no signal: what is only darker must be rounder and clearer.
    @Test func darkTissueNeedsAClearerShapeThanAVoid() throws {
        let long = ellipsoid(SIMD3(1, -2, 3), SIMD3(12, 20, 25))
        #expect(Self.refusal(try Self.scan(long, level: 60), around: SIMD3(2, -1, 4)) == "no-ice-found")
    }

    /// A vessel far off that was taken for a probe's track does not hide ice at a seed; a probe that was given counts.
    @Test func falseTrackDoesNotHideIceAtASeed() throws {
        let ice = ellipsoid(SIMD3(-12, -2, 3), SIMD3(17, 22, 22)), scan = try Self.scan(ice)
        func find(_ source: Probe.Source) throws -> SegmentationResult {
            let track = Probe(tip: PatientPoint(44, 30, 0), tail: PatientPoint(44, 50, 0), source: source)
            return try IceSegmentation.segment(scan: scan, modality: .mr, probes: [track], seeds: [PatientPoint(-11, -1, 4)])
        }
        let found = try find(.detected)
        #expect(found.findings.contains { $0.code == "tracks-without-ice" })
        #expect(SurfaceComparison(found.levelSet, on: scan.geometry, trueDistance: ice).dice > 0.92)
        #expect(throws: SegmentationError.self) { try find(.given) }
    }
}
