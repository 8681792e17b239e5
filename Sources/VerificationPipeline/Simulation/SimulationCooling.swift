import DescriptionFiles
import Foundation
import IceballSimulation
import ImagingCore

/// Reads what cools a simulation: probes with their protocol, ideal sources, and cold sides.
struct SimulationCooling {
    let root: StrictYAML
    let folder: URL

    struct Source {
        var sink: HeatSink
        /// What the core of the grid must hold.
        var point: PatientPoint?
    }

    private static let phaseKeys = ["do", "minutes", "duty", "temperature", "withdraw"]
    private static let sourceKeys = [
        "type", "name", "at", "direction", "watts", "wattsPerRootSecond", "wattsPerMetre", "side", "temperature", "radius", "from", "until",
    ]

    // MARK: Probes

    func probes() throws -> [PlacedProbe] {
        let library = try library(), shared = try phases(root)
        let keys = ["name", "tip", "tail", "direction", "model", "protocol", "phases", "delay"] + ProbeModel.keys
        let entries = try root.mappings("probes", known: keys)
        if entries.isEmpty, shared != nil {
            throw SimulationError.protocolContradicts("The protocol", reason: "there are no probes that could follow it")
        }
        return try entries.enumerated().map { try probe($1, number: $0 + 1, library, shared) }
    }

    private func library() throws -> ProbeLibrary {
        try ProbeLibrary.load(try root.strings("probeModels").map { URL(filePath: $0, relativeTo: folder) })
    }

    private func probe(_ entry: StrictYAML, number: Int, _ library: ProbeLibrary, _ shared: [ProbePhase]?) throws -> PlacedProbe {
        let base = try entry.string("model").map { try library.model($0) }
        let name = try entry.string("name") ?? "probe \(number)"
        let model = try ProbeModel(name: base?.name ?? "\(name)’s own", entry, base: base) { try entry.number($0) }
        guard let tip = try entry.point("tip") else { throw entry.missing("tip") }
        let direction: PatientVector?
        if let tail = try entry.point("tail") {
            guard !entry.has("direction") else { throw entry.wrongValue("direction", expected: "absent where “tail” is given") }
            direction = (tail - tip).normalized
        } else {
            guard let given = try entry.point("direction") else { throw entry.missing("tail") }
            direction = PatientVector(given.lps).normalized
        }
        guard let direction else { throw entry.wrongValue(entry.has("tail") ? "tail" : "direction", expected: "away from the tip") }
        guard var phases = try phases(entry) ?? shared else {
            throw SimulationError.protocolContradicts(
                name, reason: "nothing says when it freezes: there is neither “protocol” nor “phases”")
        }
        if let delay = try entry.zeroOrMore("delay"), delay > 0 { phases.insert(ProbePhase(.wait, minutes: delay), at: 0) }
        let minutes = phases.reduce(0) { $0 + $1.minutes }
        guard minutes <= IceballSetup.longestMinutes else { throw IceballSetup.tooLong("The protocol of \(name)", minutes: minutes) }
        return PlacedProbe(name: name, tip: tip, direction: direction, model: model, phases: phases)
    }

    /// `protocol: {freeze: …, thaw: …, refreeze: …}` in minutes, or `phases: [{do: …, minutes: …}, …]`.
    private func phases(_ entry: StrictYAML) throws -> [ProbePhase]? {
        if let short = try entry.mapping("protocol", known: ["freeze", "thaw", "refreeze", "duty"]) {
            guard !entry.has("phases") else { throw entry.wrongValue("phases", expected: "absent where “protocol” is given") }
            guard let freeze = try short.positive("freeze") else { throw short.missing("freeze") }
            let duty = try duty(short)
            var phases = [ProbePhase(.freeze, minutes: freeze, duty: duty)]
            let thaw = try short.positive("thaw"), refreeze = try short.positive("refreeze")
            if let thaw { phases.append(ProbePhase(.thaw, minutes: thaw)) }
            if let refreeze {
                guard thaw != nil else { throw short.missing("thaw") }
                phases.append(ProbePhase(.freeze, minutes: refreeze, duty: duty))
            }
            return phases
        }
        let steps = try entry.mappings("phases", known: Self.phaseKeys)
        guard !steps.isEmpty else { return nil }
        return try steps.map { step in
            guard let activity = ProbePhase.Activity(rawValue: try step.requiredString("do")) else {
                throw step.wrongValue("do", expected: ProbePhase.Activity.allCases.map(\.rawValue).joined(separator: ", "))
            }
            guard let minutes = try step.positive("minutes") else { throw step.missing("minutes") }
            return ProbePhase(
                activity, minutes: minutes, duty: try duty(step), temperatureC: try step.number("temperature"),
                withdrawalMM: try step.zeroOrMore("withdraw") ?? 0)
        }
    }

