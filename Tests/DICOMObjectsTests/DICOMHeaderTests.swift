import Foundation
import Testing

@testable import DICOMObjects

@Suite struct DICOMHeaderTests {
    /// The number of files that DCMTK opens; what it finds in them has to be found.
    static func compare(_ folder: URL) throws -> Int {
        var count = 0
        for file in try FolderWalk(folder).files {
            // A file may be broken past the attributes that matter: then only the quick reader makes something of it.
            guard let careful = try? DICOMDataset(contentsOf: file.url, extent: .upToPixelData) else { continue }
            #expect((try? DICOMHeader(contentsOf: file.url)) == DICOMHeader(careful), "\(file.url.lastPathComponent)")
            count += 1
        }
        return count
    }

    /// The quick reader finds what DCMTK finds.
    @Test func samplesAreReadAsByDCMTK() throws {
        let samples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../SampleStudies/liver-ct")
            .standardizedFileURL
        #expect(try Self.compare(samples) > 20)
    }

    @Test(.enabled(if: RealData.isThere, Comment(rawValue: RealData.absence)))
    func realFilesAreReadAsByDCMTK() throws {
        for name in ["derived-not-dicom.dcm", "derived-zero-bytes.dcm"] {
            #expect((try? DICOMHeader(contentsOf: RealData.url("broken-files/\(name)"))) == nil)
        }
        for name in [
            "broken-files", "transfer-syntaxes", "enhanced-multiframe", "ct-seg-small", "ct-mr-pet-rtstruct-sarcoma", "mr-liver-coronal",
            "broken-series",
        ] {
            #expect(try Self.compare(RealData.url(name)) > 0)
        }
    }
}
