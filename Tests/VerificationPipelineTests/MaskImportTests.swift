import DICOMObjects
import Foundation
import ImagingCore
import NIfTIFormat
import Testing

@testable import VerificationPipeline

@Suite struct MaskImportTests {
    let folder: URL
    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("icemargin-mask-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private static let realData: URL = {
        if let path = ProcessInfo.processInfo.environment["ICEMARGIN_REAL_DATA"] { return URL(fileURLWithPath: path) }
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return package.deletingLastPathComponent().appendingPathComponent("shared/data/real")
    }()
    private static let hasRealData = FileManager.default.fileExists(atPath: realData.path)
    private static let absence: Comment = "skipped where the real DICOM collection is not there (set ICEMARGIN_REAL_DATA to its folder)"

    private static func grid(
        _ size: GridSize = GridSize(10, 8, 6), spacing: SIMD3<Double> = SIMD3(1, 1, 2), origin: PatientPoint = PatientPoint(0, 0, 0),
        frame: String? = nil
    ) throws -> GridGeometry {
        try GridGeometry(size: size, spacing: spacing, origin: origin, frameOfReferenceUID: frame)
    }

    private func nifti(_ values: [VoxelIndex: Float], grid: GridGeometry) throws -> URL {
        var volume = Volume<Float>(geometry: grid, repeating: 0)
        for (index, value) in values { volume[index] = value }
        let url = folder.appendingPathComponent("mask.nii.gz")
        try NIfTIFile.write(volume, to: url)
        return url
    }

    @Test(arguments: [1, 255, 7] as [Float])
    func anyOneNumberMarksTheInside(value: Float) throws {
        let mask = try ImportedMask.read(.nifti(nifti([VoxelIndex(2, 3, 4): value], grid: Self.grid())))
        guard case .mask(let voxels) = mask.shape else { Issue.record("not a mask"); return }
        #expect(voxels.count == 1 && voxels[VoxelIndex(2, 3, 4)])
    }

    @Test func sharesBetweenZeroAndOneStayShares() throws {
        let mask = try ImportedMask.read(.nifti(nifti(
            [VoxelIndex(1, 1, 1): 0.25, VoxelIndex(2, 1, 1): 0.75, VoxelIndex(3, 1, 1): 1.01], grid: Self.grid())))
        guard case .fraction(let volume) = mask.shape else { Issue.record("not a fraction"); return }
        #expect(volume[VoxelIndex(1, 1, 1)] == 0.25 && volume[VoxelIndex(3, 1, 1)] == 1)
        #expect(mask.mask.count == 2)
    }

    @Test(arguments: [
        ([:], "mask-empty"), ([VoxelIndex(1, 1, 1): 1, VoxelIndex(2, 1, 1): 2], "mask-labels"), ([VoxelIndex(1, 1, 1): 0.4], "mask-empty"),
        ([VoxelIndex(1, 1, 1): -3.5, VoxelIndex(2, 1, 1): 0.5], "mask-values"), ([VoxelIndex(1, 1, 1): 3.5], "mask-values"),
    ] as [([VoxelIndex: Float], String)])
    func whatIsNoMaskIsRefused(values: [VoxelIndex: Float], code: String) throws {
        let url = try nifti(values, grid: Self.grid())
        let error = #expect(throws: MaskError.self) { try ImportedMask.read(.nifti(url)) }
        #expect(error?.finding.code == code)
    }

