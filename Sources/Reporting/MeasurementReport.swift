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
        /// `nil` where no segmentation shows it.
        public var segment: ImageReference?

        public init(trackingID: String, trackingUID: String, segment: ImageReference?) {
            (self.trackingID, self.trackingUID, self.segment) = (trackingID, trackingUID, segment)
        }
    }

    let report: CaseReport
    let sourceSeriesUID: String
    /// The images that the outlines were drawn on.
    let images: [ImageReference]
    let tumours, zones, structures: [String: Outline]
    let deviceUID: String

    /// - Parameters:
    ///   - sourceSeriesUID: the series that segments were made of.
    ///   - tumours: by id; `zones` by their name in the report, `structures` by name.
    ///   - deviceUID: stands for this program.
    public init(
        _ report: CaseReport, sourceSeriesUID: String, images: [ImageReference], tumours: [String: Outline], zones: [String: Outline],
        structures: [String: Outline], deviceUID: String
    ) {
        (self.report, self.sourceSeriesUID, self.images) = (report, sourceSeriesUID, images)
        (self.tumours, self.zones, self.structures, self.deviceUID) = (tumours, zones, structures, deviceUID)
    }

    /// The whole report's root.
    public var content: ContentItem {
        let groups = report.margins.map(group) + [zoneGroup].compactMap { $0 } + report.structures.map(group)
        return ContentItem(
            .contains, DCM.imagingMeasurementReport, .container(template: "1500"),
            [
                ContentItem(.hasConceptModifier, DCM.language, .code(CodedConcept("en", "RFC5646", "English"))),
                ContentItem(.hasObservationContext, DCM.observerType, .code(DCM.device)),
                ContentItem(.hasObservationContext, DCM.deviceUID, .uid(deviceUID)),
                ContentItem(.hasObservationContext, DCM.deviceName, .text("IceMargin")),
                ContentItem(.hasObservationContext, DCM.deviceManufacturer, .text("IceMargin")),
                ContentItem(.hasObservationContext, DCM.deviceModel, .text("IceMargin \(report.provenance.version)")),
                ContentItem(.hasConceptModifier, DCM.procedureReported, .code(CodedConcept("C15215", "NCIt", "Cryoablation"))),
                ContentItem(
                    .contains, DCM.imageLibrary, .container(template: "1600"),
                    [
                        ContentItem(
                            .contains, DCM.imageLibraryGroup, .container(template: nil),
                            images.map {
                                ContentItem(.contains, DCM.sourceImage, .image($0))
                            })
                    ]),
                ContentItem(.contains, DCM.imagingMeasurements, .container(template: nil), groups),
                ContentItem(.contains, DCM.qualitativeEvaluations, .container(template: nil), evaluations),
            ])
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

    private static func code(_ status: CaseReport.Verdict.Status) -> CodedConcept {
        switch status {
        case .met: ResultConcepts.own("met", "Criterion met")
        case .notMet: ResultConcepts.own("not-met", "Criterion not met")
        case .indeterminate: ResultConcepts.own("indeterminate", "Cannot be decided")
        }
    }
}

/// The groups of measurements.
extension MeasurementReport {
    private func group(_ margin: CaseReport.Margin) -> ContentItem {
        let zone = margin.zoneEvaluations
        let tumour = report.tumours.first { $0.id == margin.tumour }
        var numbers = [Number(CodedConcept("118565006", "SCT", "Volume"), tumour?.volumeML, .millilitres)]
        numbers += Self.extreme(ResultConcepts.own("margin", "Minimum margin"), margin.minimumMarginMM, margin.minimumMarginIntervalMM)
        numbers.append(
            Number(ResultConcepts.own("coverage", "Share of the tumour inside the zone"), margin.tumourCoverage.map { 100 * $0 }, .percent))
        numbers.append(
            Number(ResultConcepts.own("residual-volume", "Tumour volume outside the zone"), margin.residualVolumeML, .millilitres))
        numbers.append(
            Number(
                ResultConcepts.own("probability-met", "Probability that the margin is enough"), margin.probabilityMet.map { 100 * $0 },
                .percent))
        return group(tumours[margin.tumour], finding: ResultConcepts.neoplasm, items: zone + numbers.compactMap(\.item))
    }

    /// The zone that was seen, whose volume is known.
    private var zoneGroup: ContentItem? {
        guard let name = report.margins.first?.zone, let zone = MarginZone(rawValue: name), let volume = report.ice.volumeML else {
            return nil
        }
        return group(
            zones[name], finding: ResultConcepts.zone(zone),
            items: [Number(CodedConcept("118565006", "SCT", "Volume"), volume, .millilitres).item].compactMap { $0 })
    }

    private func group(_ structure: CaseReport.Structure) -> ContentItem {
        var items =
            MarginZone(rawValue: structure.zone).map {
                [ContentItem(.contains, ResultConcepts.own("zone", "Zone"), .code(ResultConcepts.zone($0)))]
            } ?? []
        var numbers = Self.extreme(
            CodedConcept("121206", "DCM", "Distance"), structure.minimumDistanceMM, structure.minimumDistanceIntervalMM)
        numbers.append(
            Number(ResultConcepts.own("overlap-volume", "Structure volume inside the zone"), structure.overlapVolumeML, .millilitres))
        numbers.append(Number(ResultConcepts.own("limit", "Distance to keep"), structure.limitMM, .millimetres))
        if let status = structure.status {
            items.append(ContentItem(.contains, ResultConcepts.own("verdict", "Verdict"), .code(Self.code(status))))
        }
        return group(structures[structure.name], finding: ResultConcepts.anatomicalStructure, items: items + numbers.compactMap(\.item))
    }

