import Foundation
import ImagingCore
import Testing
@testable import ImageSegmentation

/// Surfaces between slices that are thicker than what they show is flat.
@Suite struct ThickSliceTests {
    static let ball = ellipsoid(SIMD3(0.7, -0.4, 1.9), SIMD3(17, 17, 17))

    @Test func ballKeepsItsSizeBetweenThickSlices() throws {
        let grid = try AnalyticScan.grid(40, 40, 9, spacing: SIMD3(1.5, 1.5, 8.5))
        let sampled = Volume<Float>(geometry: grid) { target in
            for offset in 0..<target.count { target[offset] = Float(Self.ball(grid.point(grid.size.index(atOffset: offset)).lps)) }
        }
        let filled = LevelSet(field: sampled.filledBetweenThickSlices())
        func comparison(_ levelSet: LevelSet) -> SurfaceComparison { SurfaceComparison(levelSet, on: grid, trueDistance: Self.ball) }
        // Chords between slices 8.5 mm apart lie up to 0.53 mm inside the ball.
        #expect(comparison(LevelSet(field: sampled)).meanSigned < -0.1)
        #expect(abs(comparison(filled).meanSigned) < 0.05)
        #expect(filled.geometry.spacing.max() < 2)
        // What lies at the scan's voxel centres stays.
        let mask = SegmentationResult(levelSet: filled, edgeUncertaintyMM: 1, method: "").mask(on: grid)
        for offset in 0..<grid.size.voxelCount {
            let index = grid.size.index(atOffset: offset), depth = sampled[index]
            if abs(depth) > 0.1 { #expect(mask[index] == (depth > 0)) }
        }
    }

    @Test func thinSlicesKeepTheirGrid() throws {
        let grid = try AnalyticScan.grid(12, 12, 8)
        let field = Volume<Float>(geometry: grid, repeating: -1)
        #expect(field.filledBetweenThickSlices().geometry.size == grid.size)
    }

    /// A slice of 5 mm averages what bulges within it, and reading between slices does too, where the normal leads there.
    @Test(arguments: [2.5, 5.0, 8.0])
    func halfHeightOfABallIsItsSurfaceWhateverTheSlices(sliceMM: Double) throws {
        let grid = try AnalyticScan.grid(64, 64, Int(64 / sliceMM), spacing: SIMD3(0.9, 0.9, sliceMM))
        let scan = AnalyticScan.make(grid, blurMM: 0.6, noise: 3, seed: 31) { (p: SIMD3<Double>) -> Double in Self.ball(p) > 0 ? -30 : 55 }
        let size = scan.geometry.size, image = scan.floats(in: 0..<size.i, 0..<size.j, 0..<size.k)
        let start = Volume<Float>(geometry: image.geometry) { target in
            for offset in 0..<target.count {
                let p = grid.point(grid.size.index(atOffset: offset)).lps
                target[offset] = Float(Self.ball(p) - 1 + 0.5 * sin(p.x / 6))
            }
        }
        let refinement = EdgeRefinement(image: image, validity: nil, polarity: -1, noise: 3, insideReachMM: 5)
        let found = LevelSet(field: refinement.refine(start).surface.filledBetweenThickSlices())
        let comparison = SurfaceComparison(found, on: grid, trueDistance: Self.ball)
        #expect(abs(comparison.meanSigned) < 0.02 + 0.015 * sliceMM)
        #expect(comparison.share95 < 0.15 + 0.08 * sliceMM)
    }
}
