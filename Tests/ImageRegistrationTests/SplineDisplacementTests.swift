import Foundation
import ImagingCore
import Testing

@testable import ImageRegistration

@Suite struct SplineDisplacementTests {
    static let grid = try! GridGeometry(size: GridSize(19, 14, 11), spacing: SIMD3(4, 4.5, 5), origin: PatientPoint(-30, 12, 7))
    static let lattice = BSplineLattice(grid: grid, controlSpacingMM: 17)

    private func pseudorandom(_ count: Int, seed: Double) -> [SIMD4<Float>] {
        (0..<count).map { n in
            let t = Double(n) + seed
            return SIMD4(Float(sin(12.9898 * t)), Float(sin(78.233 * t)), Float(sin(37.719 * t)), 0)
        }
    }
    private func dot(_ a: [SIMD4<Float>], _ b: [SIMD4<Float>]) -> Double { zip(a, b).reduce(0) { $0 + Double(($1.0 * $1.1).sum()) } }

    @Test func gatheringIsTheTransposeOfSpreading() {
        let controls = pseudorandom(Self.lattice.controlCount, seed: 1), vectors = pseudorandom(Self.grid.size.voxelCount, seed: 7)
        let (a, b) = (dot(Self.lattice.dense(controls), vectors), dot(controls, Self.lattice.gathered(vectors)))
        #expect(abs(a - b) < 1e-3 * max(1, abs(a)))
    }

    /// Cubic splines reproduce linear functions of the controls' places.
    @Test func linearControlsMakeALinearDisplacementThatDoesNotBend() {
        let counts = Self.lattice.counts
        let controls = (0..<Self.lattice.controlCount).map { offset -> SIMD4<Float> in
            let at = counts.index(atOffset: offset)
            // The first control lies one spacing before the grid.
            let mm = SIMD3(Double(at.i - 1), Double(at.j - 1), Double(at.k - 1)) * 17
            return SIMD4(Float(1 + 0.1 * mm.x - 0.05 * mm.y), Float(0.02 * mm.z), Float(-3 + 0.03 * mm.y), 0)
        }
        let dense = Self.lattice.dense(controls)
        for offset in stride(from: 0, to: dense.count, by: 37) {
            let at = Self.grid.size.index(atOffset: offset)
            let mm = SIMD3(Double(at.i), Double(at.j), Double(at.k)) * Self.grid.spacing
            #expect(abs(Double(dense[offset].x) - (1 + 0.1 * mm.x - 0.05 * mm.y)) < 1e-4)
            #expect(abs(Double(dense[offset].z) - (-3 + 0.03 * mm.y)) < 1e-4)
        }
        #expect(BendingEnergy(counts: counts).applied(to: controls).energy < 1e-6)
    }

    @Test func bendingIsASymmetricPositiveForm() {
        let bending = BendingEnergy(counts: Self.lattice.counts)
        let (a, b) = (pseudorandom(Self.lattice.controlCount, seed: 3), pseudorandom(Self.lattice.controlCount, seed: 11))
        let (ofA, ofB) = (bending.applied(to: a), bending.applied(to: b))
        #expect(abs(dot(ofA.product, b) - dot(a, ofB.product)) < 1e-2)
        #expect(ofA.energy > 0)
        #expect(abs(dot(ofA.product, a) - ofA.energy) < 1e-3 * ofA.energy)
    }

    private func field(_ displacement: (SIMD3<Double>) -> SIMD3<Double>) -> DisplacementField {
        DisplacementField(grid: Self.grid, vectors: (0..<Self.grid.size.voxelCount).map { offset in
            SIMD4(SIMD3<Float>(displacement(Self.grid.point(Self.grid.size.index(atOffset: offset)).lps)), 0)
        })
    }

    @Test func jacobianOfALinearFieldIsItsDeterminantAndFoldsAreNegative() {
        // x → 1.2 x + 0.1 y, y → 0.9 y, z → z: determinant 1.2 × 0.9.
        #expect(abs(field { SIMD3(0.2 * $0.x + 0.1 * $0.y, -0.1 * $0.y, 0) }.smallestJacobian() - 1.08) < 1e-4)
        #expect(field { SIMD3($0.x > 0 ? -8.0 : 0, 0, 0) }.smallestJacobian() < 0)
    }

    @Test func displacementsAreLinearBetweenVoxelsAndContinueOutside() {
        let ramp = field { SIMD3(0.1 * $0.x, 0, 0.05 * $0.z) }
        let inside = ramp.displacement(at: PatientPoint(3.3, 30, 21.7))
        #expect(abs(inside.x - 0.33) < 1e-5 && abs(inside.z - 1.085) < 1e-5)
        #expect(abs(ramp.displacement(at: PatientPoint(500, 30, 21.7)).x - 0.1 * (-30 + 18 * 4)) < 1e-5)
    }

    @Test func aTurnWithinABallIsFoundAndTheBallKeepsItsShape() throws {
        let center = Self.grid.center
        let turn = AffineTransform(
            rotation: .rotation(about: PatientVector(1, 2, -1), radians: 0.2), about: center, translation: PatientVector(3, -2, 5))
        // The turn, and a stretch whose best rigid motion is none.
        let stretched = field { p in
            let q = p - center.lps
            return turn(PatientPoint(p)).lps - p + turn.matrix * (SIMD3(0.08, -0.04, -0.04) * q)
        }
        let found = try #require(stretched.rigidMotion(around: center, radiusMM: 15))
        #expect(found(center).distance(to: turn(center)) < 0.1)
        #expect((found.matrix * SIMD3(1, 0, 0) - turn.matrix * SIMD3(1, 0, 0)).max() < 0.01)

        let rigid = stretched.madeRigid(around: center, radiusMM: 10)
        for (a, b) in [(PatientVector(9, 0, 0), PatientVector(-8, 0, 1)), (PatientVector(0, 0, 10), PatientVector(0, 2, -9))] {
            let (p, q) = (center + a, center + b)
            #expect(abs(rigid(p).distance(to: rigid(q)) - p.distance(to: q)) < 1e-3)
            #expect(abs(stretched(p).distance(to: stretched(q)) - p.distance(to: q)) > 0.2)
        }
        // Beyond the blend nothing has changed.
        let far = Self.grid.point(VoxelIndex(0, 0, 0))
        #expect(rigid(far).distance(to: stretched(far)) < 1e-5)
    }

    /// Of an affine motion the determinant; a shift and a turn change nothing.
    @Test func volumeChangeIsThatOfTheBall() {
        let ball = RegistrationFocus(center: PatientPoint(5, -3, 20), radiusMM: 12)
        let stretched = AffineTransform(
            matrix: Matrix3(columns: SIMD3(1.1, 0, 0), SIMD3(0.2, 0.9, 0), SIMD3(0, 0, 1)), translation: PatientVector(40, 0, 0))
        #expect(abs(stretched.volumeChange(of: ball) - -0.01) < 1e-9)
        let turned = AffineTransform(
            rotation: .rotation(about: PatientVector(1, 2, 0), radians: 0.4), about: ball.center, translation: PatientVector(9, 9, 9))
        #expect(abs(turned.volumeChange(of: ball)) < 1e-9)
    }
}
