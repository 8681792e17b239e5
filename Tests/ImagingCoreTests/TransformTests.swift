import Testing

@testable import ImagingCore

@Suite struct TransformTests {
    @Test func quarterTurnAboutTheHeadFootAxis() {
        // Right-hand rule about superior: left goes to posterior.
        let turn = AffineTransform(
            rotation: .rotation(about: PatientVector(0, 0, 3), radians: .pi / 2), about: PatientPoint(10, 0, 5),
            translation: PatientVector(0, 0, 2))
        #expect(turn(PatientPoint(13, 0, 5)).distance(to: PatientPoint(10, 3, 7)) < 1e-12)
        #expect(turn.isRigid())
    }

    @Test func inverseUndoesAndFollowedByAppliesInOrder() throws {
        let turn = AffineTransform(
            rotation: .rotation(about: PatientVector(1, 2, -1), radians: 0.7), about: PatientPoint(5, 6, 7),
            translation: PatientVector(1, 2, 3))
        let stretch = AffineTransform(
            matrix: Matrix3(rows: SIMD3(2, 0, 0), SIMD3(0, 1, 0.5), SIMD3(0, 0, 1)), translation: PatientVector(-4, 0, 0))
        let point = PatientPoint(11, -3, 8)
        let inverse = try #require(turn.inverse)
        #expect(inverse(turn(point)).distance(to: point) < 1e-12)
        #expect(turn.followed(by: stretch)(point).distance(to: stretch(turn(point))) < 1e-12)
        #expect(!stretch.isRigid())
        #expect(
            AffineTransform(
                matrix: Matrix3(rows: SIMD3(1, 0, 0), SIMD3(2, 0, 0), SIMD3(0, 0, 1)), translation: PatientVector(0, 0, 0)
            ).inverse == nil)
    }

    @Test func mirroringIsNotRigid() {
        #expect(
            !AffineTransform(
                matrix: Matrix3(rows: SIMD3(-1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)), translation: PatientVector(0, 0, 0)
            ).isRigid())
    }

    @Test func tetrahedronHasItsAreaAndVolume() {
        // Corner tetrahedron with legs 1, 2, 3: volume 1; faces 1, 1.5, 3 and the slanted one √(1 + 2.25 + 9) = 3.5.
        let mesh = TriangleMesh(
            vertices: [PatientPoint(0, 0, 0), PatientPoint(1, 0, 0), PatientPoint(0, 2, 0), PatientPoint(0, 0, 3)],
            triangles: [SIMD3(0, 2, 1), SIMD3(0, 1, 3), SIMD3(0, 3, 2), SIMD3(1, 2, 3)])
        #expect(abs(mesh.enclosedVolume - 1) < 1e-12)
        #expect(abs(mesh.area - 9) < 1e-12)
        #expect(abs(mesh.vertexAreas.reduce(0, +) - 9) < 1e-12)
    }
}
