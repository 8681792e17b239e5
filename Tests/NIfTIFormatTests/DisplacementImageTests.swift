import Foundation
import ImagingCore
import Testing

@testable import NIfTIFormat

@Suite struct DisplacementImageTests {
    /// Offsets of nifti1.h. SimpleITK 2.5.7 reads such a file as LPS vectors, and its displacement transform moves points by them.
    @Test func vectorsAreADisplacementImageTowardsRightAnteriorSuperior() throws {
        let folder = try TemporaryFolder(), url = folder.url.appendingPathComponent("d.nii")
        let grid = try GridGeometry(size: GridSize(2, 1, 1), spacing: SIMD3(4, 4, 4), origin: PatientPoint(1, 2, 3))
        try NIfTIFile.write(displacements: [SIMD4(1, 2, 3, 0), SIMD4(-4, 5, -6, 0)], on: grid, to: url)
        let bytes = [UInt8](try Data(contentsOf: url))
        func short(_ offset: Int) -> Int { Int(Int16(bitPattern: UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8)) }
        #expect((0..<6).map { short(40 + 2 * $0) } == [5, 2, 1, 1, 1, 3])
        #expect(short(68) == 1006)
        #expect(bytes.count == 352 + 24)
        let values = (0..<6).map { n in Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[352 + 4 * n + $1]) << (8 * $1) }) }
        #expect(values == [-1, 4, -2, -5, 3, -6])
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        let folder = try TemporaryFolder(), url = folder.url.appendingPathComponent("d.nii.gz")
        let axes = try PatientAxes(i: PatientVector(0, 1, 0), j: PatientVector(0, 0, 1), k: PatientVector(1, 0, 0))
        let grid = try GridGeometry(size: GridSize(2, 3, 1), spacing: SIMD3(4, 2, 5), origin: PatientPoint(1, -2, 3), axes: axes)
        let vectors = (0..<6).map { n in SIMD4<Float>(Float(n), -Float(n) / 2, 7, 0) }
        try NIfTIFile.write(displacements: vectors, on: grid, to: url)
        let read = try NIfTIFile.readDisplacements(url)
        #expect(read.vectors == vectors)
        #expect(read.grid.size == grid.size && read.grid.point(VoxelIndex(1, 2, 0)).distance(to: grid.point(VoxelIndex(1, 2, 0))) < 1e-4)
    }

    @Test func anImageOfOneValueIsNoDisplacementField() throws {
        let folder = try TemporaryFolder(), url = folder.url.appendingPathComponent("d.nii")
        let grid = try GridGeometry(size: GridSize(2, 2, 2), spacing: SIMD3(1, 1, 1), origin: PatientPoint(0, 0, 0))
        try NIfTIFile.write(Volume<Float>(zeros: grid), to: url)
        #expect(throws: NIfTIError.notDisplacements(url)) { try NIfTIFile.readDisplacements(url) }
    }
}
