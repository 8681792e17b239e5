import Testing

@testable import ImagingCore

@Suite struct GridGeometryTests {
    static let coronal = try! PatientAxes(rowDirection: PatientVector(0.99999, -0.00524, 0), columnDirection: PatientVector(0, 0, -1))

    @Test(arguments: [
        // Axial: i → left, j → posterior, k → superior; by hand.
        (PatientAxes.identity, ContinuousIndex(10, 20, 3), PatientPoint(-92.5, -85, 115)),
        // Mirrored rows, so that the slices run downwards.
        (
            try! PatientAxes(rowDirection: PatientVector(-1, 0, 0), columnDirection: PatientVector(0, 1, 0)), ContinuousIndex(10, 20, 3),
            PatientPoint(-107.5, -85, 85)),
        (.identity, ContinuousIndex(0.5, -0.5, 0), PatientPoint(-99.625, -100.375, 100)),
    ])
    func indexBecomesPatientPoint(axes: PatientAxes, index: ContinuousIndex, point: PatientPoint) throws {
        let grid = try GridGeometry(
            size: GridSize(64, 64, 8), spacing: SIMD3(0.75, 0.75, 5), origin: PatientPoint(-100, -100, 100), axes: axes)
        #expect(grid.point(index).distance(to: point) < 1e-12)
        #expect((grid.continuousIndex(point).ijk - index.ijk).max() < 1e-12)
        #expect(grid.indexToPatient(PatientPoint(index.ijk)).distance(to: point) < 1e-12)
    }

    @Test func coronalSlicesRunTowardsPosterior() throws {
        // Rows towards the left, columns downwards: left × inferior = posterior, as a nearly coronal scan has it.
        #expect(Self.coronal.k.dot(PatientVector(0, 1, 0)) > 0.9999)
        #expect(Self.coronal.isRightHanded)
    }

    @Test func handednessIsKept() throws {
        let mirrored = try PatientAxes(i: PatientVector(-1, 0, 0), j: PatientVector(0, 1, 0), k: PatientVector(0, 0, 1))
        #expect(!mirrored.isRightHanded)
        #expect(mirrored.k == PatientVector(0, 0, 1))
    }

    @Test(arguments: [
        (GridSize(0, 4, 4), SIMD3(1.0, 1, 1), PatientPoint(0, 0, 0)),
        (GridSize(4, -4, -4), SIMD3(1.0, 1, 1), PatientPoint(0, 0, 0)),
        (GridSize(Int.max, Int.max, 2), SIMD3(1.0, 1, 1), PatientPoint(0, 0, 0)),
        (GridSize(65535, 65535, 4096), SIMD3(1.0, 1, 1), PatientPoint(0, 0, 0)),
        (GridSize(4, 4, 4), SIMD3(1.0, 0, 1), PatientPoint(0, 0, 0)),
        (GridSize(4, 4, 4), SIMD3(1.0, .nan, 1), PatientPoint(0, 0, 0)),
        (GridSize(4, 4, 4), SIMD3(1.0, .infinity, 1), PatientPoint(0, 0, 0)),
        (GridSize(4, 4, 4), SIMD3(1.0, 1, 1), PatientPoint(0, .nan, 0)),
    ])
    func invalidGridsAreRefused(size: GridSize, spacing: SIMD3<Double>, origin: PatientPoint) {
        #expect(throws: GeometryError.self) { try GridGeometry(size: size, spacing: spacing, origin: origin) }
    }

    @Test func axesThatAreNotOrthonormalAreRefused() {
        #expect(throws: GeometryError.self) {
            try PatientAxes(rowDirection: PatientVector(1, 0, 0), columnDirection: PatientVector(0.1, 1, 0))
        }
        #expect(throws: GeometryError.self) {
            try PatientAxes(rowDirection: PatientVector(0, 0, 0), columnDirection: PatientVector(0, 1, 0))
        }
        #expect(throws: GeometryError.self) {
            try PatientAxes(rowDirection: PatientVector(1.01, 0, 0), columnDirection: PatientVector(0, 1, 0))
        }
    }

    @Test func roundingInAFileIsMended() throws {
        let axes = try PatientAxes(rowDirection: PatientVector(0.9999, 0.0002, 0), columnDirection: PatientVector(-0.0004, 1, 0))
        #expect(abs(axes.i.length - 1) < 1e-15 && abs(axes.i.dot(axes.j)) < 1e-15)
    }

    @Test func croppingKeepsVoxelsInPlace() throws {
        let grid = try GridGeometry(
            size: GridSize(40, 50, 60), spacing: SIMD3(0.7, 0.9, 2.5), origin: PatientPoint(3, -7, 11), axes: Self.coronal)
        let crop = grid.cropped(5..<15, 10..<11, 20..<60)
        #expect(crop.size == GridSize(10, 1, 40))
        #expect(crop.point(VoxelIndex(2, 0, 3)).distance(to: grid.point(VoxelIndex(7, 10, 23))) < 1e-12)
    }

    @Test func rangesAroundPointsReachTheMarginAndStayOnTheGrid() throws {
        let grid = try GridGeometry(size: GridSize(100, 100, 20), spacing: SIMD3(1, 1, 5), origin: PatientPoint(0, 0, 0))
        let ranges = try #require(grid.indexRanges(around: [PatientPoint(50, 2, 50)], marginMM: 10))
        #expect(ranges.i == 40..<61 && ranges.j == 0..<13 && ranges.k == 8..<13)
        #expect(grid.indexRanges(around: [PatientPoint(-20, 50, 50)], marginMM: 10) == nil)
    }

    @Test func gridsMeetOnlyInOneFrameOfReference() throws {
        func grid(_ frame: String?, origin: Double = 0) throws -> GridGeometry {
            try GridGeometry(
                size: GridSize(10, 10, 10), spacing: SIMD3(1, 1, 1), origin: PatientPoint(origin, 0, 0), frameOfReferenceUID: frame)
        }
        #expect(throws: GeometryError.framesOfReferenceDiffer("1.2", "1.3")) { try grid("1.2").requireSameFrame(as: grid("1.3")) }
        try grid(nil).requireSameGrid(as: grid("1.3"))
        try grid("1.3").requireSameGrid(as: grid("1.3", origin: 1e-4))
        #expect(throws: GeometryError.self) { try grid("1.3").requireSameGrid(as: grid("1.3", origin: 0.1)) }
    }
}
