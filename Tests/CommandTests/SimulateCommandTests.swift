import Foundation
import ImagingCore
import NIfTIFormat
import Testing

@Suite struct SimulateCommandTests {
    private static let line = """
        schema: icemargin.simulation/1
        grid: {core: [[-20, -20, 0], [20, 20, 3]], reach: {x: 60, y: 60, z: 0}}
        boundary: {z: insulated}
        tissue: medium
        define:
          - {name: medium, density: 1050, specificHeat: 3600, conductivity: 0.5, frozenSpecificHeat: 1800, frozenConductivity: 2,
             mushConductivity: 1.25, latentHeat: 250, freezing: [-1, -8]}
        sources: [{type: line, at: [0.2, -0.3, 0], direction: [0, 0, 1], wattsPerMetre: 400}]
        outputTimes: [300, 600]
        isotherms: [0, -20]
        rays: [{name: left, from: [0.2, -0.3, 1.5], direction: [1, 0, 0]}]

        """

    private func run(_ text: String) throws -> (run: CommandRunner, folder: URL, keep: TemporaryFolder) {
        let folder = try TemporaryFolder(), file = folder.url.appending(path: "run.yaml"), output = folder.url.appending(path: "out")
        try Data(text.utf8).write(to: file)
        return (try CommandRunner.run("simulate", file.path, "--output", output.path, "--json"), output, folder)
    }

    /// Radii of the similarity solution around a line sink of 400 W/m.
    @Test func reproducesTheLineSink() throws {
        let (run, folder, keep) = try run(Self.line)
        #expect(run.status == 0, "\(run.errors)")
        let times = try #require(try run.json()["times"] as? [[String: Any]])
        for (time, radii) in zip(times, [[8.21422, 4.60266], [11.6167, 6.50914]]) {
            let isotherms = try #require(time["isotherms"] as? [[String: Any]])
            for (isotherm, radius) in zip(isotherms, radii) {
                let ray = try #require((isotherm["rays"] as? [[String: Any]])?.first)
                #expect(abs(try #require(ray["radiusMM"] as? Double) - radius) < 0.15)
                // A cylinder 3 mm high.
                #expect(abs(try #require(isotherm["volumeML"] as? Double) / (.pi * radius * radius * 3 / 1000) - 1) < 0.03)
            }
        }
        let image = try NIfTIFile.read(folder.appending(path: "temperature-600s.nii.gz")).volume
        let index = image.geometry.continuousIndex(PatientPoint(10.5, -0.3, 1.5)).nearest
        // The exact temperature 10 mm from the line is −6.0 °C; it rises by 4 °C per millimetre there.
        #expect(abs(image[index] + 5.0) < 3)
        withExtendedLifetime(keep) {}
    }

    /// The steady ice around a cylinder of 0.735 mm at −140 °C in tissue with the blood flow of a kidney, in closed form.
    @Test func reproducesACylinderOfGivenTemperature() throws {
        let text = Self.line.replacing("latentHeat: 250,", with: "latentHeat: 250, perfusion: 0.0674,").replacing("reach: {x: 60, y: 60", with: "reach: {x: 25, y: 25")
            .replacing("wattsPerMetre: 400", with: "temperature: -140, radius: 0.735").replacing("[300, 600]", with: "[3600]").replacing("[0, -20]", with: "[-1, -20]")
        let (run, _, keep) = try run(text)
        #expect(run.status == 0, "\(run.errors)")
        let isotherms = try #require(((try run.json()["times"] as? [[String: Any]])?.first)?["isotherms"] as? [[String: Any]])
        for (isotherm, radius) in zip(isotherms, [7.77359, 5.85634]) {
            let ray = try #require((isotherm["rays"] as? [[String: Any]])?.first)
            #expect(abs(try #require(ray["radiusMM"] as? Double) - radius) < 0.25)
        }
        withExtendedLifetime(keep) {}
    }

