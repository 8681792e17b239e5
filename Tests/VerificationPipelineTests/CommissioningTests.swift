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

    /// Slices of 4 mm and a jagged outline, all of it inside the mask's grid.
    @Test func anObjectWithinItsMaskIsNotTakenForCutOff() throws {
        let trial = try #require(try IntervalCalibration(count: 1, seed: 237).trials.first)
        #expect(trial.fromMasks && trial.intervalMM.allSatisfy(\.isFinite))
    }
}
