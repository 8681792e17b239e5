import ArgumentParser
import Foundation
import Reporting
import VerificationPipeline

/// `icemargin selftest`: what this installation measures from bodies whose margins are known.
struct SelfTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest",
        abstract: "Commissioning: measure bodies with known margins, and compare with the truth and a tolerance.",
        discussion: """
            Balls, ellipsoids and capsules are drawn on grids of 1 mm, 0.7 × 0.7 × 2.5 mm and 0.8 × 0.8 × 5 mm, as voxel masks and as sub-voxel \
            level sets; the truth is a closed form. A row passes when the error is within the tolerance and the truth within the 95 % interval.

            With --trials, random cases too: rough edges and misplaced tumours, to see how often the 95 % interval of the smallest margin \
            holds the truth, and how wide it is.

            Exits with 1 when a row does not pass. Keep the output with the quality records.
            """)

    @Option(help: ArgumentHelp("How many random cases calibrate the interval; 0 for none.", valueName: "count")) var trials = 0
    @Option(help: ArgumentHelp("Where the random cases begin.", valueName: "number")) var seed: UInt64 = 1
    @Flag(help: "Print one JSON document.") var json = false

    func validate() throws {
        guard (0...100_000).contains(trials) else { throw ValidationError("--trials must lie between 0 and 100000, not \(trials).") }
    }

    func run() async throws {
        let table = try CommissioningTable()
        let calibration = trials > 0 ? try IntervalCalibration(count: trials, seed: seed) : nil
        if json {
            try StandardOutput.write(try ReportEncoder().encode(SelfTestDocument(table: table, calibration: calibration)))
        } else {
            try StandardOutput.write(SelfTestText(table: table, calibration: calibration).text)
        }
        if !table.passes { throw ExitCode(1) }
    }
}

/// The document of `selftest --json`.
struct SelfTestDocument: Encodable {
    struct Calibration: Encodable {
        let trials: [IntervalCalibration.Trial]
        /// The share of the trials whose interval holds the truth.
        let coverage: Double
        let meanWidthMM, meanErrorMM, rootMeanSquareErrorMM: Double
    }

    let schema = "icemargin.selftest/1"
    let version = iceMarginVersion
    let pass: Bool
    let rows: [CommissioningTable.Row]
    let calibration: Calibration?

    init(table: CommissioningTable, calibration: IntervalCalibration?) {
        (pass, rows) = (table.passes, table.rows)
        self.calibration = calibration.map {
            Calibration(
                trials: $0.trials, coverage: $0.coverage, meanWidthMM: $0.meanWidthMM, meanErrorMM: $0.meanErrorMM,
                rootMeanSquareErrorMM: $0.rootMeanSquareErrorMM)
        }
    }
}

/// The table for a person.
private struct SelfTestText {
    let text: String

    init(table: CommissioningTable, calibration: IntervalCalibration?) {
        var lines = ["IceMargin \(iceMarginVersion) self test", ""]
        var heading = ""
        for row in table.rows {
            let spacing = row.spacingMM.map { String(format: "%g", $0) }.joined(separator: " × ")
            let group = "\(row.shape); \(row.representation == "mask" ? "voxel mask" : "level set"), \(spacing) mm"
            if group != heading {
                lines += ["", group, "  quantity                      truth  measured  95 % interval      tolerance"]
                heading = group
            }
            let interval = row.interval.map { String(format: "%6.2f to %6.2f", $0[0], $0[1]) } ?? ""
            lines.append(
                "  " + row.quantity.label.padding(toLength: 26, withPad: " ", startingAt: 0)
                    + String(format: "%9.2f %9.2f  ", row.truth, row.measured) + interval.padding(toLength: 18, withPad: " ", startingAt: 0)
                    + String(format: "%6.2f  ", row.tolerance) + (row.pass ? "pass" : "FAIL"))
        }
        let failed = table.rows.count { !$0.pass }
        lines += ["", failed == 0 ? "All \(table.rows.count) rows pass." : "\(failed) of \(table.rows.count) rows FAIL."]
        if let calibration {
            lines += [
                "", "Random cases: \(calibration.trials.count)",
                String(format: "  the 95 %% interval of the smallest margin holds the truth in %.1f %%", 100 * calibration.coverage),
                String(format: "  it is %.2f mm wide on average; the error is %.2f mm on average, %.2f mm root mean square",
                    calibration.meanWidthMM, calibration.meanErrorMM, calibration.rootMeanSquareErrorMM),
            ]
        }
        text = lines.joined(separator: "\n") + "\n"
    }
}

extension CommissioningTable.Quantity {
    fileprivate var label: String {
        switch self {
        case .minimumMarginMM: "smallest margin (mm)"
        case .surfaceBelow0Percent: "surface below 0 mm (%)"
        case .surface0To5Percent: "surface 0 to 5 mm (%)"
        case .surface5To10Percent: "surface 5 to 10 mm (%)"
        case .tumourCoveragePercent: "tumour covered (%)"
        case .shell5MMCoveragePercent: "5 mm shell covered (%)"
        case .tumourVolumeML: "tumour volume (mL)"
        case .structureDistanceMM: "distance (mm)"
        }
    }
}
