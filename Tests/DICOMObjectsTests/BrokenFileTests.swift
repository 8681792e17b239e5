import Foundation
import ImagingCore
import Testing
@testable import DICOMObjects

@Suite struct BrokenFileTests {
    private let folder = TemporaryFolder()

    /// Damages slice 2 of a series, and returns the catalogue of it all.
    private func catalog(
        _ edit: @escaping (inout [DICOMTag: DICOMBytes.Value]) -> Void = { _ in }, _ damage: (Data) -> Data = { $0 }
    ) throws -> SeriesCatalog {
        let series = SyntheticSeries(edit: { if $0 == 2 { edit(&$1) } })
        for slice in series.positions.indices { folder.write(slice == 2 ? damage(series.file(slice)) : series.file(slice), "\(slice)") }
        return try SeriesCatalog.scan(folder.url)
    }

    private func expectTheRestLoads(_ catalog: SeriesCatalog) throws {
        let entry = try #require(catalog.series.first { $0.usable })
        #expect(entry.files.count == 5 && entry.codes.contains("missing-slice"))
        #expect(try entry.load().geometry.size.k == 6)
    }

    @Test func truncatedPixelDataAreAFindingOfFileAndSeries() throws {
        let catalog = try catalog { _ in } _: { $0.dropLast(10) }
        #expect(catalog.findings.map(\.code) == ["truncated-pixel-data"])
        #expect(catalog.series[0].codes.contains("broken-images"))
        try expectTheRestLoads(catalog)
    }

    @Test func missingPixelDataAreAFinding() throws {
        let catalog = try catalog({ $0[.pixelData] = nil })
        #expect(catalog.findings.map(\.code) == ["broken-file"])
        try expectTheRestLoads(catalog)
    }

    @Test func brokenHeaderIsAFinding() throws {
        let catalog = try catalog { _ in } _: { $0.prefix(400) }
        #expect(catalog.findings.map(\.code) == ["broken-file"])
        try expectTheRestLoads(catalog)
    }

    @Test(arguments: [UInt16(65535), 16385, 0])
    func absurdSizesAllocateNothing(rows: UInt16) throws {
        let catalog = try catalog({ $0[.rows] = .us([rows]); $0[.columns] = .us([65535]) })
        #expect(catalog.series.contains { !$0.usable && $0.codes.contains("image-size") })
        try expectTheRestLoads(catalog)
    }

    @Test func sizesBeyondTheFileAreBroken() throws {
        let catalog = try catalog({ $0[.rows] = .us([9000]); $0[.columns] = .us([9000]) })
        #expect(catalog.findings.map(\.code) == ["truncated-pixel-data"])
    }

    @Test(arguments: ["-1", "1000000000000", "1A", "0"])
    func absurdFrameCountsAreBroken(count: String) throws {
        let catalog = try catalog({ $0[.numberOfFrames] = .text("IS", count) })
        #expect(catalog.findings.map(\.code) == ["broken-file"])
        try expectTheRestLoads(catalog)
    }

    @Test func fileThatShrinksBetweenScanAndLoadIsAnError() throws {
        SyntheticSeries().write(to: folder)
        let entry = try SeriesCatalog.scan(folder.url).series[0]
        try Data(contentsOf: entry.files[3]).dropLast(20).write(to: entry.files[3])
        let error = #expect(throws: DICOMError.self) { try entry.load() }
        #expect(error?.finding.code == "truncated-pixel-data")
    }

    @Test func runawayNestingIsBroken() throws {
        func nested(_ depth: Int) -> [DICOMTag: DICOMBytes.Value] {
            (0..<depth).reduce(into: [:]) { item, _ in item = [.planePositionSequence: .sequence([item])] }
        }
        let harmless = try catalog({ $0.merge(nested(20)) { $1 } })
        #expect(harmless.findings.isEmpty && harmless.series[0].files.count == 6)
        let catalog = try catalog({ $0.merge(nested(150)) { $1 } })
        #expect(catalog.findings.map(\.code) == ["broken-file"])
        try expectTheRestLoads(catalog)
    }

    @Test func missingFolderIsAnInputError() {
        let error = #expect(throws: DICOMError.self) { try SeriesCatalog.scan(URL(fileURLWithPath: "/nowhere/at/all")) }
        #expect(error?.category == .inputMissing)
    }

    /// Cuts and changed bytes anywhere: a catalogue comes out, and whatever is usable loads or throws.
    @Test(arguments: [DICOMBytes.Syntax.implicitLittle, .explicitLittle, .explicitBig])
    func damageNeverCrashes(syntax: DICOMBytes.Syntax) throws {
        let series = SyntheticSeries(syntax: syntax, edit: { slice, attributes in
            attributes[.planePositionSequence] = .sequence([[.imagePositionPatient: .text("DS", "1\\2\\3")], [:]])
        })
        series.write(to: folder)
        let whole = series.file(1)
        var random = SplitMix64(state: 20)
        func tryOut(_ data: Data) throws {
            let file = folder.write(data, "damaged")
            let catalog = try SeriesCatalog.scan(file)
            for entry in catalog.series where entry.usable { _ = try? entry.load() }
            if let dataset = try? DICOMDataset(contentsOf: file) {
                for tag in series.attributes(1).keys {
                    _ = dataset.strings(tag)
                    _ = try? dataset.numbers(tag)
                    _ = try? dataset.bytes(tag)
                    _ = dataset.items(tag).map { $0.string(.imagePositionPatient) }
                }
            }
        }
        for length in stride(from: 0, to: whole.count, by: 5) { try tryOut(whole.prefix(length)) }
        for _ in 0..<600 {
            var data = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                data[Int.random(in: 128..<data.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            try tryOut(data)
        }
        // The damaged file among good ones.
        for _ in 0..<20 {
            var data = whole
            data[Int.random(in: 132..<data.count, using: &random)] ^= 0x80
            folder.write(data, "damaged")
            for entry in try SeriesCatalog.scan(folder.url).series where entry.usable { _ = try? entry.load() }
        }
    }
}

/// A small generator with a seed (Steele, Lea & Flood 2014).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
