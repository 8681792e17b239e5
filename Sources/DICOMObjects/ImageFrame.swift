import ImagingCore

/// What one frame says about where it lies, what its values mean and which part of the series it is of.
struct ImageFrame: Sendable {
    /// Index in the file's pixel data, from 0.
    var index: Int
    var plane: ImagePlane?
    var rescale: Rescale?
    var sliceThicknessMM: Double?
    var isLocalizer: Bool
    var isDerived: Bool
    var stackID: String?
    /// The values of `SeparatingAttribute`, in the order of its cases.
    var separating: [String?]
    var instanceNumber: Int
}

/// The plane of an image in patient space.
struct ImagePlane: Hashable, Sendable {
    /// The centre of the first pixel.
    var position: PatientPoint
    /// Unit vectors: along a row (rising column index) and along a column (rising row index).
    var row, column: PatientVector
    /// Millimetres between neighbouring columns and between neighbouring rows.
    var columnSpacing, rowSpacing: Double

    var normal: PatientVector { row.cross(column) }

    /// How far from 1 a direction's length may be before it is no longer taken for rounding.
    private static let lengthTolerance = 0.05

    /// `nil` when a number is missing or cannot be.
    init?(position: [Double], orientation: [Double], pixelSpacing: [Double]) {
        guard position.count == 3, orientation.count == 6, pixelSpacing.count == 2,
            (position + orientation + pixelSpacing).allSatisfy({ $0.isFinite }), pixelSpacing.min()! > 0, position.map(abs).max()! < 1e6
        else { return nil }
        let row = PatientVector(orientation[0], orientation[1], orientation[2])
        let column = PatientVector(orientation[3], orientation[4], orientation[5])
        guard abs(row.length - 1) < Self.lengthTolerance, abs(column.length - 1) < Self.lengthTolerance else { return nil }
        self.position = PatientPoint(position[0], position[1], position[2])
        self.row = row.normalized!
        self.column = column.normalized!
        guard abs(self.row.dot(self.column)) <= PatientAxes.tolerance else { return nil }
        // Pixel Spacing names the distance between rows first.
        (rowSpacing, columnSpacing) = (pixelSpacing[0], pixelSpacing[1])
    }
}

/// Attributes that tell the volumes within one series apart, the most telling first.
enum SeparatingAttribute: Int, CaseIterable, Sendable {
    case temporalPosition, bValue, echoNumber, echoTime, inversionTime, triggerTime, acquisitionNumber, imageType,
         convolutionKernel, repetitionTime, acquisitionTime, contentTime

    /// What a person calls it.
    var name: String {
        switch self {
        case .temporalPosition: "temporal position"
        case .bValue: "diffusion b-value"
        case .echoNumber: "echo number"
        case .echoTime: "echo time"
        case .inversionTime: "inversion time"
        case .triggerTime: "trigger time"
        case .acquisitionNumber: "acquisition number"
        case .imageType: "image type"
        case .convolutionKernel: "convolution kernel"
        case .repetitionTime: "repetition time"
        case .acquisitionTime: "acquisition time"
        case .contentTime: "content time"
        }
    }
}

extension ImageFrame {
    /// The one frame of a single-frame image.
    init(singleFrame dataset: DICOMDataset) {
        index = 0
        plane = ImagePlane(
            position: (try? dataset.numbers(.imagePositionPatient)) ?? [],
            orientation: (try? dataset.numbers(.imageOrientationPatient)) ?? [],
            pixelSpacing: (try? dataset.numbers(.pixelSpacing)) ?? [])
        rescale = Self.rescale(in: dataset)
        sliceThicknessMM = dataset.number(.sliceThickness)
        let type = dataset.strings(.imageType).map { $0.uppercased() }
        isLocalizer = Self.namesLocalizer(type)
        isDerived = type.first == "DERIVED"
        stackID = nil
        instanceNumber = dataset.integer(.instanceNumber) ?? 0
        separating = SeparatingAttribute.allCases.map { attribute in
            switch attribute {
            case .temporalPosition: dataset.string(.temporalPositionIdentifier)
            case .bValue: dataset.string(.diffusionBValue)
            case .echoNumber: dataset.string(.echoNumbers)
            case .echoTime: dataset.string(.echoTime)
            case .inversionTime: dataset.string(.inversionTime)
            case .triggerTime: dataset.string(.triggerTime)
            case .acquisitionNumber: dataset.string(.acquisitionNumber)
            case .imageType: type.isEmpty ? nil : type.joined(separator: "\\")
            case .convolutionKernel: dataset.string(.convolutionKernel)
            case .repetitionTime: dataset.string(.repetitionTime)
            case .acquisitionTime: dataset.string(.acquisitionTime)
            case .contentTime: dataset.string(.contentTime)
            }
        }
    }

