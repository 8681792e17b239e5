import DICOMObjects
import MarginAnalysis

/// The groups of measurements.
extension MeasurementReport {
    var groups: [ContentItem] {
        let measured = Set(report.margins.map(\.tumour)), others = report.tumours.filter { !measured.contains($0.id) }
        return report.margins.map(group) + others.map(group) + [zoneGroup].compactMap { $0 } + report.structures.map(group)
    }

    private func group(_ margin: CaseReport.Margin) -> ContentItem {
        let zone = margin.zoneEvaluations
        let tumour = report.tumours.first { $0.id == margin.tumour }
        var numbers = [Number(DCM.volume, tumour?.volumeML, .millilitres)]
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

    /// A tumour that no margin was measured of.
    private func group(_ tumour: CaseReport.Tumour) -> ContentItem {
        let volume = Number(DCM.volume, tumour.volumeML, .millilitres).item
        return group(tumours[tumour.id], finding: ResultConcepts.neoplasm, items: [volume].compactMap { $0 })
    }

    /// The zone that was seen.
    private var zoneGroup: ContentItem? {
        guard let zone = [MarginZone.visibleIce, .ablationZone].first(where: { zones[$0.rawValue] != nil }),
            let volume = Number(DCM.volume, zoneVolumeML, .millilitres).item
        else { return nil }
        return group(zones[zone.rawValue], finding: ResultConcepts.zone(zone), items: [volume])
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
            children.append(ContentItem(.contains, DCM.referencedSegment, .image(segment.reference)))
            children.append(ContentItem(.contains, DCM.sourceSeries, .uid(segment.sourceSeriesUID)))
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
