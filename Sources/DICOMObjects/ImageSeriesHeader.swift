import ImagingCore

/// What a written CT or MR series says about itself besides its voxels and their geometry.
///
/// Dates are `YYYYMMDD`, times `HHMMSS`, as in DICOM.
public struct ImageSeriesHeader: Sendable, Hashable {
    /// Who a series belongs to.
    public struct Patient: Sendable, Hashable {
        public var name: String
        public var id: String
        public var birthDate: String
        /// M, F or O.
        public var sex: String

        public init(name: String, id: String, birthDate: String, sex: String) {
            (self.name, self.id, self.birthDate, self.sex) = (name, id, birthDate, sex)
        }
    }

    /// One more data element; several values are parted by a backslash.
    public struct Element: Sendable, Hashable {
        public var group, element: UInt16
        public var value: String

        public init(_ group: UInt16, _ element: UInt16, _ value: String) {
            (self.group, self.element, self.value) = (group, element, value)
        }
    }

    public var modality: Modality
    public var patient: Patient
    public var studyInstanceUID: String
    public var studyDate: String
    public var studyTime: String
    public var studyDescription: String
    public var seriesInstanceUID: String
    public var seriesNumber: Int
    public var seriesDescription: String
    /// Seconds after `studyTime` at which the series was acquired.
    public var secondsIntoStudy = 0
    public var sliceThicknessMM: Double
    public var windowCenter: Double
    public var windowWidth: Double
    public var bodyPartExamined = ""
    /// DICOM Patient Position: HFS, HFP, …
    public var patientPosition = "HFS"
    public var manufacturer = "IceMargin"
    /// Elements that replace, or come on top of, those that the writer sets (kernel, kVp, echo time, contrast agent, …).
    public var furtherElements: [Element] = []

    public init(
        modality: Modality, patient: Patient, studyInstanceUID: String, studyDate: String, studyTime: String, studyDescription: String,
        seriesInstanceUID: String, seriesNumber: Int, seriesDescription: String, sliceThicknessMM: Double, windowCenter: Double,
        windowWidth: Double
    ) {
        self.modality = modality
        self.patient = patient
        self.studyInstanceUID = studyInstanceUID
        self.studyDate = studyDate
        self.studyTime = studyTime
        self.studyDescription = studyDescription
        self.seriesInstanceUID = seriesInstanceUID
        self.seriesNumber = seriesNumber
        self.seriesDescription = seriesDescription
        self.sliceThicknessMM = sliceThicknessMM
        self.windowCenter = windowCenter
        self.windowWidth = windowWidth
    }
}

/// A transfer syntax in which series can be written; all are lossless. Raw values are UIDs.
public enum WritableTransferSyntax: String, Sendable, CaseIterable {
    case implicitLittleEndian = "1.2.840.10008.1.2"
    case explicitLittleEndian = "1.2.840.10008.1.2.1"
    case rle = "1.2.840.10008.1.2.5"
    case jpegLossless = "1.2.840.10008.1.2.4.70"
    case jpegLS = "1.2.840.10008.1.2.4.80"
}

/// Why a series could not be written.
public enum ImageWritingError: ReportableError {
    case noFrameOfReference
    case axesNotRightHanded
    case planeTooLarge(GridSize)
    case fileNotWritten(path: String, reason: String)

    public var category: FailureCategory {
        switch self {
        case .noFrameOfReference, .axesNotRightHanded, .planeTooLarge: .badData
        case .fileNotWritten: .cannotWrite
        }
    }

    public var finding: Finding {
        switch self {
        case .noFrameOfReference:
            Finding(.error, "frame-of-reference-missing", "The image has no frame of reference UID, which a DICOM image must have.",
                    remedy: "Give its grid one.")
        case .axesNotRightHanded:
            Finding(.error, "axes-left-handed", "The image's slices are counted against the cross product of rows and columns.",
                    remedy: "Reverse the order of its slices.")
        case .planeTooLarge(let size):
            Finding(
                .error, "plane-too-large",
                "A slice of \(size.i) × \(size.j) pixels exceeds the 65535 that a DICOM image can have per side.")
        case .fileNotWritten(let path, let reason):
            Finding(
                .error, "image-not-written", "\(path) could not be written: \(reason).",
                remedy: "Check the folder's permissions and free space.")
        }
    }
}
