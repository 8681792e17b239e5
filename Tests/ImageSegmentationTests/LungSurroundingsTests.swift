import ImagingCore
import Testing
@testable import ImageSegmentation

/// Ice in lung near the chest wall: what lung freezes to is read there, though most of the region is no lung.
@Suite struct LungSurroundingsTests {
    private static let ice = ellipsoid(SIMD3(-16, 0, 0), SIMD3(13, 13, 13))

    /// Soft tissue reads more than frozen lung does: it is not taken along.
    @Test func softTissueBesideLungIceIsNotTakenForIt() throws {
        let grid = try AnalyticScan.grid(120, 44, 20, spacing: SIMD3(1.4, 1.4, 3))
        let work = AnalyticScan.make(grid, noise: 12, seed: 23) { p in
            Self.ice(p) > 0 ? -95 : p.x > 4 || p.x < -56 ? 55 : -850
        }.floats(in: 0..<120, 0..<44, 0..<20)
        let toBody = Volume<Float>(geometry: grid) { target in
            for offset in target.indices { target[offset] = Float(-Self.ice(grid.point(grid.size.index(atOffset: offset)).lps)) }
        }
        let tissue = SurroundingTissue(
            work, modality: .ct, toBody: toBody, clearanceMM: 4, toAxis: Volume(geometry: grid, repeating: 100), dropHU: 85)
        func evidence(at level: Float) -> Float {
            tissue.evidence(of: Volume(geometry: grid, repeating: level))[grid.continuousIndex(PatientPoint(-16, 0, 0)).nearest]
        }
        #expect(evidence(at: -95) > 0.8)
        #expect(evidence(at: 40) < -0.5)
    }
}
