import Foundation
import ImagingCore
import Testing

@testable import ImageFilters

struct SurfaceDistanceTests {
    /// A tetrahedron with corners at the origin and 1 along each axis, scaled by 10.
    private let tetrahedron = TriangleMesh(
        vertices: [PatientPoint(0, 0, 0), PatientPoint(10, 0, 0), PatientPoint(0, 10, 0), PatientPoint(0, 0, 10)],
        triangles: [SIMD3(0, 2, 1), SIMD3(0, 1, 3), SIMD3(0, 3, 2), SIMD3(1, 2, 3)])

    @Test(arguments: [
        (point: PatientPoint(-3, -4, 0), nearest: PatientPoint(0, 0, 0), distance: 5.0),  // a corner
        (point: PatientPoint(5, -2, -2), nearest: PatientPoint(5, 0, 0), distance: 2.8284271),  // an edge
        (point: PatientPoint(2, 3, -7), nearest: PatientPoint(2, 3, 0), distance: 7.0),  // a face
        (point: PatientPoint(10, 10, 10), nearest: PatientPoint(10.0 / 3, 10.0 / 3, 10.0 / 3), distance: 11.5470054),
        (point: PatientPoint(1, 2, 3), nearest: PatientPoint(0, 2, 3), distance: 1.0),  // from inside
    ])
    func nearestPointsOfATetrahedron(point: PatientPoint, nearest: PatientPoint, distance: Double) {
        let hit = SurfaceDistance(tetrahedron).closestPoint(to: point)
        #expect(hit.point.distance(to: nearest) < 1e-4)
        #expect(abs(hit.distanceMM - distance) < 1e-4)
    }

    @Test func agreesWithTryingEveryTriangle() throws {
        let grid = try GridGeometry(size: GridSize(18, 20, 14), spacing: SIMD3(1, 0.9, 1.4), origin: PatientPoint(100, -50, 700))
        let center = grid.center
        let mesh = Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices {
                let d = grid.point(grid.size.index(atOffset: offset)) - center
                let wave: Double = sin(d.lps.x) + 0.7 * cos(1.3 * d.lps.z)
                voxels[offset] = Float(6 - d.length + wave)
            }
        }.isosurface(at: 0)
        let tree = SurfaceDistance(mesh)
        let each = mesh.triangles.indices.map { index in
            SurfaceDistance(TriangleMesh(vertices: mesh.vertices, triangles: [mesh.triangles[index]]))
        }
        let points = (0..<60).map { (n: Int) -> PatientPoint in
            let (a, b, c) = (Double(n % 5), Double(n / 5 % 4), Double(n / 20))
            return center + PatientVector(4 * a - 8, 5 * b - 8, 6 * c - 6.5)
        }
        for (point, serial) in zip(points, tree.serialDistances(to: points)) {
            let expected = each.map { $0.closestPoint(to: point).distanceMM }.min()!
            #expect(abs(tree.closestPoint(to: point).distanceMM - expected) < 1e-4)
            #expect(abs(Double(serial) - expected) < 1e-4)
        }
        #expect(tree.nearest(to: center + PatientVector(0, 0, 60), within: 5) == nil)
    }
}
