import ImagingCore
import Testing

@testable import ImageRegistration
@testable import SyntheticStudies

/// Scans that share a frame of reference by their headers, rightly or not.
@Suite struct SharedFrameTests {
    private static func pair(_ modality: Modality, seed: UInt64, shiftMM: Double? = nil) throws -> StudyPair {
        var options = StudyOptions(site: .kidney, modality: modality, seed: seed)
        if let shiftMM { (options.motion, options.motionDegrees, options.motionMM, options.breathingMM) = (.smooth, 3, shiftMM, 6) }
        return try .shared(options)
    }
    private static func framed(_ scan: RegistrationScan) throws -> RegistrationScan {
        let grid = scan.volume.geometry
        let framed = try GridGeometry(
            size: grid.size, spacing: grid.spacing, origin: grid.origin, axes: grid.axes, frameOfReferenceUID: "1.2.3")
        guard case .int16(let volume) = scan.volume else { preconditionFailure("studies hold whole numbers") }
        let copy = Volume<Int16>(geometry: framed) { voxels in
            volume.withUnsafeVoxels { source in for offset in voxels.indices { voxels[offset] = source[offset] } }
        }
        return RegistrationScan(.int16(copy), modality: scan.modality, excluded: scan.excluded)
    }
    private static func registered(_ moving: StudyPair, onto fixed: StudyPair) throws -> ScanRegistration {
        try ScanRegistration(fixed: framed(fixed.fixed), moving: framed(moving.moving), focus: moving.focus)
    }

    /// Nothing moved, and nothing is moved: not by a fraction of a millimetre.
    @Test func tissueThatDidNotMoveStaysWhereTheFramePutsIt() throws {
        let pair = try Self.pair(.ct, seed: 51), found = try Self.registered(pair, onto: pair)
        #expect(found.sharedFrame == .kept && found.quality.status == .pass, "\(found.quality.reasons)")
        #expect(found(pair.focus.center).distance(to: pair.focus.center) == 0 && found.quality.expectedErrorMM < 1.5)
    }

    /// MR and CT of one patient at rest are trusted as they lie.
    @Test func stillTissueOfAnotherModalityIsTrusted() throws {
        let moving = try Self.pair(.mr, seed: 51)
        let check = SharedFrameCheck(
            planning: try Self.framed(moving.moving), treated: try Self.framed(Self.pair(.ct, seed: 51).fixed), focus: moving.focus)
        #expect(check.isTrusted && check.expectedErrorMM < 2.5 && check.findings.isEmpty, "\(check.findings)")
    }

    @Test func aPatientWhoMovedWithinTheFrameIsFollowed() throws {
        let pair = try Self.pair(.ct, seed: 62, shiftMM: 15)
        let found = try Self.registered(pair, onto: pair)
        #expect(pair.surfaceError(AffineTransform.identity) > 5)
        #expect(pair.surfaceError(found) < 1.5 && found.quality.status == .pass)
        guard case .left(let awayMM) = found.sharedFrame else { Issue.record("\(String(describing: found.sharedFrame))"); return }
        #expect(abs(awayMM - pair.surfaceError(AffineTransform.identity)) < 1.5)
    }

    /// Far beyond what can be found from near: the search from nothing finds it, and the contradiction is told.
    @Test func aFrameThatCannotBeRightIsContradicted() throws {
        let pair = try Self.pair(.ct, seed: 62, shiftMM: 110)
        let found = try Self.registered(pair, onto: pair)
        #expect(pair.surfaceError(found) < 1.5 && found.quality.status == .doubtful)
        guard case .contradicted(let byMM) = found.sharedFrame else { Issue.record("\(String(describing: found.sharedFrame))"); return }
        #expect(abs(byMM - pair.surfaceError(AffineTransform.identity)) < 1.5)
    }

