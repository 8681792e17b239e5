import Foundation

/// A segment of a DICOM segmentation: by its number or by its label.
public enum SegmentSelector: Sendable, Hashable {
    case number(Int)
    case label(String)
}

/// Where a mask comes from.
public enum MaskSource: Sendable, Hashable {
    case nifti(URL)
    /// A DICOM SEG; without a selector it must have exactly one segment.
    case segmentation(URL, segment: SegmentSelector?)
    /// An RTSTRUCT and the name of one of its regions of interest.
    case structureSet(URL, roi: String)

    /// The file to read.
    public var file: URL {
        switch self {
        case .nifti(let file), .segmentation(let file, _), .structureSet(let file, _): file
        }
    }
}
