import CDCMTK
import Foundation
import ImagingCore

/// What the catalogue keeps of one DICOM file: everything but the pixels.
struct ImageFile: Sendable {
    let url: URL
    let fileSize: Int
    let sopClassUID: String
    let sopClass: SOPClass
    let sopInstanceUID: String
    let seriesInstanceUID: String
    let studyInstanceUID: String
    let frameOfReferenceUID: String?
    /// The Modality attribute as it stands in the file.
    let modality: String
    let description: String
    let seriesNumber: Int
    let patient: PatientIdentity
    let transferSyntaxUID: String
    let pixelFormat: PixelFormat?
    /// Where native little endian pixel data start; `nil` when they must be decoded.
    let nativePixelsOffset: Int?
    let paddingValue: Int?
    let rescaleType: String?
    let isLossy: Bool
    /// What holds for all frames; one for a single-frame image.
    var frames: [ImageFrame]
    /// Why this is not an image that can be loaded; `nil` when it is.
    var refusal: Finding?
    /// Whether the header can be read but the image is damaged.
    var isBroken = false
    /// What is odd about the file but does not keep it from loading.
    var findings: [Finding] = []

    /// Reads the header. Throws for what is not DICOM and for broken files.
    init(_ url: URL) throws(DICOMError) {
        let dataset = try DICOMDataset(contentsOf: url, extent: .upToPixelData)
        let handle = dataset.file.handle
        self.url = url
        fileSize = Int(cdcmtk_dataset_file_size(handle))
        sopClassUID = dataset.string(.sopClassUID) ?? dataset.metaHeader.string(.mediaStorageSOPClassUID) ?? ""
        sopClass = SOPClass(uid: sopClassUID)
        sopInstanceUID = dataset.string(.sopInstanceUID) ?? ""
        seriesInstanceUID = dataset.string(.seriesInstanceUID) ?? ""
        studyInstanceUID = dataset.string(.studyInstanceUID) ?? ""
        frameOfReferenceUID = dataset.string(.frameOfReferenceUID)
        modality = dataset.string(.modality) ?? ""
        description = dataset.string(.seriesDescription) ?? ""
        seriesNumber = dataset.integer(.seriesNumber) ?? 0
        patient = PatientIdentity(dataset)
        transferSyntaxUID = dataset.transferSyntaxUID
        pixelFormat = PixelFormat(dataset)
        var offset: Int64 = 0, length: Int64 = 0
        let isNative = cdcmtk_dataset_native_pixels(handle, &offset, &length) != 0
        nativePixelsOffset = isNative ? Int(offset) : nil
        rescaleType = dataset.string(.rescaleType)
        isLossy = dataset.string(.lossyImageCompression) == "01"
        // Implicit VR does not say whether the value is signed.
        paddingValue = dataset.integer(.pixelPaddingValue).map { [isSigned = pixelFormat?.isSigned ?? false] in
            isSigned ? Int(Int16(truncatingIfNeeded: $0)) : Int(UInt16(truncatingIfNeeded: $0))
        }
        frames = []
        guard sopClassUID != "1.2.840.10008.1.3.10" else {
            throw DICOMError(Finding(
                .info, "dicomdir", "\(url.path) is a DICOMDIR, a table of contents; the files are read themselves.", remedy: ""))
        }
        refusal = Self.refusalByKind(dataset, sopClass: sopClass, modality: modality)
        guard refusal == nil else { return }
        do {
            let bytesPresent = isNative ? max(0, min(Int(length), fileSize - Int(offset))) : nil
            try readFrames(dataset, hasPixels: cdcmtk_dataset_has_pixels(handle) != 0, nativeBytes: bytesPresent)
        } catch {
            refusal = error.finding
            isBroken = true
        }
    }

    private mutating func readFrames(_ dataset: DICOMDataset, hasPixels: Bool, nativeBytes: Int?) throws(DICOMError) {
        guard hasPixels else { throw Self.broken(url, "it has no pixel data") }
        guard let pixelFormat else { throw Self.broken(url, "Rows, Columns or Bits Allocated is missing") }
        refusal = pixelFormat.refusal
        guard refusal == nil else { return }
        frames = try Self.frames(of: dataset, url: url)
        if let nativeBytes, frames.count * pixelFormat.bytesPerFrame > nativeBytes {
            throw Self.broken(url, "\(frames.count * pixelFormat.bytesPerFrame) bytes of pixel data are expected and \(nativeBytes) are there",
                              code: "truncated-pixel-data")
        }
        refusal = Self.refusalBySyntax(transferSyntaxUID)
        guard refusal == nil else { return }
        guard cdcmtk_dataset_pixels_are_cut_off(dataset.file.handle) == 0 else {
            throw Self.broken(url, "the file ends inside the pixel data", code: "truncated-pixel-data")
        }
        judgeFrames(dataset)
    }

    /// The modality that the image is loaded as.
    var imageModality: Modality? {
        if case .image(let modality, _) = sopClass { return modality }
        return sopClassUID.isEmpty ? Modality(rawValue: modality) : nil
    }

