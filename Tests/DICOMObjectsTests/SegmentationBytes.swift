import Foundation

@testable import DICOMObjects

/// A DICOM Segmentation, to be encoded byte by byte.
struct SegmentationBytes {
    struct Frame {
        var segment: Int?
        var position: [Double]
    }

    var sopClass = "1.2.840.10008.5.1.4.1.1.66.4"
    var type = "BINARY"
    var rows = 3
    var columns = 5
    var bitsAllocated = 1
    var segments: [(number: Int, label: String)] = [(1, "tumour")]
    var frames: [Frame] = [Frame(segment: 1, position: [0, 0, 0])]
    var orientation: [Double] = [1, 0, 0, 0, 1, 0]
    var pixelSpacing = [1.5, 0.5]
    var spacingBetweenSlices: Double?
    var sliceThickness: Double? = 2
    /// Whether orientation and spacing stand in every frame's own groups rather than in the shared ones.
    var perFrameGeometry = false
    var fractionalType: String?
    var maximumFractionalValue: Int?
    var frameCount: Int?
    var pixels: [UInt8] = [0, 0]

    var attributes: [DICOMTag: DICOMBytes.Value] {
        var measures: [DICOMTag: DICOMBytes.Value] = [.pixelSpacing: DICOMBytes.text("DS", pixelSpacing)]
        if let spacingBetweenSlices { measures[.spacingBetweenSlices] = DICOMBytes.text("DS", [spacingBetweenSlices]) }
        if let sliceThickness { measures[.sliceThickness] = DICOMBytes.text("DS", [sliceThickness]) }
        let geometry: [DICOMTag: DICOMBytes.Value] = [
            .pixelMeasuresSequence: .sequence([measures]),
            .planeOrientationSequence: .sequence([[.imageOrientationPatient: DICOMBytes.text("DS", orientation)]]),
        ]
        let perFrame = frames.map { frame in
            var groups: [DICOMTag: DICOMBytes.Value] = [
                .planePositionSequence: .sequence([[.imagePositionPatient: DICOMBytes.text("DS", frame.position)]])
            ]
            if let segment = frame.segment {
                groups[.segmentIdentificationSequence] = .sequence([[.referencedSegmentNumber: .us([UInt16(segment)])]])
            }
            return perFrameGeometry ? groups.merging(geometry) { $1 } : groups
        }
        var attributes: [DICOMTag: DICOMBytes.Value] = [
            .sopClassUID: .text("UI", sopClass), .sopInstanceUID: .text("UI", "1.2.3"), .modality: .text("CS", "SEG"),
            .frameOfReferenceUID: .text("UI", "1.2.826.7"), .numberOfFrames: .text("IS", "\(frameCount ?? frames.count)"),
            .rows: .us([UInt16(rows)]), .columns: .us([UInt16(columns)]), .bitsAllocated: .us([UInt16(bitsAllocated)]),
            .segmentationType: .text("CS", type),
            .segmentSequence: .sequence(segments.map { [.segmentNumber: .us([UInt16($0.number)]), .segmentLabel: .text("LO", $0.label)] }),
            .sharedFunctionalGroupsSequence: .sequence([perFrameGeometry ? [:] : geometry]),
            .perFrameFunctionalGroupsSequence: .sequence(perFrame), .pixelData: .ob(pixels),
        ]
        if let fractionalType { attributes[.segmentationFractionalType] = .text("CS", fractionalType) }
        if let maximumFractionalValue { attributes[.maximumFractionalValue] = .us([UInt16(maximumFractionalValue)]) }
        return attributes
    }

    func read(in folder: TemporaryFolder, without missing: DICOMTag? = nil) throws -> DICOMSegmentation {
        var attributes = attributes
        if let missing { attributes[missing] = nil }
        return try DICOMSegmentation.read(folder.write(DICOMBytes.file(attributes), "seg.dcm"))
    }
}
