import Foundation
import ImagingCore
import Testing
@testable import DICOMObjects

@Suite struct SeriesGeometryTests {
    struct Orientation: CustomTestStringConvertible, Sendable {
        let name: String
        let row, column: SIMD3<Double>
        var testDescription: String { name }
    }
    static let oblique: Orientation = {
        let a = 20 * Double.pi / 180, b = 35 * Double.pi / 180
        return Orientation(name: "oblique", row: SIMD3(cos(a), sin(a), 0), column: SIMD3(-sin(a) * cos(b), cos(a) * cos(b), sin(b)))
    }()
    static let orientations = [
        Orientation(name: "axial", row: SIMD3(1, 0, 0), column: SIMD3(0, 1, 0)),
        Orientation(name: "coronal", row: SIMD3(1, 0, 0), column: SIMD3(0, 0, -1)),
        Orientation(name: "sagittal", row: SIMD3(0, 1, 0), column: SIMD3(0, 0, -1)),
        Orientation(name: "mirrored rows", row: SIMD3(-1, 0, 0), column: SIMD3(0, 1, 0)),
        oblique,
    ]

    /// Stored values are a linear function of patient position, so a voxel tells where it lies.
    @Test(arguments: orientations)
    func everyVoxelLiesWhereItsImageSays(orientation: Orientation) throws {
        for descending in [false, true] {
            var series = SyntheticSeries(row: orientation.row, column: orientation.column)
            if descending { series.positions = series.positions.map { -$0 } }
            let scan = try series.loaded()
            let geometry = scan.geometry
            #expect(geometry.size == GridSize(7, 5, 6))
            #expect(close(geometry.spacing, SIMD3(0.9, 0.7, 2.5)))
            #expect(close(geometry.axes.i.lps, series.row) && close(geometry.axes.j.lps, series.column))
            #expect(close(geometry.axes.k.lps, series.normal), "slices run along rows × columns")
            #expect(geometry.axes.isRightHanded)
            let first = descending ? series.position(of: 5) : series.position(of: 0)
            #expect(close(geometry.origin.lps, first))
            for k in 0..<6 {
                for (i, j) in [(0, 0), (6, 0), (0, 4), (3, 2), (6, 4)] {
                    let expected = SeriesRegularityTests.field(geometry.point(VoxelIndex(i, j, k)).lps)
                    let value = Double(scan.volume.value(at: VoxelIndex(i, j, k)))
                    #expect(abs(value - expected) <= 0.51)
                }
            }
            for (k, instance) in scan.instances.enumerated() {
                #expect(close(instance.position.lps, geometry.point(VoxelIndex(0, 0, k)).lps))
            }
            #expect(scan.instances.first?.sopInstanceUID == "\(series.seriesUID).\(descending ? 6 : 1)")
        }
    }

    @Test func nestingNamesAndForeignFilesDoNotMatter() throws {
        let folder = TemporaryFolder()
        let series = SyntheticSeries()
        for slice in series.positions.indices { folder.write(series.file(slice), "a/\(slice)/deep er/IM") }
        folder.write(Data("notes".utf8), "a/readme.txt")
        folder.write(Data(), "zero.dcm")
        try FileManager.default.createSymbolicLink(at: folder.url.appendingPathComponent("a/loop"), withDestinationURL: folder.url)
        let catalog = try SeriesCatalog.scan(folder.url)
        #expect(catalog.series.count == 1 && catalog.series[0].files.count == 6 && catalog.series[0].usable)
        #expect(catalog.findings.count == 2 && catalog.findings.allSatisfy { $0.code == "not-dicom" })
    }

    @Test func spacingComesFromPositionsAndThicknessIsOnlyMentioned() throws {
        let (_, catalog) = try SyntheticSeries().scanned()
        #expect(catalog.series[0].geometry?.spacing.z == 2.5)
        #expect(catalog.series[0].codes.contains("slices-overlap"))
    }

    @Test func directionsRoundedInTheFileAreMadeOrthonormal() throws {
        let scan = try SyntheticSeries(edit: { _, attributes in
            attributes[.imageOrientationPatient] = .text("DS", "0.9999\\0.0002\\0\\-0.0002\\0.9998\\0")
        }).loaded()
        #expect(abs(scan.geometry.axes.i.length - 1) < 1e-12 && abs(scan.geometry.axes.i.dot(scan.geometry.axes.j)) < 1e-12)
    }

    @Test(arguments: ["1\\0\\0\\1\\0\\0", "0\\0\\0\\0\\0\\0", "1\\0\\0", "1\\0\\0\\0\\1\\x", ""])
    func impossibleOrientationIsRefused(orientation: String) throws {
        let (_, catalog) = try SyntheticSeries(edit: { $1[.imageOrientationPatient] = .text("DS", orientation) }).scanned()
        #expect(catalog.series.map(\.usable) == [false])
        #expect(catalog.series[0].codes == ["no-geometry"])
        let error = #expect(throws: DICOMError.self) { try catalog.series[0].load() }
        #expect(error?.finding.remedy.isEmpty == false)
    }

    @Test func smallJitterOfPositionsIsTakenForRounding() throws {
        let scan = try SyntheticSeries(positions: [0, 2.51, 5, 7.49, 10]).loaded()
        #expect(!scan.isResampled && scan.geometry.spacing.z == 2.5)
    }

    @Test func oneSliceIsNoVolumeAndTwoAreFlagged() throws {
        #expect(try SyntheticSeries(positions: [0]).scanned().catalog.series[0].codes == ["single-slice"])
        let two = try SyntheticSeries(positions: [0, 3]).scanned().catalog.series[0]
        #expect(two.usable && two.codes.contains("few-slices"))
    }
}