    /// Frame `index` of an enhanced multi-frame image: what its own functional groups leave out, the shared ones hold.
    init(index: Int, ofMultiframe dataset: DICOMDataset, own: DICOMDataset?, shared: DICOMDataset?) {
        func group(_ tag: DICOMTag) -> DICOMDataset? { own?.item(tag) ?? shared?.item(tag) }
        self.index = index
        plane = ImagePlane(
            position: (try? group(.planePositionSequence)?.numbers(.imagePositionPatient)) ?? [],
            orientation: (try? group(.planeOrientationSequence)?.numbers(.imageOrientationPatient)) ?? [],
            pixelSpacing: (try? group(.pixelMeasuresSequence)?.numbers(.pixelSpacing)) ?? [])
        rescale = group(.pixelValueTransformationSequence).flatMap(Self.rescale)
        sliceThicknessMM = group(.pixelMeasuresSequence)?.number(.sliceThickness)
        let content = group(.frameContentSequence)
        let frameType = (group(.ctImageFrameTypeSequence) ?? group(.mrImageFrameTypeSequence))?.strings(.frameType) ?? []
        let type = (frameType.isEmpty ? dataset.strings(.imageType) : frameType).map { $0.uppercased() }
        isLocalizer = Self.namesLocalizer(type)
        isDerived = type.first == "DERIVED"
        stackID = content?.string(.stackID)
        instanceNumber = index
        let echo = group(.mrEchoSequence), diffusion = group(.mrDiffusionSequence)
        separating = SeparatingAttribute.allCases.map { attribute in
            switch attribute {
            case .temporalPosition: content?.string(.temporalPositionIndex)
            case .bValue: diffusion?.string(.diffusionBValue)
            case .echoTime: echo?.string(.effectiveEchoTime)
            case .inversionTime: group(.mrModifierSequence)?.string(.inversionTimes)
            case .triggerTime: group(.cardiacSynchronizationSequence)?.string(.nominalCardiacTriggerDelayTime)
            case .acquisitionNumber: content?.string(.frameAcquisitionNumber)
            case .imageType: type.isEmpty ? nil : type.joined(separator: "\\")
            case .convolutionKernel: group(.ctReconstructionSequence)?.string(.convolutionKernel)
            case .acquisitionTime: content?.string(.frameAcquisitionDateTime)
            case .echoNumber, .repetitionTime, .contentTime: nil
            }
        }
    }

    private static func rescale(in dataset: DICOMDataset) -> Rescale? {
        guard dataset.contains(.rescaleSlope) || dataset.contains(.rescaleIntercept) else { return nil }
        // A value that is there but unreadable must not pass for the default.
        func number(_ tag: DICOMTag, whenAbsent value: Double) -> Double {
            guard let text = dataset.string(tag), !text.isEmpty else { return value }
            return dataset.number(tag) ?? .nan
        }
        return Rescale(slope: number(.rescaleSlope, whenAbsent: 1), intercept: number(.rescaleIntercept, whenAbsent: 0))
    }

    private static func namesLocalizer(_ imageType: [String]) -> Bool {
        imageType.contains { ["LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM"].contains($0) }
    }
}
