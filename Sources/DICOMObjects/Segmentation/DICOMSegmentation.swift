import Foundation
import ImagingCore

/// A DICOM Segmentation: segments, which may overlap, on one grid.
///
/// Frames may come in any order, and a segment may lack planes, where it is empty. Sources: PS3.3 A.51, C.8.20.
public struct DICOMSegmentation: Sendable {
    /// How voxels say what belongs to a segment.
    public enum Encoding: Sendable, Hashable {
        /// Inside or outside.
        case binary
        /// The probability that a voxel belongs to the segment, or the share of it that does; `maximum` is stored for 1.
        case fractional(FractionalType, maximum: Int)
        /// The voxel's value is the number of its one segment.
        case labelMap

        public enum FractionalType: String, Sendable { case probability = "PROBABILITY", occupancy = "OCCUPANCY" }
    }

    public struct Segment: Sendable, Hashable {
        public var number: Int
        public var label: String
        /// The meaning of the Segmented Property Type code, for example "Liver".
        public var propertyType: String?
    }

    /// Which segment is meant.
    public enum Selector: Sendable, Hashable, CustomStringConvertible {
        case number(Int)
        /// The Segment Label; case and blanks around it do not matter.
        case label(String)
        /// The only one there is.
        case only

        public var description: String {
            switch self {
            case .number(let number): "number \(number)"
            case .label(let label): "“\(label)”"
            case .only: "(none named)"
            }
        }
    }

    public let url: URL
    public let encoding: Encoding
    /// In the order of the file.
    public let segments: [Segment]
    /// The grid that the frames lie on, with every plane from the first to the last frame's. Right-handed, with the frame of reference UID.
    public let geometry: GridGeometry
    public let studyInstanceUID: String?
    /// The series that the segments were drawn on (Referenced Series Sequence), where the file says.
    public let referencedSeriesInstanceUID: String?
    public let findings: [Finding]

    let frames: [SegmentationFrame]
    let cells: SegmentationCells

    /// Reads a Segmentation object; throws a `DICOMError` when it is not one, is broken, or lies on planes that are no regular grid.
    public static func read(_ url: URL) throws(DICOMError) -> DICOMSegmentation {
        try DICOMSegmentation(DICOMDataset(contentsOf: url))
    }

    init(_ dataset: DICOMDataset) throws(DICOMError) {
        let file = SegmentationFile(dataset)
        url = dataset.url
        encoding = try file.encoding()
        segments = try file.segments()
        let planes = try SegmentationPlanes(file)
        geometry = planes.geometry
        frames = try file.frames(slices: planes.slices, encoding: encoding)
        cells = try SegmentationCells(file, encoding: encoding, frameCount: frames.count)
        studyInstanceUID = dataset.string(.studyInstanceUID)
        referencedSeriesInstanceUID = dataset.item(0x0008_1115)?.string(.seriesInstanceUID)
        findings = planes.findings + cells.findings
    }

    /// The segment that `selector` names; throws an error that lists the segments when there is none or more than one.
    public func segment(_ selector: Selector) throws(DICOMError) -> Segment {
        let matches: [Segment]
        switch selector {
        case .number(let number): matches = segments.filter { $0.number == number }
        case .label(let label): matches = segments.filter { $0.label.matchesName(label) }
        case .only: matches = segments.filter { $0.number != 0 }  // 0 is the background of label maps.
        }
        if matches.count == 1 { return matches[0] }
        let list = segments.prefix(50).map { "\($0.number) “\($0.label)”" }.joined(separator: ", ")
        let problem = matches.isEmpty ? "no segment \(selector)" : selector == .only ? "several segments" : "more than one segment \(selector)"
        throw DICOMError(Finding(
            .error, "segment-unclear", "\(url.lastPathComponent) has \(problem); it has \(list).",
            remedy: "Name one of them by its number."))
    }

    /// What a person should know about one segment.
    public func findings(for segment: Segment) -> [Finding] {
        let own = Set(frames.filter { $0.holds(segment.number) }.map(\.slice))
        guard let first = own.min(), let last = own.max() else { return [] }
        let everywhere = Set(frames.map(\.slice))
        let missing = (first...last).filter { !everywhere.contains($0) }
        if missing.isEmpty { return [] }
        return [Finding(
            .warning, "segment-planes-missing",
            "Segment \(segment.number) “\(segment.label)” of \(url.lastPathComponent) spans planes that the file has no frame for (\(missing.count)); they are taken as empty.",
            remedy: "Check that the segment is meant to be in separate pieces.")]
    }
}

extension DICOMError {
    static func segmentation(_ url: URL, _ code: String, _ message: String, remedy: String) -> DICOMError {
        DICOMError(Finding(.error, code, "\(url.lastPathComponent) \(message)", remedy: remedy))
    }
}

extension String {
    /// Whether two names are the same but for case and surrounding blanks.
    func matchesName(_ other: String) -> Bool {
        trimmingCharacters(in: .whitespaces).caseInsensitiveCompare(other.trimmingCharacters(in: .whitespaces)) == .orderedSame
    }
}
