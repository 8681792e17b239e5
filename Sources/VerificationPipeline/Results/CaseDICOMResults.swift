import Crypto
import DICOMObjects
import FigureRendering
import Foundation
import ImagingCore
import Reporting

/// The DICOM objects of a case's result, in the studies of its scans.
///
/// UIDs follow from the report without its times and run id, so that the same inputs and version give the same objects apart from times: an
/// archive that gets them again has nothing new. Whatever changes the report changes every UID.
struct CaseDICOMResults {
    let result: CaseResult
    let report: CaseReport
    let figures: [Figure]
    let created: Date
    private let identity: String

    static let software = ResultHeader.Software(name: "IceMargin", version: iceMarginVersion)

    init(_ result: CaseResult, report: CaseReport, figures: [Figure], created: Date) throws {
        (self.result, self.report, self.figures, self.created) = (result, report, figures, created)
        identity = SHA256.hash(data: try report.withoutTimes.jsonData()).map { String($0, radix: 16) }.joined(separator: ".")
    }

    /// The objects that are there, in the order in which series are numbered.
    private enum Kind: Int {
        case segmentation = 9001, planningSegmentation, measurements, pictures

        var description: String {
            switch self {
            case .segmentation: "IceMargin segmentation"
            case .planningSegmentation: "IceMargin tumours on the planning scan"
            case .measurements: "IceMargin measurements"
            case .pictures: "IceMargin pictures"
            }
        }
    }

    /// Writes the objects into the folder's `dicom`.
    func write(to folder: ResultsFolder) throws {
        let treated = try SourceSeries(result.scans.treated), planning = try SourceSeries(result.scans.planning)
        let segments = CaseSegments(result: result, profile: report.case.profile, identity: identity)
        let segmentation = try write(segments.onTreatedScan(), of: treated, as: .segmentation, to: folder.url("dicom/segmentation.dcm"))
        let ofPlanning =
            planning.seriesInstanceUID == treated.seriesInstanceUID
            ? nil
            : try write(
                segments.onPlanningScan(), of: planning, as: .planningSegmentation, to: folder.url("dicom/segmentation-planning.dcm"))
        try writeMeasurements(
            segments, [segmentation, ofPlanning].compactMap { $0 }, of: treated, to: folder.url("dicom/measurements.dcm"))
        try writePictures(of: treated, to: folder)
    }

    private func write(
        _ segments: [SegmentationWriter.Segment], of source: SourceSeries, as kind: Kind, to file: URL
    ) throws -> SegmentationWriter? {
        guard !segments.isEmpty else { return nil }
        let writer = SegmentationWriter(segments, of: source, header: header(kind))
        try writer.write(to: file)
        return writer
    }

    /// - Parameter segmentations: where several show an object, the first is referred to.
    private func writeMeasurements(
        _ segments: CaseSegments, _ segmentations: [SegmentationWriter], of source: SourceSeries, to file: URL
    ) throws {
        func outlines(_ kind: CaseSegments.Kind, _ names: [String]) -> [String: MeasurementReport.Outline] {
            Dictionary(
                uniqueKeysWithValues: Set(names).map { name in
                    let uid = segments.trackingUID(kind, name)
                    let segment = segmentations.lazy.compactMap { writer in
                        writer.reference(toTrackingUID: uid).map { (reference: $0, sourceSeriesUID: writer.source.seriesInstanceUID) }
                    }.first
                    return (name, .init(trackingID: name, trackingUID: uid, segment: segment))
                })
        }
        // What earlier ablations destroyed is in the zone that margins are measured to, but not in the volume of the ice that was seen.
        let zoneVolumeML =
            result.placement.earlierZones.isEmpty ? report.ice.volumeML : result.zones.first.map { $0.object.surface.enclosedVolume / 1000 }
        let content = MeasurementReport(
            report, images: segmentations.flatMap(\.imageReferences), tumours: outlines(.tumour, report.tumours.map(\.id)),
            zones: outlines(.zone, result.zones.map(\.name.rawValue)), zoneVolumeML: zoneVolumeML,
            structures: outlines(.structure, report.structures.map(\.name)), deviceUID: DerivedUID.make(from: "device", Self.software.name))
        try StructuredReportWriter(content.content, in: source, header: header(.measurements)).write(to: file)
    }

    private func writePictures(of source: SourceSeries, to folder: ResultsFolder) throws {
        for (index, figure) in figures.enumerated() {
            guard let image = RGBImage(png: figure.png) else { preconditionFailure("\(figure.name) is no PNG") }
            try SecondaryCaptureWriter(width: image.width, height: image.height, pixels: image.pixels, caption: figure.caption)
                .write(to: folder.url("dicom/\(figure.name).dcm"), in: source, header: header(.pictures, number: index + 1))
        }
    }

    private func header(_ kind: Kind, number: Int = 1) -> ResultHeader {
        ResultHeader(
            seriesInstanceUID: DerivedUID.make(from: "series", identity, kind.description),
            sopInstanceUID: DerivedUID.make(from: "instance", identity, kind.description, "\(number)"), seriesNumber: kind.rawValue,
            instanceNumber: number,
            seriesDescription: kind.description, created: created, software: Self.software)
    }
}

extension CaseReport {
    /// What is the same whenever the same inputs are given to the same version.
    var withoutTimes: CaseReport {
        var copy = self
        copy.timingsS = [:]
        (copy.provenance.runID, copy.provenance.created) = ("", "")
        return copy
    }
}

extension SourceSeries {
    /// Who the patient is, for those who ask.
    var patient: CaseReport.Patient {
        .init(
            name: string(.patientName), id: string(.patientID), birthDate: string(.patientBirthDate), sex: string(.patientSex),
            studyDate: string(.studyDate))
    }
}
