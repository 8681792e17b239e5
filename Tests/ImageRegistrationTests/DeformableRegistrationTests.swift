import ImagingCore
import Testing

@testable import ImageRegistration
@testable import SyntheticStudies

@Suite struct DeformableRegistrationTests {
    @Test(arguments: [(StudySite.liver, UInt64(52)), (.lung, 32)])
    func organsAreFollowedAndTheTumourKeepsItsShape(site: StudySite, seed: UInt64) throws {
        let pair = try StudyPair.moved(site, .smooth, seed: seed)
        let rigid = try RigidRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus)
        let found = try DeformableRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus, from: rigid.fixedToMoving)
        #expect(pair.surfaceError(found.fixedToMoving) < 1.5)
        #expect(found.smallestJacobian > 0.1)
        #expect(found.similarity > 0.5)

        // The tumour's points keep their distances: a volume that changes by less than 1 % changes them by less than a third of that.
        let points = pair.landmarks.map(\.intraproceduralLPS)
        for (a, b) in zip(points, points.reversed()) where a.distance(to: b) > 5 {
            #expect(abs(found.fixedToMoving(a).distance(to: found.fixedToMoving(b)) / a.distance(to: b) - 1) < 0.003)
        }
        // And the way back leads back.
        for point in points { #expect(found.fixedToMoving.source(of: found.fixedToMoving(point)).distance(to: point) < 0.01) }
    }

    @Test func wholeOrganMotionIsFoundWithoutAGoodStart() throws {
        let pair = try StudyPair.moved(.liver, .smooth, seed: 52)
        let whole = try RigidRegistration(fixed: pair.fixed, moving: pair.moving)
        let one = try KernelThreads.with(1) {
            try DeformableRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus, from: whole.fixedToMoving)
        }
        let three = try KernelThreads.with(3) {
            try DeformableRegistration(fixed: pair.fixed, moving: pair.moving, focus: pair.focus, from: whole.fixedToMoving)
        }
        #expect(pair.surfaceError(one.fixedToMoving) < pair.surfaceError(whole.fixedToMoving))
        #expect(pair.surfaceError(one.fixedToMoving) < 1.5)
        #expect(one.fixedToMoving.displacement.vectors == three.fixedToMoving.displacement.vectors)
    }

    /// Coarse windows of MR and CT make steps too long at times: the search must not swing back and forth, and end worse than it was.
    @Test func aSofterSplineExplainsMore() throws {
        let (ct, mr) = try StudyPair.onBothModalities(.kidney, seed: 7005, turnedDegrees: 11, movedMM: 35, breathingMM: 13)
        let scans = RegistrationPair(fixed: mr.fixed, moving: ct.moving)
        let rigid = try RigidRegistration(scans, focus: ct.focus, initial: nil).fixedToMoving
        let soft = try DeformableRegistration(scans, focus: ct.focus, from: rigid)
        let stiff = try DeformableRegistration(scans, focus: ct.focus, from: rigid, stiffness: 3 * DeformableRegistration.stiffness)
        #expect(soft.similarity > stiff.similarity && mr.surfaceError(soft.fixedToMoving) < 2)
    }
}
