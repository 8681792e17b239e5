import ImagingCore
import Testing
@testable import ImageSegmentation

/// Ice in an organ that ends at lung close by; all shapes are closed forms.
@Suite struct IceBesideLungTests {
    typealias Case = IceWithoutReferenceTests

    /// Thick slices through the dome hold every level between the organ's and lung's, so ice's, too. The organ's edge is the strongest there,
    /// and the ice ends before it.
    @Test(arguments: [(40.0, 4.0), (55, 3), (70, 3)])
    func iceUnderTheDomeDoesNotGrowToTheLung(domeRadiusMM: Double, aboveIceMM: Double) throws {
        let grid = try AnalyticScan.grid(90, 90, 17, spacing: SIMD3(1, 1, 4.25))
        let top = Case.centre + SIMD3(0, 0, 14 + aboveIceMM - domeRadiusMM)
        let dome = ellipsoid(top, SIMD3(repeating: domeRadiusMM))
        let scan = AnalyticScan.make(grid, noise: 12, seed: 29, metal: Case.metal) { (p: SIMD3<Double>) -> Double in
            dome(p) < 0 ? -850 : Case.ice(p) > 0 ? -10 : 75
        }
        let result = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Case.probe], parameters: Case.halfChange)
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: Case.ice)
        #expect(comparison.dice > 0.94, "\(comparison)")
        #expect(comparison.share95 < 2, "\(comparison)")
    }

    /// Little ice within lung shows too few levels to say what lung has frozen to, but that lung is around it shows all the same: its edge,
    /// brighter than lung, is its own.
    @Test(arguments: [(-850.0, true), (60, false)])
    func lungAroundLittleIceIsSeen(aroundHU: Double, isSurrounded: Bool) throws {
        let grid = try AnalyticScan.grid(60, 60, 22, spacing: SIMD3(1.4, 1.4, 3)), ice = ellipsoid(.zero, SIMD3(repeating: 4))
        let work = AnalyticScan.make(grid, noise: 12, seed: 31) { p in ice(p) > 0 ? -400 : aroundHU }.floats(in: 0..<60, 0..<60, 0..<22)
        let toBody = Volume<Float>(geometry: grid) { target in
            for offset in target.indices { target[offset] = Float(-ice(grid.point(grid.size.index(atOffset: offset)).lps)) }
        }
        let tissue = SurroundingTissue(
            work, modality: .ct, toBody: toBody, clearanceMM: 4, toAxis: Volume(geometry: grid, repeating: 100), dropHU: 85)
        #expect(tissue.isSurroundedByLung == isSurrounded)
        #expect(!tissue.isInLung)
    }
}
