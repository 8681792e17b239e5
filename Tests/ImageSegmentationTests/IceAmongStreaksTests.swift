import ImagingCore
import Testing
@testable import ImageSegmentation

/// Where single voxels speak against ice that its shape and its place around the probe tell; all shapes are closed forms.
@Suite struct IceAmongStreaksTests {
    private typealias Scene = IceWithoutReferenceTests

    /// A small iceball in lung, the level of which is that of the fat in a near chest wall: within lung there is no fat.
    @Test func lungIceOfTheLevelOfFatIsFound() throws {
        let grid = try AnalyticScan.grid(100, 100, 32), ice = ellipsoid(Scene.centre, SIMD3(9, 9, 11))
        let scan = AnalyticScan.make(grid, noise: 15, seed: 21, metal: Scene.metal) { (p: SIMD3<Double>) -> Double in
            let wall = p.x - Scene.centre.x
            return ice(p) > 0 ? -105 : wall > 26 ? 50 : wall > 17 ? -102 : -850
        }
        let result = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Scene.probe], parameters: Scene.halfChange)
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: ice)
        #expect(comparison.dice > 0.93)
        #expect(!result.findings.contains { $0.code == "ice-edge-partly-invisible" })
    }

    /// Streaks beside the shaft have the level of unfrozen tissue here and there.
    @Test func brightStreaksBesideTheShaftAreNoHoles() throws {
        let grid = try AnalyticScan.grid(100, 100, 32)
        let scan = AnalyticScan.make(grid, noise: 12, seed: 22, metal: Scene.metal) { (p: SIMD3<Double>) -> Double in
            let axis = Scene.tail - Scene.tip, o = p - Scene.tip, t = (o * axis).sum() / (axis * axis).sum(), d = o - t * axis
            let isStreak = t > -0.05 && (d * d).sum() < 5.5 * 5.5 && d.y > 0
            return isStreak ? 60 : Scene.ice(p) > 0 ? -35 : 50
        }
        let result = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Scene.probe], parameters: Scene.halfChange)
        #expect(SurfaceComparison(result.levelSet, on: grid, trueDistance: Scene.ice).dice > 0.93)
    }

    /// A tube that looks as ice does leaves the ball on one side: the body around the probe does not follow it.
    @Test func bodyDoesNotFollowATube() throws {
        let grid = try AnalyticScan.grid(60, 60, 40, spacing: SIMD3(2, 2, 2.5))
        let evidence = Volume<Float>(geometry: grid) { target in
            for offset in target.indices {
                let p = grid.point(grid.size.index(atOffset: offset)).lps, isTube = p.x > 0 && p.y * p.y + p.z * p.z < 5 * 5
                target[offset] = (p * p).sum() < 14 * 14 || isTube ? 1 : -1
            }
        }
        let body = IceBodyFit(evidence, centre: .zero, ends: [(SIMD3(0, -4, 0), SIMD3(0, 4, 0))])
        let along = zip(body.directions, body.radii).filter { $0.0.x > 0.97 }.map(\.1)
        #expect(along.max()! < 17, "\(along.max()!)")
    }
}
