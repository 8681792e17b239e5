import ImagingCore
import Testing
@testable import ImageSegmentation

/// A surface around a ball of 10 mm that leaves out half of the radius on the quarter towards the head: what lies beyond is the ball.
@Suite struct AlikeNeighboursTests {
    private let fit: RadialTumourFit

    init() throws { fit = try TumourEdgeSpreadTests.fitOfABall() }

    private func neighbours(radiusOnAQuarter: Float = 5, contrast: Float = -60, slicesApartMM: Double = 9) -> AlikeNeighbours {
        let edge = RadialEdgeFit.Outcome(
            radii: fit.sphere.directions.map { $0.z > 0.5 ? radiusOnAQuarter : 10 }, deviationsMM: fit.radii.map { _ in 0 },
            clearness: fit.radii.map { _ in 1 }, contrasts: fit.radii.map { _ in contrast }, expected: fit.radii)
        return AlikeNeighbours(beside: fit, edge: edge, slicesApartMM: slicesApartMM)
    }

    /// A quarter of the sphere at half of the radius is a thirteenth of the surface: 0.4 · 9 mm / √13 = 1.0 mm.
    @Test func whatLooksLikeTheTumourBesideItCounts() {
        #expect(abs(neighbours().deviationMM - 1) < 0.15)
        #expect(neighbours(radiusOnAQuarter: 10).deviationMM == 0)
    }

    /// Between slices 2.5 mm apart a neighbour is followed.
    @Test func thinSlicesLeaveNoDoubt() { #expect(neighbours(slicesApartMM: 2.5).deviationMM == 0) }

    /// With less contrast than the levels vary by, anything looks like the tumour.
    @Test func faintTumourHasNone() { #expect(neighbours(contrast: -4).deviationMM == 0) }

    @Test func manyAreSaid() {
        func said(_ alike: AlikeNeighbours) -> Finding? {
            TumourFindings(fit: fit, modality: .mr, alike: alike).findings(longestDiameterMM: 20).first { $0.code == "tumour-beside-alike" }
        }
        #expect(said(neighbours())?.message.contains("towards the head") == true)
        #expect(said(neighbours(radiusOnAQuarter: 10)) == nil)
    }
}
