import Foundation
import ImagingCore
import Testing

@testable import NIfTIFormat

@Suite struct BrokenNIfTITests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func code(of bytes: [UInt8], name: String = "image.nii") throws -> String? {
        do {
            _ = try NIfTIFile.read(folder.file(name, bytes))
            return nil
        } catch let error as NIfTIError {
            #expect(!error.finding.remedy.isEmpty)
            return error.finding.code
        }
    }

    @Test(arguments: [
        (NIfTIBytes(headerSize: 347), "nifti-not-nifti"), (NIfTIBytes(headerSize: 540), "nifti-version"),
        (NIfTIBytes(magic: "n+2"), "nifti-not-nifti"),
        (NIfTIBytes(magic: ""), "nifti-version"), (NIfTIBytes(dimensions: [0, 1, 1, 1, 1, 1, 1, 1]), "nifti-dimensions"),
        (NIfTIBytes(dimensions: [8, 1, 1, 1, 1, 1, 1, 1]), "nifti-dimensions"),
        (NIfTIBytes(dimensions: [3, -5, 1, 1, 1, 1, 1, 1]), "nifti-dimensions"),
        (NIfTIBytes(dimensions: [3, 32767, 32767, 32767, 1, 1, 1, 1]), "nifti-dimensions"),
        (NIfTIBytes(dimensions: [3, 1000, 1000, 1000, 1, 1, 1, 1]), "nifti-truncated"),
        (NIfTIBytes(dimensions: [4, 1, 1, 1, 2, 1, 1, 1]), "nifti-not-one-volume"),
        (NIfTIBytes(dimensions: [5, 1, 1, 1, 1, 3, 1, 1]), "nifti-not-one-volume"), (NIfTIBytes(datatype: 128), "nifti-datatype"),
        (NIfTIBytes(dataOffset: .nan), "nifti-offset"), (NIfTIBytes(dataOffset: 100), "nifti-offset"),
        (NIfTIBytes(dataOffset: 1e30), "nifti-offset"),
        (NIfTIBytes(voxels: [0]), "nifti-truncated"), (NIfTIBytes(sform: [1, 0.3, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]), "nifti-sheared"),
        (NIfTIBytes(sform: [1, 0, 0, 0, 0, .nan, 0, 0, 0, 0, 1, 0]), "nifti-orientation"),
        (NIfTIBytes(sform: [Float](repeating: 0, count: 12)), "nifti-orientation"),
        (NIfTIBytes(pixdim: [1, 0, 1, 1, 0, 0, 0, 0], qformCode: 1, sformCode: 0), "nifti-orientation"),
    ] as [(NIfTIBytes, String)])
    func brokenHeadersAreRefusedByName(file: NIfTIBytes, expected: String) throws {
        #expect(try code(of: file.bytes) == expected)
    }

    @Test func whatIsNotAFileOrNotNIfTIIsRefused() throws {
        #expect { try NIfTIFile.read(folder.url.appendingPathComponent("none.nii")) } throws: {
            ($0 as? NIfTIError)?.category == .inputMissing
        }
        #expect { try NIfTIFile.read(folder.url) } throws: { ($0 as? NIfTIError)?.finding.code == "nifti-not-nifti" }
        #expect(try code(of: []) == "nifti-truncated")
        #expect(try code(of: Array("not a NIfTI file at all".utf8)) == "nifti-truncated")
        #expect(try code(of: [UInt8](repeating: 65, count: 4000)) == "nifti-not-nifti")
    }

    @Test func aSingularSformFallsBackToTheQform() throws {
        let file = NIfTIBytes(qformCode: 1, quaternionOffset: [1, 2, 3], sform: [Float](repeating: 0, count: 12))
        let image = try NIfTIFile.read(folder.file("a.nii", file.bytes))
        #expect(image.volume.geometry.origin == PatientPoint(-1, -2, 3))
        #expect(image.findings.map(\.code) == ["nifti-sform-unusable"])
    }

    @Test func cutAndFlippedFilesEndInAnImageOrATypedError() throws {
        let grid = try GridGeometry(size: GridSize(7, 5, 3), spacing: SIMD3(1, 1, 2), origin: PatientPoint(1, 2, 3))
        let volume = Volume<Int16>(geometry: grid) { voxels in for n in voxels.indices { voxels[n] = Int16(n * n) } }
        for name in ["a.nii", "a.nii.gz"] {
            let url = folder.url.appendingPathComponent(name)
            try NIfTIFile.write(volume, to: url)
            let bytes = Array(try Data(contentsOf: url))
            for count in stride(from: 0, to: bytes.count, by: 7) {
                #expect(try code(of: Array(bytes.prefix(count)), name: name) != nil, "cut to \(count) bytes")
            }
            for position in bytes.indices {
                var broken = bytes
                broken[position] ^= 1 << UInt8(position % 8)
                _ = try code(of: broken, name: name)
            }
        }
    }

    @Test func aFlippedBitInCompressedVoxelsIsNoticed() throws {
        let grid = try GridGeometry(size: GridSize(40, 40, 4), spacing: SIMD3(1, 1, 2), origin: PatientPoint(1, 2, 3))
        var state: UInt32 = 1
        let volume = Volume<UInt8>(geometry: grid) { voxels in
            for n in voxels.indices {
                state = state &* 1_664_525 &+ 1_013_904_223
                voxels[n] = UInt8(state >> 24)
            }
        }
        let url = folder.url.appendingPathComponent("a.nii.gz")
        try NIfTIFile.write(volume, to: url)
        var bytes = Array(try Data(contentsOf: url))
        bytes[bytes.count / 2] ^= 4
        #expect(try code(of: bytes, name: "b.nii.gz") == "nifti-corrupt")
    }
}
