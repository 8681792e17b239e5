import DescriptionFiles
import Foundation
import IceballSimulation
import ImagingCore

/// A table of isotherm sizes around a probe, and what of the probe is to be fitted to it (`icemargin.calibration/1`).
public enum CalibrationDescription {
    public static let schema = "icemargin.calibration/1"
    private static let keys = ["schema", "probe", "fit", "tissues", "tissue", "define", "mediumUncertainty", "start", "spacing", "sizes"]

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
        guard Set(fitted).count == fitted.count else { throw root.wrongValue("fit", expected: "each of its entries once") }
        let missing = model.missing.filter { name in !fitted.contains { $0.rawValue == name } }
        guard missing.isEmpty else { throw SimulationError.incompleteProbeModel(model.name, missing: missing) }
        let start = try root.number("start") ?? 37, coldest = fitted.contains(.coolant) ? nil : model.coolantC
        let rows = try root.mappings("sizes", known: ["minutes", "isotherm", "width", "length", "uncertainty"]).map { entry in
            try row(entry, between: coldest ?? -.infinity, and: start)
        }
        guard !rows.isEmpty else { throw root.missing("sizes") }
        try check(rows, fitted, root)
        let medium = SimulationMedium(root: root, folder: file.deletingLastPathComponent())
        var calibration = ProbeCalibration(
            start: model, fitted: fitted, tissue: try medium.tissue(), startTemperatureC: start, rows: rows)
        if let spacing = try root.positive("spacing") { calibration.spacingMM = spacing }
        if let uncertainty = try root.number("mediumUncertainty") {
            guard (0...0.5).contains(uncertainty) else {
                throw root.wrongValue(
                    "mediumUncertainty", expected: "0 to 0.5: one standard deviation of the medium's constants as a share of them")
            }
            calibration.mediumUncertainty = uncertainty
        }
        return calibration
    }

    /// No treatment freezes for longer.
    private static let mostMinutes = 120.0

    private static func row(_ entry: StrictYAML, between coldestC: Double, and startC: Double) throws -> ProbeCalibration.Row {
        guard let minutes = try entry.positive("minutes") else { throw entry.missing("minutes") }
        guard minutes <= mostMinutes else { throw entry.wrongValue("minutes", expected: String(format: "at most %g", mostMinutes)) }
        guard let isotherm = try entry.number("isotherm") else { throw entry.missing("isotherm") }
        guard isotherm < startC, isotherm > coldestC else {
            let low = coldestC.isFinite ? String(format: " and above the coolant's %g °C", coldestC) : ""
            throw entry.wrongValue("isotherm", expected: String(format: "below the temperature at the start, %g °C", startC) + low)
        }
        let width = try entry.positive("width"), length = try entry.positive("length")
        guard width != nil || length != nil else { throw entry.missing("width” or “length") }
        if let width, let length, length < width {
            throw entry.wrongValue("length", expected: "along the probe, not less than the width across it")
        }
        return .init(
            minutes: minutes, isothermC: isotherm, widthMM: width, lengthMM: length, uncertaintyMM: try entry.positive("uncertainty") ?? 1)
    }

    /// What no probe could have made, and what could not be told from it.
    private static func check(_ rows: [ProbeCalibration.Row], _ fitted: [ProbeCalibration.Parameter], _ root: StrictYAML) throws {
        guard !fitted.contains(.activeLength) || rows.contains(where: { $0.lengthMM != nil }) else {
            throw root.wrongValue("fit", expected: "without activeLength where no length was measured: widths alone do not tell it")
        }
        for warm in rows {
            for cold in rows where cold.minutes == warm.minutes && cold.isothermC < warm.isothermC {
                for (a, b) in [(cold.widthMM, warm.widthMM), (cold.lengthMM, warm.lengthMM)] {
                    guard let a, let b, a >= b else { continue }
                    throw root.wrongValue(
                        "sizes", expected: String(format: "smaller for colder isotherms; after %g min %g °C has %g mm and %g °C %g mm",
                            cold.minutes, cold.isothermC, a, warm.isothermC, b))
                }
            }
        }
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
        let diameter, activeLength, activeStart, coolant, coolantUncertainty: Double?
        let resistance: Double
    }

    public init(_ result: ProbeCalibration.Result) {
        let model = result.model
        probe = Probe(
            name: model.name, diameter: model.diameterMM, activeLength: model.activeLengthMM, activeStart: model.activeStartMM,
            coolant: model.coolantC, coolantUncertainty: model.coolantUncertaintyK, resistance: model.resistance)
        (sizes, rmsMM, simulations, findings) = (result.comparisons, result.rmsMM, result.simulationCount, result.findings)
    }

    /// For a person.
    public var text: String {
        var lines = [
            String(
                format: "%@: diameter %.2f mm, active length %.1f mm, coolant %.1f °C, resistance %.4f K·m/W; power known to %.1f K of the coolant",
                probe.name, probe.diameter ?? 0, probe.activeLength ?? 0, probe.coolant ?? 0, probe.resistance,
                probe.coolantUncertainty ?? 0)
        ]
        lines += sizes.map {
            String(
                format: "  %5.1f min  %6.1f °C  %-6@  measured %5.1f mm  fitted %5.1f mm", $0.minutes, $0.isothermC, $0.size as NSString,
                $0.measuredMM, $0.fittedMM)
        }
        lines.append(String(format: "  root mean square difference %.2f mm", rmsMM))
        lines += ["", "For a table of probe models (icemargin.probes/1), with a source of this id:", entry]
        return lines.joined(separator: "\n") + "\n"
    }

    /// The probe as a table of models has it.
    private var entry: String {
        let numbers: [(String, Double?)] = [
            ("diameter", probe.diameter), ("activeLength", probe.activeLength), ("activeStart", probe.activeStart),
            ("coolant", probe.coolant),
            ("coolantUncertainty", probe.coolantUncertainty), ("resistance", probe.resistance),
        ]
        return numbers.reduce("  - name: \(probe.name)") { text, number in
            number.1.map { text + String(format: "\n    %@: [%.4g, calibration]", number.0 as NSString, $0) } ?? text
        }
    }
}
