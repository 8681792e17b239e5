import ImagingCore

/// Why two scans cannot be registered.
public enum RegistrationError: ReportableError, Hashable {
    /// No pose was found in which the scans show enough of the same.
    case nothingInCommon

    public var category: FailureCategory { .badData }

    public var finding: Finding {
        switch self {
        case .nothingInCommon:
            Finding(.error, "registration-impossible", "No pose was found in which the two scans show enough of the same part of the body.",
                    remedy: "Check that both scans are of the same patient and region, or give an initial transform.")
        }
    }
}
