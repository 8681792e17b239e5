import Crypto
import Foundation
import ImagingCore
import Testing
@testable import DICOMObjects

/// Real series against numbers that were measured with pydicom 3.0.2 and NumPy.
@Suite(.enabled(if: RealData.isThere, Comment(rawValue: RealData.absence)))
struct RealSeriesTests {
    struct Expected: CustomTestStringConvertible, Sendable {
        let folder: String
        let size: GridSize
        let spacing, origin: SIMD3<Double>
        let range: ClosedRange<Double>
        let mean: Double
        /// The value at [k/2, j/2, i/2] counted from the origin.
        let center: Double
        var above300: Int?
        var codes: Set<String> = []
        var testDescription: String { folder }
    }

    static let volumes = [
        Expected(folder: "ct-abdomen-petct", size: GridSize(512, 512, 99), spacing: SIMD3(0.976562, 0.976562, 4.25), origin: SIMD3(-250, -250, -846.25),
                 range: -3024...1288, mean: -1116.866018, center: -84, above300: 7_293_887, codes: ["slices-overlap", "pixel-padding"]),
        Expected(folder: "ct-thorax-petct", size: GridSize(512, 512, 49), spacing: SIMD3(1.3671875, 1.3671875, 4), origin: SIMD3(-349.31640625, -522.31640625, -699),
                 range: -1024...3071, mean: -884.428930, center: 35, above300: 1_238_047),
        Expected(folder: "ct-mr-pet-rtstruct-sarcoma/CT/image", size: GridSize(141, 137, 51), spacing: SIMD3(0.976562, 0.976562, 3.27),
                 origin: SIMD3(110.351378, -56.640724, -272.95), range: -1000...1479, mean: -407.262930, center: 44, above300: 543_213),
        Expected(folder: "ct-mr-pet-rtstruct-sarcoma/MR_T1/image", size: GridSize(77, 79, 28), spacing: SIMD3(0.976562, 0.976562, 3.26996),
                 origin: SIMD3(141.60136, -33.203228, -230.44257), range: 0...1140, mean: 488.860713, center: 293),
        Expected(folder: "mr-liver-coronal", size: GridSize(256, 256, 30), spacing: SIMD3(1.5625, 1.5625, 8.75), origin: SIMD3(-192.08655, -170.734271, 186.846701),
                 range: 0...1382, mean: 262.373301, center: 491, codes: ["slices-gap"]),
        Expected(folder: "ct-seg-liver/ct", size: GridSize(512, 512, 3), spacing: SIMD3(0.810547, 0.810547, 1), origin: SIMD3(-235.199997, -226.800003, -128.690002),
                 range: -3024...1381, mean: -954.883614, center: -92, above300: 343_503),
        Expected(folder: "broken-series/two-slices-only", size: GridSize(256, 256, 2), spacing: SIMD3(1, 1, 1), origin: SIMD3(-102.794158, -161.074673, 130.051254),
                 range: 0...254, mean: 126.847458, center: 177, codes: ["few-slices"]),
        Expected(folder: "enhanced-multiframe/ct-perfusion-2frames", size: GridSize(512, 512, 2), spacing: SIMD3(0.388672, 0.388672, 10),
                 origin: SIMD3(99.5, -301.5, -149), range: -1024...172, mean: -643.961941, center: .nan, codes: ["few-slices"]),
        Expected(folder: "enhanced-multiframe/mr-philips-8frames", size: GridSize(256, 256, 8), spacing: SIMD3(1, 1, 1.2),
                 origin: SIMD3(100.293579, -88.300316, 116.949244), range: 0...(254 * 4.25885225885225), mean: 541.583, center: .nan),
    ]

