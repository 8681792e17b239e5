import Foundation
import ImagingCore
import Testing

@testable import DICOMObjects

@Suite struct StructureSetTests {
    let folder = TemporaryFolder()

    private func levelSet(_ contours: [[PatientPoint]], resolutionMM: Double = 0.5) throws -> (levelSet: LevelSet, findings: [Finding]) {
        let set = try StructureSetBytes(regions: [("roi", contours.map { .init(points: $0) })]).read(in: folder)
        return try set.levelSet(of: set.regions[0], resolutionMM: resolutionMM)
    }

    /// The field at a point that need not be a voxel, linearly interpolated.
    private func value(_ levelSet: LevelSet, _ x: Double, _ y: Double, _ z: Double) -> Double {
        let ijk = levelSet.geometry.continuousIndex(PatientPoint(x, y, z)).ijk
        let low = (ijk + 1e-9).rounded(.down), share = ijk - low
        var sum = 0.0
        for corner in 0..<8 {
            let step = SIMD3(Double(corner & 1), Double(corner >> 1 & 1), Double(corner >> 2))
            let weight = (step * share + (1 - step) * (1 - share))
            let at = pointwiseMin(
                low + step,
                SIMD3(Double(levelSet.geometry.size.i - 1), Double(levelSet.geometry.size.j - 1), Double(levelSet.geometry.size.k - 1)))
            sum += weight.x * weight.y * weight.z * Double(levelSet.field[VoxelIndex(Int(at.x), Int(at.y), Int(at.z))])
        }
        return sum
    }