    /// Cells are finer than the usual 1 mm where that takes little time and nothing is said of them.
    @Test(arguments: [(given: "", seconds: 10.0, spacing: 0.5), ("spacing: 1, ", 10, 1)])
    func choosesItsCellsByTheWork(given: String, seconds: Double, spacing: Double) throws {
        let folder = try TemporaryFolder(), file = folder.url.appending(path: "run.yaml")
        try Data(
            """
            schema: icemargin.simulation/1
            grid: {\(given)core: [[-10, -10, -9], [10, 10, 24]], reach: 12}
            tissue: liver
            probes: [{model: ice-seed, tip: [0, 0, 0], tail: [0, 0, 90]}]
            protocol: {freeze: 10}
            outputTimes: [\(seconds)]
            """.utf8).write(to: file)
        let run = try CommandRunner.run("simulate", file.path, "--output", folder.url.appending(path: "out").path, "--json")
        #expect(run.status == 0, "\(run.errors)")
        let grid = try #require(try run.json()["grid"] as? [String: Any])
        #expect(grid["spacingMM"] as? [Double] == [spacing, spacing, spacing])
    }

    /// The ice is as in a grid that ends far away, to one part in 20,000.
    @Test func endsTheGridWhereItsWallDoesNotMatter() throws {
        let volumes = try ["", ", reach: 60"].map { reach in
            let (run, _, keep) = try run(
                """
                schema: icemargin.simulation/1
                grid: {spacing: 3, margin: 15\(reach)}
                tissue: liver
                probes: [{model: reference-17g, tip: [0, 0, 0], tail: [0, 0, 90]}]
                protocol: {freeze: 10}
                isotherms: [0]

                """)
            defer { withExtendedLifetime(keep) {} }
            let isotherms = try #require(((try run.json()["times"] as? [[String: Any]])?.last)?["isotherms"] as? [[String: Any]])
            return try #require(isotherms[0]["volumeML"] as? Double)
        }
        #expect(abs(volumes[0] / volumes[1] - 1) < 5e-5)
    }

    @Test func holdsATumourThatIsLargerThanItsIce() throws {
        let (run, _, keep) = try run(
            """
            schema: icemargin.simulation/1
            grid: {spacing: 4}
            tissue: liver
            probes: [{model: reference-17g, tip: [0, 0, 0], tail: [0, 0, 90]}]
            protocol: {freeze: 1}
            tumours: [{id: T1, center: [0, 0, 15], diameter: 50}]

            """)
        #expect(run.status == 0, "\(run.errors)")
        withExtendedLifetime(keep) {}
    }

    @Test(arguments: [
        (fit: "[resistance]", sizes: "{minutes: 10, isotherm: 50, width: 31}", complaint: "below the temperature at the start"),
        ("[resistance]", "{minutes: 10, isotherm: -160, width: 3}", "above the coolant"),
        ("[activeLength]", "{minutes: 10, isotherm: 0, width: 31}", "widths alone do not tell it"),
        ("[activeLength]", "{minutes: 10, isotherm: 0, width: 31, length: 20}", "not less than the width"),
        ("[resistance]", "{minutes: 10, isotherm: 0, width: 20}, {minutes: 10, isotherm: -40, width: 30}", "smaller for colder isotherms"),
        ("[resistance]", "{minutes: 600, isotherm: 0, width: 60}", "at most 120"),
        ("[resistance, resistance]", "{minutes: 10, isotherm: 0, width: 31}", "once"),
        ("resistance\nmediumUncertainty: 3", "{minutes: 10, isotherm: 0, width: 31}", "as a share of them"),
    ])
    func refusesSizesThatNoProbeMakes(fit: String, sizes: String, complaint: String) throws {
        let folder = try TemporaryFolder(), file = folder.url.appending(path: "sizes.yaml")
        try Data(
            """
            schema: icemargin.calibration/1
            probe: {name: ours, gauge: 17, activeLength: 30, coolant: -150}
            tissue: agar-gel
            fit: \(fit)
            sizes: [\(sizes)]
            """.utf8
        ).write(to: file)
        let run = try CommandRunner.run("simulate", "--calibrate", file.path)
        #expect(run.status == 65 && run.errors.contains(complaint) && run.output.isEmpty, "\(run.errors)")
    }

