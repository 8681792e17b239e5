/// Attributes of the RT Structure Set (PS3.3 C.8.8.5, C.8.8.6).
extension DICOMTag {
    static let referencedFrameOfReferenceSequence: DICOMTag = 0x3006_0010
    static let structureSetROISequence: DICOMTag = 0x3006_0020
    static let roiNumber: DICOMTag = 0x3006_0022
    static let referencedFrameOfReferenceUID: DICOMTag = 0x3006_0024
    static let roiName: DICOMTag = 0x3006_0026
    static let roiContourSequence: DICOMTag = 0x3006_0039
    static let contourSequence: DICOMTag = 0x3006_0040
    static let contourGeometricType: DICOMTag = 0x3006_0042
    static let contourSlabThickness: DICOMTag = 0x3006_0044
    static let contourData: DICOMTag = 0x3006_0050
    static let referencedROINumber: DICOMTag = 0x3006_0084
}
