import Foundation
import Testing
@testable import DICOMObjects

@Suite struct DICOMDatasetTests {
    static let attributes: [DICOMTag: DICOMBytes.Value] = [
        .specificCharacterSet: .text("CS", "ISO_IR 100"),
        .imageType: .text("CS", "DERIVED\\SECONDARY\\\\AXIAL"),
        .patientName: .latin1("PN", "Müller^Zoë"),
        .rows: .us([513]),
        .pixelPaddingValue: .ss([-2000]),
        .imagePositionPatient: .text("DS", "-12.5\\ +3e1 \\oops"),
        .diffusionBValue: .fd([0.1]),
        .planePositionSequence: .sequence([
            [.imagePositionPatient: .text("DS", "1\\2\\3"), .patientName: .latin1("PN", "Ångström")],
            [.imagePositionPatient: .text("DS", "4\\5\\6")],
        ]),
        .pixelData: .ow([1, 0xABCD]),
    ]

    @Test(arguments: [DICOMBytes.Syntax.implicitLittle, .explicitLittle, .explicitBig])
    func readsEveryKindOfValue(syntax: DICOMBytes.Syntax) throws {
        let folder = TemporaryFolder()
        let dataset = try DICOMDataset(contentsOf: folder.write(DICOMBytes.file(Self.attributes, syntax: syntax), "a"))
        #expect(dataset.transferSyntaxUID == syntax.rawValue)
        #expect(dataset.strings(.imageType) == ["DERIVED", "SECONDARY", "", "AXIAL"])
        #expect(dataset.string(.patientName) == "Müller^Zoë")
        #expect(dataset.integer(.rows) == 513)
        let position = try dataset.numbers(.imagePositionPatient)
        #expect(position[0] == -12.5 && position[1] == 30 && position[2].isNaN)
        #expect(dataset.number(.diffusionBValue) == 0.1)
        #expect(dataset.items(.planePositionSequence).map { try? $0.numbers(.imagePositionPatient) } == [[1, 2, 3], [4, 5, 6]])
        #expect(dataset.item(.planePositionSequence)?.string(.patientName) == "Ångström", "items use the character set of their dataset")
        #expect(try dataset.bytes(.pixelData) == [1, 0, 0xCD, 0xAB])
    }

    @Test func missingAttributesAreNil() throws {
        let folder = TemporaryFolder()
        let dataset = try DICOMDataset(contentsOf: folder.write(DICOMBytes.file(Self.attributes), "a"))
        #expect(dataset.number(.rescaleSlope) == nil)
        #expect(try dataset.numbers(.rescaleSlope) == [])
        #expect(try dataset.bytes(.rescaleSlope) == nil)
        #expect(dataset.string(.rescaleType) == nil)
        #expect(dataset.items(.perFrameFunctionalGroupsSequence).isEmpty)
        #expect(dataset.contains(.rows) && !dataset.contains(.rescaleSlope))
    }

    @Test func headerExtentLeavesPixelsAlone() throws {
        let folder = TemporaryFolder()
        let file = folder.write(DICOMBytes.file(Self.attributes), "a")
        let dataset = try DICOMDataset(contentsOf: file, extent: .upToPixelData)
        #expect(dataset.integer(.rows) == 513)
        #expect(!dataset.contains(.pixelData))
    }

    @Test func otherFilesAreTold() throws {
        let folder = TemporaryFolder()
        #expect(throws: DICOMError.self) { try DICOMDataset(contentsOf: folder.url.appendingPathComponent("none")) }
        for (name, data) in [("empty", Data()), ("text", Data("Dear colleague, please find enclosed".utf8))] {
            let error = #expect(throws: DICOMError.self) { try DICOMDataset(contentsOf: folder.write(data, name)) }
            #expect(error?.finding.code == "not-dicom")
        }
    }

    @Test(.enabled(if: RealData.isThere, Comment(rawValue: RealData.absence)))
    func readsRealStructureSet() throws {
        let folder = RealData.url("ct-mr-pet-rtstruct-sarcoma/CT/mask")
        let name = try FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".dcm") }
        let dataset = try DICOMDataset(contentsOf: folder.appendingPathComponent(try #require(name)))
        #expect(dataset.items(0x3006_0020).map { $0.string(0x3006_0026) } == ["GTV_Mass_CT"])
        let contours = try #require(dataset.item(0x3006_0039)).items(0x3006_0040)
        #expect(contours.count == 19)
        for contour in contours { #expect(try contour.numbers(0x3006_0050).count == 3 * (try #require(contour.integer(0x3006_0046)))) }
    }
}
