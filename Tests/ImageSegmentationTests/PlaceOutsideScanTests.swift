import ImagingCore
import Testing
@testable import ImageSegmentation

/// A point outside the scan is refused with what helps to correct it.
@Suite struct PlaceOutsideScanTests {
    /// Voxel centres from (10, 20, -100) to (49, 79, -62).
    private static let scan = try! GridGeometry(
        size: GridSize(40, 60, 20), spacing: SIMD3(1, 1, 2), origin: PatientPoint(10, 20, -100), axes: .identity,
        frameOfReferenceUID: nil)

    @Test(arguments: [
        (PatientPoint(-30, -40, -80), true), (PatientPoint(-30, -40, 80), false), (PatientPoint(30, -40, -80), false),
    ])
    func remedySaysWhereTheScanLiesAndWhetherSignsAreWrong(point: PatientPoint, isMirrored: Bool) {
        let errors: [SegmentationError] = [
            .seedOutsideScan(PlaceOutsideScan(point, scan: Self.scan)),
            .pointOutsideScan(PlaceOutsideScan(point, scan: Self.scan), role: .include),
            .probesOutsideScan(PlaceOutsideScan(point, scan: Self.scan)),
        ]
        for error in errors {
            let remedy = error.finding.remedy
            #expect(remedy.contains("(10, 20, -100) to (49, 79, -62)"), "\(remedy)")
            #expect(remedy.contains("[30.0, 40.0, -80.0] would lie inside") == isMirrored, "\(remedy)")
            #expect(remedy.contains("RAS") == isMirrored)
        }
    }
}
