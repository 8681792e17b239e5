import Testing

@testable import ImagingCore

@Suite struct GridGeometryTests {
    @Test func indicesAndPointsAreInverse() throws {
        let axes = try PatientAxes(rowDirection: PatientVector(0.99999, -0.00524, 0), columnDirection: PatientVector(0, 0, -1))
        let grid = try GridGeometry(size: GridSize(256, 256, 30), spacing: SIMD3(1.5625, 1.5625, 8.75), origin: PatientPoint(-197, -80, 201), axes: axes)
        let index = ContinuousIndex(3.25, 200.5, 17)
        #expect((grid.continuousIndex(grid.point(index)).ijk - index.ijk).max() < 1e-9)
    }
}