    @Test func saysThatOutputsLieAfterTheProtocol() throws {
        let (run, _, keep) = try run(
            """
            schema: icemargin.simulation/1
            grid: {spacing: 3}
            tissue: liver
            probes: [{model: reference-17g, tip: [0, 0, 0], tail: [0, 0, 90]}]
            protocol: {freeze: 1}
            outputTimes: [60, 90]

            """)
        #expect(run.status == 0 && run.errors.contains("after the end of the protocol, 60 s"), "\(run.errors)")
        #expect(run.errors.contains("Cells of 3 mm are too coarse") && run.errors.contains("spacing of 1 mm"))
        withExtendedLifetime(keep) {}
    }

    /// A sphere of 6 mm in the middle of a needle whose ice has the widths of an axisymmetric reference: 22.30 mm at 0 °C and 15.65 mm at −20 °C.
    @Test func plansMarginsWithoutIce() throws {
        let (run, _, keep) = try run(
            """
            schema: icemargin.simulation/1
            grid: {spacing: 2, margin: 16}
            tissue: medium
            define:
              - {name: medium, density: 1050, specificHeat: 3600, conductivity: 0.5, frozenSpecificHeat: 1800, frozenConductivity: 2,
                 mushConductivity: 1.25, latentHeat: 250, freezing: [-1, -8], perfusion: 0.0155}
            probes: [{model: reference-17g, tip: [0.3, -0.2, 0], tail: [0.3, -0.2, 90]}]
            protocol: {freeze: 10}
            isotherms: [0, -20]
            tumours: [{id: T1, center: [0.3, -0.2, 15], diameter: 6}]

            """)
        #expect(run.status == 0, "\(run.errors)")
        let document = try run.json(), times = try #require(document["times"] as? [[String: Any]])
        let margins = try #require(times[0]["plannedMargins"] as? [[String: Any]])
        for (margin, expectedMM) in zip(margins, [11.15 - 3, 7.825 - 3]) {
            let value = try #require(margin["simulatedMarginMM"] as? Double)
            let interval = try #require(margin["simulatedMarginIntervalMM"] as? [Double])
            // Cells of 2 mm.
            #expect(abs(value - expectedMM) < 0.5 && interval[0] < value - 1 && interval[1] > value + 1)
            #expect(margin["simulatedCoverage"] as? Double == 1 && margin["verdict"] == nil)
        }
        #expect(run.errors.contains("Planned margins are simulated") && !run.errors.contains("too coarse"))
        withExtendedLifetime(keep) {}
    }

