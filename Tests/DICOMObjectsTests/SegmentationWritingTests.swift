import Foundation
import ImagingCore
import Testing

@testable import DICOMObjects

/// A series on disk, loaded, for objects that refer to it.
struct LoadedSeries {
    let folder = TemporaryFolder()
    let scan: Scan
    let source: SourceSeries

    init(_ series: SyntheticSeries) throws {
        series.write(to: folder, in: "scan")
        scan = try SeriesCatalog.scan(folder.url.appending(path: "scan")).series[0].load()
        source = try SourceSeries(scan)
    }

    static let header = ResultHeader(
        seriesInstanceUID: "2.25.11", sopInstanceUID: "2.25.12", seriesNumber: 9, seriesDescription: "segments",
        created: Date(timeIntervalSince1970: 1_700_000_000),
        software: .init(name: "Writer", version: "1.2"))

    static func segment(_ label: String, _ mask: Mask) -> SegmentationWriter.Segment {
        .init(
            label: label, category: CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure"),
            type: CodedConcept("108369006", "SCT", "Neoplasm"),
            algorithm: .automatic("test"), colour: CIELabColour(lightness: 50, a: 0, b: 0), trackingID: label, trackingUID: "2.25.13",
            mask: mask)
    }

    /// Writes one segment of the whole grid with a voxel at its very end.
    func writeSegment(_ label: String = "tumour") throws -> URL {
        let file = folder.url.appending(path: "seg.dcm"), size = scan.geometry.size
        var mask = Mask(empty: scan.geometry)
        mask[VoxelIndex(size.i - 1, size.j - 1, size.k - 1)] = true
        try SegmentationWriter([Self.segment(label, mask)], of: source, header: Self.header).write(to: file)
        return file
    }
}

@Suite struct SegmentationWritingTests {
    /// PS3.3 table C.8.20-2: whether segments share voxels; and with what they were made.
    @Test(arguments: [(0, 2, 2, 4, "NO"), (0, 3, 2, 4, "YES"), (1, 3, 0, 4, "YES")])
    func theObjectSaysWhetherSegmentsOverlap(firstFrom: Int, firstTo: Int, secondFrom: Int, secondTo: Int, overlap: String) throws {
        let loaded = try LoadedSeries(SyntheticSeries()), grid = loaded.scan.geometry, file = loaded.folder.url.appending(path: "seg.dcm")
        func columns(_ range: Range<Int>) -> Mask {
            Mask(geometry: grid) { voxels in for offset in voxels.indices { voxels[offset] = range.contains(grid.size.index(atOffset: offset).i) ? 1 : 0 } }
        }
        var first = LoadedSeries.segment("a", columns(firstFrom..<firstTo))
        first.algorithmFamily = CodedConcept("123111", "DCM", "Deformable Models")
        try SegmentationWriter([first, LoadedSeries.segment("b", columns(secondFrom..<secondTo))], of: loaded.source, header: LoadedSeries.header).write(to: file)
        let dataset = try DICOMDataset(contentsOf: file), segments = dataset.items(.segmentSequence)
        #expect(dataset.string(0x0062_0013) == overlap)
        let identification = try #require(segments[0].item(0x0062_0007))
        #expect(identification.item(0x0066_002F)?.string(0x0008_0100) == "123111")
        #expect(identification.string(0x0066_0036) == "test" && identification.string(0x0066_0031) == "1.2")
        #expect(segments[1].item(0x0062_0007) == nil)
    }

