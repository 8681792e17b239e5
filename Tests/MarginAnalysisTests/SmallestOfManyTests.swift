import ImagingCore
import Testing

@testable import MarginAnalysis

@Suite struct SmallestOfManyTests {
    /// Single-vertex patches, far apart, with the given margins.
    static func map(_ margins: [Double]) -> MarginMap {
        MarginMap(surface: TriangleMesh(vertices: margins.indices.map { PatientPoint(20 * Double($0), 0, 0) }), marginsMM: margins)
    }

    /// Expected minima of 1, 2, 3, 10 standard normal variables (Harter 1961: 0, −0.56419, −0.84628, −1.53875).
    @Test(arguments: [(1, 0.0), (2, 0.56419), (3, 0.84628), (10, 1.53875)])
    func equalMarginsFallShortAsOrderStatisticsDo(count: Int, shortfall: Double) {
        let measured = SmallestOfMany.expectedShortfallMM(of: Self.map(Array(repeating: 4, count: count)), errorMM: 0.5)
        #expect(abs(measured - 0.5 * shortfall) < 1e-3)
    }

    @Test func onePlaceFarBelowTheOthersIsNotBiased() {
        #expect(SmallestOfMany.expectedShortfallMM(of: Self.map([1, 9, 9, 9, 9]), errorMM: 0.5) < 1e-3)
        #expect(SmallestOfMany.expectedShortfallMM(of: Self.map([1, 1]), errorMM: 0) == 0)
    }
}
