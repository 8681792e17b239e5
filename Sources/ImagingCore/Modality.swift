/// The kinds of scan that can be analysed. Raw values are DICOM Modality codes.
public enum Modality: String, Sendable, Hashable, Codable {
    case ct = "CT"
    case mr = "MR"
}
