import Foundation
import ImagingCore
import Testing

@testable import NIfTIFormat

@Suite struct NIfTIWritingTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private static func grid(_ axes: PatientAxes = .identity, size: GridSize = GridSize(3, 2, 2)) throws -> GridGeometry {
        try GridGeometry(
            size: size, spacing: SIMD3(0.75, 1.5, 2.5), origin: PatientPoint(-12.5, 30.25, 411), axes: axes, frameOfReferenceUID: "1.2")
    }
    private static func float(_ bytes: Data, _ offset: Int) -> Float {
        Float(bitPattern: bytes[offset..<offset + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }

    /// Bytes at the offsets of nifti1.h; LPS (−12.5, 30.25, 411) is RAS (12.5, −30.25, 411), and LPS axes are a half turn about z in RAS.
    @Test func headerHoldsTheGridInRAS() throws {
        let url = folder.url.appendingPathComponent("a.nii")
        let volume = Volume<Int16>(geometry: try Self.grid()) { voxels in for n in voxels.indices { voxels[n] = Int16(n) - 2 } }
        try NIfTIFile.write(volume, to: url)
        let bytes = try Data(contentsOf: url)
        #expect(bytes.count == 352 + 24)
        #expect([UInt8](bytes[0..<4]) == [0x5C, 1, 0, 0])
        #expect([UInt8](bytes[40..<48]) == [3, 0, 3, 0, 2, 0, 2, 0])
        #expect([UInt8](bytes[70..<74]) == [4, 0, 16, 0])
        #expect([UInt8](bytes[252..<256]) == [1, 0, 1, 0])
        #expect([UInt8](bytes[344..<352]) == [0x6E, 0x2B, 0x31, 0, 0, 0, 0, 0])
        #expect(stride(from: 76, to: 92, by: 4).map { Self.float(bytes, $0) } == [1, 0.75, 1.5, 2.5])
        #expect(stride(from: 256, to: 280, by: 4).map { Self.float(bytes, $0) } == [0, 0, 1, 12.5, -30.25, 411])
        #expect(stride(from: 280, to: 328, by: 4).map { Self.float(bytes, $0) } == [-0.75, 0, 0, 12.5, 0, -1.5, 0, -30.25, 0, 0, 2.5, 411])
        #expect([UInt8](bytes[352..<358]) == [0xFE, 0xFF, 0xFF, 0xFF, 0, 0])
    }

    static let orientations: [(PatientVector, PatientVector, PatientVector)] = [
        (PatientVector(1, 0, 0), PatientVector(0, 1, 0), PatientVector(0, 0, -1)),
        (PatientVector(0, 0, 1), PatientVector(1, 0, 0), PatientVector(0, 1, 0)),
        (PatientVector(0, 0.6, 0.8), PatientVector(0.8, 0.48, -0.36), PatientVector(0.6, -0.64, 0.48)),
        (PatientVector(0.99999, -0.00447, 0), PatientVector(0.00447, 0.99999, 0), PatientVector(0, 0, 1)),
        (PatientVector(2 / 3.0, 2 / 3.0, 1 / 3.0), PatientVector(-2 / 3.0, 1 / 3.0, 2 / 3.0), PatientVector(1 / 3.0, -2 / 3.0, 2 / 3.0)),
    ]

    /// The two maps in the file, each read on its own, place every corner of a large grid where it was.
    @Test(arguments: orientations, [(1, 0), (0, 1)] as [(UInt8, UInt8)])
    func qformAndSformBothKeepTheGrid(axes: (PatientVector, PatientVector, PatientVector), codes: (UInt8, UInt8)) throws {
        let grid = try Self.grid(PatientAxes(i: axes.0, j: axes.1, k: axes.2), size: GridSize(400, 2, 2))
        let url = folder.url.appendingPathComponent("a.nii")
        try NIfTIFile.write(Volume<UInt8>(geometry: grid, repeating: 1), to: url)
        var bytes = try Data(contentsOf: url)
        (bytes[252], bytes[254]) = codes
        let other = try NIfTIFile.read(folder.file("b.nii", Array(bytes))).volume.geometry
        for (a, b) in zip(grid.cornerPoints, other.cornerPoints) { #expect(a.distance(to: b) < 0.01) }
        #expect(other.axes.isRightHanded == grid.axes.isRightHanded)
    }

    @Test(arguments: ["a.nii", "a.nii.gz"])
    func voxelsSurviveBothWays(name: String) throws {
        let url = folder.url.appendingPathComponent(name)
        let grid = try Self.grid(size: GridSize(61, 43, 37))
        let volume = Volume<Float>(geometry: grid) { voxels in for n in voxels.indices { voxels[n] = Float(n) * 0.37 - 1000 } }
        try NIfTIFile.write(volume, to: url)
        let read = try NIfTIFile.read(url)
        #expect(read.volume.withUnsafeVoxels { Array($0) } == volume.withUnsafeVoxels { Array($0) })
        #expect(read.findings.isEmpty)
        #expect(try Data(contentsOf: url).starts(with: name.hasSuffix("gz") ? [0x1F, 0x8B] : [0x5C, 1]))
    }

    @Test func maskAndLevelSetAreWrittenAsTheyAre() throws {
        let grid = try Self.grid()
        let field = Volume<Float>(geometry: grid) { voxels in for n in voxels.indices { voxels[n] = Float(n) - 5.5 } }
        let url = folder.url.appendingPathComponent("mask.nii.gz")
        try NIfTIFile.write(LevelSet(field: field).mask, to: url)
        let mask = try NIfTIFile.read(url)
        #expect(mask.datatype == .uint8)
        #expect(mask.volume.withUnsafeVoxels { Array($0) } == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
        try NIfTIFile.write(LevelSet(field: field), to: url)
        #expect(try NIfTIFile.read(url).volume[VoxelIndex(2, 1, 1)] == 5.5)
    }

    @Test func writingTwiceGivesTheSameBytesAndLeavesNothingElse() throws {
        let volume = Volume<UInt8>(geometry: try Self.grid(), repeating: 3)
        let url = folder.url.appendingPathComponent("a.nii.gz")
        try NIfTIFile.write(volume, to: url)
        let first = try Data(contentsOf: url)
        try NIfTIFile.write(volume, to: url)
        #expect(try Data(contentsOf: url) == first)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["a.nii.gz"])
    }

    @Test func whatCannotBeWrittenSaysSo() throws {
        let missing = folder.url.appendingPathComponent("no/such/folder/a.nii")
        let volume = Volume<UInt8>(geometry: try Self.grid(), repeating: 3)
        #expect { try NIfTIFile.write(volume, to: missing) } throws: { ($0 as? NIfTIError)?.category == .cannotWrite }
        let long = Volume<UInt8>(geometry: try Self.grid(size: GridSize(40_000, 1, 1)), repeating: 3)
        #expect { try NIfTIFile.write(long, to: folder.url.appendingPathComponent("a.nii")) } throws: {
            ($0 as? NIfTIError)?.category == .cannotWrite
        }
    }
}
