import Foundation
import ImagingCore
import NIfTIFormat
import Testing

/// Balls in NIfTI files: a tumour of radius r in a zone of radius R whose centre lies d away has the margin R − d − r.
@Suite struct MarginCommandTests {
    private func write(_ name: String, radius: Double, center: PatientPoint, in folder: URL) throws -> String {
        let grid = try GridGeometry(size: GridSize(60, 60, 60), spacing: SIMD3(1, 1, 1), origin: PatientPoint(-29.7, 70.2, -229.6))
        let mask = Mask(geometry: grid) { voxels in
            for offset in voxels.indices {
                voxels[offset] = grid.point(grid.size.index(atOffset: offset)).distance(to: center) <= radius ? 1 : 0
            }
        }
        let file = folder.appending(path: name)
        try NIfTIFile.write(mask, to: file)
        return file.path
    }

    /// The far side of the tumour lies towards left and superior, so that a swapped axis shows.
    @Test(arguments: [4.0, -1.0])
    func prints(margin: Double) throws {
        let folder = try TemporaryFolder()
        let zone = try write("zone.nii.gz", radius: 14 + margin, center: PatientPoint(0, 100, -200), in: folder.url)
        let tumour = try write("tumour.nii.gz", radius: 9, center: PatientPoint(3, 100, -196), in: folder.url)
        let run = try CommandRunner.run("margin", "--tumour", tumour, "--zone", zone, "--json")
        #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
        let entry = try run.json()
        #expect(entry["tumour"] as? String == "tumour" && entry["zone"] as? String == "visible-ice")
        #expect(abs(try #require(entry["minimumMarginMM"] as? Double) - margin) < 0.3)
        let interval = try #require(entry["minimumMarginIntervalMM"] as? [Double])
        #expect(interval[0]...interval[1] ~= margin)
        let worst = try #require(entry["worstPointLPS"] as? [Double])
        // 9 mm from the tumour's centre along (3, 0, 4) ⁄ 5; the margin is flat there, so the place is loose.
        #expect(abs(worst[0] - 8.4) < 2.5 && abs(worst[1] - 100) < 2.5 && abs(worst[2] + 188.8) < 2.5)
    }

    /// A level set; the tumour's surface within 4 mm of a plane 5 mm from its middle is left out with its organ: that side is the worst.
    @Test func capsuleAndRequirementAreMeasuredFromLevelSets() throws {
        let folder = try TemporaryFolder()
        let zone = try write("zone.nii.gz", radius: 14, center: PatientPoint(0, 100, -200), in: folder.url)
        let grid = try GridGeometry(size: GridSize(60, 60, 60), spacing: SIMD3(1, 1, 1), origin: PatientPoint(-29.7, 70.2, -229.6))
        func file(_ name: String, _ value: (PatientPoint) -> Double) throws -> String {
            let volume = Volume<Float>(geometry: grid) { voxels in
                for offset in voxels.indices { voxels[offset] = Float(value(grid.point(grid.size.index(atOffset: offset)))) }
            }
            try NIfTIFile.write(volume, to: folder.url.appending(path: name))
            return folder.url.appending(path: name).path
        }
        let center = PatientPoint(3, 100, -200)
        let tumour = try file("tumour.nii.gz") { 8 - $0.distance(to: center) }, organ = try file("organ.nii.gz") { $0.lps.x < 13 ? 1 : 0 }
        let run = try CommandRunner.run(
            "margin", "--tumour", tumour, "--zone", zone, "--organ", organ, "--capsule-depth-mm", "4", "--required-mm", "5", "--json")
        #expect(run.status == 0, "\(run.errors)")
        let entry = try run.json(), capsule = try #require(entry["capsule"] as? [String: Any])
        #expect(abs(try #require(entry["minimumMarginMM"] as? Double) - 3) < 0.2)
        // Beyond x = 9 (6 mm from the middle) lies a cap of 2 of 8 mm: 1/8 of the surface. Of the rest the rim, √(9² + 8² − 6²) mm off, is
        // the worst.
        #expect(abs(try #require(capsule["excludedSurfaceFraction"] as? Double) - 0.125) < 0.02)
        let rimMM: Double = 14 - 109.0.squareRoot()
        #expect(abs(try #require(capsule["minimumMarginMM"] as? Double) - rimMM) < 0.2)
        #expect(try #require(entry["probabilityMet"] as? Double) < 0.05)
        #expect((entry["shortfalls"] as? [[String: Any]])?.first?["direction"] as? String == "left")
        let text = try CommandRunner.run("margin", "--tumour", tumour, "--zone", zone, "--organ", organ, "--required-mm", "5").output
        #expect(text.contains("5.0 mm required") && text.contains("towards left") && text.contains("Without the capsule"))
    }

    /// A zone 6 mm off the tumour's middle has one worst place. 1.96 standard deviations; a registration's error of 3 mm has √3 mm along
    /// it.
    @Test(arguments: [("--registration-error-mm", 3.0, 1.732), ("--tumour-edge-mm", 0.7, 0.7), ("--zone-edge-mm", 0.7, 0.7)])
    func eachStatedErrorWidensTheInterval(option: String, errorMM: Double, deviationMM: Double) throws {
        let folder = try TemporaryFolder()
        let zone = try write("zone.nii.gz", radius: 18, center: PatientPoint(0, 100, -200), in: folder.url)
        let tumour = try write("tumour.nii.gz", radius: 6, center: PatientPoint(6, 100, -200), in: folder.url)
        let run = try CommandRunner.run("margin", "--tumour", tumour, "--zone", zone, option, "\(errorMM)", "--json")
        let interval = try #require(try run.json()["minimumMarginIntervalMM"] as? [Double])
        #expect(abs((interval[1] - interval[0]) / 2 - 1.96 * deviationMM) < 0.3 * deviationMM)
        #expect(try CommandRunner.run("margin", "--tumour", tumour, "--zone", zone, option, "-1").status == 64)
    }

    @Test func whatIsMissingOrElsewhereIsRefused() throws {
        let folder = try TemporaryFolder()
        let zone = try write("zone.nii.gz", radius: 10, center: PatientPoint(0, 100, -200), in: folder.url)
        #expect(try CommandRunner.run("margin", "--tumour", folder.url.appending(path: "no.nii").path, "--zone", zone).status == 66)
        #expect(try CommandRunner.run("margin", "--tumour", zone).status == 64)
    }
}
