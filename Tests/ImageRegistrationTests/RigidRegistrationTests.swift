import ImagingCore
import Testing

@testable import ImageRegistration
@testable import SyntheticStudies

/// A synthetic study made ready for registration, with its truth.
struct StudyPair {
    let fixed, moving: RegistrationScan
    let focus: RegistrationFocus
    let landmarks: [StudyTruth.Registration.Landmark]

    init(_ options: StudyOptions) throws {
        let study = try SyntheticStudy(options, truthLevel: 3), tumour = study.truth.tumours[0]
        moving = RegistrationScan(study.scans[0].volume, modality: options.modality)
        fixed = RegistrationScan(
            study.scans[1].volume, modality: options.modality, excluded: options.hasIce ? study.mask(of: .ice, inScan: "intraprocedural") : nil)
        focus = RegistrationFocus(center: tumour.seedLPS, radiusMM: tumour.longestDiameterMM / 2)
        landmarks = study.truth.registration.tumourSurface
    }

    /// The mean distance in millimetres at the tumour's surface between where a transform leads and where it should.
    func surfaceError(_ fixedToMoving: some SpatialTransform) -> Double {
        landmarks.map { fixedToMoving($0.intraproceduralLPS).distance(to: $0.planningLPS) }.reduce(0, +) / Double(landmarks.count)
    }
}

@Suite struct RigidRegistrationTests {
    static func options(_ site: StudySite, _ motion: MotionKind, seed: UInt64) -> StudyOptions {
        var options = StudyOptions(site: site, seed: seed)
        (options.motion, options.noise) = (motion, 15)
        (options.motionDegrees, options.motionMM, options.breathingMM) = (12, 45, 8)
        return options
    }

    /// From other frames of reference, 30–45 mm and up to 12° apart, contrast medium in one scan only, probes and ice in the other.
    @Test(arguments: [(StudySite.liver, UInt64(21)), (.kidney, 22), (.lung, 23)])
    func rigidMotionIsFoundFromNothing(site: StudySite, seed: UInt64) throws {
        let pair = try StudyPair(Self.options(site, .rigid, seed: seed))
        #expect(pair.surfaceError(AffineTransform.identity) > 20)
        let found = try RigidRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus)
        #expect(found.fixedToMoving.isRigid())
        #expect(pair.surfaceError(found.fixedToMoving) < 0.6)
        #expect(found.fixedToMoving.followed(by: found.movingToFixed)(pair.focus.center).distance(to: pair.focus.center) < 1e-9)
    }

    @Test func tissueAroundTheFocusDecidesWhereOrgansMoveAgainstTheSpine() throws {
        let pair = try StudyPair(Self.options(.liver, .smooth, seed: 24))
        let focused = try RigidRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus)
        let whole = try RigidRegistration(fixed: pair.fixed, moving: pair.moving)
        #expect(pair.surfaceError(focused.fixedToMoving) < 2.2)
        #expect(pair.surfaceError(focused.fixedToMoving) < pair.surfaceError(whole.fixedToMoving))
    }

    @Test func aHintIsFollowedAndThreadsChangeNoDigit() throws {
        let pair = try StudyPair(Self.options(.kidney, .rigid, seed: 26))
        let one = try KernelThreads.with(1) { try RigidRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus) }
        let three = try KernelThreads.with(3) { try RigidRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus) }
        #expect(one.fixedToMoving == three.fixedToMoving)
        #expect(one.similarity == three.similarity)

        let shift = AffineTransform(matrix: .identity, translation: PatientVector(6, -5, 7))
        let hint = one.fixedToMoving.followed(by: shift)
        let hinted = try RigidRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus, initial: hint)
        #expect(pair.surfaceError(hinted.fixedToMoving) < 0.5)
    }

    @Test func emptyAirHasNothingInCommonWithABody() throws {
        let pair = try StudyPair(Self.options(.liver, .none, seed: 27))
        let air = RegistrationScan(.int16(Volume(geometry: pair.moving.volume.geometry, repeating: -1000)), modality: .ct)
        #expect(throws: RegistrationError.nothingInCommon) { try RigidRegistration(fixed: pair.fixed, moving: air) }
    }
}
