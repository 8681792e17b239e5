import CDCMTK
import Foundation
import ImagingCore

/// Writes a tree of content items as a Comprehensive SR (PS3.3 A.35.3) in the study of a series.
public struct StructuredReportWriter {
    static let sopClassUID = "1.2.840.10008.5.1.4.1.1.88.33"

    let content: ContentItem
    let source: SourceSeries
    let header: ResultHeader

    /// - Parameter content: a container; the images that it refers to become the report's evidence.
    public init(_ content: ContentItem, in source: SourceSeries, header: ResultHeader) {
        (self.content, self.source, self.header) = (content, source, header)
    }

    /// Writes the file and has DCMTK read it as the report that it claims to be. Throws a `DICOMError` when it cannot be written or is not
    /// valid.
    public func write(to file: URL) throws(DICOMError) {
        let composition = try DICOMComposition(
            header, sopClassUID: Self.sopClassUID, modality: "SR", in: source, ownText: content.texts)
        let root = composition.root
        root.setEmpty(.referencedPerformedProcedureStepSequence)
        root.setEmpty(.performedProcedureCodeSequence)
        root.set(.completionFlag, "COMPLETE")
        root.set(.verificationFlag, "UNVERIFIED")
        for scheme in content.privateSchemes.sorted() {
            let item = root.append(to: .codingSchemeIdentificationSequence)
            item.set(.codingSchemeDesignator, scheme)
            item.set(.codingSchemeName, header.software.name)
            item.set(.codingSchemeResponsibleOrganization, header.software.name)
        }
        setEvidence(root)
        Self.set(content, in: root)
        try composition.save(to: file)
        var status = cdcmtk_status()
        guard cdcmtk_report_check(file.path, &status) != 0 else { throw DICOMError(status, file: file) }
    }

    private func setEvidence(_ root: DICOMItem) {
        let images = content.images
        for (study, sequence) in [(true, DICOMTag.currentRequestedProcedureEvidenceSequence), (false, .pertinentOtherEvidenceSequence)] {
            let evidence = images.filter { ($0.studyInstanceUID == source.studyInstanceUID) == study }
            for (uid, images) in evidence.grouped(by: \.studyInstanceUID) {
                let item = root.append(to: sequence)
                for (uid, images) in images.grouped(by: \.seriesInstanceUID) {
                    let series = item.append(to: .referencedSeriesSequence)
                    for (uid, images) in images.grouped(by: \.sopInstanceUID) {
                        _ = series.appendReference(to: .referencedSOPSequence, sopClassUID: images[0].sopClassUID, sopInstanceUID: uid)
                    }
                    series.set(.seriesInstanceUID, uid)
                }
                item.set(.studyInstanceUID, uid)
            }
        }
    }

    private static func set(_ node: ContentItem, in item: DICOMItem) {
        item.set(.conceptNameCodeSequence, node.name)
        switch node.value {
        case .container(let template):
            item.set(.valueType, "CONTAINER")
            item.set(.continuityOfContent, "SEPARATE")
            guard let template else { break }
            let identification = item.append(to: .contentTemplateSequence)
            identification.set(.mappingResource, "DCMR")
            identification.set(.templateIdentifier, template)
        case .text(let text):
            item.set(.valueType, "TEXT")
            item.set(.textValue, text.isEmpty ? "-" : text)
        case .code(let concept):
            item.set(.valueType, "CODE")
            item.set(.conceptCodeSequence, concept)
        case .number(let number, let unit):
            item.set(.valueType, "NUM")
            let value = item.append(to: .measuredValueSequence)
            value.set(.numericValue, number)
            value.set(.measurementUnitsCodeSequence, unit)
        case .uid(let uid):
            item.set(.valueType, "UIDREF")
            item.set(.uidValue, uid)
        case .image(let image):
            item.set(.valueType, "IMAGE")
            let reference = item.appendReference(
                to: .referencedSOPSequence, sopClassUID: image.sopClassUID, sopInstanceUID: image.sopInstanceUID)
            if let frame = image.frame { reference.set(.referencedFrameNumber, frame) }
            if let segment = image.segment { reference.set(.referencedSegmentNumber, segment) }
        }
        for child in node.children {
            let item = item.append(to: .contentSequence)
            item.set(.relationshipType, child.relationship.rawValue)
            set(child, in: item)
        }
    }
}

extension Array {
    /// The elements by a property, in the order in which its values come first.
    fileprivate func grouped<Key: Hashable>(by key: (Element) -> Key) -> [(Key, [Element])] {
        var order: [Key] = [], groups: [Key: [Element]] = [:]
        for element in self {
            if groups[key(element)] == nil { order.append(key(element)) }
            groups[key(element), default: []].append(element)
        }
        return order.map { ($0, groups[$0]!) }
    }
}
