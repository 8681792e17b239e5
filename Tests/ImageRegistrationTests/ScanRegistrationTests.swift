import ImagingCore
import Testing

@testable import ImageRegistration
@testable import SyntheticStudies

@Suite struct ScanRegistrationTests {
    /// The error that is told bounds the true one as it claims to, and does not hide behind a large number.
    @Test(arguments: [(StudySite.liver, UInt64(41)), (.kidney, 42), (.lung, 43)])
    func expectedErrorIsNearTheTrueOne(site: StudySite, seed: UInt64) throws {
        let pair = try StudyPair(RigidRegistrationTests.options(site, .smooth, seed: seed))
        let found = try ScanRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus)
        let error = pair.surfaceError(found)
        #expect(found.quality.status != .fail, "\(found.quality.reasons)")
        #expect(error < 1.5 * found.quality.expectedErrorMM)
        #expect(found.quality.expectedErrorMM < 2)

        // The rigid part alone is told to be worse by what the organs moved.
        let rigid = try ScanRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus, guidance: .rigidOnly)
        #expect(rigid.deformable == nil)
        #expect(rigid.quality.expectedErrorMM > found.quality.expectedErrorMM)
        #expect(pair.surfaceError(rigid) < 1.5 * rigid.quality.expectedErrorMM)
    }

    @Test func anotherPatientFails() throws {
        let one = try StudyPair(RigidRegistrationTests.options(.liver, .none, seed: 44))
        let other = try StudyPair(RigidRegistrationTests.options(.kidney, .none, seed: 45))
        let found = try ScanRegistration(fixed: other.fixed, moving: one.moving, focus: one.focus)
        #expect(found.quality.status == .fail)
        #expect(!found.quality.reasons.isEmpty)
    }

    private static let sound = RegistrationQuality.Evidence(
        inverseErrorMM: 0.5, softerDifferenceMM: 0.5, rigidDifferenceMM: 1, similarity: 0.9, overlap: 1, smallestJacobian: 0.8,
        isSameModality: true, isFocusInView: true)

    @Test func evidenceAgainstARegistrationIsNamed() {
        func status(_ change: (inout RegistrationQuality.Evidence) -> Void) -> RegistrationQuality.Status {
            var evidence = Self.sound
            change(&evidence)
            let quality = RegistrationQuality(evidence)
            #expect(quality.reasons.isEmpty == (quality.status == .pass))
            return quality.status
        }
        #expect(status { _ in } == .pass)
        #expect(status { $0.overlap = 0.4 } == .fail)
        #expect(status { $0.overlap = 0.7 } == .doubtful)
        #expect(status { $0.similarity = 0.6 } == .fail)
        #expect(status { $0.similarity = 0.83 } == .doubtful)
        #expect(status { ($0.similarity, $0.softerDifferenceMM) = (0.85, 2) } == .fail)
        #expect(status { ($0.similarity, $0.softerDifferenceMM) = (0.88, 2) } == .pass)
        #expect(status { $0.inverseErrorMM = nil } == .fail)
        #expect(status { $0.inverseErrorMM = 4 } == .doubtful)
        #expect(status { $0.inverseErrorMM = 9 } == .fail)
        #expect(status { $0.smallestJacobian = -0.1 } == .fail)
        #expect(status { $0.isFocusInView = false } == .fail)
        #expect(status { $0.isSameModality = false } == .doubtful)
        #expect(status { $0.usedDifferenceMM = 5 } == .doubtful)
    }
}

extension RegistrationGuidance {
    static let rigidOnly = {
        var guidance = RegistrationGuidance()
        guidance.isRigidOnly = true
        return guidance
    }()
}
