import Testing

@testable import VerificationPipeline

@Suite struct IceForecastTests {
    @Test(arguments: [
        (values: [5.0, 6, 7], reached: 0.0 as Double?), ([3, 4, 6], 3), ([3, 4, 4.5], nil), ([4, 5, 6], 2), ([], nil),
    ])
    func aLevelIsReachedBetweenTwoSteps(values: [Double], reached: Double?) {
        let points = values.enumerated().map { (minutes: 2 * Double($0.offset), value: $0.element) }
        #expect(IceForecast.crossing(points, 5) == reached)
    }
}
