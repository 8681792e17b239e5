/// A DICOM attribute tag, written 0xGGGGEEEE.
public struct DICOMTag: Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(integerLiteral value: UInt32) { rawValue = value }

    /// As the standard writes it: (GGGG,EEEE).
    public var description: String {
        func hex(_ value: UInt32) -> String {
            let digits = String(value, radix: 16, uppercase: true)
            return String(repeating: "0", count: 4 - digits.count) + digits
        }
        return "(\(hex(rawValue >> 16)),\(hex(rawValue & 0xFFFF)))"
    }
}

/// The attributes that are read in this module, by their keyword in the standard (PS3.6).
extension DICOMTag {
    public static let mediaStorageSOPClassUID: DICOMTag = 0x0002_0002

    public static let specificCharacterSet: DICOMTag = 0x0008_0005
    public static let imageType: DICOMTag = 0x0008_0008
    public static let sopClassUID: DICOMTag = 0x0008_0016
    public static let sopInstanceUID: DICOMTag = 0x0008_0018
    public static let studyDate: DICOMTag = 0x0008_0020
    public static let seriesDate: DICOMTag = 0x0008_0021
    public static let acquisitionDate: DICOMTag = 0x0008_0022
    public static let acquisitionDateTime: DICOMTag = 0x0008_002A
    public static let studyTime: DICOMTag = 0x0008_0030
    public static let acquisitionTime: DICOMTag = 0x0008_0032
    public static let contentTime: DICOMTag = 0x0008_0033
    public static let modality: DICOMTag = 0x0008_0060
    public static let manufacturer: DICOMTag = 0x0008_0070
    public static let studyDescription: DICOMTag = 0x0008_1030
    public static let seriesDescription: DICOMTag = 0x0008_103E
    public static let referencedSOPClassUID: DICOMTag = 0x0008_1150
    public static let referencedSOPInstanceUID: DICOMTag = 0x0008_1155
    public static let frameType: DICOMTag = 0x0008_9007

    public static let patientName: DICOMTag = 0x0010_0010
    public static let patientID: DICOMTag = 0x0010_0020
    public static let patientBirthDate: DICOMTag = 0x0010_0030
    public static let patientSex: DICOMTag = 0x0010_0040

    public static let sliceThickness: DICOMTag = 0x0018_0050
    public static let repetitionTime: DICOMTag = 0x0018_0080
    public static let echoTime: DICOMTag = 0x0018_0081
    public static let inversionTime: DICOMTag = 0x0018_0082
    public static let echoNumbers: DICOMTag = 0x0018_0086
    public static let triggerTime: DICOMTag = 0x0018_1060
    public static let convolutionKernel: DICOMTag = 0x0018_1210
    public static let diffusionBValue: DICOMTag = 0x0018_9087
    public static let effectiveEchoTime: DICOMTag = 0x0018_9082
    public static let inversionTimes: DICOMTag = 0x0018_9079
    public static let mrModifierSequence: DICOMTag = 0x0018_9115
    public static let cardiacSynchronizationSequence: DICOMTag = 0x0018_9118
    public static let ctReconstructionSequence: DICOMTag = 0x0018_9314
    public static let frameAcquisitionDateTime: DICOMTag = 0x0018_9074
    public static let mrEchoSequence: DICOMTag = 0x0018_9114
    public static let mrDiffusionSequence: DICOMTag = 0x0018_9117

    public static let studyInstanceUID: DICOMTag = 0x0020_000D
    public static let seriesInstanceUID: DICOMTag = 0x0020_000E
    public static let seriesNumber: DICOMTag = 0x0020_0011
    public static let acquisitionNumber: DICOMTag = 0x0020_0012
    public static let instanceNumber: DICOMTag = 0x0020_0013
    public static let imagePositionPatient: DICOMTag = 0x0020_0032
    public static let imageOrientationPatient: DICOMTag = 0x0020_0037
    public static let frameOfReferenceUID: DICOMTag = 0x0020_0052
    public static let temporalPositionIdentifier: DICOMTag = 0x0020_0100
    public static let stackID: DICOMTag = 0x0020_9056
    public static let frameContentSequence: DICOMTag = 0x0020_9111
    public static let planePositionSequence: DICOMTag = 0x0020_9113
    public static let planeOrientationSequence: DICOMTag = 0x0020_9116
    public static let nominalCardiacTriggerDelayTime: DICOMTag = 0x0020_9153
    public static let frameAcquisitionNumber: DICOMTag = 0x0020_9156
    public static let temporalPositionIndex: DICOMTag = 0x0020_9128

    public static let samplesPerPixel: DICOMTag = 0x0028_0002
    public static let photometricInterpretation: DICOMTag = 0x0028_0004
    public static let numberOfFrames: DICOMTag = 0x0028_0008
    public static let rows: DICOMTag = 0x0028_0010
    public static let columns: DICOMTag = 0x0028_0011
    public static let pixelSpacing: DICOMTag = 0x0028_0030
    public static let bitsAllocated: DICOMTag = 0x0028_0100
    public static let bitsStored: DICOMTag = 0x0028_0101
    public static let highBit: DICOMTag = 0x0028_0102
    public static let pixelRepresentation: DICOMTag = 0x0028_0103
    public static let pixelPaddingValue: DICOMTag = 0x0028_0120
    public static let rescaleIntercept: DICOMTag = 0x0028_1052
    public static let rescaleSlope: DICOMTag = 0x0028_1053
    public static let rescaleType: DICOMTag = 0x0028_1054
    public static let modalityLUTSequence: DICOMTag = 0x0028_3000
    public static let lossyImageCompression: DICOMTag = 0x0028_2110
    public static let pixelMeasuresSequence: DICOMTag = 0x0028_9110
    public static let pixelValueTransformationSequence: DICOMTag = 0x0028_9145
    public static let ctImageFrameTypeSequence: DICOMTag = 0x0018_9329
    public static let mrImageFrameTypeSequence: DICOMTag = 0x0018_9226

    public static let sharedFunctionalGroupsSequence: DICOMTag = 0x5200_9229
    public static let perFrameFunctionalGroupsSequence: DICOMTag = 0x5200_9230
    public static let pixelData: DICOMTag = 0x7FE0_0010
}
