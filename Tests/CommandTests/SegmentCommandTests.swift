import Foundation
import ImagingCore
import NIfTIFormat
import Testing
import VerificationPipeline

@Suite struct SegmentCommandTests {
    private static let planning = VerifyCommandTests.liver.appending(path: "planning").path

    @Test func resultsAppearWholeAndAreReplacedOnlyOnDemand() throws {
        let folder = try TemporaryFolder()
        let arguments = [
            "segment", Self.planning, "--tumour", "--seed", "-88.5,-23.3,40.3", "--diameter", "25", "--output",
            folder.url.appending(path: "r").path
        ]
        #expect(try CommandRunner.run(arguments).status == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.appending(path: "r").path).sorted()
                == [".icemargin-files", "segment.json", "tumour-level-set.nii.gz", "tumour-montage.png", "tumour.nii.gz", "tumour.png"])
        #expect(try CommandRunner.run(arguments).status == 73)
        #expect(try CommandRunner.run(arguments + ["--overwrite"]).status == 0)
    }

    @Test func theMaskLiesOnTheScansWholeGrid() throws {
        let folder = try TemporaryFolder(), results = folder.url.appending(path: "r")
        let run = try CommandRunner.run(
            ["segment", Self.planning, "--tumour", "--seed", "-88.5,-23.3,40.3", "--diameter", "25", "--json", "--output", results.path])
        let scan = try StageScan.read(URL(filePath: Self.planning), role: "given").volume
        let mask = try NIfTIFile.read(results.appending(path: "tumour.nii.gz")).volume
        #expect(mask.size == scan.geometry.size && mask.geometry.origin.distance(to: scan.geometry.origin) < 1e-3)
        #expect(mask[scan.geometry.continuousIndex(PatientPoint(-88.5, -23.3, 40.3)).nearest] == 1)
        let inside = Mask(mask) { $0 > 0.5 }
        #expect(abs(inside.volumeML - (try run.json()["volumeML"] as! Double)) < 0.05 * inside.volumeML)
    }

    @Test func aNIfTIFileIsSegmentedAsItsSeriesIs() throws {
        let folder = try TemporaryFolder(), file = folder.url.appending(path: "scan.nii.gz")
        try NIfTIFile.write(try StageScan.read(URL(filePath: Self.planning), role: "given").volume, to: file)
        let tumour = ["--tumour", "--seed", "-88.5,-23.3,40.3", "--diameter", "25", "--json"]
        let ofSeries = try CommandRunner.run(["segment", Self.planning] + tumour),
            ofFile = try CommandRunner.run(["segment", file.path, "--modality", "ct"] + tumour)
        #expect(ofFile.status == 0, "\(ofFile.errors)")
        #expect(abs((try ofFile.json()["volumeML"] as! Double) - (try ofSeries.json()["volumeML"] as! Double)) < 0.01)
        let unknown = try CommandRunner.run(["segment", file.path] + tumour)
        #expect(unknown.status == 64 && unknown.errors.contains("--modality"))
    }

    /// Values as they were stored, 1024 above HU: soft tissue reads as bone, and that is not all that is said.
    @Test func valuesThatAreNotHounsfieldUnitsAreSaid() throws {
        let folder = try TemporaryFolder(), file = folder.url.appending(path: "scan.nii.gz")
        guard case .int16(let scan) = try StageScan.read(URL(filePath: Self.planning), role: "given").volume else { return }
        try NIfTIFile.write(scan.mapped { Int16(max(0, Int($0) + 1024)) }, to: file)
        let run = try CommandRunner.run(
            ["segment", file.path, "--modality", "CT", "--tumour", "--seed", "-88.5,-23.3,40.3", "--diameter", "25"])
        #expect(run.status == 65 && run.errors.contains("cannot be HU"), "\(run.errors)")
    }

    /// Probes are found in the scan, so that neither is needed; each is a mistake all the same.
    @Test func iceIsNotLookedForBesideWhatWasMeant() throws {
        let scan = VerifyCommandTests.liver.appending(path: "intraprocedural").path
        let itself = try CommandRunner.run(["segment", scan, "--ice", "--reference", scan])
        #expect(itself.status == 65 && itself.output.isEmpty && itself.errors.contains("is the scan itself"), "\(itself.errors)")
        let outside = try CommandRunner.run(["segment", scan, "--ice", "--seed", "500,500,500"])
        #expect(outside.status == 65 && outside.output.isEmpty && outside.errors.contains("outside the scan"), "\(outside.errors)")
    }

    @Test func aReferenceInAnotherFrameOfReferenceIsRefused() throws {
        let other = CommandRunner.root.appending(path: "SampleStudies/kidney-ct-not-met/planning").path
        let run = try CommandRunner.run(
            ["segment", VerifyCommandTests.liver.appending(path: "intraprocedural").path, "--ice", "--reference", other])
        #expect(run.status == 65 && run.output.isEmpty, "\(run.errors)")
        #expect(run.errors.contains("patient") || run.errors.contains("frame of reference"), "\(run.errors)")
    }

    /// Probe P1 of the sample, by its truth: tip and tail as they are, swapped, and 40 mm away.
    @Test(arguments: [
        ("-77.4,-14.1,43.1:-139.1,-24.6,2.3", nil), ("-139.1,-24.6,2.3:-77.4,-14.1,43.1", "probe-tip-and-tail-swapped"),
        ("-77.0,26.0,43.4:-139.1,15.4,2.3", "probe-without-metal"),
    ] as [(String, String?)])
    func aGivenProbeIsHeldAgainstTheScan(probe: String, code: String?) throws {
        let run = try CommandRunner.run(
            ["segment", VerifyCommandTests.liver.appending(path: "intraprocedural").path, "--probes", "--probe", probe, "--json"])
        let codes = (try run.json()["findings"] as! [[String: Any]]).compactMap { $0["code"] as? String }.filter {
            $0.hasPrefix("probe-") && $0 != "probe-not-listed"
        }
        #expect(codes == [code].compactMap { $0 }, "\(run.output)")
    }

    /// Where no ice is found, what is wrong with the given probes is said with it.
    @Test func probesThatCannotBeAreSaidWhereNoIceIsFound() throws {
        let scan = VerifyCommandTests.liver.appending(path: "intraprocedural").path
        let run = try CommandRunner.run(["segment", scan, "--ice", "--probe", "-20,60,43:-20,120,43"])
        #expect(run.status == 65 && run.output.isEmpty && run.errors.contains("no metal"), "\(run.errors)")
        let outside = try CommandRunner.run(["segment", scan, "--probes", "--probe", "900,2,3:920,2,3"])
        #expect(outside.status == 65 && outside.output.contains("outside the scan"), "\(outside.output)\(outside.errors)")
    }

    /// Two balls of 13 mm radius, 9.2 mL each, that are 85 HU below the tissue around.
    @Test func separateIceballsAreListed() throws {
        let folder = try TemporaryFolder(), file = folder.url.appending(path: "scan.nii.gz")
        let centers = [PatientPoint(-25, 0, 0), PatientPoint(25, 0, 0)]
        let geometry = try GridGeometry(
            size: GridSize(100, 70, 50), spacing: SIMD3(1, 1, 1.5), origin: PatientPoint(-50, -35, -37), axes: .identity,
            frameOfReferenceUID: nil)
        let size = geometry.size
        try NIfTIFile.write(Volume<Int16>(geometry: geometry) { voxels in
            for offset in voxels.indices {
                let point = geometry.point(size.index(atOffset: offset))
                let isIce = centers.contains { $0.distance(to: point) < 13 }
                voxels[offset] = Int16(isIce ? -30 : 55) + Int16((offset &* 2_654_435_761) >> 13 & 15) - 8
            }
        }, to: file)
        let arguments = ["segment", file.path, "--modality", "CT", "--ice", "--seed", "-25,0,0", "--seed", "25,0,0"]
        let run = try CommandRunner.run(arguments + ["--json"])
        #expect(run.status == 0, "\(run.errors)")
        let pieces = try #require(try run.json()["pieces"] as? [[String: Any]])
        #expect(pieces.count == 2 && pieces.allSatisfy { abs(($0["volumeML"] as! Double) - 9.2) < 1.5 }, "\(run.output)")
        #expect(try CommandRunner.run(arguments).output.components(separatedBy: "separate part").count == 3)
    }

    /// Flags that belong to another object, and points that are missing or contradict each other.
    @Test(arguments: [
        (["--probes", "--diameter", "25"], "--diameter"), (["--ice", "--include", "1,2,3"], "--include"),
        (["--tumour", "--probe", "1,2,3:4,5,6"], "--probe"),
        (["--tumour"], "--seed"), (["--ablation-zone"], "--seed"), (["--tumour", "--seed", "1,2,3"], "--diameter"),
        (["--tumour", "--axis", "1,2,3:20,2,3", "--diameter", "20"], "--axis"),
        (["--tumour", "--seed", "1,2,3", "--seed", "4,5,6", "--diameter", "9"], "--include"),
        (["--tumour", "--axis", "1,2,3:1,2,3"], "1 mm apart"), ([], "--tumour"),
        (["--ablation-zone", "--seed", "1,2,3", "--diameter", "nan"], "--diameter"), (["--ice", "--in-bone"], "--in-bone"),
        (["--tumour", "--seed", "1,2,3", "--diameter", "-5"], "not “-5.0”"),
        (["--tumour", "--seed", "1,2,3", "--diameter", "0"], "not “0.0”"),
    ])
    func flagsThatDoNotGoTogetherAreNamed(arguments: [String], name: String) throws {
        let run = try CommandRunner.run(["segment", Self.planning] + arguments)
        #expect(run.status == 64 && run.errors.contains(name), "\(run.errors)")
    }

    @Test(
        arguments: [
            (["--seed", "1,2,3,x"], 64), (["--seed", "nan,2,3"], 64), (["--seed", "1,2,3", "--output", "/proc/none"], 73)
        ] as [([String], Int32)])
    func mistakesHaveTheirExitCode(arguments: [String], status: Int32) throws {
        let run = try CommandRunner.run(["segment", Self.planning, "--tumour", "--diameter", "25"] + arguments)
        #expect(run.status == status && run.output.isEmpty, "\(run.errors)")
    }
}
