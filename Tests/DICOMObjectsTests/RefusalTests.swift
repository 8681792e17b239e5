import Foundation
import ImagingCore
import Testing
@testable import DICOMObjects

/// What is not a CT or MR image never loads as one, whatever it calls itself.
@Suite struct RefusalTests {
    private func entries(
        _ series: SyntheticSeries = SyntheticSeries(), _ edit: @escaping (inout [DICOMTag: DICOMBytes.Value]) -> Void
    ) throws -> [SeriesEntry] {
        var series = series
        series.edit = { edit(&$1) }
        return try series.scanned().catalog.series
    }

    private func expectRefusal(_ entries: [SeriesEntry], _ code: String) {
        #expect(entries.map(\.usable) == [false])
        #expect(entries.first?.codes.contains(code) == true)
        #expect(throws: DICOMError.self) { try entries.first?.load() }
    }

    /// PET, Enhanced PET, RT Structure Set, Segmentation, RT Dose, Secondary Capture, Parametric Map.
    @Test(arguments: ["128", "130", "481.3", "66.4", "481.2", "7", "30"])
    func otherObjectsThatCallThemselvesCT(sopClass: String) throws {
        expectRefusal(try entries { $0[.sopClassUID] = .text("UI", "1.2.840.10008.5.1.4.1.1.\(sopClass)") }, "modality-mismatch")
    }

    @Test(arguments: ["PT", "MR", "SEG", "OT"])
    func ctImagesThatCallThemselvesSomethingElse(modality: String) throws {
        expectRefusal(try entries { $0[.modality] = .text("CS", modality) }, "modality-mismatch")
    }

    @Test(arguments: [DICOMTag(rawValue: 0x0054_1001), DICOMTag(rawValue: 0x0054_1102)])
    func petUnderTheNameOfCT(tag: DICOMTag) throws {
        expectRefusal(try entries { $0[tag] = .text("CS", "BQML") }, "modality-mismatch")
    }

    @Test func petIsListedButNotLoaded() throws {
        expectRefusal(try entries {
            $0[.sopClassUID] = .text("UI", "1.2.840.10008.5.1.4.1.1.128")
            $0[.modality] = .text("CS", "PT")
        }, "not-ct-or-mr")
    }

    @Test func labelMapThatCallsItselfCT() throws {
        expectRefusal(
            try entries(SyntheticSeries(stored: { $0.x > -8 ? 2 : $0.y > -18 ? 1 : 0 })) { $0[.rescaleIntercept] = .text("DS", "0") },
            "label-map")
    }

    @Test func ctWithoutRescaleIsNoLabelMap() throws {
        let series = try entries(SyntheticSeries(columns: 30, rows: 30)) { $0[.rescaleIntercept] = .text("DS", "0") }
        #expect(series.map(\.usable) == [true])
    }

    @Test func localizersAreSetAside() throws {
        expectRefusal(try entries { $0[.imageType] = .text("CS", "ORIGINAL\\PRIMARY\\LOCALIZER") }, "localizer")
        let series = SyntheticSeries(positions: (0..<7).map { 2.5 * Double($0) }, edit: { slice, attributes in
            guard slice == 6 else { return }
            attributes[.imageType] = .text("CS", "ORIGINAL\\PRIMARY\\LOCALIZER")
            attributes[.imageOrientationPatient] = .text("DS", "1\\0\\0\\0\\0\\-1")
        })
        let mixed = try series.scanned().catalog.series
        #expect(mixed.map(\.usable) == [true, false] && mixed[0].size?.k == 6)
    }

    @Test func colourIsRefused() throws {
        expectRefusal(try entries {
            $0[.samplesPerPixel] = .us([3])
            $0[.photometricInterpretation] = .text("CS", "RGB")
        }, "colour-image")
    }

    @Test func oneBitPixelsAreRefused() throws {
        expectRefusal(try entries { $0[.bitsAllocated] = .us([1]); $0[.bitsStored] = .us([1]); $0[.highBit] = .us([0]) }, "pixel-format")
    }

    @Test func jpeg2000IsRefusedByName() throws {
        let folder = TemporaryFolder()
        let series = SyntheticSeries()
        for slice in series.positions.indices {
            var file = series.file(slice)
            // Same length, so that the meta header stays right.
            let range = file.range(of: Data("1.2.840.10008.1.2.1\0".utf8))!
            file.replaceSubrange(range, with: Data("1.2.840.10008.1.2.4.90".utf8))
            file[range.lowerBound - 2] = 22
            folder.write(file, "\(slice)")
        }
        let entries = try SeriesCatalog.scan(folder.url).series
        expectRefusal(entries, "jpeg-2000")
        #expect(entries[0].findings[0].message.contains("JPEG 2000 Lossless") && !entries[0].findings[0].remedy.isEmpty)
    }
}
