import ImagingCore
import Testing

struct SurfaceMeasuresTests {
    /// A tetrahedron on the coordinate axes has its centroid at the mean of its corners, and √(4² + 5²) between its farthest ones.
    @Test func tetrahedron() {
        let corners = [PatientPoint(10, 20, 30), PatientPoint(13, 20, 30), PatientPoint(10, 24, 30), PatientPoint(10, 20, 35)]
        let mesh = TriangleMesh(vertices: corners, triangles: [SIMD3(0, 2, 1), SIMD3(0, 1, 3), SIMD3(0, 3, 2), SIMD3(1, 2, 3)])
        #expect(abs(mesh.enclosedVolume - 10) < 1e-12)
        #expect(mesh.centroid!.distance(to: PatientPoint(10.75, 21, 31.25)) < 1e-12)
        #expect(abs(mesh.longestDiameterMM - 41.0.squareRoot()) < 1e-12)
    }

    @Test func nothingHasNeitherCentreNorDiameter() {
        #expect(TriangleMesh().centroid == nil && TriangleMesh().longestDiameterMM == 0)
    }
}