    /// Values by where a voxel's centre lies.
    private func nifti(_ grid: GridGeometry, _ value: (PatientPoint) -> Double) throws -> MaskSource {
        let volume = Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices { voxels[offset] = Float(value(grid.point(grid.size.index(atOffset: offset)))) }
        }
        let url = folder.appendingPathComponent("distances.nii.gz")
        try NIfTIFile.write(volume, to: url)
        return .nifti(url)
    }

    /// Of a ball that the grid's end may cut off.
    @Test(arguments: [(1.0, 8.0), (-1, 8), (1, 13)])
    func signedDistancesAreTakenWithEitherSignInside(sign: Double, radiusMM: Double) throws {
        let grid = try Self.grid(GridSize(24, 24, 12)), center = PatientPoint(11.3, 11.6, 11.2)
        let mask = try ImportedMask.read(nifti(grid) { sign * (radiusMM - $0.distance(to: center)) })
        guard case .levelSet(let levelSet) = mask.shape else { Issue.record("not a level set"); return }
        let field = levelSet.field
        #expect(abs(Double(field[VoxelIndex(11, 12, 5)]) - (radiusMM - grid.point(VoxelIndex(11, 12, 5)).distance(to: center))) < 1e-4)
        #expect(mask.findings.map(\.code).contains("mask-signed-distances") == (sign < 0))
    }

    @Test(arguments: [("temperature", "mask-values"), ("half-space", "mask-unclear-inside")])
    func valuesThatAreNoDistancesAndDistancesWithoutAnInsideAreRefused(kind: String, code: String) throws {
        let grid = try Self.grid(GridSize(24, 24, 12)), center = PatientPoint(11.3, 11.6, 11.2)
        let source = try nifti(grid) { kind == "temperature" ? 6 * ($0.distance(to: center) - 8) : 11.3 - $0.lps.y }
        let error = #expect(throws: MaskError.self) { try ImportedMask.read(source) }
        #expect(error?.finding.code == code)
    }

    private func box(_ grid: GridGeometry, _ i: Range<Int>, _ j: Range<Int>, _ k: Range<Int>) -> ImportedMask {
        var mask = Mask(empty: grid)
        for k in k { for j in j { for i in i { mask[VoxelIndex(i, j, k)] = true } } }
        return ImportedMask(shape: .mask(mask), name: "box", findings: [])
    }

    @Test func aMaskOfAnotherFrameOfReferenceIsRefusedByName() throws {
        let mask = box(try Self.grid(frame: "1.2.3"), 1..<4, 1..<4, 1..<3)
        let error = #expect(throws: MaskError.self) { try mask.placed(in: Self.grid(frame: "1.2.4")) }
        #expect(error == .otherFrame("box", maskUID: "1.2.3", scanUID: "1.2.4"))
        #expect(error?.finding.message.contains("1.2.3") == true && error?.finding.message.contains("1.2.4") == true)
        #expect(try mask.placed(in: Self.grid(frame: "1.2.3")).findings.isEmpty)
    }

    @Test func aMaskWithoutFrameOfReferenceTakesTheScansAndSaysSo() throws {
        let placed = try box(try Self.grid(), 1..<4, 1..<4, 1..<3).placed(in: Self.grid(frame: "1.2.4"))
        #expect(placed.frameOfReferenceUID == "1.2.4")
        #expect(placed.findings.map(\.code) == ["mask-frame-assumed"])
        #expect(placed.findings.first?.severity == .info)
    }

    @Test func aMaskThatMissesTheScanIsRefusedAndOnePartlyOutsideIsReported() throws {
        let scan = try Self.grid(frame: "1.2.4")
        let away = box(try Self.grid(origin: PatientPoint(500, 0, 0)), 1..<4, 1..<4, 1..<3)
        let error = #expect(throws: MaskError.self) { try away.placed(in: scan) }
        #expect(error?.finding.code == "mask-misses-scan")
        // Columns 8, 9 lie in the scan (its cells end at 9.5), 10 and 11 do not: one half.
        let partly = try box(try Self.grid(origin: PatientPoint(8, 0, 0)), 0..<4, 1..<4, 1..<3).placed(in: scan)
        #expect(partly.findings.map(\.code) == ["mask-frame-assumed", "mask-partly-outside"])
        #expect(partly.findings.last?.message.contains("50.0 %") == true)
    }

    @Test func aFileWithoutOrientationIsNotPutIntoAScan() throws {
        var mask = box(try Self.grid(), 1..<4, 1..<4, 1..<3)
        mask.findings = [Finding(.warning, "nifti-no-orientation", "")]
        #expect(throws: MaskError.noOrientation("box")) { try mask.placed(in: Self.grid()) }
    }

    /// A box of 4 × 3 × 2 voxels of 1 × 1 × 2 mm, seen on grids that are finer, turned, mirrored and shifted by half a voxel.
    @Test func masksKeepTheirPlaceOnAnyGrid() throws {
        let mask = box(try Self.grid(), 2..<6, 2..<5, 2..<4)
        #expect(mask.mask(onto: try Self.grid()).count == 24)
        // Borders at x 1.5 … 5.5, y 1.5 … 4.5, z 3 … 7.
        let fine = mask.mask(
            onto: try Self.grid(GridSize(100, 80, 60), spacing: SIMD3(0.1, 0.1, 0.2), origin: PatientPoint(0.03, 0.03, 0.03)))
        // 48 mm³, of which cutting the interpolated mask at one half takes ½ ln 2 − ¼ of a voxel's face along each of 36 voxel edges.
        #expect(abs(fine.volumeML - (0.048 - (0.5 * log(2) - 0.25) * 36 * 0.002)) < 0.0015)
        #expect(fine[VoxelIndex(16, 25, 25)] && !fine[VoxelIndex(13, 25, 25)])
        let turned = try GridGeometry(
            size: GridSize(12, 20, 16), spacing: SIMD3(1, 0.5, 0.5), origin: PatientPoint(0, 9.75, 7.75),
            axes: PatientAxes(i: PatientVector(0, 0, -1), j: PatientVector(0, -1, 0), k: PatientVector(1, 0, 0)))
        for (index, expected) in [
            (VoxelIndex(3, 13, 8), true), (VoxelIndex(5, 13, 8), false), (VoxelIndex(3, 3, 8), false), (VoxelIndex(3, 13, 13), false)
        ] {
            let point = turned.point(index)
            #expect(mask.mask(onto: turned)[index] == expected, "\(point)")
        }
    }

    @Test func aLevelSetIsCutAtItsSurface() throws {
        let grid = try Self.grid(GridSize(40, 40, 40), spacing: SIMD3(1, 1, 1))
        let center = PatientPoint(19.4, 20.2, 19.9)
        var field = Volume<Float>(geometry: grid, repeating: 0)
        for offset in 0..<grid.size.voxelCount {
            let index = grid.size.index(atOffset: offset)
            field[index] = Float(10 - grid.point(index).distance(to: center))
        }
        let sphere = ImportedMask(shape: .levelSet(LevelSet(field: field)), name: "sphere", findings: [])
        let mask = sphere.mask(onto: try Self.grid(GridSize(80, 80, 80), spacing: SIMD3(0.5, 0.5, 0.5)))
        #expect(abs(mask.volumeML / (4 / 3 * Double.pi) - 1) < 0.01)
    }

    @Test(.enabled(if: hasRealData, absence))
    func aRealSegmentComesOntoItsScanVoxelForVoxel() throws {
        let source = MaskSource.segmentation(Self.realData.appendingPathComponent("ct-seg-liver/seg/liver.dcm"), segment: .label("liver"))
        let catalog = try SeriesCatalog.scan(Self.realData.appendingPathComponent("ct-seg-liver/ct"))
        let scan = try #require(catalog.series.first { $0.usable }).load()
        let liver = try ImportedMask.read(source).placed(in: scan.geometry)
        #expect(liver.mask(onto: scan.geometry).count == 107_098)
        #expect(throws: MaskError.self) { try ImportedMask.read(source).placed(in: scan.geometry.with(frameOfReferenceUID: "1.2")) }
    }

    /// The publisher's own mask on the CT grid holds 8862 voxels. Voxels whose centres lie on a contour count either way.
    @Test(.enabled(if: hasRealData, absence))
    func realContoursFillTheVoxelsThatTheirPublisherFilled() throws {
        let folder = Self.realData.appendingPathComponent("ct-mr-pet-rtstruct-sarcoma")
        let catalog = try SeriesCatalog.scan(folder.appendingPathComponent("CT/image"))
        let scan = try #require(catalog.series.first { $0.usable }).load()
        let tumour = try ImportedMask.read(.structureSet(
            folder.appendingPathComponent("CT/mask/RS.dcm"), roi: "GTV_Mass_CT"
        )).placed(in: scan.geometry)
        #expect(tumour.findings.isEmpty)
        #expect(abs(Double(tumour.mask(onto: scan.geometry).count) / 8862 - 1) < 0.01)
    }
}
