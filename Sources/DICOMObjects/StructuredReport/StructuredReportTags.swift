/// Attributes of structured reports (PS3.3 C.17).
extension DICOMTag {
    static let mappingResource: DICOMTag = 0x0008_0105
    static let referencedPerformedProcedureStepSequence: DICOMTag = 0x0008_1111
    static let referencedSOPSequence: DICOMTag = 0x0008_1199
    static let measurementUnitsCodeSequence: DICOMTag = 0x0040_08EA
    static let relationshipType: DICOMTag = 0x0040_A010
    static let valueType: DICOMTag = 0x0040_A040
    static let conceptNameCodeSequence: DICOMTag = 0x0040_A043
    static let continuityOfContent: DICOMTag = 0x0040_A050
    static let uidValue: DICOMTag = 0x0040_A124
    static let textValue: DICOMTag = 0x0040_A160
    static let conceptCodeSequence: DICOMTag = 0x0040_A168
    static let measuredValueSequence: DICOMTag = 0x0040_A300
    static let numericValue: DICOMTag = 0x0040_A30A
    static let performedProcedureCodeSequence: DICOMTag = 0x0040_A372
    static let currentRequestedProcedureEvidenceSequence: DICOMTag = 0x0040_A375
    static let pertinentOtherEvidenceSequence: DICOMTag = 0x0040_A385
    static let completionFlag: DICOMTag = 0x0040_A491
    static let verificationFlag: DICOMTag = 0x0040_A493
    static let contentTemplateSequence: DICOMTag = 0x0040_A504
    static let templateIdentifier: DICOMTag = 0x0040_DB00
    static let contentSequence: DICOMTag = 0x0040_A730
}