    /// A box of 20 × 12 mm in five planes 3 mm apart reaches half a plane distance beyond the outer planes: 15 mm high.
    @Test func aBoxHasItsFacesWhereTheContoursAndHalfASliceSay() throws {
        let (box, findings) = try levelSet((0..<5).map { StructureSetBytes.rectangle(10...30, -6...6, z: 100 + 3 * Double($0)) })
        #expect(findings.isEmpty)
        #expect(box.geometry.frameOfReferenceUID == "1.2.826.9")
        for (x, y, z, expected) in [
            (10.0, 0.0, 106.0, 0.0), (30, 0, 106, 0), (20, -6, 106, 0), (20, 6, 106, 0), (20, 0, 98.5, 0), (20, 0, 113.5, 0),
            (12, 0, 106, 2), (29, 0, 106, 1),
            (9, 0, 106, -1), (20, 7.5, 106, -1.5), (20, 0, 99, 0.5), (20, 0, 113, 0.5), (20, 0, 114, -0.5),
        ] { #expect(abs(value(box, x, y, z) - expected) < 0.06, "(\(x), \(y), \(z)): \(value(box, x, y, z)), expected \(expected)") }
        #expect(abs(box.mask.volumeML - 20 * 12 * 15 / 1000) < 0.05)
    }

    /// A sphere's contours on planes 2.5 mm apart: the field is the distance to the sphere between the outer planes.
    @Test func aSphereIsRoundBetweenPlanes() throws {
        let center = PatientPoint(3.3, -7.1, 50.4), radius = 12.0
        let contours = stride(from: -11.2, through: 11.3, by: 2.5).map { height in
            StructureSetBytes.circle(center + PatientVector(0, 0, height), radius: (radius * radius - height * height).squareRoot())
        }
        let (sphere, _) = try levelSet(contours)
        var sum = 0.0, squares = 0.0, count = 0.0
        for k in 0..<sphere.geometry.size.k {
            for j in 0..<sphere.geometry.size.j {
                for i in 0..<sphere.geometry.size.i {
                    let value = Double(sphere.field[VoxelIndex(i, j, k)]), point = sphere.geometry.point(VoxelIndex(i, j, k))
                    guard abs(value) < 1, abs(point.lps.z - center.lps.z) < 10 else { continue }
                    let error = value - (radius - point.distance(to: center))
                    (sum, squares, count) = (sum + error, squares + error * error, count + 1)
                }
            }
        }
        #expect(abs(sum / count) < 0.05)
        #expect((squares / count).squareRoot() < 0.12)
        #expect(abs(sphere.mask.volumeML / (4 / 3 * Double.pi * pow(radius, 3) / 1000) - 1) < 0.025)
    }

    /// A ring: outer square of 40 mm, inner of 20 mm, as two contours in either direction, or joined by a channel of no width.
    @Test(arguments: ["exclusive or", "reversed", "keyhole"])
    func innerContoursAreHoles(kind: String) throws {
        let contours = (0..<4).flatMap { plane -> [[PatientPoint]] in
            let z = 2 * Double(plane)
            let outer = StructureSetBytes.rectangle(-20...20, -20...20, z: z), inner = StructureSetBytes.rectangle(-10...10, -10...10, z: z)
            switch kind {
            case "exclusive or": return [outer, inner]
            case "reversed": return [outer, inner.reversed()]
            default: return [outer + [outer[0]] + [inner[0], inner[3], inner[2], inner[1], inner[0]] + [outer[0]]]
            }
        }
        let (ring, _) = try levelSet(contours)
        #expect(abs(ring.mask.volumeML - (40 * 40 - 20 * 20) * 8 / 1000) < 0.05)
        #expect(abs(value(ring, 3, 0, 3) + 7) < 0.02)
        #expect(abs(value(ring, 13, 0, 3) - 3) < 0.02)
        // The channel runs from (−20, −20) to (−10, −10): its middle lies 5 mm from either contour's nearest side.
        #expect(abs(value(ring, -15, -15, 3) - 5) < 0.5)
    }

    @Test func anIslandInAHoleCounts() throws {
        let contours = (0..<3).flatMap { plane in [15.0, 10, 5].map { StructureSetBytes.rectangle(-$0...$0, -$0...$0, z: Double(plane)) } }
        let (islands, _) = try levelSet(contours)
        #expect(value(islands, 0, 0, 1) > 0 && value(islands, 7.5, 0, 1) < 0 && value(islands, 12.5, 0, 1) > 0)
    }

    @Test func aContourThatStandsTwiceCountsOnce() throws {
        let contours = (0..<3).flatMap { plane in
            Array(repeating: StructureSetBytes.rectangle(0...10, 0...10, z: Double(plane)), count: 2)
        }
        let (box, findings) = try levelSet(contours)
        #expect(abs(box.mask.volumeML - 0.3) < 0.01)
        #expect(findings.map(\.code) == ["contours-duplicated"])
    }

    @Test func aMissingPlaneIsInterpolatedAndALargeGapIsNot() throws {
        func box(_ heights: [Double]) throws -> (levelSet: LevelSet, findings: [Finding]) {
            try levelSet(heights.map { StructureSetBytes.rectangle(0...20, 0...20, z: $0) })
        }
        let bridged = try box([0, 2, 4, 8, 10])
        #expect(bridged.findings.map(\.code) == ["contours-missing"])
        #expect(value(bridged.levelSet, 10, 10, 6) > 0)
        let pieces = try box([0, 2, 4, 14, 16])
        #expect(pieces.findings.map(\.code) == ["region-in-pieces"])
        #expect(value(pieces.levelSet, 10, 10, 9) < 0)
        #expect(abs(value(pieces.levelSet, 10, 10, 5)) < 0.1 && abs(value(pieces.levelSet, 10, 10, 13)) < 0.1)
    }

    @Test func contoursOnObliquePlanesKeepTheirPlace() throws {
        let axes = try PatientAxes(i: PatientVector(0, 0.6, 0.8), j: PatientVector(0.8, 0.48, -0.36), k: PatientVector(-0.6, 0.64, -0.48))
        let center = PatientPoint(40, -30, 20)
        let contours = (-3...3).map { StructureSetBytes.circle(center + axes.vector(SIMD3(0, 0, 3 * Double($0))), radius: 15, axes: axes) }
        let (cylinder, _) = try levelSet(contours)
        #expect(abs(cylinder.mask.volumeML / (Double.pi * 15 * 15 * 21 / 1000) - 1) < 0.01)
        let mask = cylinder.mask
        let centroid = try #require(mask.centroid)
        #expect(centroid.distance(to: center) < 0.02)
    }

    @Test func onePlaneNeedsASlabThickness() throws {
        let square = StructureSetBytes.rectangle(0...10, 0...10, z: 5)
        let error = #expect(throws: DICOMError.self) { try levelSet([square]) }
        #expect(error?.finding.code == "contours-on-one-plane")
        let set = try StructureSetBytes(regions: [("roi", [.init(points: square, slabThickness: 4)])]).read(in: folder)
        let slab = try set.levelSet(of: set.regions[0]).levelSet
        #expect(abs(slab.mask.volumeML - 0.4) < 0.02)
    }

    @Test func regionsAreChosenByName() throws {
        let square = StructureSetBytes.Contour(points: StructureSetBytes.rectangle(0...10, 0...10, z: 5), slabThickness: 4)
        let set = try StructureSetBytes(regions: [("GTV", [square]), ("Duct", [square]), ("duct ", [square])]).read(in: folder)
        #expect(try set.region(named: "gtv").number == 5)
        for name in ["Duct", "GTV2"] {
            let error = #expect(throws: DICOMError.self) { try set.region(named: name) }
            #expect(error?.finding.message.contains("“GTV”, “Duct”") == true)
        }
    }

    @Test func whatEnclosesNothingIsPassedOverAndSaid() throws {
        let squares = (0..<3).map { StructureSetBytes.Contour(points: StructureSetBytes.rectangle(0...10, 0...10, z: Double($0))) }
        let point = StructureSetBytes.Contour(points: [PatientPoint(1, 2, 3)], type: "POINT")
        let set = try StructureSetBytes(regions: [("roi", squares + [point]), ("isocentre", [point])]).read(in: folder)
        #expect(try set.levelSet(of: set.regions[0]).findings.map(\.code) == ["contours-passed-over"])
        let error = #expect(throws: DICOMError.self) { try set.levelSet(of: set.regions[1]) }
        #expect(error?.finding.code == "roi-empty")
    }

    @Test func contoursThatAreNotParallelOrNotFlatAreRefused() throws {
        let axial = StructureSetBytes.rectangle(0...10, 0...10, z: 0)
        let sagittal = [(0.0, 0.0), (9, 0), (9, 9), (0, 9)].map { PatientPoint(0, $0.0, $0.1) }
        for contours in [
            [axial, sagittal], [[PatientPoint(0, 0, 0), PatientPoint(9, 0, 0), PatientPoint(9, 9, 5), PatientPoint(0, 9, 0)]]
        ] {
            let error = #expect(throws: DICOMError.self) { try levelSet(contours) }
            #expect(error?.finding.code == "contours-not-parallel")
        }
    }

    @Test func cutAndFlippedFilesEndInALevelSetOrATypedError() throws {
        let squares = (0..<2).map { StructureSetBytes.Contour(points: StructureSetBytes.rectangle(0...3, 0...3, z: Double($0))) }
        let bytes = DICOMBytes.file(StructureSetBytes(regions: [("a", squares)]).attributes, syntax: .implicitLittle)
        func read(_ data: Data) throws {
            do throws(DICOMError) {
                let set = try StructureSet.read(folder.write(data, "broken.dcm"))
                for region in set.regions { _ = try set.levelSet(of: region, resolutionMM: 1) }
            } catch { #expect(!error.finding.message.isEmpty) }
        }
        for count in stride(from: 0, to: bytes.count, by: 5) { try read(bytes.prefix(count)) }
        for position in 132..<bytes.count {
            var broken = bytes
            broken[position] ^= 1 << UInt8(position % 7)
            try read(broken)
        }
    }

    /// Soft-tissue sarcoma: contours alone enclose 27.57 mL, the publisher's own voxel masks 27.64 mL (27.88 on the PET grid).
    @Test(.enabled(if: RealData.isThere, Comment(rawValue: RealData.absence)), arguments: ["CT", "MR_T1", "PET"])
    func aRealTumourHasItsPublishedVolumeAndPlace(image: String) throws {
        let folder = RealData.url("ct-mr-pet-rtstruct-sarcoma/\(image)/mask")
        let set = try StructureSet.read(folder.appendingPathComponent("RS.dcm"))
        let region = try set.region(named: "gtv_mass_\(image)")
        #expect(region.contours.count == 19)
        let (tumour, findings) = try set.levelSet(of: region)
        #expect(findings.isEmpty)
        #expect(abs(tumour.mask.volumeML / 27.57 - 1) < 0.005)
        #expect(try #require(tumour.mask.centroid).distance(to: PatientPoint(179.37, 11.24, -194.50)) < 0.25)
    }
}

extension Mask {
    /// The mean of the voxel centres inside.
    fileprivate var centroid: PatientPoint? {
        var sum = SIMD3<Double>.zero, count = 0.0
        withUnsafeVoxels { voxels in
            for offset in voxels.indices where voxels[offset] == 1 {
                sum += geometry.point(size.index(atOffset: offset)).lps
                count += 1
            }
        }
        return count > 0 ? PatientPoint(sum / count) : nil
    }
}
