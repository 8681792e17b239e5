import Foundation
import ImagingCore
import NIfTIFormat
import Testing

/// Isotherms that `verify` simulates, and what it does when it cannot.
@Suite struct SimulatedIsothermTests {
    static let liver = VerifyCommandTests.liver

    @Test func isothermsComeFromASimulationThatFits() throws {
        let folder = try TemporaryFolder(), output = folder.url.appending(path: "result")
        let run = try CommandRunner.run("verify", Self.liver.path, "--output", output.path, "--forecast", "4", "--json")
        #expect(run.status == 0, "\(run.errors)")
        let report = try run.json(), simulation = try #require(report["simulation"] as? [String: Any])
        let fit = try #require(simulation["fit"] as? [String: Any]), before = try #require(simulation["fitBefore"] as? [String: Any])
        let rms = (before: before["rmsMM"] as! Double, after: fit["rmsMM"] as! Double), dice = fit["dice"] as! Double
        #expect(simulation["accepted"] as? Bool == true && rms.after < 0.7 * rms.before && dice > 0.9)

        let margins = try #require(report["margins"] as? [[String: Any]]), values = margins.map { $0["minimumMarginMM"] as! Double }
        #expect(margins.map { $0["zoneSource"] as? String } == ["segmented", "simulated", "simulated"])
        // At least 2 and 4 mm behind the visible edge, everywhere.
        #expect(values[1] < values[0] - 1.7 && values[2] < values[0] - 3.7 && values[2] < values[1])
        let findings = try #require(report["findings"] as? [[String: Any]]).map { $0["code"] as! String }
        #expect(findings.contains("simulation-assumptions"))

        // The sample's probes lie around the tumour's middle; far away it is body temperature.
        let field = try NIfTIFile.read(output.appending(path: "simulation/lowest-temperature.nii.gz")).volume, range = field.valueRange()
        #expect(range.lowerBound < -60 && range.upperBound > 30 && range.upperBound <= 37.01)
        // Far from the ice nothing is cooled.
        #expect(field[VoxelIndex(0, 0, 0)] > 34)
        let probability = try NIfTIFile.read(output.appending(path: "simulation/probability-isotherm-40.nii.gz")).volume
        #expect(probability.geometry.size == field.geometry.size && probability.valueRange().upperBound > 0.95)
        for name in ["isotherms-T1.png", "ice-fit.png", "simulation/growth.svg", "simulation/forecast.svg"] {
            #expect(FileManager.default.fileExists(atPath: output.appending(path: name).path), "\(name) is missing")
        }

        let forecast = try #require(report["forecast"] as? [String: Any]), entries = try #require(forecast["margins"] as? [[String: Any]])
        for (entry, value) in zip(entries, values) {
            let steps = try #require(entry["steps"] as? [[String: Any]]).map { $0["minimumMarginMM"] as! Double }
            #expect(abs(steps[0] - value) < 1e-3 && zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 })
        }
        #expect(entries[0]["reachedAfterMinutes"] as? Double == 0)
    }

