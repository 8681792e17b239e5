import Foundation
import Reporting
import Testing

@Suite struct GroupStatisticsTests {
    /// Newcombe, Stat Med 1998;17:857, table I, method 3.
    @Test(arguments: [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)])
    func wilsonIntervalsAreThoseThatWerePublished(count: Int, total: Int, low: Double, high: Double) {
        let interval = Proportion(count, of: total).interval95
        #expect(abs(interval.lowerBound - low) < 6e-5 && abs(interval.upperBound - high) < 6e-5)
    }

    /// Remission of leukaemia under 6-mercaptopurine, weeks (Freireich 1963); survival and Greenwood errors as in Collett,
    /// Modelling Survival Data in Medical Research.
    static let leukaemia: [(time: Double, isEvent: Bool)] = [
        (6, true), (6, true), (6, true), (6, false), (7, true), (9, false), (10, true), (10, false), (11, false), (13, true), (16, true),
        (17, false),
        (19, false), (20, false), (22, true), (23, true), (25, false), (32, false), (32, false), (34, false), (35, false),
    ]

    @Test func kaplanMeierIsThatOfTheTextbook() {
        let curve = SurvivalCurve(Self.leukaemia)
        let expected: [(Double, Int, Double, Double)] = [
            (6, 21, 0.857, 0.0764), (7, 17, 0.807, 0.0869), (10, 15, 0.753, 0.0963), (13, 12, 0.690, 0.1068), (16, 11, 0.627, 0.1141),
            (22, 7, 0.538, 0.1282), (23, 6, 0.448, 0.1346),
        ]
        #expect(curve.steps.count == expected.count)
        for (step, (time, atRisk, survival, error)) in zip(curve.steps, expected) {
            #expect(step.time == time && step.atRisk == atRisk)
            #expect(abs(step.survival - survival) < 6e-4 && abs(step.standardError - error) < 6e-5)
        }
    }

    /// R's survival package, `survfit(..., conf.type = "log-log")`, gives 0.503 to 0.889 at 10 weeks.
    @Test func survivalHasAnIntervalThatStaysWithinNoneAndAll() throws {
        let curve = SurvivalCurve(Self.leukaemia)
        let interval = try #require(curve.at(10)?.interval95)
        #expect(abs(interval.lowerBound - 0.503) < 6e-4 && abs(interval.upperBound - 0.889) < 6e-4)
        #expect(curve.at(5)?.survival == 1 && curve.at(5)?.interval95 == nil)
        #expect(curve.at(36) == nil)
    }

    /// NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2: flow rates of ten batches.
    @Test func controlLimitsAreThoseOfTheHandbook() throws {
        let limits = try #require(ControlLimits([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]))
        #expect(abs(limits.mean - 50.81) < 1e-9)
        #expect(abs(limits.high - 55.8041) < 1e-3 && abs(limits.low - 45.8159) < 1e-3)
        #expect(ControlLimits([1, 2, 3]) == nil)
    }

    @Test func outliersLieBeyondTukeysFences() throws {
        let spread = try #require(Spread((1...9).map(Double.init)))
        #expect((spread.lowerQuartile, spread.median, spread.upperQuartile) == (3, 5, 7))
        #expect(spread.isOutlying(13.1) && spread.isOutlying(-3.1) && !spread.isOutlying(13) && !spread.isOutlying(-3))
        #expect(try #require(Spread([1, 2, 3])).isOutlying(1000) == false)
    }
}
