import DICOMObjects
import Foundation
import MarginAnalysis

/// A case's numbers as the content of a structured report: TID 1500 “Imaging Measurement Report” (PS3.16).
///
/// Numbers are the same, digit by digit, as in `report.json`. One group (TID 1411) for each tumour and zone, one for the zone that was
/// seen, one (TID 1501) for each structure; the verdict with its reasons, and what to know before relying on it, under Qualitative
/// Evaluations. `ResultConcepts` explains private codes.
public struct MeasurementReport {
    /// What a group of measurements is about, across objects.
    public struct Outline: Sendable {
        public var trackingID, trackingUID: String
        /// The segment that shows it, and the series that was segmented; `nil` where no segmentation shows it.
        public var segment: (reference: ImageReference, sourceSeriesUID: String)?

        public init(trackingID: String, trackingUID: String, segment: (reference: ImageReference, sourceSeriesUID: String)?) {
            (self.trackingID, self.trackingUID, self.segment) = (trackingID, trackingUID, segment)
        }
    }

    let report: CaseReport
    /// The images that the outlines were drawn on.
    let images: [ImageReference]
    let tumours, zones, structures: [String: Outline]
    let zoneVolumeML: Double?
    let deviceUID: String

    /// - Parameters:
    ///   - tumours: by id; `zones` by their name in the report, `structures` by name.
    ///   - zoneVolumeML: of the zone that was seen.
    ///   - deviceUID: stands for this program.
    public init(
        _ report: CaseReport, images: [ImageReference], tumours: [String: Outline], zones: [String: Outline], zoneVolumeML: Double?,
        structures: [String: Outline], deviceUID: String
    ) {
        (self.report, self.images, self.zoneVolumeML, self.deviceUID) = (report, images, zoneVolumeML, deviceUID)
        (self.tumours, self.zones, self.structures) = (tumours, zones, structures)
    }

    /// The whole report's root.
    public var content: ContentItem {
        let library = Self.container(DCM.imageLibraryGroup, images.map { ContentItem(.contains, DCM.sourceImage, .image($0)) })
        let context: [ContentItem] = [
            ContentItem(.hasConceptModifier, DCM.language, .code(CodedConcept("en", "RFC5646", "English"))),
            ContentItem(.hasObservationContext, DCM.observerType, .code(DCM.device)),
            ContentItem(.hasObservationContext, DCM.deviceUID, .uid(deviceUID)),
            ContentItem(.hasObservationContext, DCM.deviceName, .text("IceMargin")),
            ContentItem(.hasObservationContext, DCM.deviceManufacturer, .text("IceMargin")),
            ContentItem(.hasObservationContext, DCM.deviceModel, .text("IceMargin \(report.provenance.version)")),
            ContentItem(.hasConceptModifier, DCM.procedureReported, .code(CodedConcept("C15215", "NCIt", "Cryoablation"))),
        ]
        let parts = [
            Self.container(DCM.imageLibrary, template: "1600", library.map { [$0] } ?? []), Self.container(DCM.imagingMeasurements, groups),
            Self.container(DCM.qualitativeEvaluations, evaluations),
        ].compactMap { $0 }
        return ContentItem(.contains, DCM.imagingMeasurementReport, .container(template: "1500"), context + parts)
    }

    /// `nil` for one without content, which the templates do not allow.
    private static func container(_ name: CodedConcept, template: String? = nil, _ children: [ContentItem]) -> ContentItem? {
        children.isEmpty ? nil : ContentItem(.contains, name, .container(template: template), children)
    }

    private var evaluations: [ContentItem] {
        [ContentItem(.contains, ResultConcepts.own("verdict", "Verdict"), .code(Self.code(report.verdict.status)))]
            + report.verdict.reasons.map { ContentItem(.contains, ResultConcepts.own("reason", "Reason"), .text($0)) }
            + report.findings.filter { $0.severity > .info }.map {
                ContentItem(
                    .contains, ResultConcepts.own("caution", "To know before relying on it"),
                    .text("\($0.severity.rawValue): \($0.message)"))
            }
    }

    static func code(_ status: CaseReport.Verdict.Status) -> CodedConcept {
        switch status {
        case .met: ResultConcepts.own("met", "Criterion met")
        case .notMet: ResultConcepts.own("not-met", "Criterion not met")
        case .indeterminate: ResultConcepts.own("indeterminate", "Cannot be decided")
        }
    }
}
