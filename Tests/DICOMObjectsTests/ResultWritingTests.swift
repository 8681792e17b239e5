import Foundation
import ImagingCore
import Testing

@testable import DICOMObjects

@Suite struct StructuredReportWritingTests {
    static let title = CodedConcept("126000", "DCM", "Imaging Measurement Report")
    static let finding = CodedConcept("121071", "DCM", "Finding")
    static let own = CodedConcept("width", "99TEST", "Width")

    static func tree(_ children: [ContentItem]) -> ContentItem { ContentItem(.contains, title, .container(template: "1500"), children) }

    static func image(_ instance: String, series: String = "1.2.826.0.1.77", study: String = "1.2.826.0.1.5", segment: Int? = nil)
        -> ContentItem
    {
        ContentItem(
            .contains, CodedConcept("121112", "DCM", "Source of Measurement"),
            .image(
                .init(
                    sopClassUID: segment == nil ? "1.2.840.10008.5.1.4.1.1.2" : "1.2.840.10008.5.1.4.1.1.66.4", sopInstanceUID: instance,
                    seriesInstanceUID: series,
                    studyInstanceUID: study, segment: segment)))
    }

    @Test func valuesStandWhereTheStandardWantsThem() throws {
        let loaded = try LoadedSeries(SyntheticSeries()), file = loaded.folder.url.appending(path: "sr.dcm")
        let millimetres = CodedConcept("mm", "UCUM", "millimeter")
        let tree = Self.tree([
            ContentItem(
                .contains, Self.own, .number("-12.3456", unit: millimetres),
                [
                    ContentItem(
                        .hasConceptModifier, CodedConcept("121401", "DCM", "Derivation"), .code(CodedConcept("255605001", "SCT", "Minimum"))
                    )
                ]),
            ContentItem(.contains, Self.finding, .text("Gallenblase, 胆嚢")), Self.image("1.2.3", segment: 2),
            ContentItem(.hasObservationContext, CodedConcept("112040", "DCM", "Tracking Unique Identifier"), .uid("2.25.7")),
        ])
        try StructuredReportWriter(tree, in: loaded.source, header: LoadedSeries.header).write(to: file)
        let root = try DICOMDataset(contentsOf: file), items = root.items(.contentSequence)
        #expect(
            root.string(.modality) == "SR" && root.string(.valueType) == "CONTAINER"
                && root.item(.contentTemplateSequence)?.string(.templateIdentifier) == "1500")
        #expect(items.map { $0.string(.valueType) } == ["NUM", "TEXT", "IMAGE", "UIDREF"])
        let value = try #require(items[0].item(.measuredValueSequence))
        #expect(value.string(.numericValue) == "-12.3456" && value.item(.measurementUnitsCodeSequence)?.string(.codeValue) == "mm")
        #expect(items[0].item(.contentSequence)?.item(.conceptCodeSequence)?.string(.codeMeaning) == "Minimum")
        #expect(items[1].string(.textValue) == "Gallenblase, 胆嚢" && root.string(.specificCharacterSet) == "ISO_IR 192")
        #expect(items[2].item(.referencedSOPSequence)?.integer(.referencedSegmentNumber) == 2)
        #expect(items[3].string(.uidValue) == "2.25.7")
        #expect(root.items(.codingSchemeIdentificationSequence).map { $0.string(.codingSchemeDesignator) } == ["99TEST"])
    }

    @Test func whatTheReportRefersToIsItsEvidenceByStudyAndSeries() throws {
        let loaded = try LoadedSeries(SyntheticSeries()), file = loaded.folder.url.appending(path: "sr.dcm")
        let tree = Self.tree([
            Self.image("1.1"), Self.image("1.2"), Self.image("1.1"), Self.image("9.1", series: "9", study: "8"),
            Self.image("2.1", series: "2", segment: 1),
            Self.image("2.1", series: "2", segment: 2),
        ])
        try StructuredReportWriter(tree, in: loaded.source, header: LoadedSeries.header).write(to: file)
        let root = try DICOMDataset(contentsOf: file)
        func evidence(_ tag: DICOMTag) -> [String: [String: [String]]] {
            Dictionary(
                uniqueKeysWithValues: root.items(tag).map { study in
                    (
                        study.string(.studyInstanceUID)!,
                        Dictionary(
                            uniqueKeysWithValues: study.items(.referencedSeriesSequence).map { series in
                                (
                                    series.string(.seriesInstanceUID)!,
                                    series.items(.referencedSOPSequence).map { $0.string(.referencedSOPInstanceUID)! }
                                )
                            })
                    )
                })
        }
        #expect(
            evidence(.currentRequestedProcedureEvidenceSequence) == ["1.2.826.0.1.5": ["1.2.826.0.1.77": ["1.1", "1.2"], "2": ["2.1"]]])
        #expect(evidence(.pertinentOtherEvidenceSequence) == ["8": ["9": ["9.1"]]])
    }

    /// An image cannot be a property of a container.
    @Test func aTreeThatTheStandardForbidsIsRefused() throws {
        let loaded = try LoadedSeries(SyntheticSeries()), file = loaded.folder.url.appending(path: "sr.dcm")
        var image = Self.image("1.1")
        image.relationship = .hasProperties
        let writer = StructuredReportWriter(Self.tree([image]), in: loaded.source, header: LoadedSeries.header)
        #expect(throws: DICOMError.self) { try writer.write(to: file) }
    }
}

@Suite struct SecondaryCaptureWritingTests {
    /// Three by five pixels of three bytes: an odd number.
    @Test func pixelsStayAsTheyAre() throws {
        let loaded = try LoadedSeries(SyntheticSeries()), file = loaded.folder.url.appending(path: "sc.dcm")
        let pixels = (0..<45).map { UInt8(5 * $0) }
        try SecondaryCaptureWriter(width: 3, height: 5, pixels: pixels, caption: "−3.2 mm").write(
            to: file, in: loaded.source, header: LoadedSeries.header)
        let root = try DICOMDataset(contentsOf: file)
        #expect(try root.bytes(.pixelData) == pixels + [0])
        #expect(root.integer(.rows) == 5 && root.integer(.columns) == 3 && root.string(.photometricInterpretation) == "RGB")
        #expect(root.string(.burnedInAnnotation) == "NO" && root.string(.imageComments) == "−3.2 mm")
        #expect(
            root.string(.patientID) == "P1" && root.string(.studyInstanceUID) == "1.2.826.0.1.5"
                && root.string(.seriesInstanceUID) == "2.25.11")
        #expect(root.string(.contentDate) == "20231114" || root.string(.contentDate) == "20231115")  // 2023-11-14T22:13:20Z, in this machine's zone.
    }
}
