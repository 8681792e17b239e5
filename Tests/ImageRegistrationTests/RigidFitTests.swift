import ImagingCore
import Testing

@testable import ImageRegistration

@Suite struct RigidFitTests {
    static let places = [SIMD3<Double>(10, -20, 400), SIMD3(60, 5, 380), SIMD3(-40, 30, 430), SIMD3(0, 70, 350)]

    /// Any turn, half a turn among them, is found exactly.
    @Test(arguments: [0.2, 1.6, 2.9, .pi])
    func aMotionIsFoundFromItsLandmarks(radians: Double) {
        let motion = AffineTransform(
            rotation: .rotation(about: PatientVector(0.1, -0.3, 1), radians: radians), about: PatientPoint(5, 5, 400),
            translation: PatientVector(12, -30, 88))
        let fit = AffineTransform(fittedTo: Self.places.map { LandmarkPair(fixed: PatientPoint($0), moving: motion(PatientPoint($0))) })
        #expect(fit.isRigid())
        for place in Self.places + [SIMD3(200, 100, 100)] {
            #expect(fit(PatientPoint(place)).distance(to: motion(PatientPoint(place))) < 1e-6)
        }
    }

    /// Two landmarks, or more on a line, leave a turn open: only the shift is taken.
    @Test(arguments: [1, 2, 3])
    func landmarksOnALineGiveAShiftAlone(count: Int) {
        let line = (0..<count).map { SIMD3(10, 20, 30) + Double(40 * $0) * SIMD3(0, 0.6, 0.8) }
        let fit = AffineTransform(rigidlyFrom: line, to: line.map { SIMD3($0.y, -$0.x, $0.z) + 5 })
        #expect(fit.matrix == .identity)
        #expect(AffineTransform(rigidlyFrom: [], to: []) == .identity)
    }

    /// A mirror is no motion: the nearest proper turn is given, as reference implementations of the method do.
    @Test func aMirroredSetStillGivesAProperTurn() {
        let fit = AffineTransform(rigidlyFrom: Self.places, to: Self.places.map { SIMD3(-$0.x, $0.y, $0.z) })
        #expect(fit.isRigid())
    }
}
