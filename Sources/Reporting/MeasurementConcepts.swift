import DICOMObjects

/// Public concepts that frame the report (PS3.16, TID 1500).
enum DCM {
    static let imagingMeasurementReport = CodedConcept("126000", "DCM", "Imaging Measurement Report")
    static let language = CodedConcept("121049", "DCM", "Language of Content Item and Descendants")
    static let observerType = CodedConcept("121005", "DCM", "Observer Type")
    static let device = CodedConcept("121007", "DCM", "Device")
    static let deviceUID = CodedConcept("121012", "DCM", "Device Observer UID")
    static let deviceName = CodedConcept("121013", "DCM", "Device Observer Name")
    static let deviceManufacturer = CodedConcept("121014", "DCM", "Device Observer Manufacturer")
    static let deviceModel = CodedConcept("121015", "DCM", "Device Observer Model Name")
    static let procedureReported = CodedConcept("121058", "DCM", "Procedure reported")
    static let imageLibrary = CodedConcept("111028", "DCM", "Image Library")
    static let imageLibraryGroup = CodedConcept("126200", "DCM", "Image Library Group")
    static let sourceImage = CodedConcept("121112", "DCM", "Source of Measurement")
    static let imagingMeasurements = CodedConcept("126010", "DCM", "Imaging Measurements")
    static let measurementGroup = CodedConcept("125007", "DCM", "Measurement Group")
    static let qualitativeEvaluations = CodedConcept("C0034375", "UMLS", "Qualitative Evaluations")
    static let trackingID = CodedConcept("112039", "DCM", "Tracking Identifier")
    static let trackingUID = CodedConcept("112040", "DCM", "Tracking Unique Identifier")
    static let finding = CodedConcept("121071", "DCM", "Finding")
    static let findingSite = CodedConcept("363698007", "SCT", "Finding Site")
    static let referencedSegment = CodedConcept("121191", "DCM", "Referenced Segment")
    static let sourceSeries = CodedConcept("121232", "DCM", "Source series for segmentation")
    static let volume = CodedConcept("118565006", "SCT", "Volume")
    static let derivation = CodedConcept("121401", "DCM", "Derivation")
}
