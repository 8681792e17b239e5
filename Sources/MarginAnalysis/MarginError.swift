import ImagingCore

/// Why a margin or a distance cannot be measured.
public enum MarginError: ReportableError, Hashable {
    case tumourEmpty
    /// Nothing of the zone is in its image.
    case zoneEmpty(MarginZone)
    case structureEmpty(String)

    public var category: FailureCategory { .badData }

    public var finding: Finding {
        switch self {
        case .tumourEmpty:
            Finding(.error, "no-tumour", "The tumour is empty: there is no surface to measure from.",
                    remedy: "Check the tumour's mask or segmentation.")
        case .zoneEmpty(let zone):
            Finding(.error, "no-zone", "The zone \(zone.rawValue) is empty: there is nothing to measure to.",
                    remedy: "Check that the image shows the zone, and its mask or segmentation.")
        case .structureEmpty(let name):
            Finding(.error, "no-structure", "The structure \(name) is empty: there is nothing to measure to.",
                    remedy: "Check the structure's mask.")
        }
    }
}
