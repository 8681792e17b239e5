import ImagingCore
import Testing

@testable import ImageRegistration
@testable import SyntheticStudies

@Suite struct RigidRegistrationTests {
    /// From other frames of reference, 30–45 mm and up to 12° apart, contrast medium in one scan only, probes and ice in the other.
    @Test(arguments: [(StudySite.liver, UInt64(21)), (.kidney, 26), (.lung, 53)])
    func rigidMotionIsFoundFromNothing(site: StudySite, seed: UInt64) throws {
        let pair = try StudyPair.moved(site, .rigid, seed: seed)
        #expect(pair.surfaceError(AffineTransform.identity) > 20)
        let found = try RigidRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus)
        #expect(found.fixedToMoving.isRigid())
        #expect(pair.surfaceError(found.fixedToMoving) < 0.6)
        #expect(found.fixedToMoving.followed(by: found.movingToFixed)(pair.focus.center).distance(to: pair.focus.center) < 1e-9)
    }

    @Test func tissueAroundTheFocusDecidesWhereOrgansMoveAgainstTheSpine() throws {
        let pair = try StudyPair.moved(.liver, .smooth, seed: 52)
        let focused = try RigidRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus)
        let whole = try RigidRegistration(fixed: pair.fixed, moving: pair.moving)
        #expect(pair.surfaceError(focused.fixedToMoving) < 2.2)
        #expect(pair.surfaceError(focused.fixedToMoving) < pair.surfaceError(whole.fixedToMoving))
    }

    @Test func aHintIsFollowedAndThreadsChangeNoDigit() throws {
        let pair = try StudyPair.moved(.kidney, .rigid, seed: 26)
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
        let pair = try StudyPair.still(.kidney, seed: 51)
        let air = RegistrationScan(.int16(Volume(geometry: pair.moving.volume.geometry, repeating: -1000)), modality: .ct)
        #expect(throws: RegistrationError.nothingInCommon) { try RigidRegistration(fixed: pair.fixed, moving: air) }
    }
}