    private mutating func judgeFrames(_ dataset: DICOMDataset) {
        if frames.allSatisfy({ $0.isLocalizer }) {
            refusal = Finding(
                .info, "localizer", "This is a localizer: an overview for planning, not a volume.",
                remedy: "Use the scan that was planned on it.")
        } else if frames.contains(where: { $0.plane == nil }) {
            refusal = Finding(
                .error, "no-geometry",
                "Image Position, Image Orientation or Pixel Spacing is missing or impossible, so nobody can tell where the image lies.",
                remedy: "Export the original images; secondary captures and some converted files lack this.")
        } else if dataset.contains(.modalityLUTSequence) {
            refusal = Finding(.error, "modality-lut", "Values are given through a Modality LUT, which is not supported.",
                              remedy: "Export the series with Rescale Slope and Intercept.")
        } else if let rescale = frames.lazy.compactMap({ $0.rescale }).first(where: { !$0.isUsable }) {
            refusal = Finding(.error, "rescale", "Rescale Slope \(rescale.slope) with Intercept \(rescale.intercept) cannot be.",
                              remedy: "The header is damaged: export the series again.")
        }
        if sopClassUID.isEmpty {
            findings.append(Finding(.warning, "no-sop-class", "The SOP Class UID is missing; the Modality \(modality) is believed."))
        }
    }

    /// Objects that hold no CT or MR image, whatever their Modality says.
    private static func refusalByKind(_ dataset: DICOMDataset, sopClass: SOPClass, modality: String) -> Finding? {
        let claimsImage = Modality(rawValue: modality) != nil
        switch sopClass {
        case .other(let name):
            if claimsImage {
                return Finding(.error, "modality-mismatch", "The Modality says \(modality), but the SOP class says \(name).",
                               remedy: "It is not used as \(modality). Use the original \(modality) series.")
            }
            return Finding(.info, "not-ct-or-mr", "\(name): not a CT or MR image.", remedy: Self.use(of: name))
        case .unknown(let uid) where !uid.isEmpty:
            return Finding(claimsImage ? .error : .info, "not-ct-or-mr", "Objects of SOP class \(uid) are not CT or MR images.",
                           remedy: "Use the original CT or MR series.")
        case .unknown where !claimsImage:
            return Finding(.warning, "not-ct-or-mr", "SOP Class UID is missing and the Modality is \(modality.isEmpty ? "missing" : modality): not a CT or MR image.",
                           remedy: "Use the original CT or MR series.")
        case .image(let kind, _) where !modality.isEmpty && modality != kind.rawValue:
            return Finding(.error, "modality-mismatch", "The Modality says \(modality), but the SOP class says \(sopClass.name).",
                           remedy: "Find out what it is and export it again; it is not used.")
        default: break
        }
        var giveaways: [(DICOMTag, String)] = [
            (0x0054_0016, "PET image (Radiopharmaceutical Information)"), (0x0054_1102, "PET image (Decay Correction)"),
            (0x0062_0002, "segmentation (Segment Sequence)"),
            (0x3006_0020, "structure set (Structure Set ROI Sequence)"), (0x3004_0002, "dose (Dose Units)"),
        ]
        // Research collections leave Units in MR images that were processed together with PET.
        if modality == Modality.ct.rawValue { giveaways.append((0x0054_1001, "PET image (Units)")) }
        for (tag, name) in giveaways where dataset.contains(tag) {
            return Finding(.error, "modality-mismatch", "It calls itself \(modality.isEmpty ? sopClass.name : modality), but has the attributes of a \(name).",
                           remedy: "It is not used. Use the original CT or MR series.")
        }
        return nil
    }

    private static func use(of name: String) -> String {
        switch name {
        case "Segmentation": "Give it as a mask: segmentation and segment."
        case "RT Structure Set": "Give it as a mask: structureSet and roi."
        default: ""
        }
    }

    private static func refusalBySyntax(_ uid: String) -> Finding? {
        guard cdcmtk_can_decode(uid) == 0 else { return nil }
        let name = TransferSyntax.name(uid)
        let isJPEG2000 = name.contains("JPEG 2000")
        return Finding(
            .error, isJPEG2000 ? "jpeg-2000" : "transfer-syntax", "The images are compressed as \(name) (\(uid)), which cannot be decoded.",
            remedy: "Export them uncompressed, or convert each file: gdcmconv --raw IN OUT" + (isJPEG2000 ? " (or dcmdjp2k)." : "."))
    }

    /// No scanner writes more frames into one file.
    private static let largestFrameCount = 100_000

    private static func frames(of dataset: DICOMDataset, url: URL) throws(DICOMError) -> [ImageFrame] {
        let announced = dataset.string(.numberOfFrames)
        guard let count = announced == nil ? 1 : dataset.integer(.numberOfFrames), (1...largestFrameCount).contains(count) else {
            throw broken(url, "Number of Frames is \(announced ?? "")")
        }
        let shared = dataset.item(.sharedFunctionalGroupsSequence), own = dataset.items(.perFrameFunctionalGroupsSequence)
        if shared == nil && own.isEmpty {
            var frame = ImageFrame(singleFrame: dataset)
            guard count > 1 else { return [frame] }
            frame.plane = nil  // Without functional groups nothing says where the frames lie.
            return Array(repeating: frame, count: count)
        }
        guard own.count == count || (own.isEmpty && count == 1) else {
            throw broken(url, "Number of Frames is \(count), but \(own.count) frames are described")
        }
        return (0..<count).map { ImageFrame(index: $0, ofMultiframe: dataset, own: own.isEmpty ? nil : own[$0], shared: shared) }
    }

    private static func broken(_ url: URL, _ what: String, code: String = "broken-file") -> DICOMError {
        DICOMError(Finding(
            .error, code, "\(url.path) is broken: \(what).",
            remedy: "Export or copy the file again; a copy that broke off is the usual cause."))
    }
}
