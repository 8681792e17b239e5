import ImagingCore
import Testing

@testable import ImageRegistration
@testable import SyntheticStudies

@Suite struct ScanRegistrationTests {
    /// The error that is told bounds the true one as it claims to, and does not hide behind a large number.
    @Test(arguments: [(StudySite.liver, UInt64(52), Modality.ct), (.kidney, 51, .ct), (.lung, 32, .ct), (.lung, 506, .mr)])
    func expectedErrorIsNearTheTrueOne(site: StudySite, seed: UInt64, modality: Modality) throws {
        let pair = try StudyPair.moved(site, .smooth, modality, seed: seed)
        let found = try ScanRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus)
        let error = pair.surfaceError(found)
        #expect(found.quality.status != .fail, "\(found.quality.reasons)")
        #expect(error < 1.5 * found.quality.expectedErrorMM)
        #expect(found.quality.expectedErrorMM < 2)

        // The rigid part alone is told to be worse by what the organs moved.
        guard site == .liver else { return }
        let rigid = try ScanRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus, guidance: .rigidOnly)
        #expect(rigid.deformable == nil)
        #expect(rigid.quality.expectedErrorMM > found.quality.expectedErrorMM)
        #expect(pair.surfaceError(rigid) < 1.5 * rigid.quality.expectedErrorMM)
    }

    /// Another patient treated elsewhere, and one treated at the same site, whose organs can be made to coincide.
    @Test(arguments: [(StudySite.liver, UInt64(52), StudySite.kidney, UInt64(51)), (.spine, 511, .spine, 509)])
    func anotherPatientFails(site: StudySite, seed: UInt64, otherSite: StudySite, otherSeed: UInt64) throws {
        let one = try StudyPair.moved(site, .smooth, seed: seed), other = try StudyPair.moved(otherSite, .smooth, seed: otherSeed)
        let found = try ScanRegistration(fixed: other.fixed, moving: one.moving, focus: one.focus)
        #expect(found.quality.status == .fail)
        #expect(!found.quality.reasons.isEmpty)
    }

    /// Of a liver of MR and CT few blocks around the tumour tell one patient from another; those farther away do.
    @Test func aLiverOfMRAndCTIsTakenForOnePatients() throws {
        let (ct, mr) = try StudyPair.onBothModalities(.liver, seed: 7004, turnedDegrees: 14, movedMM: 22, breathingMM: 12)
        let found = try ScanRegistration(fixed: ct.fixed, moving: mr.moving, focus: mr.focus)
        #expect(found.quality.status != .fail && ct.surfaceError(found) < 1.5 * found.quality.expectedErrorMM, "\(found.quality.reasons)")
        let other = try StudyPair.moved(.liver, .smooth, seed: 52)
        #expect(try ScanRegistration(fixed: other.fixed, moving: mr.moving, focus: mr.focus).quality.status == .fail)
    }

    private static let sound = RegistrationQuality.Evidence(
        inverseErrorMM: 0.5, softerDifferenceMM: 0.5, rigidDifferenceMM: 1, similarity: 0.9, explained: 0.95, shiftedSimilarity: 0.4,
        bendingMM: 0.2, overlap: 1, smallestJacobian: 0.8,
        isSameModality: true, isFocusInView: true)

    /// What is uncertain makes the expected error larger, and nothing makes it smaller than what always remains.
    @Test func expectedErrorGrowsWithEachDisagreement() {
        func expected(_ change: (inout RegistrationQuality.Evidence) -> Void) -> Double {
            var evidence = Self.sound
            change(&evidence)
            return RegistrationQuality(evidence).expectedErrorMM
        }
        let least = expected { ($0.inverseErrorMM, $0.softerDifferenceMM, $0.bendingMM) = (0, 0, 0) }
        #expect(least > 0.4 && least < 1)
        #expect(expected { $0.inverseErrorMM = 4 } > 1.2 * least)
        #expect(expected { $0.softerDifferenceMM = 4 } > 2)
        #expect(expected { $0.bendingMM = 2 } > 2)
        #expect(expected { $0.usedDifferenceMM = 3 } > 3)
        #expect(expected { $0.isSameModality = false } > expected { _ in })
        #expect(expected { $0.landmarks = [.init(errorMM: 6, distanceMM: 10)] } > 5)
        #expect(expected { $0.landmarks = [.init(errorMM: 2, distanceMM: 10)] } == expected { _ in })
    }

    @Test func evidenceAgainstARegistrationIsNamed() {
        func status(_ change: (inout RegistrationQuality.Evidence) -> Void) -> RegistrationQuality.Status {
            var evidence = Self.sound
            change(&evidence)
            let quality = RegistrationQuality(evidence)
            #expect(quality.reasons.isEmpty == (quality.status == .pass))
            return quality.status
        }
        #expect(status { _ in } == .pass)
        #expect(status { $0.overlap = 0.2 } == .fail)
        #expect(status { $0.overlap = 0.6 } == .doubtful)
        #expect(status { $0.explained = 0.6 } == .fail)
        #expect(status { $0.explained = 0.86 } == .doubtful)
        #expect(status { ($0.explained, $0.softerDifferenceMM) = (0.86, 1.2) } == .fail)
        #expect(status { ($0.explained, $0.softerDifferenceMM) = (0.92, 1.2) } == .pass)
        func blocks(_ share: Double) -> BlockAgreement { .init(count: 200, share: share, medianShiftMM: 1, correlation: 0.9) }
        #expect(status { $0.blocks = blocks(0.85) } == .pass)
        #expect(status { ($0.blocks, $0.explained) = (blocks(0.7), 0.9) } == .fail)
        #expect(status { ($0.blocks, $0.explained) = (blocks(0.84), 0.88) } == .doubtful)
        #expect(status { ($0.blocks, $0.explained) = (blocks(0.95), 0.88) } == .pass)
        #expect(status { $0.tumourVolumeChange = -0.02 } == .doubtful)
        #expect(status { $0.softerDifferenceMM = 2.5 } == .doubtful)
        #expect(status { $0.inverseErrorMM = nil } == .fail)
        #expect(status { $0.inverseErrorMM = 4 } == .doubtful)
        #expect(status { $0.inverseErrorMM = 9 } == .fail)
        #expect(status { $0.smallestJacobian = -0.1 } == .fail)
        #expect(status { $0.isFocusInView = false } == .fail)
        // Between modalities no share is known to be enough: it must stand out from what a wrong motion gives.
        func crossed(_ similarity: Double, shifted: Double) -> RegistrationQuality.Status {
            status {
                (
                    $0.isSameModality, $0.similarity, $0.explained, $0.shiftedSimilarity, $0.blocks, $0.details
                ) = (false, similarity, similarity, shifted, blocks(0.8), 0.9)
            }
        }
        #expect(crossed(0.45, shifted: 0.2) == .pass)
        #expect(crossed(0.45, shifted: 0.36) == .doubtful)
        #expect(crossed(0.2, shifted: 0.18) == .fail)
        func blockwise(_ share: Double?, details: Double? = 0.9, softerMM: Double = 0.5) -> RegistrationQuality.Status {
            status {
                ($0.isSameModality, $0.similarity, $0.shiftedSimilarity, $0.softerDifferenceMM) = (false, 0.45, 0.2, softerMM)
                ($0.blocks, $0.details) = (share.map(blocks), details)
            }
        }
        #expect(blockwise(0.7) == .pass)
        #expect(blockwise(0.42) == .doubtful)
        #expect(blockwise(0.5) == .pass)
        #expect(blockwise(0.5, softerMM: 1.9) == .doubtful)
        #expect(blockwise(0.3) == .fail)
        #expect(blockwise(0.7, details: 0.5) == .fail)
        #expect(blockwise(0.7, details: nil) == .doubtful)
        // Nothing then tells one patient from another.
        #expect(blockwise(nil) == .doubtful)
        #expect(status { $0.landmarks = [.init(errorMM: 7, distanceMM: 20)] } == .doubtful)
        #expect(status { $0.landmarks = [.init(errorMM: 7, distanceMM: 90)] } == .pass)
        #expect(status { $0.landmarkMisfitMM = 10 } == .pass)
        #expect(status { $0.landmarkMisfitMM = 30 } == .doubtful)
        var contradicted = Self.sound
        contradicted.landmarks = [.init(errorMM: 7, distanceMM: 20)]
        #expect(RegistrationQuality(contradicted).reasons.contains { $0.contains("landmarks near the tumour lie 7.0 mm apart") })
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