    private func group(_ outline: Outline?, finding: CodedConcept, items: [ContentItem]) -> ContentItem {
        var children: [ContentItem] = []
        if let outline {
            children.append(ContentItem(.hasObservationContext, DCM.trackingID, .text(outline.trackingID)))
            children.append(ContentItem(.hasObservationContext, DCM.trackingUID, .uid(outline.trackingUID)))
        }
        children.append(ContentItem(.contains, DCM.finding, .code(finding)))
        if let organ = ResultConcepts.organ(ofProfile: report.case.profile) {
            children.append(ContentItem(.hasConceptModifier, DCM.findingSite, .code(organ)))
        }
        if let segment = outline?.segment {
            children.append(ContentItem(.contains, DCM.referencedSegment, .image(segment)))
            children.append(ContentItem(.contains, DCM.sourceSeries, .uid(sourceSeriesUID)))
        }
        return ContentItem(
            .contains, DCM.measurementGroup, .container(template: outline?.segment == nil ? "1501" : "1411"), children + items)
    }

    /// A smallest value with its 95 % interval: as the standard's uncertainty ranges, and its ends as numbers of their own.
    private static func extreme(_ name: CodedConcept, _ value: Double?, _ interval: CaseReport.Interval?) -> [Number] {
        guard let value else { return [] }
        var number = Number(name, value, .millimetres)
        number.details.append(ContentItem(.hasConceptModifier, DCM.derivation, .code(CodedConcept("255605001", "SCT", "Minimum"))))
        if let low = interval?.low, let high = interval?.high, low <= value, value <= high {
            number.details += [
                Number(CodedConcept("371886008", "SCT", "+, range of upper measurement uncertainty"), high - value, .millimetres),
                Number(CodedConcept("371885007", "SCT", "-, range of lower measurement uncertainty"), value - low, .millimetres),
            ].compactMap { $0.item(.hasProperties) }
        }
        return [
            number, Number(ResultConcepts.own("interval-low", "Lower end of the 95 % interval"), interval?.low, .millimetres),
            Number(ResultConcepts.own("interval-high", "Upper end of the 95 % interval"), interval?.high, .millimetres),
        ]
    }
}

extension CaseReport.Margin {
    fileprivate var zoneEvaluations: [ContentItem] {
        var items: [ContentItem] = []
        if let zone = MarginZone(rawValue: zone) {
            items.append(ContentItem(.contains, ResultConcepts.own("zone", "Zone"), .code(ResultConcepts.zone(zone))))
        }
        if let zoneSource {
            items.append(ContentItem(.contains, ResultConcepts.own("zone-source", "Source of the zone"), .text(zoneSource)))
        }
        return items
    }
}

/// A measurement, left out where it has no value.
private struct Number {
    enum Unit {
        case millimetres, millilitres, percent

        var concept: CodedConcept {
            switch self {
            case .millimetres: CodedConcept("mm", "UCUM", "millimeter")
            case .millilitres: CodedConcept("ml", "UCUM", "milliliter")
            case .percent: CodedConcept("%", "UCUM", "percent")
            }
        }
    }

    var name: CodedConcept
    var value: Double?
    var unit: Unit
    var details: [ContentItem] = []

    init(_ name: CodedConcept, _ value: Double?, _ unit: Unit) { (self.name, self.value, self.unit) = (name, value, unit) }

    var item: ContentItem? { item(.contains) }

    func item(_ relationship: ContentItem.Relationship) -> ContentItem? {
        guard let value, value.isFinite else { return nil }
        return ContentItem(relationship, name, .number(ReportEncoder.text(of: value, decimals: 4), unit: unit.concept), details)
    }
}

/// Concepts of the DICOM Content Mapping Resource (PS3.16) that frame the report.
private enum DCM {
    static let imagingMeasurementReport = CodedConcept("126000", "DCM", "Imaging Measurement Report")
    static let language = CodedConcept("121049", "DCM", "Language of Content Item and Descendants")
    static let observerType = CodedConcept("121005", "DCM", "Observer Type")
    static let device = CodedConcept("121007", "DCM", "Device")
    static let deviceUID = CodedConcept("121012", "DCM", "Device Observer UID")
    static let deviceName = CodedConcept("121013", "DCM", "Device Observer Name")
    static let deviceManufacturer = CodedConcept("121014", "DCM", "Device Observer Manufacturer")
    static let deviceModel = CodedConcept("121015", "DCM", "Device Observer Model Name")
    static let procedureReported = CodedConcept("121058", "DCM", "Procedure reported")
    static let imageLibrary = CodedConcept("111028", "DCM", "Image Library")
    static let imageLibraryGroup = CodedConcept("126200", "DCM", "Image Library Group")
    static let sourceImage = CodedConcept("121112", "DCM", "Source of Measurement")
    static let imagingMeasurements = CodedConcept("126010", "DCM", "Imaging Measurements")
    static let measurementGroup = CodedConcept("125007", "DCM", "Measurement Group")
    static let qualitativeEvaluations = CodedConcept("C0034375", "UMLS", "Qualitative Evaluations")
    static let trackingID = CodedConcept("112039", "DCM", "Tracking Identifier")
    static let trackingUID = CodedConcept("112040", "DCM", "Tracking Unique Identifier")
    static let finding = CodedConcept("121071", "DCM", "Finding")
    static let findingSite = CodedConcept("363698007", "SCT", "Finding Site")
    static let referencedSegment = CodedConcept("121191", "DCM", "Referenced Segment")
    static let sourceSeries = CodedConcept("121232", "DCM", "Source series for segmentation")
    static let derivation = CodedConcept("121401", "DCM", "Derivation")
}
