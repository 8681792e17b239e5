import Foundation
import ImagingCore

/// Why two scans cannot be registered.
public enum RegistrationError: ReportableError, Hashable {
    /// No pose was found in which the scans show enough of the same.
    case nothingInCommon
    /// The tumour does not lie in the moving scan.
    case focusOutside(PatientPoint)
    /// One of a landmark's points does not lie in its scan; counted from 1.
    case landmarkOutside(number: Int, scan: String, PatientPoint)
    case tooThin(scan: String, thicknessMM: Double)

    public var category: FailureCategory { .badData }

    public var finding: Finding {
        func text(_ point: PatientPoint) -> String { String(format: "(%.1f, %.1f, %.1f) mm", point.lps.x, point.lps.y, point.lps.z) }
        return switch self {
        case .nothingInCommon:
            Finding(.error, "registration-impossible", "No pose was found in which the two scans show enough of the same part of the body.",
                    remedy: "Check that both scans are of the same patient and region, or give an initial transform.")
        case .focusOutside(let point):
            Finding(.error, "tumour-outside", "The point given for the tumour, \(text(point)), lies outside the moving (planning) scan.",
                    remedy: "Give a point of that scan in its own frame of reference, LPS millimetres.")
        case .landmarkOutside(let number, let scan, let point):
            Finding(.error, "landmark-outside", "Landmark \(number) lies outside the \(scan) scan, at \(text(point)).",
                    remedy: "Give each of its two points in the frame of its own scan; see whether they are exchanged.")
        case .tooThin(let scan, let thickness):
            Finding(.error, "scan-too-thin", String(
                format: "The %@ scan reaches over %.1f mm only; too little to tell where it lies.", scan, thickness),
                    remedy: "Give the whole series.")
        }
    }
}