    /// Sizes whose frames end inside a byte, with every remainder of eight.
    @Test(arguments: [(8, 8), (7, 5), (17, 13), (5, 2), (11, 1), (3, 4), (3, 7), (23, 2), (3, 5)])
    func framesFollowEachOtherBitByBit(columns: Int, rows: Int) throws {
        var series = SyntheticSeries()
        (series.columns, series.rows) = (columns, rows)
        let loaded = try LoadedSeries(series), grid = loaded.scan.geometry
        func inside(_ segment: Int, _ i: Int, _ j: Int, _ k: Int) -> Bool { (i * 7 + j * 3 + k * 5 + segment) % 4 < 2 }
        let slices = [Array(0..<6), [2, 3]]
        let masks = slices.enumerated().map { segment, slices in
            Mask(geometry: grid) { voxels in
                for offset in voxels.indices {
                    let index = grid.size.index(atOffset: offset)
                    voxels[offset] = slices.contains(index.k) && inside(segment, index.i, index.j, index.k) ? 1 : 0
                }
            }
        }
        let file = loaded.folder.url.appending(path: "seg.dcm")
        // The second on a part of the grid, as objects are that were segmented on a crop.
        try SegmentationWriter(
            [LoadedSeries.segment("a", masks[0]), LoadedSeries.segment("b", masks[1].cropped(0..<columns, 0..<rows, 2..<4))],
            of: loaded.source,
            header: LoadedSeries.header
        ).write(to: file)

        let dataset = try DICOMDataset(contentsOf: file)
        let bytes = try #require(try dataset.bytes(.pixelData))
        let frames = slices[0].map { (0, $0) } + slices[1].map { (1, $0) }
        #expect(bytes.count % 2 == 0 && bytes.count == (frames.count * rows * columns + 15) / 16 * 2)
        for (n, (segment, k)) in frames.enumerated() {
            for j in 0..<rows {
                for i in 0..<columns {
                    let bit = (n * rows + j) * columns + i
                    #expect((bytes[bit / 8] >> (bit % 8) & 1 == 1) == inside(segment, i, j, k), "frame \(n), row \(j), column \(i)")
                }
            }
        }
        #expect(
            dataset.items(.perFrameFunctionalGroupsSequence).map {
                $0.item(.segmentIdentificationSequence)?.integer(.referencedSegmentNumber)
            } == frames.map { $0.0 + 1 })
    }

    @Test func framesLieWhereTheirImagesLieAndNameThem() throws {
        var series = SyntheticSeries()
        (series.row, series.column) = (SIMD3(0.8, 0.6, 0), SIMD3(0, 0, -1))
        let loaded = try LoadedSeries(series)
        let dataset = try DICOMDataset(contentsOf: loaded.writeSegment())
        let frames = dataset.items(.perFrameFunctionalGroupsSequence)
        #expect(frames.count == 1)
        let position = try #require(try frames[0].item(.planePositionSequence)?.numbers(.imagePositionPatient))
        #expect(close(SIMD3(position[0], position[1], position[2]), series.position(of: 5), within: 1e-9))
        let image = try #require(frames[0].item(.derivationImageSequence)?.item(.sourceImageSequence))
        #expect(image.string(.referencedSOPInstanceUID) == "1.2.826.0.1.77.6")
        let shared = try #require(dataset.item(.sharedFunctionalGroupsSequence))
        #expect(try shared.item(.planeOrientationSequence)?.numbers(.imageOrientationPatient) == [0.8, 0.6, 0, 0, 0, -1])
        #expect(try shared.item(.pixelMeasuresSequence)?.numbers(.pixelSpacing) == [0.7, 0.9])
        #expect(shared.item(.pixelMeasuresSequence)?.number(.spacingBetweenSlices) == 2.5)
        #expect(dataset.string(.frameOfReferenceUID) == "1.2.826.0.1.6" && dataset.string(.studyInstanceUID) == "1.2.826.0.1.5")
        #expect(dataset.item(.referencedSeriesSequence)?.string(.seriesInstanceUID) == "1.2.826.0.1.77")
    }

    /// Names as PS3.5 H.3.1, H.3.2 and annexes give them, byte by byte, and the other ends of what is allowed.
    @Test(
        arguments: [
            (
                "\\ISO 2022 IR 87", "Yamada^Tarou=\u{1b}$B;3ED\u{1b}(B^\u{1b}$BB@O:\u{1b}(B=\u{1b}$B$d$^$@\u{1b}(B^\u{1b}$B$?$m$&\u{1b}(B",
                "Yamada^Tarou=山田^太郎=やまだ^たろう"
            ),
            (
                "\\ISO 2022 IR 149",
                "Hong^Gildong=\u{1b}$)C\u{fb}\u{f3}^\u{1b}$)C\u{d1}\u{ce}\u{d4}\u{d7}=\u{1b}$)C\u{c8}\u{ab}^\u{1b}$)C\u{b1}\u{e6}\u{b5}\u{bf}",
                "Hong^Gildong=洪^吉洞=홍^길동"
            ),
            ("ISO_IR 144", "\u{bb}\u{ee}\u{da}ce\u{dc}\u{d1}yp\u{d3}", "Люкceмбypг"),
            ("ISO_IR 192", "Wang^XiaoDong=\u{e7}\u{8e}\u{8b}^\u{e5}\u{b0}\u{8f}\u{e6}\u{9d}\u{b1}", "Wang^XiaoDong=王^小東"),
            ("ISO_IR 100", "Buc^J\u{e9}r\u{f4}me", "Buc^Jérôme"), ("", "", nil),
            ("", String(repeating: "X", count: 64), String(repeating: "X", count: 64)),
            ("", "M\u{fc}ller", "Müller"),
        ] as [(String, String, String?)])
    func patientsKeepTheirBytesAndCharacterSet(characterSet: String, name: String, text: String?) throws {
        var series = SyntheticSeries()
        series.edit = { _, attributes in
            if !characterSet.isEmpty { attributes[.specificCharacterSet] = .text("CS", characterSet) }
            attributes[.patientName] = .latin1("PN", name)
        }
        let loaded = try LoadedSeries(series)
        let dataset = try DICOMDataset(contentsOf: loaded.writeSegment())
        let bytes = name.data(using: .isoLatin1)!
        #expect(try dataset.bytes(.patientName) == Array(bytes) + (bytes.count % 2 == 0 ? [] : [32]))
        #expect(dataset.strings(.specificCharacterSet).joined(separator: "\\") == characterSet)
        #expect(dataset.string(.patientName) == text)
        #expect(dataset.string(.patientID) == "P1")
        #expect(
            dataset.contains(.patientBirthDate) && dataset.contains(.referringPhysicianName) && dataset.string(.patientBirthDate) == nil)
    }

    /// A label in one alphabet for a patient in another: both can only stand in UTF-8.
    @Test(arguments: [
        ("ISO_IR 144", "\u{bb}\u{ee}\u{da}ce\u{dc}\u{d1}yp\u{d3}", "Люкceмбypг"),
        ("\\ISO 2022 IR 87", "\u{1b}$B;3ED\u{1b}(B^\u{1b}$BB@O:\u{1b}(B", "山田^太郎"),
    ])
    func labelsInAnyAlphabetMakeTheObjectUTF8(characterSet: String, name: String, text: String) throws {
        var series = SyntheticSeries()
        series.edit = { _, attributes in
            attributes[.specificCharacterSet] = .text("CS", characterSet)
            attributes[.patientName] = .latin1("PN", name)
        }
        let loaded = try LoadedSeries(series)
        let dataset = try DICOMDataset(contentsOf: loaded.writeSegment("腫瘍"))
        #expect(dataset.string(.specificCharacterSet) == "ISO_IR 192" && dataset.string(.patientName) == text)
        #expect(dataset.item(.segmentSequence)?.string(.segmentLabel) == "腫瘍")
    }

    /// Orange as Little CMS converts it from sRGB to its Lab profile (D50), and the ends of the scales.
    @Test(
        arguments: [(230, 159, 0, 71.4, 20, 75), (255, 255, 255, 100, 0, 0), (0, 0, 0, 0, 0, 0)]
            as [(UInt8, UInt8, UInt8, Double, Double, Double)])
    func coloursAreEncodedAsCIELab(red: UInt8, green: UInt8, blue: UInt8, lightness: Double, a: Double, b: Double) {
        let colour = CIELabColour(red: red, green: green, blue: blue)
        #expect(abs(colour.lightness - lightness) < 0.6 && abs(colour.a - a) < 0.6 && abs(colour.b - b) < 0.6)
        #expect(CIELabColour(lightness: 100, a: 0, b: 127).encoded == [65535, 32896, 65535])
    }

    @Test func aFileThatCannotBeWrittenIsAnError() throws {
        let loaded = try LoadedSeries(SyntheticSeries())
        var mask = Mask(empty: loaded.scan.geometry)
        mask[VoxelIndex(1, 1, 1)] = true
        let writer = SegmentationWriter([LoadedSeries.segment("a", mask)], of: loaded.source, header: LoadedSeries.header)
        let error = #expect(throws: DICOMError.self) { try writer.write(to: loaded.folder.url.appending(path: "nowhere/seg.dcm")) }
        #expect(error?.category == .cannotWrite)
        let full = #expect(throws: DICOMError.self) { try writer.write(to: URL(filePath: "/dev/full")) }
        #expect(full != nil)
    }
}
