import DescriptionFiles
import Foundation
import IceballSimulation
import ImagingCore

/// A table of isotherm sizes around a probe, and what of the probe is to be fitted to it (`icemargin.calibration/1`).
public enum CalibrationDescription {
    public static let schema = "icemargin.calibration/1"
    private static let keys = ["schema", "probe", "fit", "tissues", "tissue", "define", "start", "spacing", "sizes"]

    public static func load(_ file: URL) throws -> ProbeCalibration {
        let text = try StrictYAML.text(of: file, what: "the table of isotherm sizes")
        let root = try StrictYAML.document(text, file: file.path, known: keys)
        let schema = try root.requiredString("schema")
        guard schema == Self.schema else { throw root.wrongValue("schema", expected: "“\(Self.schema)”, not “\(schema)”") }
        guard let entry = try root.mapping("probe", known: ["name", "model"] + ProbeModel.keys) else { throw root.missing("probe") }
        let base = try entry.string("model").map { try ProbeLibrary.builtIn().model($0) }
        let model = try ProbeModel(name: try entry.string("name") ?? base?.name ?? "probe", entry, base: base) { try entry.number($0) }
        let fitted = try root.strings("fit").map { name in
            guard let parameter = ProbeCalibration.Parameter(rawValue: name) else {
                throw root.wrongValue(
                    "fit", expected: "one or more of \(ProbeCalibration.Parameter.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return parameter
        }
        guard !fitted.isEmpty else { throw root.missing("fit") }
        let missing = model.missing.filter { name in !fitted.contains { $0.rawValue == name } }
        guard missing.isEmpty else { throw SimulationError.incompleteProbeModel(model.name, missing: missing) }
        let rows = try root.mappings("sizes", known: ["minutes", "isotherm", "width", "length", "uncertainty"]).map(row)
        guard !rows.isEmpty else { throw root.missing("sizes") }
        let medium = SimulationMedium(root: root, folder: file.deletingLastPathComponent())
        var calibration = ProbeCalibration(
            start: model, fitted: fitted, tissue: try medium.tissue(), startTemperatureC: try root.number("start") ?? 37, rows: rows)
        if let spacing = try root.positive("spacing") { calibration.spacingMM = spacing }
        return calibration
    }

    private static func row(_ entry: StrictYAML) throws -> ProbeCalibration.Row {
        guard let minutes = try entry.positive("minutes") else { throw entry.missing("minutes") }
        guard let isotherm = try entry.number("isotherm") else { throw entry.missing("isotherm") }
        let width = try entry.positive("width"), length = try entry.positive("length")
        guard width != nil || length != nil else { throw entry.missing("width” or “length") }
        return .init(
            minutes: minutes, isothermC: isotherm, widthMM: width, lengthMM: length, uncertaintyMM: try entry.positive("uncertainty") ?? 1)
    }
}

/// What `simulate --calibrate` says: the fitted probe as it can stand in a description, and how well it fits.
public struct CalibrationDocument: Encodable, Sendable {
    let schema = "icemargin.calibration-result/1"
    let probe: Probe
    let sizes: [ProbeCalibration.Comparison]
    let rmsMM: Double
    let simulations: Int
    let findings: [Finding]

    struct Probe: Encodable {
        let name: String
        let diameter, activeLength, activeStart, coolant: Double?
        let resistance: Double
    }

    public init(_ result: ProbeCalibration.Result) {
        let model = result.model
        probe = Probe(
            name: model.name, diameter: model.diameterMM, activeLength: model.activeLengthMM, activeStart: model.activeStartMM,
            coolant: model.coolantC,
            resistance: model.resistance)
        (sizes, rmsMM, simulations, findings) = (result.comparisons, result.rmsMM, result.simulationCount, result.findings)
    }

    /// For a person.
    public var text: String {
        var lines = [
            String(
                format: "%@: diameter %.2f mm, active length %.1f mm, coolant %.1f °C, resistance %.4f K·m/W", probe.name,
                probe.diameter ?? 0,
                probe.activeLength ?? 0, probe.coolant ?? 0, probe.resistance)
        ]
        lines += sizes.map {
            String(
                format: "  %5.1f min  %6.1f °C  %-6@  measured %5.1f mm  fitted %5.1f mm", $0.minutes, $0.isothermC, $0.size as NSString,
                $0.measuredMM, $0.fittedMM)
        }
        lines.append(String(format: "  root mean square difference %.2f mm", rmsMM))
        return lines.joined(separator: "\n") + "\n"
    }
}
