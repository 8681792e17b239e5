import ImagingCore
import Testing

@testable import ImageSegmentation

/// What a vessel keeps warm in a ball of ice, into which a shaft along x reaches; all shapes are closed forms.
@Suite struct WarmTissueTests {
    private static let ball = ellipsoid(.zero, SIMD3(repeating: 16)), tip = 9.0

    /// The ball, and what is left of it where `isWarm` says what in it is not frozen.
    private static func leaving(_ isWarm: (SIMD3<Double>) -> Bool) throws -> (ball: Volume<Float>, dented: Volume<Float>?) {
        let fine = try AnalyticScan.grid(72, 72, 18, spacing: SIMD3(0.95, 0.95, 4))
        let coarse = try AnalyticScan.grid(36, 36, 18, spacing: SIMD3(1.9, 1.9, 4))
        func field(_ grid: GridGeometry, _ value: (SIMD3<Double>) -> Double) -> Volume<Float> {
            Volume<Float>(geometry: grid) { target in
                for offset in target.indices { target[offset] = Float(value(grid.point(grid.size.index(atOffset: offset)).lps)) }
            }
        }
        let shape = field(fine, ball), evidence = field(coarse) { p in ball(p) > 0 && !isWarm(p) ? 0.3 : -1 }
        let toAxis = field(coarse) { p in
            let q = SIMD3(max(0, p.x - tip), p.y, p.z)
            return (q * q).sum().squareRoot()
        }
        return (shape, WarmTissue.leftOut(of: shape, evidence: evidence, toAxis: toAxis))
    }

    /// A vessel 9 mm wide runs through the ball's side in front of the shaft, along the slices or across them.
    @Test(arguments: [SIMD3(0.0, 1, 0), SIMD3(0, 0, 1)]) func vesselIsLeftOut(along way: SIMD3<Double>) throws {
        let result = try Self.leaving { p in
            let q = (p - SIMD3(11, 0, 0)) * (1 - way)
            return (q * q).sum() < 4.5 * 4.5
        }
        let dented = try #require(result.dented)
        func isSame(_ x: Double, _ y: Double, _ z: Double) -> Bool {
            let voxel = dented.geometry.continuousIndex(PatientPoint(x, y, z)).nearest
            return dented[voxel] == result.ball[voxel]
        }
        #expect(dented[dented.geometry.continuousIndex(PatientPoint(13, 0, 2)).nearest] < 0)
        #expect(isSame(-8, 0, 2) && isSame(-15, 0, 2) && isSame(-4, -14, 2) && isSame(-4, 0, 14))
    }

    /// A streak 4 mm wide in every second slice; a warm place without a way out; what blooms along the shaft; nothing.
    @Test(arguments: 0..<4) func nothingElseIsLeftOut(scene: Int) throws {
        let dented = try Self.leaving { p in
            switch scene {
            case 0: abs(p.y - 5 - 0.3 * p.x) < 2 && p.x > 0 && Int(((p.z + 2) / 4).rounded()).isMultiple(of: 2)
            case 1: ((p - SIMD3(0, 7, 0)) * (p - SIMD3(0, 7, 0))).sum() < 25
            case 2: p.y * p.y + p.z * p.z < 9 && p.x < Self.tip
            default: false
            }
        }.dented
        #expect(dented == nil)
    }
}
