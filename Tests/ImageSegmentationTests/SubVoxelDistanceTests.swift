import ImagingCore
import Testing
@testable import ImageSegmentation

/// Signed distances from a field's zero surface, against closed forms.
@Suite struct SubVoxelDistanceTests {
    static func field(_ shape: (SIMD3<Double>) -> Double) throws -> Volume<Float> {
        let grid = try AnalyticScan.grid(70, 66, 24)
        return Volume(geometry: grid) { target in
            for offset in target.indices { target[offset] = Float(shape(grid.point(grid.size.index(atOffset: offset)).lps)) }
        }
    }

    /// Two balls apart, given by a field that is no distance: every sweep has ways to find, around both and between them.
    @Test(arguments: [Float.greatestFiniteMagnitude, 8])
    func distanceToBallsIsThatOfTheirClosedForm(limitMM: Float) throws {
        let balls = [(SIMD3(-11.0, -6, -5), 7.0), (SIMD3(12.0, 7, 8), 9.0)]
        func distance(_ p: SIMD3<Double>) -> Double { balls.map { $1 - ((p - $0) * (p - $0)).sum().squareRoot() }.max()! }
        let found = try Self.field { p in
            balls.map { centre, radius in (radius * radius - ((p - centre) * (p - centre)).sum()) / (2 * radius) }.max()!
        }.signedDistanceToZero(limitMM: limitMM)
        var worst: Float = 0, worstNear: Float = 0
        for offset in 0..<found.size.voxelCount {
            let index = found.size.index(atOffset: offset), truth = Float(distance(found.geometry.point(index).lps))
            let error = abs(found[index] - max(-limitMM, min(limitMM, truth)))
            worst = max(worst, error)
            if abs(truth) < 5 { worstNear = max(worstNear, error) }
        }
        // The scheme is of first order: errors grow with the way, mostly through the thick slices.
        #expect(worstNear < 0.8)
        #expect(worst < 1.6)
    }

    /// A smooth field is measured again after each small change; a ball must not become smaller by it.
    @Test func ballKeepsItsSizeWhenMeasuredAgainAndAgain() throws {
        func distance(_ p: SIMD3<Double>) -> Double { 11 - ((p - SIMD3(0.3, -0.2, 0.9)) * (p - SIMD3(0.3, -0.2, 0.9))).sum().squareRoot() }
        func bias(isSmooth: Bool) throws -> Double {
            let start = try Self.field(distance)
            let found = (0..<5).reduce(start) { field, _ in field.signedDistanceToZero(limitMM: 9, isSmooth: isSmooth) }
            return SurfaceComparison(LevelSet(field: found), on: start.geometry, trueDistance: distance).meanSigned
        }
        let read = SurfaceComparison(
            LevelSet(field: try Self.field(distance)), on: try Self.field(distance).geometry, trueDistance: distance)
        #expect(abs(try bias(isSmooth: true) - read.meanSigned) < 0.02)
        #expect(try bias(isSmooth: false) < -0.05)
    }

    @Test func planeAlongTheGridIsExact() throws {
        let found = try Self.field { p in 3 * (p.x - 1.3) }.signedDistanceToZero()
        for offset in stride(from: 0, to: found.size.voxelCount, by: 7) {
            let index = found.size.index(atOffset: offset)
            #expect(abs(found[index] - Float(found.geometry.point(index).lps.x - 1.3)) < 0.01)
        }
    }
}
