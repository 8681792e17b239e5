import Foundation

/// Where one frame of a segmentation belongs.
struct SegmentationFrame: Sendable {
    /// `nil` for a label map, whose frames hold every segment.
    var segmentNumber: Int?
    /// The index `k` of the plane.
    var slice: Int

    func holds(_ number: Int) -> Bool { segmentNumber == nil || segmentNumber == number }
}

/// The attributes of a Segmentation object, checked one by one.
struct SegmentationFile {
    private static let segmentationStorage = "1.2.840.10008.5.1.4.1.1.66.4"
    private static let labelMapSegmentationStorage = "1.2.840.10008.5.1.4.1.1.66.7"

    let dataset: DICOMDataset
    private let shared: DICOMDataset?
    private let perFrame: [DICOMDataset]

    init(_ dataset: DICOMDataset) {
        self.dataset = dataset
        shared = dataset.item(.sharedFunctionalGroupsSequence)
        perFrame = dataset.items(.perFrameFunctionalGroupsSequence)
    }

    var url: URL { dataset.url }
    var frameCount: Int { perFrame.count }

    /// A functional group of a frame: its own, else the one that all frames share.
    func group(_ tag: DICOMTag, frame: Int) -> DICOMDataset? { perFrame[frame].item(tag) ?? shared?.item(tag) }

    func encoding() throws(DICOMError) -> DICOMSegmentation.Encoding {
        let sopClass = dataset.string(.sopClassUID) ?? ""
        let type = dataset.string(.segmentationType)?.uppercased() ?? ""
        switch (sopClass, type) {
        case (Self.segmentationStorage, "BINARY"): return .binary
        case (Self.segmentationStorage, "FRACTIONAL"):
            guard let maximum = dataset.integer(.maximumFractionalValue), (1...255).contains(maximum) else {
                throw broken("has no usable Maximum Fractional Value")
            }
            return .fractional(
                .init(rawValue: dataset.string(.segmentationFractionalType)?.uppercased() ?? "") ?? .occupancy, maximum: maximum)
        case (Self.labelMapSegmentationStorage, _), (Self.segmentationStorage, "LABELMAP"): return .labelMap
        case (Self.segmentationStorage, _): throw broken("has the Segmentation Type “\(type)”, expected BINARY or FRACTIONAL")
        default:
            let modality = dataset.string(.modality) ?? "no modality"
            throw .segmentation(url, "not-a-segmentation", "is not a DICOM Segmentation (it is \(modality), SOP class \(sopClass)).",
                                remedy: "Give a file of modality SEG.")
        }
    }

    func segments() throws(DICOMError) -> [DICOMSegmentation.Segment] {
        var segments: [DICOMSegmentation.Segment] = []
        for item in dataset.items(.segmentSequence) {
            guard let number = item.integer(.segmentNumber), number >= 0 else { throw broken("has a segment without a number") }
            guard !segments.contains(where: { $0.number == number }) else { throw broken("numbers two segments \(number)") }
            segments.append(.init(
                number: number, label: item.string(.segmentLabel) ?? "",
                propertyType: item.item(.segmentedPropertyTypeCodeSequence)?.string(.codeMeaning)))
        }
        guard !segments.isEmpty else { throw broken("describes no segment") }
        return segments
    }

    func frames(slices: [Int], encoding: DICOMSegmentation.Encoding) throws(DICOMError) -> [SegmentationFrame] {
        var frames: [SegmentationFrame] = []
        for (index, slice) in slices.enumerated() {
            if encoding == .labelMap {
                frames.append(SegmentationFrame(segmentNumber: nil, slice: slice))
                continue
            }
            guard let number = group(.segmentIdentificationSequence, frame: index)?.integer(.referencedSegmentNumber) else {
                throw broken("does not say which segment frame \(index + 1) belongs to")
            }
            frames.append(SegmentationFrame(segmentNumber: number, slice: slice))
        }
        return frames
    }

    func broken(_ what: String) -> DICOMError {
        .segmentation(url, "segmentation-broken", "\(what).", remedy: "Export the segmentation again.")
    }
}
