import ImagingCore
import Testing
@testable import ImageSegmentation

/// Expectations are closed forms. The tolerances are the project's own: mean signed distance within 0.25 mm, i.e. 0.3 of a pixel.
@Suite struct TumourSegmentationTests {
    static let center = SIMD3(0.37, -0.81, 0.9)

    @Test(arguments: [
        (semiAxes: SIMD3(10.0, 10, 10), tumour: 20.0, organ: 60.0, noise: 12.0, dice: 0.89),
        (semiAxes: SIMD3(15.0, 10, 9), tumour: 25.0, organ: 60.0, noise: 12.0, dice: 0.90),
        (semiAxes: SIMD3(12.0, 12, 9), tumour: 105.0, organ: 60.0, noise: 12.0, dice: 0.90),
        (semiAxes: SIMD3(8.0, 9, 8), tumour: 30.0, organ: -840.0, noise: 18.0, dice: 0.93),
    ])
    func edgeIsUnbiased(semiAxes: SIMD3<Double>, tumour: Double, organ: Double, noise: Double, dice: Double) throws {
        let truth = ellipsoid(Self.center, semiAxes), grid = try AnalyticScan.grid(90, 90, 30)
        let scan = AnalyticScan.make(grid, noise: noise) { truth($0) > 0 ? tumour : organ }
        let result = try TumourSegmentation.segment(
            scan: scan, modality: .ct, seed: PatientPoint(Self.center + SIMD3(1, -1, 1)), diameterMM: 2 * semiAxes.max())
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: truth)
        #expect(abs(comparison.meanSigned) < 0.25)
        #expect(comparison.meanAbsolute < 0.7)
        #expect(comparison.dice > dice)
        #expect(result.findings.isEmpty)
    }

    /// Without grain to hide it, blur alone tells a tumour's rim from its middle; the edge is none the less where half of the step is.
    @Test(arguments: [SIMD3(15.0, 10, 8), SIMD3(17, 13, 9)]) func edgeFarAboveTheGrainIsUnbiased(semiAxes: SIMD3<Double>) throws {
        let truth = ellipsoid(Self.center, semiAxes), grid = try AnalyticScan.grid(80, 80, 50, spacing: SIMD3(1.15, 1.15, 1.5))
        let scan = AnalyticScan.make(grid, noise: 8) { truth($0) > 0 ? 760 : 400 }
        let result = try TumourSegmentation.segment(
            scan: scan, modality: .mr, seed: PatientPoint(Self.center), diameterMM: 2 * semiAxes.max())
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: truth)
        #expect(abs(comparison.meanSigned) < 0.2)
        #expect(comparison.share95 < 1.25)
        #expect(comparison.dice > 0.95)
    }

    /// The ends of a long tumour are all rim: blur takes more of them than of its sides.
    @Test(arguments: [SIMD3(14.0, 9, 8), SIMD3(15, 10, 8)]) func longTumourFarAboveTheGrainKeepsItsEnds(semiAxes: SIMD3<Double>) throws {
        let truth = ellipsoid(Self.center, semiAxes), grid = try AnalyticScan.grid(90, 90, 40, spacing: SIMD3(0.8, 0.8, 2))
        let scan = AnalyticScan.make(grid, noise: 4) { truth($0) > 0 ? 280 : 60 }
        let result = try TumourSegmentation.segment(
            scan: scan, modality: .ct, seed: PatientPoint(Self.center), diameterMM: 2 * semiAxes.max())
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: truth)
        #expect(abs(comparison.meanSigned) < 0.2)
        #expect(comparison.share95 < 1)
        #expect(comparison.dice > 0.965)
        #expect(result.findings.isEmpty)
    }

    @Test func lowContrastKeepsToTheStatedSize() throws {
        let truth = ellipsoid(Self.center, SIMD3(10, 10, 10)), grid = try AnalyticScan.grid(90, 90, 30)
        let scan = AnalyticScan.make(grid, noise: 15) { truth($0) > 0 ? 40 : 60 }
        let result = try TumourSegmentation.segment(scan: scan, modality: .ct, seed: PatientPoint(Self.center), diameterMM: 20)
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: truth)
        #expect(comparison.share95 < 4)
        #expect(comparison.dice > 0.75)
        #expect(result.edgeUncertaintyMM > 0.7 * comparison.rootMeanSquare, "a surface that is partly guessed says so")
        #expect(result.edgeUncertaintyMM > 0.4)
    }

    @Test func vesselBesideTheTumourIsLeftOut() throws {
        let truth = ellipsoid(Self.center, SIMD3(10, 10, 10)), grid = try AnalyticScan.grid(90, 90, 30)
        // Touches the tumour, and is as bright as it.
        @Sendable func vessel(_ p: SIMD3<Double>) -> Bool { (p.y - 13) * (p.y - 13) + (p.z - 0.9) * (p.z - 0.9) < 12 }
        let scan = AnalyticScan.make(grid, noise: 10) { truth($0) > 0 ? 120 : vessel($0) ? 120 : 60 }
        let result = try TumourSegmentation.segment(scan: scan, modality: .ct, seed: PatientPoint(Self.center), diameterMM: 20)
        #expect(abs(SurfaceComparison(result.levelSet, on: grid, trueDistance: truth).meanSigned) < 0.6)
        let far = result.levelSet.geometry.continuousIndex(PatientPoint(14, 13, 0.9)).nearest
        #expect(!result.levelSet.geometry.size.contains(far) || result.levelSet.field[far] < 0)
    }

    /// The last slice goes through the tumour, or ends 10 mm beyond it.
    @Test(arguments: [(30.0, true), (18, false)]) func tumourThatTheScanCutsIsSaid(height: Double, isCut: Bool) throws {
        let grid = try AnalyticScan.grid(70, 70, 30), center = SIMD3(0.37, -0.81, height), truth = ellipsoid(center, SIMD3(10, 10, 10))
        let scan = AnalyticScan.make(grid, noise: 12) { truth($0) > 0 ? 20 : 60 }
        let result = try TumourSegmentation.segment(scan: scan, modality: .ct, seed: PatientPoint(center), diameterMM: 20)
        #expect(result.findings.contains { $0.code == "tumour-reaches-scan-edge" } == isCut, "\(result.findings)")
    }

    @Test func resultDoesNotDependOnThreads() throws {
        let truth = ellipsoid(Self.center, SIMD3(8, 8, 8)), grid = try AnalyticScan.grid(60, 60, 20)
        let scan = AnalyticScan.make(grid, noise: 12) { truth($0) > 0 ? 20 : 60 }
        func field(_ threads: Int) throws -> Volume<Float> {
            try KernelThreads.with(threads) {
                try TumourSegmentation.segment(scan: scan, modality: .ct, seed: PatientPoint(Self.center), diameterMM: 16).levelSet.field
            }
        }
        let one = try field(1), two = try field(2)
        #expect(one.withUnsafeVoxels { a in two.withUnsafeVoxels { b in a.elementsEqual(b) } })
    }

    @Test func badInputIsRefused() throws {
        let grid = try AnalyticScan.grid(40, 40, 16)
        let scan = AnalyticScan.make(grid, noise: 5) { $0.x < -8 ? -1000 : $0.x > 8 ? 700 : 50 }
        func code(_ seed: PatientPoint, _ diameter: Double) -> String? {
            do {
                _ = try TumourSegmentation.segment(scan: scan, modality: .ct, seed: seed, diameterMM: diameter)
                return nil
            } catch { return error.finding.code }
        }
        #expect(code(PatientPoint(0, 0, 400), 10) == "seed-outside-scan")
        #expect(code(PatientPoint(-13, 0, 0), 10) == "seed-in-air")
        #expect(code(PatientPoint(13, 0, 0), 10) == "seed-on-bone")
        #expect(code(PatientPoint(0, 0, 0), 0.5) == "diameter-not-usable")
        #expect(code(PatientPoint(0, 0, 0), .nan) == "diameter-not-usable")
        #expect(code(PatientPoint(0, 0, 0), 900) == "diameter-not-usable")
    }
}
