import Foundation
import ImagingCore

/// A series of a catalogue, or one of several volumes that share a Series Instance UID: what it is and whether it can be loaded.
public struct SeriesEntry: Sendable {
    public let seriesInstanceUID: String
    public let studyInstanceUID: String
    public let frameOfReferenceUID: String?
    /// The Modality attribute, whatever it says.
    public let modality: String
    /// Series Description, followed by what sets this volume apart where one series holds several.
    public let description: String
    public let patient: PatientIdentity
    public let files: [URL]
    /// UIDs, each once, sorted.
    public let transferSyntaxes: [String]
    /// Voxels of the loaded volume along i, j and k; `nil` when this is not an image.
    public let size: GridSize?
    /// The grid of the loaded volume; `nil` when it cannot be loaded.
    public let geometry: GridGeometry?
    /// Whether `load()` makes a volume of it.
    public var usable: Bool { geometry != nil }
    public private(set) var findings: [Finding]

    let sources: [ImageFile]
    let stack: SliceStack?

    /// Reads the pixels. Throws a `DICOMError` when the entry is not usable or a file cannot be read.
    public func load() throws(DICOMError) -> Scan {
        guard let geometry, let stack, let modality = sources[stack.slices[0].file].imageModality else { throw refusal }
        let reading = SliceReading(files: sources, slices: stack.slices)
        let volume: ScanVolume
        if stack.isRegular {
            volume = try reading.scanVolume(on: geometry)
        } else {
            volume = SliceResampling(stack: stack).resampled(try reading.scanVolume(on: try asStored(stack)), onto: geometry)
        }
        return Scan(
            volume: volume, modality: modality, seriesInstanceUID: seriesInstanceUID, studyInstanceUID: studyInstanceUID, patient: patient,
            description: description, files: files, transferSyntaxes: transferSyntaxes,
            instances: stack.slices.map(instance), isResampled: !stack.isRegular, findings: findings)
    }

    /// The error of `load()` where the entry is not usable: its gravest finding.
    private var refusal: DICOMError {
        let worst = findings.last { $0.severity == .error } ?? findings.last
        let name = "Series \(seriesInstanceUID.isEmpty ? "without UID" : seriesInstanceUID)"
        return DICOMError(
            Finding(
                .error, worst?.code ?? "not-usable", "\(name) cannot be loaded: \(worst?.message ?? "it holds no volume.")",
                remedy: worst?.remedy ?? ""))
    }

    /// A grid to hold the slices as they are before they are resampled; only its size matters.
    private func asStored(_ stack: SliceStack) throws(DICOMError) -> GridGeometry {
        let format = sources[stack.slices[0].file].pixelFormat!
        do {
            return try GridGeometry(
                size: GridSize(format.columns, format.rows, stack.slices.count), spacing: SIMD3(1, 1, 1), origin: PatientPoint(0, 0, 0))
        } catch {
            throw DICOMError(error.finding)
        }
    }

    private func instance(_ slice: Slice) -> ScanInstance {
        let file = sources[slice.file]
        return ScanInstance(
            sopClassUID: file.sopClassUID, sopInstanceUID: file.sopInstanceUID,
            frameNumber: file.frames.count > 1 ? slice.frame.index + 1 : nil, file: file.url, position: slice.plane.position)
    }
}

extension SeriesEntry {
    /// An entry for files that cannot be images of a volume, all refused for the same reason.
    init(refused files: [ImageFile]) {
        let first = files[0]
        var finding = first.refusal!
        if files.count > 1 { finding.message += " (\(files.count) files)" }
        self.init(
            files, part: nil, size: first.pixelFormat.flatMap { format in
                first.imageModality == nil ? nil : GridSize(format.columns, format.rows, files.reduce(0) { $0 + max($1.frames.count, 1) })
            }, geometry: nil, stack: nil, findings: [finding])
    }

    /// An entry for one volume. `files` are those of the whole series; the entry keeps the ones that the part uses.
    init(_ part: SeriesPart, of files: [ImageFile]) {
        let used = Set(part.slices.map(\.file)).sorted()
        let place = Dictionary(uniqueKeysWithValues: used.enumerated().map { ($1, $0) })
        let kept = used.map { files[$0] }
        let slices = part.slices.map { Slice(file: place[$0.file]!, frame: $0.frame, plane: $0.plane, sopInstanceUID: $0.sopInstanceUID) }
        let assessment = SeriesAssessment(files: kept, slices: slices, isAmbiguous: part.isAmbiguous)
        self.init(
            kept, part: part, size: assessment.size, geometry: assessment.geometry, stack: assessment.stack,
            findings: part.findings + assessment.findings)
    }

    private init(
        _ files: [ImageFile], part: SeriesPart?, size: GridSize?, geometry: GridGeometry?, stack: SliceStack?, findings: [Finding]
    ) {
        let first = files[0]
        seriesInstanceUID = first.seriesInstanceUID
        studyInstanceUID = first.studyInstanceUID
        frameOfReferenceUID = first.frameOfReferenceUID
        modality = first.modality.isEmpty ? first.imageModality?.rawValue ?? "" : first.modality
        let distinction = part?.distinction ?? []
        description = distinction.isEmpty
            ? first.description : "\(first.description) [\(distinction.joined(separator: ", "))]".trimmingCharacters(in: .whitespaces)
        patient = first.patient
        self.files = files.map(\.url)
        transferSyntaxes = Set(files.map(\.transferSyntaxUID)).sorted()
        self.size = size
        self.geometry = geometry
        self.stack = stack
        sources = geometry == nil ? [] : files
        self.findings = findings
    }

    /// The entry with more findings.
    func adding(_ more: [Finding]) -> SeriesEntry {
        var result = self
        result.findings += more
        return result
    }
}
