import Foundation
import ImagingCore
import Testing

@testable import FigureRendering

@Test(arguments: [
    (orientation: ViewOrientation.axial, left: "R", right: "L", top: "A", bottom: "P"),
    (.coronal, "R", "L", "H", "F"), (.sagittal, "A", "P", "H", "F"),
])
func patientPlanesFollowRadiologicalConvention(_ orientation: ViewOrientation, left: String, right: String, top: String, bottom: String) {
    let plane = ViewPlane(orientation, center: PatientPoint(0, 0, 0), pixelSizeMM: 1, width: 10, height: 10)
    #expect(plane.edgeLetters == (left, right, top, bottom))
}

@Test(arguments: [
    (direction: PatientVector(1, 0, 0), letters: "L"), (PatientVector(0, 0, -2), "F"), (PatientVector(0.6, -0.8, 0), "AL"),
    (PatientVector(-0.98, 0.2, 0), "R"), (PatientVector(-0.9, 0.4, 0.3), "RPH"),
])
func obliqueDirectionsNameEveryAxisTheyLeanTowards(_ direction: PatientVector, _ letters: String) {
    #expect(ViewPlane.letters(of: direction) == letters)
}

/// A scan whose value is 2 · left + 3 · posterior + 5 · superior, on an oblique, mirrored, anisotropic grid.
private func obliqueRamp() throws -> Volume<Float> {
    let turn = Matrix3.rotation(about: PatientVector(1, 2, 3), radians: 0.7)
    let columns = turn.columns
    let axes = try PatientAxes(i: PatientVector(columns.0), j: -PatientVector(columns.1), k: PatientVector(columns.2))
    let geometry = try GridGeometry(
        size: GridSize(60, 50, 30), spacing: SIMD3(0.9, 1.3, 2.5), origin: PatientPoint(-30, 20, -40), axes: axes)
    return Volume(geometry: geometry) { voxels in
        for offset in voxels.indices {
            voxels[offset] = Float((geometry.point(geometry.size.index(atOffset: offset)).lps * SIMD3(2, 3, 5)).sum())
        }
    }
}

@Test(arguments: ViewOrientation.allCases)
func obliqueScansAreResampledAtTheirTruePlace(_ orientation: ViewOrientation) throws {
    let ramp = try obliqueRamp()
    let plane = ViewPlane(orientation, center: ramp.geometry.center, pixelSizeMM: 0.8, width: 21, height: 17)
    let values = reslice(ramp, plane, columns: 0..<21, rows: 0..<17)
    for y in 0..<17 {
        for x in 0..<21 {
            let truth = (plane.point(SIMD2(Double(x), Double(y))).lps * SIMD3(2, 3, 5)).sum()
            #expect(abs(Double(values[x + 21 * y]) - truth) < 1e-3)
        }
    }
}

@Test func planesAlongTheGridGiveTheInterpolatedVoxels() throws {
    let geometry = try GridGeometry(size: GridSize(6, 5, 4), spacing: SIMD3(2, 1, 3), origin: PatientPoint(1, 2, 3))
    let volume = Volume<Int16>(geometry: geometry) { voxels in
        for offset in voxels.indices {
            let index = geometry.size.index(atOffset: offset)
            voxels[offset] = Int16(100 * index.i + 10 * index.j + index.k)
        }
    }
    // One pixel a millimetre from voxel (0, 1) of slice 1½ on: half a voxel along i, one along j.
    let plane = ViewPlane(.axial, center: geometry.point(ContinuousIndex(1, 2, 1.5)), pixelSizeMM: 1, width: 5, height: 3)
    let expected: [Float] = [10, 60, 110, 160, 210, 20, 70, 120, 170, 220, 30, 80, 130, 180, 230].map { $0 + 1.5 }
    #expect(reslice(volume, plane, columns: 0..<5, rows: 0..<3) == expected)
}

@Test func whatLiesOutsideTheScanIsNotMadeUp() throws {
    let geometry = try GridGeometry(size: GridSize(4, 4, 4), spacing: SIMD3(1, 1, 1), origin: PatientPoint(0, 0, 0))
    let volume = Volume<Float>(geometry: geometry, repeating: 7)
    // Centres at −2 … 5 along L: cells reach from −0.5 to 3.5.
    let plane = ViewPlane(.axial, center: PatientPoint(1.5, 1, 1), pixelSizeMM: 1, width: 8, height: 1)
    let values = reslice(volume, plane, columns: 0..<8, rows: 0..<1)
    #expect(values.map(\.isNaN) == [true, true, false, false, false, false, true, true])
}
