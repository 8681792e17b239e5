import Foundation
import ImagingCore
import NIfTIFormat
import Testing

/// What `verify` says where no scan shows ice yet.
@Suite struct PlanTests {
    private static let planning = VerifyCommandTests.liver.appending(path: "planning").path
    private static let center = PatientPoint(-88.5, -23.3, 40.3)
    private static let radiusMM = 5.0
    /// Along the patient's long axis; the middle of the 30 mm that freeze lies in the tumour's.
    private static let probe = "--probe=-88.5,-23.3,25.3:-88.5,-23.3,150"

    private static func verify(in folder: TemporaryFolder, _ more: String...) throws -> [String: Any] {
        let mask = folder.url.appending(path: "tumour.nii.gz")
        let grid = try GridGeometry(size: GridSize(30, 30, 30), spacing: SIMD3(repeating: 0.5), origin: PatientPoint(center.lps - 7.25))
        try NIfTIFile.write(
            Mask(geometry: grid) { voxels in
                for offset in voxels.indices {
                    voxels[offset] = grid.point(grid.size.index(atOffset: offset)).distance(to: center) < radiusMM ? 1 : 0
                }
            }, to: mask)
        let run = try CommandRunner.run(
            [
                "verify", "--planning", planning, "--site", "liver", "--tumour-mask", mask.path, probe, "--probe-model", "reference-17g",
                "--output", folder.url.appending(path: "result").path, "--json",
            ] + more)
        #expect(run.status == 0, "\(run.errors)")
        return try run.json()
    }

    private static func codes(_ report: [String: Any]) throws -> [String] {
        try #require(report["findings"] as? [[String: Any]]).map { "\($0["severity"]!) \($0["code"]!)" }
    }

    @Test func withoutAnIceScanMarginsArePlannedAndNothingIsJudged() throws {
        let folder = try TemporaryFolder(), report = try Self.verify(in: folder, "--protocol", "10", "--forecast", "3")
        let verdict = try #require(report["verdict"] as? [String: Any])
        #expect(verdict["status"] as? String == "indeterminate" && (report["margins"] as? [Any])?.isEmpty == true)
        #expect((report["inputs"] as? [[String: Any]])?.compactMap { $0["role"] as? String }.contains("intraprocedural") == false)
        #expect(try Self.codes(report).contains("warning planned-margins"))

        let plan = try #require(report["plan"] as? [String: Any]), margins = try #require(plan["margins"] as? [[String: Any]])
        #expect(margins.map { $0["zone"] as! String } == ["visible-ice", "isotherm-20", "isotherm-40"])
        // A fine axisymmetric computation of such a needle in perfused tissue has radii of 13.2, 9.8 and 6.9 mm after ten minutes.
        for (margin, radius) in zip(margins, [13.2, 9.8, 6.9]) {
            let last = try #require((margin["steps"] as? [[String: Any]])?.last), value = last["plannedMarginMM"] as! Double
            #expect(last["minutes"] as! Double == 10 && abs(value - (radius - Self.radiusMM)) < 1)
            let interval = last["plannedMarginIntervalMM"] as! [Double]
            #expect(interval[0] < value - 2 && interval[1] > value + 2 && last["plannedCoverage"] as! Double == 1)
        }
        let reached = try #require(margins[0]["reachedAfterMinutes"] as? Double)
        #expect(reached > 1 && reached < 8 && margins[1]["reachedAfterMinutes"] is NSNull)

        let forecast = try #require(report["forecast"] as? [String: Any]), ahead = try #require(forecast["margins"] as? [[String: Any]])
        let steps = try #require(ahead[0]["steps"] as? [[String: Any]]).map { $0["minimumMarginMM"] as! Double }
        #expect(steps.count == 3 && zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 })
        for name in [
            "plan-T1.png", "simulation/plan.svg", "simulation/growth.svg", "simulation/forecast.svg",
            "simulation/planned-lowest-temperature.nii.gz",
        ] {
            #expect(FileManager.default.fileExists(atPath: folder.url.appending(path: "result/\(name)").path), "\(name) is missing")
        }
        let page = try String(contentsOf: folder.url.appending(path: "result/report.html"), encoding: .utf8)
        #expect(page.contains("Plan only: no ice was seen") && !page.contains("Margin met"))
    }

    @Test(arguments: [(elapsed: ["--elapsed", "2"], said: "error no-ice-found"), (["--elapsed", "0"], "info no-ice-yet")])
    func aScanWithoutIceIsSaidLoudlyUnlessNoneIsExpected(elapsed: [String], said: String) throws {
        let folder = try TemporaryFolder()
        let report = try Self.verify(in: folder, "--intraprocedural", Self.planning, "--protocol", "2", elapsed[0], elapsed[1])
        let codes = try Self.codes(report), verdict = try #require(report["verdict"] as? [String: Any]),
            reasons = verdict["reasons"] as! [String]
        #expect(codes.contains(said) && codes.contains("warning planned-margins"))
        #expect(reasons[0].hasPrefix("No ice found") == (said == "error no-ice-found") && verdict["status"] as? String == "indeterminate")
        #expect(report["plan"] is [String: Any] && (report["margins"] as? [Any])?.isEmpty == true)
    }

    @Test func iceOnAScanFromBeforeFreezingLeavesTheVerdictOpen() throws {
        let folder = try TemporaryFolder(), liver = VerifyCommandTests.liver
        let report = try Self.verify(in: folder, "--intraprocedural", liver.appending(path: "intraprocedural").path, "--protocol", "10", "--elapsed", "0",
            "--ice-mask", liver.appending(path: "masks/ice.nii.gz").path)
        let codes = try Self.codes(report), verdict = try #require(report["verdict"] as? [String: Any])
        #expect(codes.contains("error ice-before-freezing") && !codes.contains { $0.contains("simulat") }, "\(codes)")
        #expect(verdict["status"] as? String == "indeterminate" && report["plan"] is NSNull)
    }

    /// A case that cannot be decided has a report all the same.
    @Test func probesThatOverlapAreSaidInTheReport() throws {
        let folder = try TemporaryFolder()
        let report = try Self.verify(in: folder, Self.probe.replacing("=-88.5", with: "=-88.0"), "--protocol", "10")
        #expect(try Self.codes(report).contains("error probes-overlap"))
        #expect(report["plan"] is NSNull && (report["verdict"] as? [String: Any])?["status"] as? String == "indeterminate")
    }

    @Test func aPlanNeedsItsProbes() throws {
        let folder = try TemporaryFolder()
        let run = try CommandRunner.run(
            "verify", "--planning", Self.planning, "--site", "liver", "--tumour-seed=-88.5,-23.3,40.3", "--tumour-diameter", "25",
            "--output", folder.url.appending(path: "result").path)
        #expect(run.status == 64 && run.errors.contains("--probe"), "\(run.errors)")
        let file = folder.url.appending(path: "case.yaml")
        try Data(
            """
            schema: icemargin.case/1
            id: a
            site: liver
            planning: {series: \(Self.planning)}
            tumours: [{id: T1, seed: [-88.5, -23.3, 40.3], diameter: 25}]
            """.utf8
        ).write(to: file)
        let read = try CommandRunner.run("verify", file.path, "--output", folder.url.appending(path: "result").path)
        #expect(read.status == 65 && read.errors.contains("intraprocedural") && read.errors.contains("probes"), "\(read.errors)")
    }
}
