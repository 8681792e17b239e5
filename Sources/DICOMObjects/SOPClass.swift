import ImagingCore

/// What kind of object a SOP Class UID stands for, as far as loading images needs to know.
enum SOPClass: Hashable, Sendable {
    case image(Modality, isEnhanced: Bool)
    /// Not a CT or MR image: the standard's name.
    case other(String)
    case unknown(String)

    init(uid: String) {
        self = Self.known[uid] ?? .unknown(uid)
    }

    /// The name for people.
    var name: String {
        switch self {
        case .image(let modality, let isEnhanced): "\(isEnhanced ? "Enhanced " : "")\(modality.rawValue) Image"
        case .other(let name): name
        case .unknown(let uid): "SOP class \(uid)"
        }
    }

    /// PS3.4 annex B.5 and PS3.6 annex A.
    private static let known: [String: SOPClass] = [
        "1.2.840.10008.5.1.4.1.1.2": .image(.ct, isEnhanced: false),
        "1.2.840.10008.5.1.4.1.1.2.1": .image(.ct, isEnhanced: true),
        "1.2.840.10008.5.1.4.1.1.2.2": .image(.ct, isEnhanced: true),
        "1.2.840.10008.5.1.4.1.1.4": .image(.mr, isEnhanced: false),
        "1.2.840.10008.5.1.4.1.1.4.1": .image(.mr, isEnhanced: true),
        "1.2.840.10008.5.1.4.1.1.4.4": .image(.mr, isEnhanced: true),
        "1.2.840.10008.1.3.10": .other("Media Storage Directory"),
        "1.2.840.10008.5.1.4.1.1.1": .other("Computed Radiography Image"),
        "1.2.840.10008.5.1.4.1.1.1.1": .other("Digital X-Ray Image"),
        "1.2.840.10008.5.1.4.1.1.3.1": .other("Ultrasound Multi-frame Image"),
        "1.2.840.10008.5.1.4.1.1.4.2": .other("MR Spectroscopy"),
        "1.2.840.10008.5.1.4.1.1.4.3": .other("Enhanced MR Color Image"),
        "1.2.840.10008.5.1.4.1.1.6.1": .other("Ultrasound Image"),
        "1.2.840.10008.5.1.4.1.1.7": .other("Secondary Capture Image"),
        "1.2.840.10008.5.1.4.1.1.7.1": .other("Multi-frame Single Bit Secondary Capture Image"),
        "1.2.840.10008.5.1.4.1.1.7.2": .other("Multi-frame Grayscale Byte Secondary Capture Image"),
        "1.2.840.10008.5.1.4.1.1.7.3": .other("Multi-frame Grayscale Word Secondary Capture Image"),
        "1.2.840.10008.5.1.4.1.1.7.4": .other("Multi-frame True Color Secondary Capture Image"),
        "1.2.840.10008.5.1.4.1.1.11.1": .other("Grayscale Softcopy Presentation State"),
        "1.2.840.10008.5.1.4.1.1.12.1": .other("X-Ray Angiographic Image"),
        "1.2.840.10008.5.1.4.1.1.13.1.1": .other("X-Ray 3D Angiographic Image"),
        "1.2.840.10008.5.1.4.1.1.20": .other("Nuclear Medicine Image"),
        "1.2.840.10008.5.1.4.1.1.30": .other("Parametric Map"),
        "1.2.840.10008.5.1.4.1.1.66": .other("Raw Data"),
        "1.2.840.10008.5.1.4.1.1.66.1": .other("Spatial Registration"),
        "1.2.840.10008.5.1.4.1.1.66.2": .other("Spatial Fiducials"),
        "1.2.840.10008.5.1.4.1.1.66.3": .other("Deformable Spatial Registration"),
        "1.2.840.10008.5.1.4.1.1.66.4": .other("Segmentation"),
        "1.2.840.10008.5.1.4.1.1.66.5": .other("Surface Segmentation"),
        "1.2.840.10008.5.1.4.1.1.66.7": .other("Label Map Segmentation"),
        "1.2.840.10008.5.1.4.1.1.67": .other("Real World Value Mapping"),
        "1.2.840.10008.5.1.4.1.1.88.11": .other("Basic Text SR"),
        "1.2.840.10008.5.1.4.1.1.88.22": .other("Enhanced SR"),
        "1.2.840.10008.5.1.4.1.1.88.33": .other("Comprehensive SR"),
        "1.2.840.10008.5.1.4.1.1.88.34": .other("Comprehensive 3D SR"),
        "1.2.840.10008.5.1.4.1.1.88.59": .other("Key Object Selection"),
        "1.2.840.10008.5.1.4.1.1.88.67": .other("X-Ray Radiation Dose SR"),
        "1.2.840.10008.5.1.4.1.1.104.1": .other("Encapsulated PDF"),
        "1.2.840.10008.5.1.4.1.1.128": .other("Positron Emission Tomography Image"),
        "1.2.840.10008.5.1.4.1.1.128.1": .other("Legacy Converted Enhanced PET Image"),
        "1.2.840.10008.5.1.4.1.1.130": .other("Enhanced PET Image"),
        "1.2.840.10008.5.1.4.1.1.481.1": .other("RT Image"),
        "1.2.840.10008.5.1.4.1.1.481.2": .other("RT Dose"),
        "1.2.840.10008.5.1.4.1.1.481.3": .other("RT Structure Set"),
        "1.2.840.10008.5.1.4.1.1.481.4": .other("RT Beams Treatment Record"),
        "1.2.840.10008.5.1.4.1.1.481.5": .other("RT Plan"),
        "1.2.840.10008.5.1.4.1.1.481.8": .other("RT Ion Plan"),
    ]
}

/// The transfer syntaxes by the names that people use (PS3.6 annex A).
enum TransferSyntax {
    static func name(_ uid: String) -> String {
        switch uid {
        case "1.2.840.10008.1.2": "Implicit VR Little Endian"
        case "1.2.840.10008.1.2.1": "Explicit VR Little Endian"
        case "1.2.840.10008.1.2.1.99": "Deflated Explicit VR Little Endian"
        case "1.2.840.10008.1.2.2": "Explicit VR Big Endian"
        case "1.2.840.10008.1.2.5": "RLE Lossless"
        case "1.2.840.10008.1.2.4.50": "JPEG Baseline"
        case "1.2.840.10008.1.2.4.51": "JPEG Extended"
        case "1.2.840.10008.1.2.4.57": "JPEG Lossless"
        case "1.2.840.10008.1.2.4.70": "JPEG Lossless, first-order prediction"
        case "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless"
        case "1.2.840.10008.1.2.4.81": "JPEG-LS Near-lossless"
        case "1.2.840.10008.1.2.4.90": "JPEG 2000 Lossless"
        case "1.2.840.10008.1.2.4.91": "JPEG 2000"
        case "1.2.840.10008.1.2.4.92", "1.2.840.10008.1.2.4.93": "JPEG 2000 Multi-component"
        case "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203": "High-Throughput JPEG 2000"
        default: uid
        }
    }
}
