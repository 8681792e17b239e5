import Foundation
import ImagingCore

/// A series as a volume in LPS millimetres, with what is needed to refer back to its images.
public struct Scan: Sendable {
    /// Real values: HU for CT, signal for MR. Slices run along rows × columns, so that axes are right-handed.
    public let volume: ScanVolume
    public let modality: Modality
    public let seriesInstanceUID: String
    public let studyInstanceUID: String
    public let patient: PatientIdentity
    /// Series Description.
    public let description: String
    /// The files that the voxels come from, in the order of the catalogue.
    public let files: [URL]
    /// UIDs, each once, sorted.
    public let transferSyntaxes: [String]
    /// The images, in the order of rising position along rows × columns. Where `isResampled` is false, one for each k.
    public let instances: [ScanInstance]
    /// Whether the images were resampled onto the volume's grid (tilt, uneven spacing, a missing slice).
    public let isResampled: Bool
    public let findings: [Finding]

    public var geometry: GridGeometry { volume.geometry }
}

/// One image that a scan is made of.
public struct ScanInstance: Hashable, Sendable {
    public let sopClassUID: String
    public let sopInstanceUID: String
    /// From 1, as DICOM counts; `nil` for a single-frame image.
    public let frameNumber: Int?
    public let file: URL
    /// The centre of the image's first pixel.
    public let position: PatientPoint
}
