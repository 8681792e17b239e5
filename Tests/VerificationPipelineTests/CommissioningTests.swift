import Testing
import VerificationPipeline

@Suite struct CommissioningTests {
    /// A sample: the suite of hundreds is `icemargin selftest --trials`.
    @Test func intervalsHoldTheTruthWithoutBeingMuchTooWide() throws {
        let calibration = try IntervalCalibration(count: 20, seed: 700)
        #expect(calibration.coverage >= 0.85)
        #expect(calibration.meanWidthMM < 1.6 * calibration.idealWidthMM)
        #expect(abs(calibration.meanErrorMM) < 1)
    }
}
