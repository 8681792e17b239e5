import Foundation
import ImagingCore

@testable import DICOMObjects

/// An RT Structure Set, to be encoded byte by byte.
struct StructureSetBytes {
    struct Contour {
        var points: [PatientPoint]
        var type = "CLOSED_PLANAR"
        var slabThickness: Double?
    }

    /// Name and contours.
    var regions: [(name: String, contours: [Contour])]
    var frameOfReferenceUID: String? = "1.2.826.9"

    var attributes: [DICOMTag: DICOMBytes.Value] {
        [
            .sopClassUID: .text("UI", "1.2.840.10008.5.1.4.1.1.481.3"), .sopInstanceUID: .text("UI", "1.2.3"),
            .modality: .text("CS", "RTSTRUCT"),
            .structureSetROISequence: .sequence(regions.enumerated().map { index, region in
                var item: [DICOMTag: DICOMBytes.Value] = [.roiNumber: .text("IS", "\(index + 5)"), .roiName: .text("LO", region.name)]
                if let frameOfReferenceUID { item[.referencedFrameOfReferenceUID] = .text("UI", frameOfReferenceUID) }
                return item
            }),
            .roiContourSequence: .sequence(regions.enumerated().map { index, region in
                [
                    .referencedROINumber: .text("IS", "\(index + 5)"),
                    .contourSequence: .sequence(region.contours.map { contour in
                        var item: [DICOMTag: DICOMBytes.Value] = [
                            .contourGeometricType: .text("CS", contour.type),
                            .contourData: DICOMBytes.text("DS", contour.points.flatMap { [$0.lps.x, $0.lps.y, $0.lps.z] }),
                        ]
                        if let thickness = contour.slabThickness { item[.contourSlabThickness] = DICOMBytes.text("DS", [thickness]) }
                        return item
                    }),
                ]
            }),
        ]
    }

    func read(in folder: TemporaryFolder) throws -> StructureSet {
        try StructureSet.read(folder.write(DICOMBytes.file(attributes, syntax: .implicitLittle), "rs.dcm"))
    }

    /// A rectangle at height `z`.
    static func rectangle(_ x: ClosedRange<Double>, _ y: ClosedRange<Double>, z: Double) -> [PatientPoint] {
        [(x.lowerBound, y.lowerBound), (x.upperBound, y.lowerBound), (x.upperBound, y.upperBound), (x.lowerBound, y.upperBound)]
            .map { PatientPoint($0.0, $0.1, z) }
    }

    /// A circle of 180 points across `normal`.
    static func circle(_ center: PatientPoint, radius: Double, axes: PatientAxes = .identity) -> [PatientPoint] {
        (0..<180).map { step in
            let angle = Double(step) * .pi / 90
            return center + axes.vector(SIMD3(radius * cos(angle), radius * sin(angle), 0))
        }
    }
}