    @Test(arguments: [
        (
            from: "[[-20, -20, 0], [20, 20, 3]], reach: {x: 60, y: 60, z: 0}", to: "[[-10, -10, 0], [10, 10, 3]], reach: 0",
            complaint: "reaches the edge of the grid", remedy: "Enlarge"
        ),
        (from: "tissue: medium\n", to: "tissue: jelly\n", complaint: "no tissue “jelly”", remedy: "muscle"),
        (from: "conductivity: 0.5, ", to: "", complaint: "lacks “conductivity”", remedy: "Add"),
        (from: "isotherms", to: "isotherm", complaint: "unknown key “isotherm”", remedy: "isotherms"),
        (from: "at: [0.2, -0.3, 0]", to: "at: [30, -0.3, 0]", complaint: "line source 1 lies up to 10.0 mm outside", remedy: "core"),
        (
            from: "at: [0.2, -0.3, 0]", to: "at: [19.2, -0.3, 0]", complaint: "within 0.8 mm of the fine core's edge; its heat comes from",
            remedy: "core"
        ),
        (from: "outputTimes: [300", to: "timeStep: 5000\noutputTimes: [20000, 40000] #", complaint: "stages", remedy: "at most"),
        (
            from: "[{type: line, at: [0.2, -0.3, 0], direction: [0, 0, 1], wattsPerMetre: 400}]", to: "[]",
            complaint: "nothing would change", remedy: "Add"
        ),
        (
            from: "sources: ", to: "probes: [{model: ice-nine, tip: [0, 0, 0], tail: [0, 0, 9], protocol: {freeze: 5}}]\nsources: ",
            complaint: "“ice-nine”", remedy: "ice-rod"
        ),
        (
            from: "sources: ", to: "probes: [{model: ice-edge, tip: [0, 0, 0], tail: [0, 0, 9], protocol: {freeze: 5}}]\nsources: ",
            complaint: "lacks diameter", remedy: "calibrate"
        ),
        (from: "sources: ", to: "protocol: {freeze: 5}\nsources: ", complaint: "no probes", remedy: "protocol"),
        (from: "sources: ", to: "tumours: [{center: [60, 0, 1], diameter: 2}]\nsources: ", complaint: "inside the core", remedy: "Correct"),
        (from: "grid: {", to: "grid: {spacing: 0.02, ", complaint: "cells", remedy: "spacing"),
        (
            from: "sources: ", to: "probes: [{model: ice-rod, tip: [0, 0, 0], tail: [0, 0, 9]}]\nsources: ",
            complaint: "nothing says when it freezes", remedy: "protocol"
        ),
        (
            from: "sources: ", to: "probes: [{model: ice-rod, tip: [0, 0, 0], tail: [0, 0, 9], protocol: {freeze: 600, thaw: 300}}]\nsources: ",
            complaint: "900 min are longer than any ablation", remedy: "Correct"
        ),
        (
            from: "sources: ",
            to:
                "protocol: {freeze: 5}\nprobes: [{model: ice-rod, tip: [0, 0, 0], tail: [0, 0, 9]}, {model: ice-rod, tip: [0.5, 0, 1], tail: [0, 0, 9]}]\nsources: ",
            complaint: "within 0.", remedy: "positions"
        ),
    ])
    func refusesWhatCannotBeSimulated(from: String, to: String, complaint: String, remedy: String) throws {
        let text = Self.line.replacing(from, with: to)
        #expect(text != Self.line)
        let (run, folder, keep) = try run(text)
        #expect(run.status == 65 && run.output.isEmpty)
        #expect(run.errors.contains(complaint) && run.errors.contains(remedy), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path))
        withExtendedLifetime(keep) {}
    }

    private static let sizes = """
        schema: icemargin.calibration/1
        probe: {name: ours, gauge: 17, activeLength: 30, coolant: -100}
        fit: coolant
        spacing: 2
        tissue: medium
        define:
          - {name: medium, density: 1050, specificHeat: 3600, conductivity: 0.5, frozenSpecificHeat: 1800, frozenConductivity: 2,
             mushConductivity: 1.25, latentHeat: 250, freezing: [-1, -8]}
        sizes: [{minutes: 5, isotherm: 0, width: 23.35}, {minutes: 5, isotherm: -20, width: 15.81}]

        """

    /// The sizes are those of a surface of −140 °C (axisymmetric reference).
    @Test func fitsAProbeToMeasuredSizes() throws {
        let folder = try TemporaryFolder(), file = folder.url.appending(path: "sizes.yaml")
        try Data(Self.sizes.utf8).write(to: file)
        let run = try CommandRunner.run("simulate", "--calibrate", file.path, "--json")
        #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
        let probe = try #require(try run.json()["probe"] as? [String: Any])
        #expect(try abs(#require(probe["coolant"] as? Double) + 140) < 8)
        // Two widths read to 1 mm, of which each changes by some 0.1 mm per K.
        let uncertaintyK = try #require(probe["coolantUncertainty"] as? Double)
        #expect(uncertaintyK > 3 && uncertaintyK < 12)
        let text = try CommandRunner.run("simulate", "--calibrate", file.path).output
        #expect(text.contains("  - name: ours\n    diameter: [1.47, calibration]") && text.contains("    coolantUncertainty: ["))
        try Data(Self.sizes.replacing("fit: coolant", with: "fit: colour").utf8).write(to: file)
        let refused = try CommandRunner.run("simulate", "--calibrate", file.path)
        #expect(refused.status == 65 && refused.errors.contains("resistance, coolant, activeLength"))
    }
}
