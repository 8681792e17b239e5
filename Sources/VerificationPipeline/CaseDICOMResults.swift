import Crypto
import DICOMObjects
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
        _ = try write(segments.onTreatedScan(), of: treated, as: .segmentation, to: folder.url("dicom/segmentation.dcm"))
        if planning.seriesInstanceUID != treated.seriesInstanceUID {
            _ = try write(
                segments.onPlanningScan(), of: planning, as: .planningSegmentation, to: folder.url("dicom/segmentation-planning.dcm"))
        }
    }

    private func write(_ segments: [SegmentationWriter.Segment], of source: SourceSeries, as kind: Kind, to file: URL) throws
        -> SegmentationWriter?
    {
        guard !segments.isEmpty else { return nil }
        let writer = SegmentationWriter(segments, of: source, header: header(kind))
        try writer.write(to: file)
        return writer
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
