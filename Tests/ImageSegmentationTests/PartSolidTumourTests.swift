import ImagingCore
import Testing
@testable import ImageSegmentation

/// A solid ball within a ball of ground glass: which edge is meant, and what is said of the other.
@Suite struct PartSolidTumourTests {
    static let center = SIMD3(0.37, -0.81, 0.9)
    private static let wholeRadius = 13.0, coreRadius = 5.5
    private let whole = ellipsoid(center, SIMD3(repeating: wholeRadius)), core = ellipsoid(center, SIMD3(repeating: coreRadius))

    private func segment(stated: Double, glass: Double = -560) throws -> (SegmentationResult, GridGeometry) {
        let (whole, core) = (whole, core), grid = try AnalyticScan.grid(90, 90, 28)
        let scan = AnalyticScan.make(grid, noise: 15) { core($0) > 0 ? 20 : whole($0) > 0 ? glass : -850 }
        return (try TumourSegmentation.segment(scan: scan, modality: .ct, seed: PatientPoint(Self.center), diameterMM: stated), grid)
    }

    /// ±30 % of the whole: the glass belongs to the tumour, and both sizes are told.
    @Test(arguments: [20.0, 26, 33]) func glassBelongsToTheTumour(stated: Double) throws {
        let (result, grid) = try segment(stated: stated)
        #expect(SurfaceComparison(result.levelSet, on: grid, trueDistance: whole).dice > 0.95)
        let message = result.findings.first { $0.code == "tumour-part-solid" }?.message
        #expect(["core of 10", "core of 11", "core of 12"].contains { message?.contains($0) == true })
        #expect(["glass of 25", "glass of 26", "glass of 27"].contains { message?.contains($0) == true })
    }

    @Test(arguments: [9.0, 11]) func sizeOfTheCoreMeansTheCore(stated: Double) throws {
        let (result, grid) = try segment(stated: stated)
        #expect(SurfaceComparison(result.levelSet, on: grid, trueDistance: core).dice > 0.88)
        #expect(result.findings.contains { $0.code == "tumour-core-without-glass" && $0.severity == .warning })
    }

    /// A size between the two fits neither: twice the stated uncertainty reaches from the one edge to the other.
    @Test func sizeBetweenTheTwoIsCoveredByTheUncertainty() throws {
        let (result, _) = try segment(stated: 14.5)
        #expect(result.findings.contains { ["tumour-two-edges", "tumour-core-without-glass"].contains($0.code) })
        #expect(2 * result.edgeUncertaintyMM > 0.85 * (Self.wholeRadius - Self.coreRadius))
    }

    @Test func evenGlassHasOneEdge() throws {
        let whole = whole, grid = try AnalyticScan.grid(90, 90, 28)
        let scan = AnalyticScan.make(grid, noise: 15) { whole($0) > 0 ? -620 : -850 }
        let result = try TumourSegmentation.segment(scan: scan, modality: .ct, seed: PatientPoint(Self.center), diameterMM: 24)
        #expect(SurfaceComparison(result.levelSet, on: grid, trueDistance: whole).dice > 0.95)
        #expect(result.findings.isEmpty)
    }

    /// Blur makes a vessel's sheath as grey as glass; between it and the glass, thick slices leave no voxel as dark as lung.
    @Test func vesselsBesideTheGlassStayOut() throws {
        let (whole, core) = (whole, core), grid = try AnalyticScan.grid(64, 64, 20, spacing: SIMD3(1.3, 1.3, 4))
        let center = Self.center
        let vessel: @Sendable (SIMD3<Double>) -> Bool = { point in
            let place = point - center
            // Three of 3 mm radius touch one side, as a bundle does on its way to the hilum.
            let along = place.x + 0.3 * place.y
            let nearest = [(16.0, -2.0), (12, 10), (12, -12)].map { y, z in
                (place.y - y) * (place.y - y) + (place.z - z - 0.2 * along) * (place.z - z - 0.2 * along)
            }.min()!
            return nearest < 9
        }
        let scan = AnalyticScan.make(grid, noise: 25) { vessel($0) || core($0) > 0 ? 20 : whole($0) > 0 ? -540 : -800 }
        let result = try TumourSegmentation.segment(scan: scan, modality: .ct, seed: PatientPoint(center), diameterMM: 26)
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: whole)
        #expect(comparison.dice > 0.93)
        #expect(comparison.rootMeanSquare < 0.8)
    }

    /// A rim of 4 mm in slices of 6 mm: beyond the core's poles the voxels hold core, glass and lung at once, and read as vessels do.
    @Test func thinRimAtThePolesIsKept() throws {
        let center = SIMD3(Self.center.x, Self.center.y, 0), whole = ellipsoid(center, SIMD3(repeating: 12))
        let core = ellipsoid(center, SIMD3(repeating: 8)), grid = try AnalyticScan.grid(64, 64, 18, spacing: SIMD3(1.37, 1.37, 6))
        let vessels: @Sendable (SIMD3<Double>) -> Bool = { point in
            let place = point - center
            return [(18.0, 5.4), (-3.6, 18), (-16.2, -7.2), (5.4, -16.2)].contains { x, y in
                (place.x - x) * (place.x - x) + (place.y - y) * (place.y - y) < 9
            }
        }
        let scan = AnalyticScan.make(grid, noise: 25) { core($0) > 0 || vessels($0) ? 30 : whole($0) > 0 ? -540 : -777 }
        let result = try TumourSegmentation.segment(scan: scan, modality: .ct, seed: PatientPoint(center), diameterMM: 25.2)
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: whole)
        #expect(comparison.dice > 0.92)
        #expect(comparison.rootMeanSquare < 1)
    }

    /// Lung that holds less air towards the chest wall, a few millimetres beside the tumour, reads as its glass does.
    @Test func denseLungTowardsTheWallStaysOut() throws {
        let (whole, core, center) = (whole, core, Self.center), grid = try AnalyticScan.grid(76, 76, 20, spacing: SIMD3(1.3, 1.3, 4))
        let scan = AnalyticScan.make(grid, noise: 20) { point in
            if core(point) > 0 { return 20 }
            if whole(point) > 0 { return -530 }
            let towardsWall = point.y - center.y + 0.4 * (point.z - center.z)
            return towardsWall > 27 ? 40 : towardsWall > 17 ? -520 : towardsWall > 11 ? -640 : -735
        }
        let result = try TumourSegmentation.segment(scan: scan, modality: .ct, seed: PatientPoint(center), diameterMM: 26)
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: whole)
        #expect(comparison.dice > 0.9)
        #expect(comparison.share95 < 3)
    }
}