    @Test(arguments: volumes)
    func loadsAsMeasured(expected: Expected) throws {
        let catalog = try SeriesCatalog.scan(RealData.url(expected.folder))
        try #require(catalog.series.count == 1 && catalog.findings.isEmpty)
        let entry = catalog.series[0]
        let scan = try entry.load()
        let geometry = scan.geometry
        #expect(geometry == entry.geometry)
        #expect(geometry.size == expected.size)
        #expect(close(geometry.spacing, expected.spacing, within: 1e-4))
        #expect(abs(geometry.origin.lps.z - expected.origin.z) < 1e-3 && abs(geometry.origin.lps.x - expected.origin.x) < 1e-3)
        #expect(geometry.axes.isRightHanded)
        #expect(expected.codes.isSubset(of: entry.codes))
        let values = scan.volume.values
        #expect(abs(values.min()! - expected.range.lowerBound) < 1e-3 && abs(values.max()! - expected.range.upperBound) < 1e-3)
        let mean = values.reduce(0, +) / Double(values.count)
        #expect(abs(mean - expected.mean) < (expected.mean == 541.583 ? 1 : 1e-3))
        let center = scan.volume.value(at: VoxelIndex(expected.size.i / 2, expected.size.j / 2, expected.size.k / 2))
        if !expected.center.isNaN { #expect(Double(center) == expected.center) }
        if let above = expected.above300 { #expect(values.count { $0 > -300 } == above) }
    }

    @Test func tiltedHeadWithTwoSpacingsBecomesRightAngled() throws {
        let scan = try SeriesCatalog.scan(RealData.url("ct-head-gantry-tilt")).series[0].load()
        #expect(Set(scan.findings.map(\.code)).isSuperset(of: ["gantry-tilt", "variable-spacing"]))
        #expect(scan.findings.contains { $0.code == "gantry-tilt" && $0.message.contains("18.5°") })
        let geometry = scan.geometry
        #expect(close(geometry.axes.k.lps, SIMD3(0, 0.3173047, 0.9483237), within: 1e-5))
        #expect(abs(Double(geometry.size.k - 1) * geometry.spacing.z - 144.088304) < 1e-3, "from the first slice to the last")
        #expect(abs(geometry.spacing.z - 4.002) < 0.1)
        let values = scan.volume.values
        #expect(values.min() == -1500 && values.max()! <= 2121 && values.max()! > 1900)
        #expect(scan.instances.count == 28)
    }

    @Test(arguments: [
        ("gantry-tilt-4-slices", 1, true, "gantry-tilt"), ("missing-slice", 1, true, "missing-slice"), ("mixed-orientation", 2, true, "series-split"),
        ("duplicate-positions", 2, true, "series-split"),
    ])
    func brokenSeriesAreToldApartAndExplained(folder: String, count: Int, usable: Bool, code: String) throws {
        let entries = try SeriesCatalog.scan(RealData.url("broken-series/\(folder)")).series
        #expect(entries.count == count)
        for entry in entries {
            #expect(entry.usable == usable && entry.codes.contains(code))
            if usable { #expect(try entry.load().geometry == entry.geometry) }
        }
    }

    @Test func fusionStudyOffersCTAndMRAndExplainsTheRest() throws {
        let entries = try SeriesCatalog.scan(RealData.url("ct-mr-pet-rtstruct-sarcoma")).series
        #expect(entries.filter(\.usable).map(\.modality).sorted() == ["CT", "MR"])
        #expect(entries.filter { !$0.usable }.map(\.modality).sorted() == ["PT", "RTSTRUCT", "RTSTRUCT", "RTSTRUCT"])
        #expect(Set(entries.map(\.frameOfReferenceUID)).count <= 2)
    }

    @Test func smallSeriesWithAHoleIsRefusedByPlace() throws {
        let entries = try SeriesCatalog.scan(RealData.url("ct-seg-small")).series
        #expect(entries.allSatisfy { !$0.usable })
        let holed = try #require(entries.first { $0.modality == "CT" && $0.files.count == 4 })
        #expect(holed.findings.contains { $0.code == "missing-slices" && $0.message.contains("202.5 mm") })
    }

    @Test func framesWithoutGeometryAreRefused() throws {
        let entries = try SeriesCatalog.scan(RealData.url("enhanced-multiframe/mr-10frames")).series
        #expect(entries.map(\.usable) == [false] && entries[0].codes == ["no-geometry"])
    }

    // MARK: Transfer syntaxes

    private func decoded(_ name: String) throws -> (file: ImageFile, stored: [Int32]) {
        let folder = RealData.url("transfer-syntaxes")
        let file = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix("_\(name).dcm") })
        let image = try ImageFile(folder.appendingPathComponent(file))
        #expect(image.transferSyntaxUID == name)
        return (image, try FrameReader.storedValues(frame: 0, of: image))
    }

    @Test(arguments: ["", ".1", ".2", ".1.99", ".5", ".4.57", ".4.70", ".4.80"])
    func losslessSyntaxesGiveTheSameStoredValues(syntax: String) throws {
        let stored = try decoded("1.2.840.10008.1.2\(syntax)").stored
        var hash = SHA256()
        stored.map { Int16($0).littleEndian }.withUnsafeBytes { hash.update(bufferPointer: $0) }
        #expect(hash.finalize().map { String(format: "%02x", $0) }.joined() == "1bee432808f49770bbc30d904e3e744082b0ba41704d4943e7de5bcb3e3d72f9")
    }

    /// (syntax, largest and mean difference in HU)
    @Test(arguments: [(".81", 1.01, 1.0), (".51", 35.7, 3.85), (".53", 35.7, 3.85), (".55", 35.7, 3.85), (".50", 64.3, 19.9)])
    func lossySyntaxesStayWithinTheirLoss(syntax: String, largest: Double, mean: Double) throws {
        let exact = try decoded("1.2.840.10008.1.2.1").stored
        let (file, stored) = try decoded("1.2.840.10008.1.2.4\(syntax)")
        let rescale = try #require(file.frames[0].rescale)
        let differences = zip(stored, exact).map { abs(rescale(Int($0)) - Double($1 - 1024)) }
        #expect(differences.max()! <= largest)
        #expect(differences.reduce(0, +) / Double(differences.count) <= mean)
        #expect(differences.max()! > 0)
    }

    @Test(arguments: ["90", "91"])
    func jpeg2000IsRefusedByName(syntax: String) throws {
        let folder = RealData.url("transfer-syntaxes")
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".\(syntax).dcm") })
        let entries = try SeriesCatalog.scan(folder.appendingPathComponent(name)).series
        #expect(entries.map(\.usable) == [false])
        #expect(entries[0].findings.contains { $0.code == "jpeg-2000" && $0.message.contains("JPEG 2000") && !$0.remedy.isEmpty })
    }

    @Test(arguments: ["1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"])
    func compressedFilesThatBreakOffAreFindings(syntax: String) throws {
        let folder = TemporaryFolder()
        let whole = try Data(contentsOf: decoded(syntax).file.url)
        let catalog = try SeriesCatalog.scan(folder.write(whole.prefix(60_000), "cut"))
        #expect(catalog.series.isEmpty && catalog.findings.map(\.code) == ["truncated-pixel-data"])
    }

    @Test func oneSliceInManySyntaxesIsOneImageAndSomeOthers() throws {
        let entries = try SeriesCatalog.scan(RealData.url("transfer-syntaxes")).series
        #expect(entries.allSatisfy { !$0.usable })
        #expect(entries.contains { $0.codes.isSuperset(of: ["duplicate-slices", "duplicate-positions"]) })
    }

    // MARK: Broken files

    @Test(arguments: [
        ("MR_truncated.dcm", "truncated-pixel-data"), ("derived-ct-truncated-200000.dcm", "truncated-pixel-data"),
        ("derived-ct-no-pixel-data.dcm", "broken-file"), ("rtplan_truncated.dcm", "broken-file"), ("derived-zero-bytes.dcm", "not-dicom"),
        ("derived-not-dicom.dcm", "not-dicom"), ("no_meta.dcm", "not-dicom"), ("DICOMDIR", "dicomdir"),
    ])
    func brokenFilesAreFindings(name: String, code: String) throws {
        let catalog = try SeriesCatalog.scan(RealData.url("broken-files/\(name)"))
        #expect(catalog.series.isEmpty && catalog.findings.map(\.code) == [code])
    }

    @Test(arguments: [
        ("J2K_pixelrep_mismatch.dcm", "jpeg-2000"), ("JPEG2000-embedded-sequence-delimiter.dcm", "not-ct-or-mr"), ("badVR.dcm", "not-ct-or-mr"),
        ("rtstruct.dcm", "not-ct-or-mr"), ("empty_charset_LEI.dcm", "not-ct-or-mr"), ("emri_small_jpeg_2k_lossless_too_short.dcm", "jpeg-2000"),
        ("MR_small_padded.dcm", "single-slice"), ("ExplVR_BigEndNoMeta.dcm", "not-ct-or-mr"), ("ExplVR_LitEndNoMeta.dcm", "not-ct-or-mr"),
    ])
    func oddFilesAreListedWithAReason(name: String, code: String) throws {
        let catalog = try SeriesCatalog.scan(RealData.url("broken-files/\(name)"))
        #expect(catalog.series.count == 1 && !catalog.series[0].usable && catalog.series[0].codes.contains(code))
    }

    @Test func trailingPaddingDoesNotKeepPixelsFromBeingRead() throws {
        let stored = try FrameReader.storedValues(frame: 0, of: ImageFile(RealData.url("broken-files/MR_small_padded.dcm")))
        #expect(stored.count == 4096 && Set(stored).count > 100)
    }
}
