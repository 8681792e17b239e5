import DICOMObjects
import MarginAnalysis

/// The coded concepts of DICOM results. What no public scheme has a code for is in the private scheme `99ICEMARGIN`:
///
/// | code | meaning | used as |
/// |---|---|---|
/// | `visible-ice` | tissue that a scan shows as ice (edge near 0 °C) | segment type, zone |
/// | `isotherm-20`, `isotherm-40` | tissue that was at some time below −20 °C, −40 °C | segment type, zone |
/// | `ablation-zone` | treated tissue on a follow-up scan | segment type, zone |
/// | `outside-zone` | the part outside the zone that decides | segment type modifier |
/// | `bioheat` | temperatures simulated and fitted to the visible ice | algorithm family |
/// | `zone` | the zone that a measurement is made to | name of a coded evaluation |
/// | `zone-source` | how that zone was found, in words | name of a text evaluation |
/// | `margin` | signed distance of surfaces, positive where the zone exceeds the tumour | measurement, mm, derivation Minimum |
/// | `interval-low`, `interval-high` | the ends of the 95 % interval of the group's minimum margin or distance | measurement, mm |
/// | `coverage` | the share of the tumour's volume inside the zone | measurement, % |
/// | `residual-volume` | the tumour's volume outside the zone | measurement, ml |
/// | `overlap-volume` | the structure's volume inside the zone | measurement, ml |
/// | `probability-met` | that the true minimum margin is at least the required one | measurement, % |
/// | `required-margin` | the margin that the site's profile requires | measurement, mm |
/// | `limit` | the distance to keep from the structure | measurement, mm |
/// | `verdict` | whether the criterion is met | name of a coded evaluation |
/// | `met`, `not-met`, `indeterminate` | its values | evaluation |
/// | `reason` | why, in a sentence | name of a text evaluation |
public enum ResultConcepts {
    public static let scheme = "99ICEMARGIN"

    /// What a segment, a zone or a structure is.
    public static let neoplasm = CodedConcept("108369006", "SCT", "Neoplasm")
    public static let morphologicallyAbnormal = CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure")
    public static let spatialConcept = CodedConcept("309825002", "SCT", "Spatial and Relational Concept")
    public static let anatomicalStructure = CodedConcept("91723000", "SCT", "Anatomical Structure")
    public static let outsideZone = own("outside-zone", "Outside the zone that decides")

    /// Kinds of algorithms (CID 7162).
    public static let deformableModels = CodedConcept("123111", "DCM", "Deformable Models")
    public static let morphologicalOperations = CodedConcept("123104", "DCM", "Morphological Operations")

    public static func own(_ value: String, _ meaning: String) -> CodedConcept { CodedConcept(value, scheme, meaning) }

    public static func zone(_ zone: MarginZone) -> CodedConcept {
        switch zone {
        case .visibleIce: own(zone.rawValue, "Visible ice")
        case .isotherm20: own(zone.rawValue, "Tissue that was below -20 degrees Celsius")
        case .isotherm40: own(zone.rawValue, "Tissue that was below -40 degrees Celsius")
        case .ablationZone: own(zone.rawValue, "Ablation zone")
        }
    }

    /// A segmented zone is altered tissue; an isotherm is a place.
    public static func category(of zone: MarginZone) -> CodedConcept {
        switch zone {
        case .visibleIce, .ablationZone: morphologicallyAbnormal
        case .isotherm20, .isotherm40: spatialConcept
        }
    }

    /// The organ of a built-in site profile; `nil` for others.
    public static func organ(ofProfile name: String) -> CodedConcept? {
        switch name {
        case "liver", "liver-crlm", "liver-hcc": CodedConcept("10200004", "SCT", "Liver")
        case "kidney": CodedConcept("64033007", "SCT", "Kidney")
        case "lung": CodedConcept("39607008", "SCT", "Lung")
        case "bone", "long-bone": CodedConcept("272673000", "SCT", "Bone")
        case "acetabulum": CodedConcept("37783008", "SCT", "Acetabulum")
        case "pelvis": CodedConcept("816092008", "SCT", "Pelvis")
        case "rib": CodedConcept("113197003", "SCT", "Rib")
        case "spine": CodedConcept("421060004", "SCT", "Spine")
        case "breast": CodedConcept("76752008", "SCT", "Breast")
        case "pleura": CodedConcept("3120008", "SCT", "Pleura")
        default: nil
        }
    }
}