    /// The check looks beyond the small shifts at which it compares tissue directly: what does not fit there is registered.
    @Test(arguments: [15.0, 110])
    func aFrameThatIsWrongIsNotTrustedAndTheTissueIsFollowed(shiftMM: Double) throws {
        let pair = try Self.pair(.ct, seed: 62, shiftMM: shiftMM), check = try Self.check(pair, beside: pair)
        #expect(!check.isTrusted && check.findings.map(\.code) == ["anatomy-moved"])
        #expect(abs(try #require(check.followedMM) - pair.surfaceError(AffineTransform.identity)) < 1.5)
    }
    @Test func anotherPatientWithTheSameFrameIsNotTrustedNorFollowed() throws {
        let check = try Self.check(Self.pair(.ct, seed: 64), beside: Self.pair(.ct, seed: 51))
        #expect(!check.isTrusted && check.followedMM == nil && check.findings.map(\.code) == ["alignment-not-confirmed"])
    }
    private static func check(_ planning: StudyPair, beside treated: StudyPair) throws -> SharedFrameCheck {
        let moving = try framed(planning.moving), fixed = try framed(treated.fixed), focus = planning.focus
        let ball = LevelSet(field: Volume(geometry: moving.volume.geometry) { voxels in
            for offset in voxels.indices {
                let point = moving.volume.geometry.point(moving.volume.geometry.size.index(atOffset: offset))
                voxels[offset] = Float(focus.radiusMM - point.distance(to: focus.center))
            }
        })
        return try SharedFrameCheck(planning: moving.volume, treated: fixed.volume, modality: .ct, tumour: ball, zone: nil)
    }

    /// A frame copied to a scan of another patient.
    @Test func anotherPatientWithTheSameFrameFails() throws {
        let found = try Self.registered(Self.pair(.ct, seed: 64), onto: Self.pair(.ct, seed: 51))
        #expect(found.quality.status == .fail && found.sharedFrame == .refuted && !found.quality.reasons.isEmpty)
    }

    /// MR and CT of different patients who lay alike look like MR and CT of one who breathed: not sure, whatever the frame says.
    @Test func anotherPatientOfAnotherModalityWithTheSameFrameIsNotBelieved() throws {
        let moving = try Self.pair(.mr, seed: 64)
        let check = SharedFrameCheck(
            planning: try Self.framed(moving.moving), treated: try Self.framed(Self.pair(.ct, seed: 51).fixed), focus: moving.focus)
        #expect(!check.isTrusted && check.findings.map(\.code) == ["alignment-not-confirmed"], "\(check)")
    }

    @Test func aHintIsPreferredToTheFrame() throws {
        let pair = try Self.pair(.ct, seed: 51)
        var guidance = RegistrationGuidance()
        guidance.initial = AffineTransform(matrix: .identity, translation: PatientVector(3, 2, -2))
        let found = try ScanRegistration(
            fixed: Self.framed(pair.fixed), moving: Self.framed(pair.moving), focus: pair.focus, guidance: guidance)
        #expect(found.sharedFrame == nil && pair.surfaceError(found) < 1)
    }

    /// Where the images tell little, the frame keeps a registration from failing, but nothing makes it sure.
    @Test func aFrameMakesUpForImagesThatTellLittleAndIsDoubted() {
        var evidence = RegistrationQuality.Evidence(
            inverseErrorMM: 0.5, softerDifferenceMM: 0.5, rigidDifferenceMM: 1, usedDifferenceMM: 5, similarity: 0.3, explained: 0.3,
            shiftedSimilarity: 0.28,
            bendingMM: 0.2, overlap: 1, smallestJacobian: 0.8, isSameModality: false, isFocusInView: true)
        #expect(RegistrationQuality(evidence).status == .fail)
        evidence.sharedFrame = .unconfirmed(awayMM: 5)
        let quality = RegistrationQuality(evidence)
        #expect(quality.status == .doubtful && quality.expectedErrorMM > 5)
        #expect(quality.reasons.contains { $0.contains("fit best 5.0 mm away") })
        evidence.sharedFrame = .refuted
        #expect(RegistrationQuality(evidence).status == .fail)
    }
}
