import Foundation
import ImagingCore
import Testing

@testable import NIfTIFormat

@Suite struct NIfTIReadingTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func read(_ file: NIfTIBytes, name: String = "image.nii") throws -> NIfTIImage {
        try NIfTIFile.read(folder.file(name, file.bytes))
    }

    private func values(_ image: NIfTIImage) -> [Float] { image.volume.withUnsafeVoxels { Array($0) } }

    @Test(arguments: [
        (2, "00 FF", [0, 255]), (256, "80 7F", [-128, 127]), (4, "8000 7FFF", [-32768, 32767]), (512, "0001 FFFF", [1, 65535]),
        (8, "FFFFFFFE 00010000", [-2, 65536]), (768, "FFFFFF00 00000003", [4294967040, 3]),
        (1024, "FFFFFFFFFFFFFFFF 0000000000000102", [-1, 258]), (1280, "8000000000000000 0000000000000001", [9223372036854775808, 1]),
        (16, "3FC00000 C2F60000", [1.5, -123]), (64, "3FF8000000000000 C05EC00000000000", [1.5, -123]),
    ] as [(Int16, String, [Float])], [false, true])
    func everyDatatypeReadsInEitherByteOrder(of type: (Int16, String, [Float]), bigEndian: Bool) throws {
        var file = NIfTIBytes(bigEndian: bigEndian, datatype: type.0)
        file.voxels = type.1.split(separator: " ").flatMap { word -> [UInt8] in
            let bytes = stride(from: 0, to: word.count, by: 2).map { UInt8(word.dropFirst($0).prefix(2), radix: 16)! }
            return bigEndian ? bytes : bytes.reversed()
        }
        let image = try read(file)
        #expect(values(image) == type.2)
        #expect(image.datatype.rawValue == type.0)
    }

    @Test(
        arguments: [
            (0.5, -3, [-3, -2.5]), (0, 7, [0, 1]), (-2, 0, [0, -2]), (Float.nan, 0, [0, 1]), (1, 5, [5, 6])
        ] as [(Float, Float, [Float])])
    func slopeAndInterceptApplyUnlessTheSlopeIsZero(slope: Float, intercept: Float, expected: [Float]) throws {
        #expect(values(try read(NIfTIBytes(slope: slope, intercept: intercept))) == expected)
    }

    /// Rows of the sform (RAS) → origin, spacing and columns of the axes in LPS, by hand: negate the first two rows.
    @Test(arguments: [
        ([-2, 0, 0, 10, 0, -3, 0, 20, 0, 0, 4, 30], [-10, -20, 30], [2, 3, 4], [1, 0, 0], [0, 1, 0], [0, 0, 1]),
        ([2, 0, 0, 10, 0, 3, 0, 20, 0, 0, 4, 30], [-10, -20, 30], [2, 3, 4], [-1, 0, 0], [0, -1, 0], [0, 0, 1]),
        ([0, 0, 5, -1, 2, 0, 0, -2, 0, -3, 0, -3], [1, 2, -3], [2, 3, 5], [0, -1, 0], [0, 0, -1], [-1, 0, 0]),
        ([-2, 0, 0, 0, 0, -3, 0, 0, 0, 0, -4, 0], [0, 0, 0], [2, 3, 4], [1, 0, 0], [0, 1, 0], [0, 0, -1]),
        ([1.2, -1.6, 0, 7, 1.6, 1.2, 0, 8, 0, 0, 3, 9], [-7, -8, 9], [2, 2, 3], [-0.6, -0.8, 0], [0.8, -0.6, 0], [0, 0, 1]),
    ] as [([Float], SIMD3<Double>, SIMD3<Double>, SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)])
    func sformGivesTheGridInLPS(
        sform: [Float], origin: SIMD3<Double>, spacing: SIMD3<Double>, i: SIMD3<Double>, j: SIMD3<Double>, k: SIMD3<Double>
    ) throws {
        let geometry = try read(NIfTIBytes(sform: sform)).volume.geometry
        expect(geometry, origin: origin, spacing: spacing, i: i, j: j, k: k)
    }

    /// (b, c, d) and qfac → axes, by hand from nifti1.h: half turns about x, y, z; a quarter turn about z; qfac −1 flips k.
    @Test(arguments: [
        ([0, 0, 0], 1, [-1, 0, 0], [0, -1, 0], [0, 0, 1]),
        ([0, 0, 1], 1, [1, 0, 0], [0, 1, 0], [0, 0, 1]),
        ([1, 0, 0], 1, [-1, 0, 0], [0, 1, 0], [0, 0, -1]),
        ([0, 1, 0], 0, [1, 0, 0], [0, -1, 0], [0, 0, -1]),
        ([0, 0, 0.70710678], -1, [0, -1, 0], [1, 0, 0], [0, 0, -1]),
    ] as [([Float], Float, SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)])
    func qformGivesTheGridInLPS(quaternion: [Float], qfac: Float, i: SIMD3<Double>, j: SIMD3<Double>, k: SIMD3<Double>) throws {
        let file = NIfTIBytes(
            pixdim: [qfac, 2, 3, 4, 0, 0, 0, 0], qformCode: 1, sformCode: 0, quaternion: quaternion, quaternionOffset: [10, 20, 30])
        expect(try read(file).volume.geometry, origin: SIMD3(-10, -20, 30), spacing: SIMD3(2, 3, 4), i: i, j: j, k: k)
    }

    @Test func sformIsPreferredAndADifferingQformIsReported() throws {
        let file = NIfTIBytes(
            pixdim: [1, 2, 2, 2, 0, 0, 0, 0], qformCode: 1, sformCode: 2, quaternionOffset: [50, 0, 0],
            sform: [2, 0, 0, 1, 0, 2, 0, 2, 0, 0, 2, 3])
        let image = try read(file)
        #expect(image.volume.geometry.origin == PatientPoint(-1, -2, 3))
        #expect(image.findings.map(\.code) == ["nifti-forms-differ"])
        #expect(image.findings[0].message.contains("49.13"))  // (50−1, 0−2, 0−3) is 49.13 mm long.
    }

    @Test func sizesThatDifferBetweenSformAndPixdimAreReported() throws {
        #expect(try read(NIfTIBytes(sform: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0])).findings.map(\.code) == ["nifti-spacing-differs"])
    }

    @Test func aFileWithoutOrientationIsAWarning() throws {
        let image = try read(NIfTIBytes(pixdim: [0, 2, 3, 4, 0, 0, 0, 0], sformCode: 0))
        expect(image.volume.geometry, origin: .zero, spacing: SIMD3(2, 3, 4), i: SIMD3(-1, 0, 0), j: SIMD3(0, -1, 0), k: SIMD3(0, 0, 1))
        #expect(image.findings.map(\.code) == ["nifti-no-orientation"])
        #expect(image.findings[0].severity == .warning)
    }

    @Test(arguments: [(1, 1000.0), (3, 0.001), (0, 1), (2 + 8, 1)] as [(UInt8, Double)])
    func unitsBecomeMillimetres(units: UInt8, factor: Double) throws {
        let geometry = try read(NIfTIBytes(units: units, sform: [-1, 0, 0, -2, 0, -1, 0, 0, 0, 0, 1, 5])).volume.geometry
        expect(
            geometry, origin: factor * SIMD3(2, 0, 5), spacing: factor * SIMD3(1, 1, 1), i: SIMD3(1, 0, 0), j: SIMD3(0, 1, 0),
            k: SIMD3(0, 0, 1))
    }

    @Test(
        arguments: [
            ([4, 2, 3, 1, 1, 0, 0, 0], GridSize(2, 3, 1)), ([2, 3, 2, 0, 0, 0, 0, 0], GridSize(3, 2, 1)),
            ([7, 1, 2, 3, 1, 1, 1, 1], GridSize(1, 2, 3))
        ] as [([Int16], GridSize)])
    func singletonDimensionsAreDropped(dimensions: [Int16], size: GridSize) throws {
        #expect(try read(NIfTIBytes(dimensions: dimensions, voxels: [0, 1, 2, 3, 4, 5])).volume.size == size)
    }

    @Test func voxelsRunWithTheFirstAxisFastest() throws {
        let volume = try read(NIfTIBytes(dimensions: [3, 2, 3, 2, 1, 1, 1, 1], voxels: Array(0..<12))).volume
        #expect(volume[VoxelIndex(1, 0, 0)] == 1)
        #expect(volume[VoxelIndex(0, 1, 0)] == 2)
        #expect(volume[VoxelIndex(0, 0, 1)] == 6)
    }

    @Test func voxelsBeginWhereTheHeaderSays() throws {
        #expect(values(try read(NIfTIBytes(dataOffset: 416, voxels: [7, 9]))) == [7, 9])
    }

    @Test func aHeaderAndImagePairReadsFromEitherName() throws {
        var file = NIfTIBytes(dataOffset: 0, magic: "ni1")
        file.voxels = [5, 6]
        let header = try folder.file("pair.hdr", file.header)
        let image = try folder.file("pair.img", file.voxels)
        #expect(values(try NIfTIFile.read(header)) == [5, 6])
        #expect(values(try NIfTIFile.read(image)) == [5, 6])
    }

    @Test func voxelsThatAreNotANumberReadAsZeroWithAWarning() throws {
        let image = try read(NIfTIBytes(datatype: 16, voxels: [0, 0, 0xC0, 0x7F, 0, 0, 0x80, 0x3F]))
        #expect(values(image) == [0, 1])
        #expect(image.findings.map(\.code) == ["nifti-not-a-number"])
    }

    /// Written by SimpleITK 2.5: direction (0.6, −0.8, 0; 0.8, 0.6, 0; 0, 0, −1), left-handed.
    @Test func readsWhatSimpleITKWrites() throws {
        let base64 = """
            H4sIAAAAAAACA4thZCACFDEwAyETEDJCISpgYRAA0w37GRgc7BkYDgCxgwOmORucgWrsoRwuhgEGyP7Q/5kCdLuGIwPDooMMDB8Opqc92zdr5kyQWxtA4rNmSu5PT0v\
            bD+GD1MCAwwGQenSz87QN4bYwAcOOhYGVgY2BnYGDgRPocW4GAKs6tlh4AQAA
            """
        let url = try folder.file("itk.nii.gz", Array(Data(base64Encoded: base64)!))
        let image = try NIfTIFile.read(url)
        expect(
            image.volume.geometry, origin: SIMD3(-10.5, 20.25, -30), spacing: SIMD3(0.75, 1.5, 3), i: SIMD3(0.6, 0.8, 0),
            j: SIMD3(-0.8, 0.6, 0),
            k: SIMD3(0, 0, -1))
        #expect(values(image) == (0..<12).map(Float.init))
        #expect(image.findings.isEmpty)
    }

    /// Written by nibabel 5.4: big endian, float64, qform only, quaternion (0.1, 0.7, −0.5, 0.5), qfac −1, voxels 2 × 1 × 4 mm.
    @Test func readsWhatNibabelWrites() throws {
        let base64 = """
            H4sIAAAAAAACA2NgYIxhIAYwMzAyMAEhIxSiAgcgZNjfAGIwMNiD6AYIjYydN0BoKGBiGGgA9IW9sbHxfpCbgdjRg4HhwAMGBqcTDRQbnadtCKbtH0D4jkL+YEMPQOX\
            tP0BoALfYrruAAQAA
            """
        let url = try folder.file("nib.nii.gz", Array(Data(base64Encoded: base64)!))
        let image = try NIfTIFile.read(url)
        expect(
            image.volume.geometry, origin: SIMD3(-12.5, 7, 100.25), spacing: SIMD3(2, 1, 4), i: SIMD3(0, 0.6, 0.8),
            j: SIMD3(0.8, 0.48, -0.36),
            k: SIMD3(0.6, -0.64, 0.48))
        #expect(values(image) == [0.5, 300_000, -2, 1])
    }
}

func expect(
    _ geometry: GridGeometry, origin: SIMD3<Double>, spacing: SIMD3<Double>, i: SIMD3<Double>, j: SIMD3<Double>, k: SIMD3<Double>,
    tolerance: Double = 1e-6, sourceLocation: SourceLocation = #_sourceLocation
) {
    let found = [geometry.origin.lps, geometry.spacing, geometry.axes.i.lps, geometry.axes.j.lps, geometry.axes.k.lps]
    for ((name, expected), found) in zip([("origin", origin), ("spacing", spacing), ("i", i), ("j", j), ("k", k)], found) {
        let difference = found - expected
        let scale = max(1, expected.max(), -expected.min())
        #expect(
            max(difference.max(), -difference.min()) <= tolerance * scale, "\(name): \(found), expected \(expected)",
            sourceLocation: sourceLocation)
    }
}
