import Foundation
import ImagingCore

/// Writes a colour picture as a Secondary Capture (PS3.3 A.8.1) in the study of a series.
public struct SecondaryCaptureWriter {
    static let sopClassUID = "1.2.840.10008.5.1.4.1.1.7"

    let width, height: Int
    let pixels: [UInt8]
    /// What the picture shows, for people.
    let caption: String

    /// - Parameter pixels: red, green, blue by turns, rows from the top. The picture must not show who the patient is.
    public init(width: Int, height: Int, pixels: [UInt8], caption: String) {
        precondition(pixels.count == 3 * width * height && width <= 0xFFFF && height <= 0xFFFF, "not a picture of \(width) × \(height)")
        (self.width, self.height, self.pixels, self.caption) = (width, height, pixels, caption)
    }

    /// Writes the file, reads it again and compares every pixel.
    public func write(to file: URL, in source: SourceSeries, header: ResultHeader) throws(DICOMError) {
        let composition = try DICOMComposition(header, sopClassUID: Self.sopClassUID, modality: "OT", in: source, ownText: [caption])
        let root = composition.root
        root.set(.conversionType, "WSD")
        root.set(.imageType, "DERIVED\\SECONDARY")
        for tag in [DICOMTag.patientOrientation, .laterality] { root.setEmpty(tag) }
        root.set(.burnedInAnnotation, "NO")
        root.set(.imageComments, caption)
        source.copyCompressionHistory(to: root)
        root.set(.samplesPerPixel, 3)
        root.set(.photometricInterpretation, "RGB")
        root.set(.planarConfiguration, 0)
        root.set(.rows, height)
        root.set(.columns, width)
        root.set(.bitsAllocated, 8)
        root.set(.bitsStored, 8)
        root.set(.highBit, 7)
        root.set(.pixelRepresentation, 0)
        root.set(.pixelData, bytes: pixels)
        try composition.save(to: file)
        guard let written = try DICOMDataset(contentsOf: file).bytes(.pixelData), written.prefix(pixels.count) == pixels[...] else {
            throw DICOMError(
                Finding(
                    .error, "picture-differs", "\(file.path) does not read as it was written.",
                    remedy: "Please report this; the file must not be used."),
                category: .internalError)
        }
    }
}
