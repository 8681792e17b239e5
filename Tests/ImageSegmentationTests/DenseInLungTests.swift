import ImagingCore
import Testing

@testable import ImageSegmentation

/// What is as dense as ice in lung but goes on beyond it; all shapes are closed forms.
@Suite struct DenseInLungTests {
    private typealias Scene = IceWithoutReferenceTests
    private static let ice = ellipsoid(Scene.centre, SIMD3(11, 11, 11))

    private static func found(_ level: @escaping @Sendable (SIMD3<Double>) -> Double) throws -> SurfaceComparison {
        let grid = try AnalyticScan.grid(70, 70, 22, spacing: SIMD3(1.3, 1.3, 4))
        let scan = AnalyticScan.make(grid, noise: 12, seed: 31, metal: Scene.metal) { p in
            ice(p) > 0 ? (level(p) > -500 ? -45 : -105) : level(p)
        }
        let result = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Scene.probe], parameters: Scene.halfChange)
        return SurfaceComparison(result.levelSet, on: grid, trueDistance: ice)
    }

    /// Ice that touches the chest wall, with a rib and fat in it.
    @Test func chestWallIsNotTakenAlong() throws {
        let comparison = try Self.found { p in
            let wall = p.x - Scene.centre.x - 8
            return wall < 0 ? -850 : wall < 3 ? 30 : wall < 9 && abs(p.y - Scene.centre.y) < 6 ? 450 : wall < 12 ? -100 : 50
        }
        #expect(comparison.dice > 0.93 && comparison.share95 < 1.8, "\(comparison)")
    }

    /// Vessels that meet beside the ice.
    @Test func vesselsThatMeetBesideIceAreNotTakenAlong() throws {
        let comparison = try Self.found { p in
            let q = p - Scene.centre, trunk = (q.x - 11) * (q.x - 11) + q.z * q.z, branch = q.y * q.y + (q.z + 4) * (q.z + 4)
            return trunk < 49 || (branch < 25 && q.x > 0) ? 45 : -850
        }
        #expect(comparison.dice > 0.93 && comparison.share95 < 1.8, "\(comparison)")
    }

    /// A tube of radius 3 mm that leaves a ball, down to where it enters it; nothing of the ball's own edge.
    @Test func tubeIsToldDownToWhereItEnters() throws {
        let grid = try AnalyticScan.grid(60, 60, 30), ball = ellipsoid(.zero, SIMD3(repeating: 10))
        let scan = Volume<Float>(geometry: grid) { target in
            for offset in target.indices {
                let p = grid.point(grid.size.index(atOffset: offset)).lps
                target[offset] = ball(p) > -1 ? -100 : p.x > 0 && p.y * p.y + p.z * p.z < 9 ? 40 : -850
            }
        }
        let depth = Volume<Float>(geometry: grid) { target in
            for offset in target.indices { target[offset] = Float(ball(grid.point(grid.size.index(atOffset: offset)).lps)) }
        }
        let leaving = try #require(DenseInLung.leaving(depth, in: scan))
        func holds(_ x: Double, _ y: Double) -> Bool { leaving[grid.continuousIndex(PatientPoint(x, y, 0)).nearest] }
        #expect(holds(11.6, 0) && holds(20, 0) && !holds(9, 0))
        #expect(!holds(-10.8, 0) && !holds(0, 10.8))
        // In soft tissue everything is dense.
        #expect(DenseInLung.leaving(depth, in: scan.mapped { max($0, 50) }) == nil)
    }

    /// A tube is narrower than the ball of 4.2 mL that it comes from.
    @Test func tubeIsNotAsWideAsIce() throws {
        let grid = try AnalyticScan.grid(60, 60, 30), ball = ellipsoid(.zero, SIMD3(repeating: 10))
        let scan = Volume<Float>(geometry: grid) { target in
            for offset in target.indices {
                let p = grid.point(grid.size.index(atOffset: offset)).lps
                target[offset] = ball(p) > 0 || p.y * p.y + p.z * p.z < 16 ? -60 : -850
            }
        }
        let wide = try #require(DenseInLung.wide(in: scan, iceML: 4.2))
        func holds(_ x: Double, _ y: Double) -> Bool { wide[grid.continuousIndex(PatientPoint(x, y, 0)).nearest] }
        #expect(holds(0, 0) && holds(9, 0) && holds(0, -9) && !holds(15, 0) && !holds(-15, 0))
        #expect(DenseInLung.wide(in: scan.mapped { min($0, -850) }, iceML: 4.2) == nil)
    }

    /// A stretch of ice as narrow as a vessel: alone it is taken for one, an earlier scan tells them apart.
    @Test func narrowIceIsDoubtedOnlyWithoutAnEarlierScan() throws {
        let grid = try AnalyticScan.grid(60, 60, 40, spacing: SIMD3(repeating: 1.5)), ball = ellipsoid(.zero, SIMD3(repeating: 11))
        func field(_ value: (SIMD3<Double>) -> Float) -> Volume<Float> {
            Volume<Float>(geometry: grid) { target in
                for offset in target.indices { target[offset] = value(grid.point(grid.size.index(atOffset: offset)).lps) }
            }
        }
        let scan = field { p in ball(p) > 0 || p.x > 0 && p.x < 19 && p.y * p.y + p.z * p.z < 9 ? -60 : -850 }
        func evidence(compared: Bool) throws -> Float {
            let tissue = SurroundingTissue(
                scan, modality: .ct, toBody: field { Float(-ball($0)) }, clearanceMM: 4, toAxis: field { _ in 30 }, dropHU: 85,
                isCompared: compared)
            return tissue.evidence(of: scan)[grid.continuousIndex(PatientPoint(14, 0, 0)).nearest]
        }
        #expect(try evidence(compared: false) == 0)
        #expect(try evidence(compared: true) > 0)
    }
}
