import ImagingCore
import Testing
@testable import ImageSegmentation

/// A ball of 12 mm between fat, against which its edge is clear, and tissue of its own level, where none shows.
@Suite struct RadialEdgeFitTests {
    private static let radius: Float = 12

    /// The search lays clear edges a little deep; how deep says nothing of where the surface lies that shows no edge.
    @Test func clearEdgeLeavesTheUnseenOneAlone() throws {
        let ball = ellipsoid(.zero, SIMD3(repeating: Double(Self.radius))), grid = try AnalyticScan.grid(64, 64, 24)
        let scan = AnalyticScan.make(grid, noise: 10) { ball($0) > 0 || $0.x < 0 ? 40 : -100 }
        let found = SphereDirections.fine.directions.map { $0.x > 0 ? Self.radius - 2.2 : Self.radius }
        let mean = fitted(scan, grid, found: found)
        #expect(abs(mean { $0.x > 0.5 } - Self.radius) < 0.5)
        #expect(abs(mean { $0.x < -0.5 } - Self.radius) < 0.4)
    }

    /// The ball lies in trabecular bone; on one side 3 mm of cortical bone begin 3 mm beyond it.
    @Test func nextEdgeDoesNotDrawTheSurface() throws {
        let ball = ellipsoid(.zero, SIMD3(repeating: Double(Self.radius))), grid = try AnalyticScan.grid(64, 64, 24)
        let scan = AnalyticScan.make(grid, noise: 10) { ball($0) > 0 ? 40 : $0.x > 3 && ball($0) < -3 ? ball($0) < -6 ? 50 : 600 : 150 }
        let mean = fitted(scan, grid, found: SphereDirections.fine.directions.map { _ in Self.radius - 0.7 })
        #expect(abs(mean { $0.x > 0.7 } - Self.radius) < 0.5)
        #expect(abs(mean { $0.x < -0.5 } - Self.radius) < 0.3)
    }

    /// - Returns: the mean radius over the directions that a condition holds for.
    private func fitted(_ scan: ScanVolume, _ grid: GridGeometry, found: [Float]) -> ((SIMD3<Float>) -> Bool) -> Float {
        let image = scan.floats(in: 0..<grid.size.i, 0..<grid.size.j, 0..<grid.size.k), center = PatientPoint(0, 0, 0),
            sphere = SphereDirections.fine
        let samples = RadialSamples(image, center: center, sphere: sphere, smallestMM: 1, largestMM: 24, count: 60)
        let odds = RadialOdds(samples, surface: found, insideShare: 0.85, shellMM: 7, sigma: 10, grainVolumeMM3: 10)
        let fit = RadialEdgeFit(
            image: image, center: center, sphere: sphere, grainDensity: 600, expected: found, expectedDeviation: 0.2, odds: odds
        ).fit(found)
        return { side in
            let radii = sphere.directions.indices.filter { side(sphere.directions[$0]) }.map { fit.radii[$0] }
            return radii.reduce(0, +) / Float(radii.count)
        }
    }
}
