import ArgumentParser
import Foundation
import IceballSimulation
import ImagingCore
import Reporting
import VerificationPipeline

/// `icemargin simulate`: the temperature around probes, or ideal sources, over time.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Compute the temperature around cryoprobes, or ideal sources, over time.",
        discussion: """
            RUN.yaml says what is simulated (schema icemargin.simulation/1): grid, tissues, sides, probes with their protocol or ideal sources, \
            and output times. Writes simulation.json (volume of each isotherm, its radius along rays, its width and length around each probe) \
            and NIfTI volumes in °C: the temperature at each output time and the lowest until then.

            Example RUN.yaml:
              schema: icemargin.simulation/1
              tissue: liver
              probes:
                - {model: reference-17g, tip: [0, 0, 0], tail: [0, 0, 120]}
              protocol: {freeze: 10, thaw: 5, refreeze: 10}     # minutes
              outputTimes: [600, 1500]                          # seconds
              isotherms: [0, -20, -40]
              grid: {spacing: 1, margin: 30, reach: 40}         # mm, optional: fine cells (1, or finer where that takes \
            little time), how far they go around probes, and wider ones beyond
              rays:
                - {name: aside, from: [0, 0, 15], direction: [1, 0, 0]}
              tumours:                                          # planned margins, simulated
                - {id: T1, center: [0, 0, 15], diameter: 15}    # or {id: T1, mask: tumour.nii.gz}

            With --calibrate it is a table of measured sizes instead:
              schema: icemargin.calibration/1
              probe: {name: ours, gauge: 17, activeLength: 30, coolant: -150}
              fit: [resistance, activeLength]                   # and coolant, where two isotherms or more tell them apart
              tissue: agar-gel
              start: 37
              sizes:
                - {minutes: 10, isotherm: 0, width: 31, length: 45}
                - {minutes: 10, isotherm: -20, width: 20, length: 37}
            """)

    @Argument(help: ArgumentHelp("The description of the simulation.", valueName: "run.yaml"))
    var file: String

    @Option(name: .shortAndLong, help: "The folder to write; it must be new or empty.")
    var output: String?

    @Flag(help: "Fit a probe to a table of isotherm sizes (schema icemargin.calibration/1) instead, and print it.")
    var calibrate = false

    @Flag(help: "Replace an earlier result in the output folder.")
    var overwrite = false

    @Flag(help: "Print simulation.json instead of a summary.")
    var json = false

    func validate() throws {
        guard calibrate || output != nil else { throw ValidationError("Missing expected argument '--output <output>'") }
    }

    func run() async throws {
        if calibrate { try fitProbe() } else { try await simulate(into: output!) }
    }

    private func fitProbe() throws {
        let progress = ProgressLine("fitting")
        let result = try CalibrationDescription.load(URL(filePath: file)).run { progress.show($0) }
        progress.finish()
        show(result.findings)
        let document = CalibrationDocument(result)
        if json { try StandardOutput.write(try ReportEncoder().encode(document)) } else { try StandardOutput.write(document.text) }
    }

    private func show(_ findings: [Finding]) {
        for finding in findings {
            StandardError.write("\(finding.severity.rawValue): \(finding.message)")
            if !finding.remedy.isEmpty { StandardError.write("  \(finding.remedy)") }
        }
    }

    private func simulate(into output: String) async throws {
        try await OpenedResults.removedUnlessComplete { opened in
            let results = try opened.open {
                try ResultsFolder(destination: URL(filePath: output), overwrite: overwrite, marker: SimulationDocument.fileName)
            }
            let description = try SimulationDescription.load(URL(filePath: file))
            let progress = ProgressLine("simulating")
            let result = try description.simulation.run { progress.show($0) }
            progress.finish()
            let document = SimulationDocument(description, result, try PlannedMargins(description, result))
            show(description.findings + result.findings)
            let encoded = try ReportEncoder().encode(document)
            try document.write(result, encoded: encoded, to: results)
            try results.commit()
            if json { try StandardOutput.write(encoded) } else { try StandardOutput.write(document.text) }
        }
    }
}

/// How far a long computation is, on one line of a terminal; silent elsewhere.
final class ProgressLine {
    private let label: String
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shown = -1

    init(_ label: String) { self.label = label }

    /// - Parameter share: that is done, 0 to 1.
    func show(_ share: Double) {
        let percent = Int(100 * share)
        guard isTerminal, percent != shown else { return }
        shown = percent
        StandardError.writeRaw("\r\(label) \(percent) %")
    }
    func finish() { if isTerminal, shown >= 0 { StandardError.writeRaw("\r\u{1B}[K") } }
}