    /// Ice of 50 mm around a single probe after two minutes.
    @Test func iceThatTheProbeCannotHaveMadeKeepsItsSetBacks() throws {
        let folder = try TemporaryFolder(), ice = folder.url.appending(path: "ice.nii.gz"), center = PatientPoint(-88.5, -23.3, 40.3)
        try Self.writeBall(center, radiusMM: 25, to: ice)
        let run = try CommandRunner.run(
            "verify", "--planning", Self.liver.appending(path: "planning").path, "--intraprocedural",
            Self.liver.appending(path: "intraprocedural").path,
            "--site", "liver", "--tumour-mask", Self.liver.appending(path: "masks/tumour-planning.nii.gz").path, "--ice-mask", ice.path,
            "--probe=-88.5,-23.3,28:-88.5,-23.3,140", "--probe-model", "ice-seed", "--protocol", "10,5,10", "--elapsed", "2", "--forecast",
            "5",
            "--output", folder.url.appending(path: "result").path, "--json")
        #expect(run.status == 0, "\(run.errors)")
        let report = try run.json(), simulation = try #require(report["simulation"] as? [String: Any])
        #expect(simulation["accepted"] as? Bool == false && report["forecast"] is NSNull)
        #expect(
            try #require(report["margins"] as? [[String: Any]]).compactMap { $0["zoneSource"] as? String }.dropFirst().allSatisfy {
                $0.hasPrefix("fixed set-back")
            })
        let codes = try #require(report["findings"] as? [[String: Any]]).map { $0["code"] as! String }
        #expect(codes.contains("simulation-rejected") && codes.contains("forecast-not-possible"))
    }

    /// Four probes colder than any, frozen for hours, in ice of 20 mm; and a protocol in seconds.
    @Test(arguments: [
        (freeze: "180", elapsed: "180", code: "ice-at-boundary"), ("600", "600", "protocol-contradiction"),
        ("10", "600", "protocol-contradiction"),
    ])
    func whatCannotBeSimulatedKeepsItsSetBacks(freeze: String, elapsed: String, code: String) throws {
        let folder = try TemporaryFolder(), ice = folder.url.appending(path: "ice.nii.gz"), center = PatientPoint(-88.5, -23.3, 40.3)
        try Self.writeBall(center, radiusMM: 10, to: ice)
        try Data(
            """
            schema: icemargin.probes/1
            sources: [{id: test, text: "invented"}]
            probes: [{name: log, diameter: [5, test], activeLength: [90, test], coolant: [-200, test]}]
            """.utf8).write(to: folder.url.appending(path: "probes.yaml"))
        let probes = [(-5.0, -5.0), (5, -5), (-5, 5), (5, 5)].map { left, posterior -> String in
            let place = String(format: "%.1f, %.1f", center.lps.x + left, center.lps.y + posterior)
            return "{tip: [\(place), 10], tail: [\(place), 140], model: log}"
        }.joined(separator: ", ")
        let file = folder.url.appending(path: "case.yaml")
        try Data(
            """
            schema: icemargin.case/1
            id: a
            site: liver
            planning: {series: \(Self.liver.appending(path: "planning").path)}
            intraprocedural: {series: \(Self.liver.appending(path: "intraprocedural").path)}
            tumours: [{id: T1, mask: \(Self.liver.appending(path: "masks/tumour-planning.nii.gz").path)}]
            ice: {mask: ice.nii.gz}
            probes: [\(probes)]
            probeModels: [probes.yaml]
            protocol: {freeze: \(freeze)}
            elapsed: \(elapsed)
            """.utf8).write(to: file)
        let run = try CommandRunner.run("verify", file.path, "--output", folder.url.appending(path: "result").path, "--json")
        #expect(run.status == 0, "\(run.errors)")
        let report = try run.json(), findings = try #require(report["findings"] as? [[String: Any]])
        let found = try #require(findings.first { $0["code"] as? String == code }, "\(findings.map { $0["message"]! })")
        #expect((found["message"] as! String).contains("not simulated") && !(found["remedy"] as! String).isEmpty)
        #expect(
            try #require(report["margins"] as? [[String: Any]]).compactMap { $0["zoneSource"] as? String }.dropFirst().allSatisfy {
                $0.hasPrefix("fixed set-back")
            })
        #expect(report["simulation"] is NSNull && report["forecast"] is NSNull)
    }

    private static func writeBall(_ center: PatientPoint, radiusMM: Double, to file: URL) throws {
        let grid = try GridGeometry(size: GridSize(60, 60, 60), spacing: SIMD3(repeating: 1.5), origin: PatientPoint(center.lps - 44.25))
        try NIfTIFile.write(Mask(geometry: grid) { voxels in
            for offset in voxels.indices {
                voxels[offset] = grid.point(grid.size.index(atOffset: offset)).distance(to: center) < radiusMM ? 1 : 0
            }
        }, to: file)
    }

    @Test func anUnknownProbeModelEndsWithTheKnownOnes() throws {
        let folder = try TemporaryFolder(), output = folder.url.appending(path: "result")
        let run = try CommandRunner.run(
            "verify", "--planning", Self.liver.appending(path: "planning").path, "--intraprocedural",
            Self.liver.appending(path: "intraprocedural").path,
            "--site", "liver", "--tumour-mask", Self.liver.appending(path: "masks/tumour-planning.nii.gz").path, "--probe-model",
            "ice-cube",
            "--output", output.path)
        #expect(run.status == 65 && run.errors.contains("ice-cube") && run.errors.contains("reference-17g"), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: output.path))
    }
}
