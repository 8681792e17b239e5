/// Attributes of the Segmentation objects (PS3.3 C.8.20).
extension DICOMTag {
    static let codeMeaning: DICOMTag = 0x0008_0104
    static let spacingBetweenSlices: DICOMTag = 0x0018_0088
    static let segmentationType: DICOMTag = 0x0062_0001
    static let segmentSequence: DICOMTag = 0x0062_0002
    static let segmentNumber: DICOMTag = 0x0062_0004
    static let segmentLabel: DICOMTag = 0x0062_0005
    static let segmentDescription: DICOMTag = 0x0062_0006
    static let segmentIdentificationSequence: DICOMTag = 0x0062_000A
    static let referencedSegmentNumber: DICOMTag = 0x0062_000B
    static let maximumFractionalValue: DICOMTag = 0x0062_000E
    static let segmentedPropertyTypeCodeSequence: DICOMTag = 0x0062_000F
    static let segmentationFractionalType: DICOMTag = 0x0062_0010
}
