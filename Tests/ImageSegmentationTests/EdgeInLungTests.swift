import Foundation
import ImagingCore
import Testing
@testable import ImageSegmentation

/// The edge of ice that has filled lung around a tumour, from a surface that starts well inside it.
@Suite struct EdgeInLungTests {
    static let ice = ellipsoid(.zero, SIMD3(repeating: 14)), tumour = ellipsoid(SIMD3(1, 0, 0), SIMD3(repeating: 8.5))

    /// How far the refined surface lies outside the contour of half the change, on average.
    static func offset(rimShare: Float?, passes: Int, startingInsideMM: Double) throws -> Double {
        let grid = try AnalyticScan.grid(48, 46, 16, spacing: SIMD3(0.9, 0.9, 3))
        let scan = AnalyticScan.make(grid, blurMM: 0.6, noise: 12, seed: 27) { (p: SIMD3<Double>) -> Double in
            let frozen = max(0, min(1, Self.ice(p) / 1.75))
            return Self.tumour(p) > 0 ? 40 - 85 * frozen : -855 + 500 * frozen
        }
        let size = scan.geometry.size, image = scan.floats(in: 0..<size.i, 0..<size.j, 0..<size.k)
        let start = Volume<Float>(geometry: image.geometry) { target in
            for offset in target.indices {
                target[offset] = Float(Self.ice(image.geometry.point(size.index(atOffset: offset)).lps) - startingInsideMM)
            }
        }
        let refinement = EdgeRefinement(
            image: image, validity: nil, noise: 90, insideReachMM: 5, rimShare: rimShare, averagingMM: 2.5, largestShiftMM: 4, passes: passes)
        let half = { (p: SIMD3<Double>) -> Double in Self.ice(p) - 0.875 }
        return SurfaceComparison(LevelSet(field: refinement.refine(start).surface), on: grid, trueDistance: half).meanSigned
    }

    /// The ice's level is that of its rim, not that of the tumour behind it.
    @Test func tumourBehindTheRimDoesNotDrawTheEdgeInwards() throws {
        let plain = try Self.offset(rimShare: nil, passes: 8, startingInsideMM: 1)
        let rim = try Self.offset(rimShare: IceSegmentation.rimShareInLung, passes: 8, startingInsideMM: 1)
        #expect(abs(rim) < 0.2)
        #expect(rim > plain + 0.1)
    }

    /// The evidence, which doubts what is steep, ends well inside.
    @Test func edgeIsReachedFromWellInside() throws {
        func offset(_ passes: Int) throws -> Double {
            try Self.offset(rimShare: IceSegmentation.rimShareInLung, passes: passes, startingInsideMM: 3)
        }
        let many = try offset(IceSegmentation.passesInLung), few = try offset(IceSegmentation.passes)
        #expect(many > few + 0.05)
        #expect(abs(many) < 0.25)
    }
}
