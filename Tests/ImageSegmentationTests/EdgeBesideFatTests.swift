import ImagingCore
import Testing
@testable import ImageSegmentation

/// A surface of ice in a strip of fat between frozen kidney and muscle; all edges are planes.
@Suite struct EdgeBesideFatTests {
    /// Where the surface comes to lie along x, in millimetres at the middle of the grid, when it starts at some place: below the fat lies
    /// frozen kidney, beyond it muscle.
    static func place(startMM: Double, fat: ClosedRange<Double>, leastTold: Float?) throws -> Double {
        let grid = try AnalyticScan.grid(50, 30, 12, spacing: SIMD3(0.8, 0.8, 2.5))
        let scan = AnalyticScan.make(grid, blurMM: 0.6, noise: 8, seed: 5) { (p: SIMD3<Double>) -> Double in
            fat.contains(p.x) ? -102 : p.x < fat.lowerBound ? -52 : 52
        }
        let size = grid.size, image = scan.floats(in: 0..<size.i, 0..<size.j, 0..<size.k).mapped { (hu: Float) -> Float in -hu }
        func along(_ value: (Double) -> Double) -> Volume<Float> {
            Volume<Float>(geometry: grid) { target in
                for offset in target.indices { target[offset] = Float(value(grid.point(size.index(atOffset: offset)).lps.x)) }
            }
        }
        let evidence = along { x in fat.contains(x) ? 0 : x < fat.lowerBound ? 1 : -1 }
        let refinement = EdgeRefinement(
            image: image, validity: nil, evidence: evidence, leastTold: leastTold, noise: 8, expectedStep: .freezing(byHU: 85),
            insideReachMM: 5, averagingMM: 2.5, largestShiftMM: 4, passes: IceSegmentation.passes)
        let surface = refinement.refine(along { x in startMM - x }).surface
        let row = (0..<size.i).map { VoxelIndex($0, size.j / 2, size.k / 2) }
        let last = try #require(row.last { surface[$0] >= 0 })
        return grid.point(last).lps.x + Double(surface[last])
    }

    /// What is fat on one side may have frozen or not: its own edge is not that of the ice.
    @Test func surfaceIsNotDrawnToTheEdgeOfFat() throws {
        let drawn = try Self.place(startMM: 3, fat: -5...5, leastTold: nil)
        let held = try Self.place(startMM: 3, fat: -5...5, leastTold: 0.15)
        #expect(abs(drawn - 5) < 0.5)
        #expect(abs(held - 3) < 0.4)
    }

    @Test func iceBesideMuscleKeepsItsEdge() throws {
        let told = try Self.place(startMM: -2, fat: 0.5...0.5, leastTold: 0.15)
        #expect(abs(told - 0.5) < 0.4)
    }

    /// Ice that is carried on through fat lies outside of the contours that it is carried on from, though by less than these.
    @Test(arguments: [false, true])
    func frontMovesLessWhereNoEdgeShows(isCompared: Bool) throws {
        typealias Case = IceWithoutReferenceTests
        let grid = try AnalyticScan.grid(110, 100, 36)
        let scan = AnalyticScan.make(grid, noise: 10, seed: 11, metal: Case.metal) { (p: SIMD3<Double>) -> Double in
            let tissue = Case.kidneyInFat(p, kidneyHU: 32)
            return Case.ice(p) > 0 ? tissue - (tissue < 0 ? 10 : 85) : tissue
        }
        let before = AnalyticScan.make(grid, noise: 10, seed: 12, metal: Case.metal) { Case.kidneyInFat($0, kidneyHU: 32) }
        func field(_ shiftMM: Double) throws -> Volume<Float> {
            var parameters = IceSegmentation.Parameters()
            parameters.halfChangeToFrontMM = shiftMM
            return try IceSegmentation.segment(
                scan: scan, modality: .ct, probes: [Case.probe], reference: isCompared ? before : nil, parameters: parameters
            ).levelSet.field
        }
        let half = try field(0), front = try field(1.6)
        func moved(_ isCounted: (SIMD3<Double>) -> Bool) -> Double {
            var sum = 0.0, count = 0.0
            for offset in 0..<half.size.i * half.size.j * half.size.k {
                let index = half.size.index(atOffset: offset)
                guard abs(half[index]) < 1, isCounted(half.geometry.point(index).lps - Case.centre) else { continue }
                sum += Double(front[index] - half[index])
                count += 1
            }
            return sum / count
        }
        let inKidney = moved { $0.x > 2 }, inFat = moved { $0.x < -9 }
        #expect(abs(inKidney - 1.6) < 0.2)
        #expect((0.5...1.2).contains(inFat))
    }
}