    /// Percent in the file.
    private func duty(_ entry: StrictYAML) throws -> Double {
        let percent = try entry.positive("duty") ?? 100
        guard percent <= 100 else { throw entry.wrongValue("duty", expected: "at most 100 (percent of the time)") }
        return percent / 100
    }

    // MARK: Ideal sources

    /// Points and lines of given strength.
    func sources() throws -> [Source] {
        try root.mappings("sources", known: Self.sourceKeys).enumerated().compactMap { index, entry in
            let type = try entry.requiredString("type"), name = try entry.string("name") ?? "\(type) source \(index + 1)"
            let action: HeatSink.Action, shape: HeatSink.Shape
            var radiusMM = 0.0
            switch type {
            case "plane": return nil
            case "point":
                guard let at = try entry.point("at") else { throw entry.missing("at") }
                shape = .point(at)
                if let watts = try entry.positive("watts") {
                    action = .power(watts)
                } else {
                    guard let growing = try entry.positive("wattsPerRootSecond") else {
                        throw entry.missing("watts” or “wattsPerRootSecond")
                    }
                    action = .powerGrowingWithRootTime(growing)
                }
            case "line":
                guard let at = try entry.point("at") else { throw entry.missing("at") }
                guard let direction = PatientVector(try entry.point("direction")?.lps ?? SIMD3(0, 0, 1)).normalized else {
                    throw entry.wrongValue("direction", expected: "longer than 0")
                }
                shape = .line(through: at, direction: direction)
                if let watts = try entry.positive("wattsPerMetre") {
                    action = .power(watts)
                } else {
                    // A cylinder whose surface is held at a temperature.
                    guard let temperature = try entry.number("temperature") else { throw entry.missing("wattsPerMetre” or “temperature") }
                    guard let radius = try entry.positive("radius") else { throw entry.missing("radius") }
                    action = .surface(coolantC: temperature, resistance: 0, largestPower: nil, duty: 1, rampS: 0)
                    radiusMM = radius
                }
            default: throw entry.wrongValue("type", expected: "point, line or plane")
            }
            let start = try entry.zeroOrMore("from") ?? 0, end = try entry.positive("until") ?? .infinity
            guard end > start else { throw entry.wrongValue("until", expected: "later than “from”") }
            let sink = HeatSink(name: name, shape: shape, radiusMM: radiusMM, phases: [.init(startS: start, endS: end, action: action)])
            return Source(sink: sink, point: try entry.point("at"))
        }
    }

    /// Sides of the grid that are held cold: `{type: plane, side: x-low, temperature: …}`.
    func planes() throws -> [SimulationGrid.Side: Double] {
        let names: [String: SimulationGrid.Side] = [
            "x-low": .iLow, "x-high": .iHigh, "y-low": .jLow, "y-high": .jHigh, "z-low": .kLow, "z-high": .kHigh,
        ]
        var planes: [SimulationGrid.Side: Double] = [:]
        for entry in try root.mappings("sources", known: Self.sourceKeys) where try entry.string("type") == "plane" {
            guard let side = names[try entry.requiredString("side")] else {
                throw entry.wrongValue("side", expected: names.keys.sorted().joined(separator: ", "))
            }
            guard let temperature = try entry.number("temperature") else { throw entry.missing("temperature") }
            planes[side] = temperature
        }
        return planes
    }
}
