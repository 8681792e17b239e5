import DescriptionFiles
import Foundation
import IceballSimulation
import ImagingCore

/// A simulation as a file describes it (`icemargin.simulation/1`): read strictly, with paths relative to the file.
public struct SimulationDescription: Sendable {
    public static let schema = "icemargin.simulation/1"

    public struct Ray: Sendable, Hashable {
        public var name: String
        public var origin: PatientPoint
        public var direction: PatientVector
    }

    public var simulation: IceballSimulation
    public var probes: [PlacedProbe]
    public var isothermsC: [Double]
    public var rays: [Ray]
    /// Whose margins are wanted of a plan.
    public var tumours: [PlannedTumour]
    public var findings: [Finding]

    private static let keys = [
        "schema", "grid", "tissues", "tissue", "define", "regions", "tubes", "scan", "start", "blood", "stasis", "boundary", "probeModels",
        "probes",
        "sources", "protocol", "phases", "outputTimes", "timeStep", "isotherms", "timeBelow", "rays", "tumours",
    ]

    /// Reads a description and the files that it names.
    public static func load(_ file: URL) throws -> SimulationDescription {
        let text = try StrictYAML.text(of: file, what: "the description of the simulation")
        return try parse(text, file: file.path, folder: file.deletingLastPathComponent())
    }

    static func parse(_ text: String, file: String, folder: URL) throws -> SimulationDescription {
        let root = try StrictYAML.document(text, file: file, known: keys)
        let schema = try root.requiredString("schema")
        guard schema == Self.schema else { throw root.wrongValue("schema", expected: "“\(Self.schema)”, not “\(schema)”") }
        let medium = SimulationMedium(root: root, folder: folder), cooling = SimulationCooling(root: root, folder: folder)
        let probes = try cooling.probes(), sources = try cooling.sources()
        try PlacedProbe.requireApart(probes)
        let rays = try root.mappings("rays", known: ["name", "from", "direction"]).enumerated().map { index, entry in
            guard let origin = try entry.point("from") else { throw entry.missing("from") }
            guard let direction = try entry.point("direction") else { throw entry.missing("direction") }
            guard let unit = PatientVector(direction.lps).normalized else { throw entry.wrongValue("direction", expected: "longer than 0") }
            return Ray(name: try entry.string("name") ?? "ray \(index + 1)", origin: origin, direction: unit)
        }
        let places = probes.flatMap { [$0.activeEnds.0, $0.activeEnds.1] } + sources.compactMap(\.point)
        let planes = try cooling.planes(), sinks = try probes.map { probe in try probe.sink() } + sources.map(\.sink)
        let times = try outputTimes(root, end: probes.map(\.durationS).max()), step = try root.positive("timeStep")
        func simulated(_ spacingMM: Double?) throws -> (IceballSimulation, [Finding]) {
            let (model, cold, findings) = try medium.model(around: places, planes: planes, spacingMM: spacingMM)
            var simulation = IceballSimulation(model: model, sinks: sinks, outputTimesS: times)
            simulation.sidesThatIceMayReach = cold
            if let step { simulation.longestStepS = step }
            return (simulation, findings)
        }
        var (simulation, findings) = try simulated(nil)
        if try !medium.isSpacingGiven, let spacing = SimulationMedium.finerSpacingMM(for: simulation) {
            (simulation, findings) = try simulated(spacing)
        }
        simulation.thresholdsC = try root.numbers("timeBelow") ?? []
        let planned = try PlannedTumour.read(root, folder: folder, core: simulation.model.grid.core)
        guard planned.tumours.isEmpty || !probes.isEmpty else { throw root.missing("probes") }
        return SimulationDescription(
            simulation: simulation, probes: probes, isothermsC: try root.numbers("isotherms") ?? [0, -20, -40], rays: rays,
            tumours: planned.tumours,
            findings: findings + coarseCells(simulation, hasProbes: !places.isEmpty) + planned.findings
                + (planned.tumours.isEmpty ? [] : [PlannedMargins.finding])
                + afterProtocol(simulation, end: sources.isEmpty ? probes.map(\.durationS).max() : nil))
    }

    /// With cells of 2 mm sizes around a 17 gauge probe are right to 1 mm, of 3 mm lengths are 2 mm too short, and of 4 mm more than 4.
    private static let largestSpacingMM = 2.0

    private static func coarseCells(_ simulation: IceballSimulation, hasProbes: Bool) -> [Finding] {
        let spacing = simulation.model.grid.core.spacing.max()
        guard hasProbes, spacing > largestSpacingMM else { return [] }
        return [
            Finding(
                .warning, "cells-too-coarse",
                String(format: "Cells of %g mm are too coarse for probes and lines: cold isotherms can be millimetres too short.", spacing),
                remedy: String(format: "Give a spacing of 1 mm, at most %g, or none.", largestSpacingMM))
        ]
    }

    /// That output times and protocol do not go together.
    private static func afterProtocol(_ simulation: IceballSimulation, end: Double?) -> [Finding] {
        guard let end, let last = simulation.outputTimesS.last, last > end + 1 else { return [] }
        return [
            Finding(
                .warning, "output-after-protocol",
                String(
                    format: "The last output time, %g s, lies after the end of the protocol, %g s: nothing freezes from then on.", last,
                    end),
                remedy: "Correct “outputTimes” (seconds) or the protocol (minutes), unless the thaw that follows is wanted.")
        ]
    }

    /// Seconds; the end of the protocol where none are given.
    private static func outputTimes(_ root: StrictYAML, end: Double?) throws -> [Double] {
        guard let times = try root.numbers("outputTimes") else {
            guard let end, end > 0 else { throw root.missing("outputTimes") }
            return [end]
        }
        guard times.allSatisfy({ $0 > 0 }), zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw root.wrongValue("outputTimes", expected: "rising seconds above 0")
        }
        return times
    }
}
