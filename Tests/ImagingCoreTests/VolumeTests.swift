import Testing

@testable import ImagingCore

@Suite struct VolumeTests {
    static func grid(_ i: Int, _ j: Int, _ k: Int) -> GridGeometry {
        try! GridGeometry(size: GridSize(i, j, k), spacing: SIMD3(1, 2, 4), origin: PatientPoint(0, 0, 0))
    }
    /// Each voxel holds i + 10 j + 100 k.
    static func counted(_ i: Int, _ j: Int, _ k: Int) -> Volume<Int16> {
        Volume(geometry: grid(i, j, k)) { voxels in
            for offset in voxels.indices {
                let index = GridSize(i, j, k).index(atOffset: offset)
                voxels[offset] = Int16(index.i + 10 * index.j + 100 * index.k)
            }
        }
    }

    @Test func columnsRunFastestThenRowsThenSlices() {
        let volume = Self.counted(3, 4, 5)
        #expect(volume.withUnsafeVoxels { Array($0.prefix(4)) } == [0, 1, 2, 10])
        #expect(volume[VoxelIndex(2, 3, 4)] == 432)
    }

    @Test func changingACopyLeavesTheOriginal() {
        let original = Self.counted(3, 3, 3)
        var copy = original
        copy[VoxelIndex(1, 1, 1)] = -7
        #expect(original[VoxelIndex(1, 1, 1)] == 111 && copy[VoxelIndex(1, 1, 1)] == -7)
    }

    @Test func croppingTakesTheRightVoxels() {
        let crop = Self.counted(6, 6, 6).cropped(2..<4, 1..<3, 5..<6)
        #expect(crop.withUnsafeVoxels(Array.init) == [512, 513, 522, 523])
        #expect(crop.geometry.origin == PatientPoint(2, 2, 20))
    }

    @Test func valueRangePassesOverNaN() {
        var volume = Self.counted(3, 3, 3).converted()
        volume[VoxelIndex(0, 0, 0)] = .nan
        volume[VoxelIndex(2, 0, 0)] = -5
        #expect(volume.valueRange() == -5...222)
    }

    @Test func masksCountMeasureAndBound() throws {
        var mask = Mask(empty: Self.grid(10, 10, 10))
        #expect(mask.isEmpty && mask.boundingBox == nil)
        mask[VoxelIndex(2, 3, 4)] = true
        mask[VoxelIndex(7, 3, 9)] = true
        let box = try #require(mask.boundingBox)
        #expect(mask.count == 2 && mask.volumeML == 0.016)
        #expect(box.i == 2..<8 && box.j == 3..<4 && box.k == 4..<10)
    }

    @Test func levelSetIsInsideWhereItIsNotNegative() {
        let field = Volume<Float>(geometry: Self.grid(3, 1, 1)) { $0[0] = -0.5; $0[1] = 0; $0[2] = 2 }
        #expect(LevelSet(field: field).mask.withUnsafeVoxels(Array.init) == [0, 1, 1])
    }
}
