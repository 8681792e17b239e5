import Foundation
import ImagingCore
import Testing
@testable import DICOMObjects

@Suite struct MultiframeTests {
    struct Frame {
        var z: Double
        var isCoronal = false
        var content: [DICOMTag: DICOMBytes.Value] = [:]
        var slope = "1"
    }

    /// An enhanced CT whose frame at z holds the value 10 z before its slope.
    private func file(_ frames: [Frame], edit: (inout [DICOMTag: DICOMBytes.Value]) -> Void = { _ in }) -> Data {
        var attributes = SyntheticSeries().attributes(0)
        for tag in [
            DICOMTag.imagePositionPatient, .imageOrientationPatient, .pixelSpacing, .rescaleSlope, .rescaleIntercept, .sliceThickness
        ] {
            attributes[tag] = nil
        }
        attributes[.sopClassUID] = .text("UI", "1.2.840.10008.5.1.4.1.1.2.1")
        attributes[.numberOfFrames] = .text("IS", "\(frames.count)")
        attributes[.sharedFunctionalGroupsSequence] = .sequence(
            [[.pixelMeasuresSequence: .sequence([[.pixelSpacing: .text("DS", "0.8\\1.1")]])]])
        attributes[.perFrameFunctionalGroupsSequence] = .sequence(frames.map { frame in
            [
                .planePositionSequence: .sequence(
                    [[.imagePositionPatient: .text("DS", frame.isCoronal ? "5\\\(frame.z)\\7" : "5\\6\\\(frame.z)")]]),
                .planeOrientationSequence: .sequence(
                    [[.imageOrientationPatient: .text("DS", frame.isCoronal ? "1\\0\\0\\0\\0\\-1" : "1\\0\\0\\0\\1\\0")]]),
                .pixelValueTransformationSequence: .sequence(
                    [[.rescaleSlope: .text("DS", frame.slope), .rescaleIntercept: .text("DS", "-1000")]]),
                .frameContentSequence: .sequence([frame.content]),
            ]
        })
        attributes[.pixelData] = .ow(frames.flatMap { frame in [UInt16](repeating: UInt16(10 * frame.z), count: 35) })
        edit(&attributes)
        return DICOMBytes.file(attributes)
    }

    private func entries(_ data: Data) throws -> [SeriesEntry] {
        let folder = TemporaryFolder()
        folder.write(data, "enhanced")
        let entries = try SeriesCatalog.scan(folder.url).series
        for entry in entries where entry.usable {
            let scan = try entry.load()
            for k in 0..<scan.geometry.size.k {
                let point = scan.geometry.point(VoxelIndex(0, 0, k)).lps
                let place = point.y == 6 ? point.z : point.y, value = Double(scan.volume.value(at: VoxelIndex(6, 4, k)))
                #expect(abs(value - (10 * place - 1000)) < 0.01)
            }
        }
        return entries
    }

    @Test func framesAreOrderedByPosition() throws {
        let entry = try entries(file([6, 2, 0, 8, 4].map { Frame(z: $0) }))[0]
        let geometry = try #require(entry.geometry)
        #expect(geometry.size == GridSize(7, 5, 5))
        #expect(close(geometry.spacing, SIMD3(1.1, 0.8, 2)) && close(geometry.origin.lps, SIMD3(5, 6, 0)))
    }

    @Test func stacksAreSeparated() throws {
        let axial = [0.0, 2, 4, 6].map { Frame(z: $0) }, coronal = [0.0, 4, 8].map { Frame(z: $0, isCoronal: true) }
        let byOrientation = try entries(file(axial + coronal))
        #expect(byOrientation.map { $0.size?.k } == [4, 3] && byOrientation.allSatisfy(\.usable))
        let byStack = try entries(file((0..<6).map { n in Frame(z: 2 * Double(n), content: [.stackID: .text("SH", n < 3 ? "1" : "2")]) }))
        #expect(byStack.map { $0.size?.k } == [3, 3])
    }

    @Test func temporalPositionsAreSeparated() throws {
        let frames = (0..<8).map { n in Frame(z: 2 * Double(n / 2), content: [.temporalPositionIndex: .text("IS", "\(1 + n % 2)")]) }
        let parts = try entries(file(frames))
        #expect(parts.map { $0.size?.k } == [4, 4] && parts.allSatisfy { $0.usable && $0.codes.contains("series-split") })
    }

    @Test func framesHaveTheirOwnRescale() throws {
        let folder = TemporaryFolder()
        folder.write(file([Frame(z: 1), Frame(z: 2, slope: "2.5"), Frame(z: 3)]), "enhanced")
        let scan = try SeriesCatalog.scan(folder.url).series[0].load()
        let values: [Float] = (0..<3).map { scan.volume.value(at: VoxelIndex(0, 0, $0)) }
        #expect(values == [-990, -950, -970])
        #expect(scan.instances.map(\.frameNumber) == [1, 2, 3])
    }

    @Test func framesWithoutGeometryAreRefused() throws {
        let entry = try entries(file([0, 1, 2].map { Frame(z: $0) }) {
            $0[.perFrameFunctionalGroupsSequence] = nil
            $0[.sharedFunctionalGroupsSequence] = nil
        })[0]
        #expect(!entry.usable && entry.codes == ["no-geometry"] && entry.size?.k == 3)
    }

    @Test func frameCountThatContradictsTheGroupsIsBroken() throws {
        let folder = TemporaryFolder()
        folder.write(file([0, 1, 2].map { Frame(z: $0) }) { $0[.numberOfFrames] = .text("IS", "2") }, "enhanced")
        let catalog = try SeriesCatalog.scan(folder.url)
        #expect(catalog.series.isEmpty && catalog.findings.map(\.code) == ["broken-file"])
    }
}
