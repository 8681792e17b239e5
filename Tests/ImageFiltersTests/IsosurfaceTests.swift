import Foundation
import ImageFilters
import ImagingCore
import Testing

@Suite struct IsosurfaceTests {
    private func sphere(_ geometry: GridGeometry, radius: Double, center: PatientPoint) -> Volume<Float> {
        Volume(geometry) { radius - $0.distance(to: center) }
    }

    /// Whether each directed edge of a triangle is met by exactly one in the opposite direction.
    private func isWatertight(_ mesh: TriangleMesh) -> Bool {
        var balance: [SIMD2<Int32>: Int] = [:]
        for t in mesh.triangles {
            for (a, b) in [(t.x, t.y), (t.y, t.z), (t.z, t.x)] {
                guard a != b else { return false }
                balance[SIMD2(a, b), default: 0] += 1
            }
        }
        return balance.allSatisfy { edge, count in count == 1 && balance[SIMD2(edge.y, edge.x)] == 1 }
    }

    /// Vertices minus edges plus triangles: 2 for each closed surface without handles.
    private func eulerNumber(_ mesh: TriangleMesh) -> Int { mesh.vertices.count - mesh.triangles.count * 3 / 2 + mesh.triangles.count }

    @Test(arguments: [PatientAxes.identity, obliqueAxes(), obliqueAxes(leftHanded: true)])
    func sphereHasItsAreaAndVolume(_ axes: PatientAxes) {
        let geometry = grid(52, 50, 28, spacing: SIMD3(0.9, 0.9, 1.8), origin: PatientPoint(-7, 30, 400), axes: axes)
        let center = geometry.center + PatientVector(0.31, -0.17, 0.43)
        let mesh = sphere(geometry, radius: 17, center: center).isosurface(at: 0)
        #expect(isWatertight(mesh) && eulerNumber(mesh) == 2)
        let volume = 4 / 3 * Double.pi * pow(17, 3), area = 4 * Double.pi * 17 * 17
        #expect(abs(mesh.enclosedVolume / volume - 1) < 0.005)
        #expect(abs(mesh.area / area - 1) < 0.005)
        #expect(mesh.vertices.allSatisfy { abs($0.distance(to: center) - 17) < 0.03 })
    }

    @Test func errorsFallWithTheSquareOfTheSpacing() {
        let errors = [2.0, 1.0].map { spacing in
            let count = Int(40 / spacing)
            let geometry = grid(count, count, count, spacing: SIMD3(repeating: spacing))
            let mesh = sphere(geometry, radius: 15, center: geometry.center + PatientVector(0.2, 0.3, 0.4)).isosurface(at: 0)
            return abs(mesh.enclosedVolume / (4 / 3 * Double.pi * pow(15, 3)) - 1)
        }
        #expect(errors[1] < errors[0] / 3)
    }

    @Test func ellipsoidHasItsVolume() {
        let geometry = grid(60, 40, 30, spacing: SIMD3(1, 1, 1.5))
        let c = geometry.center.lps + SIMD3(0.3, 0.1, 0.2), axes = SIMD3(24.0, 12, 15)
        let field = Volume<Float>(geometry) { point in
            let r = (point.lps - c) / axes
            return 1 - (r * r).sum().squareRoot()
        }
        let mesh = field.isosurface(at: 0)
        #expect(isWatertight(mesh))
        #expect(abs(mesh.enclosedVolume / (4 / 3 * Double.pi * 24 * 12 * 15) - 1) < 0.005)
    }

    @Test func noiseIsWatertight() {
        for seed in 0..<6 as Range<UInt64> {
            let field = Volume<Float>.random(grid(20, 17, 13, spacing: SIMD3(1, 2, 0.5)), seed: seed)
            for level in [0.2, 0.5, 0.8] as [Float] {
                let mesh = field.isosurface(at: level)
                let isClosed = isWatertight(mesh), volume = mesh.enclosedVolume
                #expect(isClosed && volume > 0)
            }
        }
    }

    @Test func rowsLongerThanAWordAreWatertight() {
        for width in [61, 62, 63, 64, 65, 126, 127, 130] {
            let field = Volume<Float>.random(grid(width, 5, 4), seed: UInt64(width))
            let isClosed = isWatertight(field.isosurface(at: 0.5))
            #expect(isClosed, "\(width) columns")
        }
    }

    @Test func everyPatternOfACellIsClosed() {
        for pattern in 0..<256 {
            let geometry = grid(2, 2, 2)
            let field = Volume<Float>(geometry: geometry) { voxels in for c in 0..<8 { voxels[c] = pattern >> c & 1 == 1 ? 1 : -1 } }
            let mesh = field.isosurface(at: 0)
            #expect(isWatertight(mesh), "pattern \(pattern)")
            #expect(pattern == 0 ? mesh.isEmpty : mesh.enclosedVolume > 0)
        }
    }

    @Test func anObjectAtTheGridsEdgeIsClosedAtTheVoxelBorder() {
        let geometry = grid(6, 5, 4, spacing: SIMD3(1, 2, 3))
        let full = Volume<Float>(geometry: geometry, repeating: 1)
        let mesh = full.isosurface(at: 0)
        #expect(isWatertight(mesh) && full.touchesGridEdge(at: 0))
        // The box of all voxels without its bevelled edges.
        #expect(mesh.vertices.map(\.lps.x).min() == -0.5 && mesh.vertices.map(\.lps.z).max() == 10.5)
        #expect(!sphere(grid(20, 20, 20), radius: 5, center: PatientPoint(9, 9, 9)).touchesGridEdge(at: 0))
    }

    @Test func valuesOnTheLevelLeaveNoFlatTriangles() {
        let geometry = grid(21, 21, 21)
        let mesh = sphere(geometry, radius: 8, center: PatientPoint(10, 10, 10)).isosurface(at: 0)
        #expect(isWatertight(mesh))
        #expect(mesh.triangles.indices.allSatisfy { mesh.area(ofTriangle: $0) > 0 })
    }

    @Test func threadsDoNotChangeTheMesh() {
        let field = Volume<Float>.random(grid(40, 30, 20), seed: 1)
        let one = KernelThreads.with(1) { field.isosurface(at: 0.6) }
        let two = KernelThreads.with(2) { field.isosurface(at: 0.6) }
        #expect(one.vertices == two.vertices && one.triangles == two.triangles)
    }
}
