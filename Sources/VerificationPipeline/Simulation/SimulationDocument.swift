import Foundation
import IceballSimulation
import ImagingCore
import NIfTIFormat

/// What `simulate` says of a simulation: `simulation.json`.
public struct SimulationDocument: Encodable, Sendable {
    public static let fileName = "simulation.json"

    let schema = "icemargin.simulation-result/1"
    let grid: Grid
    let tissues: [String]
    let probes: [Probe]
    let times: [Time]
    let findings: [Finding]

    struct Grid: Encodable {
        /// Of the core, and of all cells.
        let coreSize, size: [Int]
        let spacingMM: [Double]
        let originLPS: PatientPoint
    }
    struct Probe: Encodable {
        let name, model: String
        let tipLPS, tailwardsLPS: PatientPoint
        let diameterMM, activeLengthMM: Double?
    }
    struct Time: Encodable {
        let seconds: Double
        /// Taken by each probe and source since the beginning, and lost by the tissue.
        let heatTakenJ: [Double]
        let heatLostByTissueJ: Double
        /// Of the temperature at this time, and of the lowest until then.
        let isotherms, lowestIsotherms: [Isotherm]
        /// Of the tumours that the description names; simulated, not measured.
        let plannedMargins: [PlannedMargins.Margin]
        /// Names of the files, °C.
        let temperatureFile, lowestFile: String
    }
    struct Isotherm: Encodable {
        let temperatureC: Double
        let volumeML: Double
        let rays: [RayRadius]
        let probes: [ProbeSize]
    }
    struct RayRadius: Encodable {
        let name: String
        /// From the ray's origin to the outermost place where the isotherm crosses it; `nil` when it does not.
        let radiusMM: Double?
    }
    struct ProbeSize: Encodable {
        let name: String
        let widthMM, lengthMM, tipBeyondMM, tailBeyondMM: Double?
    }

    public init(_ description: SimulationDescription, _ result: IceballSimulation.Result, _ planned: PlannedMargins) {
        let grid = description.simulation.model.grid, core = grid.core
        self.grid = Grid(
            coreSize: [core.size.i, core.size.j, core.size.k], size: [grid.size.i, grid.size.j, grid.size.k],
            spacingMM: [core.spacing.x, core.spacing.y, core.spacing.z], originLPS: core.origin)
        tissues = description.simulation.model.tissues.map(\.name)
        probes = description.probes.map {
            Probe(
                name: $0.name, model: $0.model.name, tipLPS: $0.tip, tailwardsLPS: PatientPoint($0.direction.lps),
                diameterMM: $0.model.diameterMM, activeLengthMM: $0.model.activeLengthMM)
        }
        times = zip(result.snapshots, planned.times).map { snapshot, margins in
            Time(
                seconds: snapshot.timeS, heatTakenJ: snapshot.heatTakenJ, heatLostByTissueJ: snapshot.heatLostJ,
                isotherms: Self.isotherms(snapshot.temperature, description), lowestIsotherms: Self.isotherms(snapshot.lowest, description),
                plannedMargins: margins,
                temperatureFile: Self.temperatureFile(snapshot.timeS), lowestFile: Self.lowestFile(snapshot.timeS))
        }
        findings = description.findings + result.findings
    }

    static func temperatureFile(_ seconds: Double) -> String { "temperature-\(text(seconds))s.nii.gz" }
    static func lowestFile(_ seconds: Double) -> String { "lowest-temperature-\(text(seconds))s.nii.gz" }
    private static func text(_ number: Double) -> String { number == number.rounded() ? String(Int(number)) : String(number) }

    private static func isotherms(_ field: TemperatureField, _ description: SimulationDescription) -> [Isotherm] {
        description.isothermsC.map { temperature in
            Isotherm(
                temperatureC: temperature, volumeML: field.volumeML(below: temperature),
                rays: description.rays.map {
                    RayRadius(name: $0.name, radiusMM: field.radiusMM(of: temperature, from: $0.origin, along: $0.direction))
                },
                probes: description.probes.map { probe in
                    let size = field.probeSize(
                        of: temperature, tip: probe.activeEnds.0, direction: probe.direction, lengthMM: probe.model.activeLengthMM ?? 0)
                    return ProbeSize(
                        name: probe.name, widthMM: size?.widthMM, lengthMM: size?.lengthMM, tipBeyondMM: size?.tipBeyondMM,
                        tailBeyondMM: size?.tailBeyondMM)
                })
        }
    }

    /// For a person: a line per time and isotherm.
    public var text: String {
        func mm(_ value: Double?) -> String { value.map { String(format: "%.1f", $0) } ?? "–" }
        var lines: [String] = []
        for time in times {
            lines.append(String(format: "After %.1f min", time.seconds / 60))
            for isotherm in time.isotherms {
                var parts = [String(format: "%6.1f °C  %8.2f mL", isotherm.temperatureC, isotherm.volumeML)]
                parts += isotherm.rays.map { "\($0.name) \(mm($0.radiusMM)) mm" }
                parts += isotherm.probes.map { "\($0.name) \(mm($0.widthMM)) × \(mm($0.lengthMM)) mm" }
                lines.append("  " + parts.joined(separator: "   "))
            }
            for margin in time.plannedMargins {
                let interval = margin.simulatedMarginIntervalMM.map { " (\(mm($0[0])) to \(mm($0[1])))" } ?? ""
                let share = String(format: "%.0f %% of the tumour", 100 * margin.simulatedCoverage)
                lines.append(
                    String(format: "  planned margin of %@ to %g °C, simulated: ", margin.tumour, margin.temperatureC)
                        + "\(mm(margin.simulatedMarginMM)) mm\(interval), \(share)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Writes this document and the temperature fields.
    public func write(_ result: IceballSimulation.Result, encoded: Data, to folder: ResultsFolder) throws {
        try folder.write(encoded, to: Self.fileName)
        for snapshot in result.snapshots {
            try NIfTIFile.write(snapshot.temperature.volume(), to: try folder.url(Self.temperatureFile(snapshot.timeS)))
            try NIfTIFile.write(snapshot.lowest.volume(), to: try folder.url(Self.lowestFile(snapshot.timeS)))
        }
        for (threshold, seconds) in result.secondsBelow {
            try NIfTIFile.write(seconds, to: try folder.url("seconds-below\(Self.text(threshold))C.nii.gz"))
        }
    }
}
