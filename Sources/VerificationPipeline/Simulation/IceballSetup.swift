import DescriptionFiles
import Foundation
import IceballSimulation
import ImageSegmentation
import ImagingCore

/// What the simulation of a case is told of probes and protocol: what the case gives, and defaults, which are named.
struct IceballSetup {
    var probes: [PlacedProbe]
    /// Of the ice scan, from the beginning of the first freeze.
    var scanSeconds: Double
    var priors: EdgeFitPriors
    /// What was not given, in words.
    var assumptions: [String]

    /// What was not given, and what contradicts itself, for a report.
    var findings: [Finding] {
        var findings = assumptions.isEmpty ? [] : [Finding(
            .info, "simulation-assumptions", "The simulation assumes: \(assumptions.joined(separator: "; ")).",
            remedy: "Give the probes' model, the protocol and the elapsed time in the case.")]
        if let end = probes.map(\.durationS).max(), scanSeconds > end + 1 {
            findings.append(Finding(
                .warning, "protocol-contradiction",
                String(
                    format: "The scan was taken %g min into a protocol that ends after %g min: thaw is simulated in between.",
                    scanSeconds / 60, end / 60),
                remedy: "Correct “elapsed” or “protocol”."))
        }
        return findings
    }

    /// A needle as most are: thinner ones are not made, and freezing parts are 15 to 45 mm long.
    private static let defaultModel = "reference-17g"
    /// One standard deviation each of what is not given: mm, K, minutes.
    private static let unknownActiveLengthMM = 7.0, unknownCoolantK = 22.0, unknownElapsedMinutes = 2.5
    /// Where no protocol is given.
    private static let defaultFreezeMinutes = 10.0
    /// No ablation takes longer: minutes were meant to be given, and seconds were.
    static let longestMinutes = 240.0
    static func tooLong(_ what: String, minutes: Double) -> SimulationError {
        .protocolContradicts(what, reason: String(format: "%g min are longer than any ablation; give minutes, not seconds", minutes))
    }

    /// - Parameters:
    ///   - probes: on the ice scan; those without ice around them are left out, for they were not switched on.
    ///   - ice: the visible ice; `nil` for a plan, which has the whole protocol before it.
    init(_ description: CaseDescription, probes: [Probe], ice: CaseObject?, library: ProbeLibrary) throws {
        let given = description.freezeProtocol.map { $0.freezeMinutes + $0.thawMinutes + $0.refreezeMinutes } ?? 0
        if let minutes = [given, description.elapsedMinutes ?? 0].first(where: { $0 > Self.longestMinutes }) {
            throw Self.tooLong("The protocol, or the time of the scan", minutes: minutes)
        }
        assumptions = []
        priors = EdgeFitPriors()
        let named: [CaseDescription.GivenProbe] = if case .given(let list) = description.probes { list } else { [] }
        let (phases, seconds) = Self.schedule(description, isPlan: ice == nil, &assumptions, &priors)
        var placed: [PlacedProbe] = [], unnamed = 0
        for (index, probe) in probes.enumerated() {
            guard let direction = probe.direction else { continue }
            let name = (index < named.count ? named[index].model : nil) ?? description.probeModel
            if name == nil { unnamed += 1 }
            let model = try library.model(name ?? Self.defaultModel)
            let entry = PlacedProbe(name: "P\(index + 1)", tip: probe.tip, direction: direction, model: model, phases: phases)
            if ice.map({ Self.isFrozen(entry, $0) }) ?? true { placed.append(entry) } else {
                assumptions.append("\(entry.name) was not switched on: no ice lies around it")
            }
        }
        if unnamed > 0 {
            assumptions.append(
                "no model is given for \(unnamed == probes.count ? "the" : "\(unnamed) of the") probes: \(Self.defaultModel) (17 gauge, 30 mm that freeze, −140 °C)")
            priors.activeLengthMM = Self.unknownActiveLengthMM
        }
        // One number stands for the power of all probes: as uncertain as the least certain of them.
        let usual = priors.coolantK, stated = placed.map { $0.model.coolantUncertaintyK ?? usual }.max() ?? usual
        priors.coolantK = unnamed > 0 ? max(Self.unknownCoolantK, stated) : stated
        let unmeasured = Set(placed.map(\.model).filter { $0.coolantUncertaintyK ?? usual >= usual }.map(\.name)).sorted()
        if unnamed == 0, !unmeasured.isEmpty {
            assumptions.append(
                String(
                    format: "the power of %@ is known to %g K of the coolant only, and the visible edge hardly tells it: the −40 °C isotherm can lie 2 mm off "
                        + "where the edge fits (simulate --calibrate fits a probe to measured isotherms)",
                    unmeasured.joined(separator: ", "), stated))
        }
        // What the detection says of a tip holds for the tip alone, not for where behind it the probe freezes.
        priors.depthMM = max(priors.depthMM, probes.compactMap(\.tipUncertaintyMM).max() ?? 0)
        (self.probes, scanSeconds) = (placed, seconds)
    }

    private static func schedule(
        _ description: CaseDescription, isPlan: Bool, _ assumptions: inout [String], _ priors: inout EdgeFitPriors
    ) -> (phases: [ProbePhase], seconds: Double) {
        let elapsed = isPlan ? 0 : description.elapsedMinutes
        let freeze = description.freezeProtocol?.freezeMinutes ?? max(defaultFreezeMinutes, elapsed ?? 0)
        var phases = [ProbePhase(.freeze, minutes: freeze)]
        if let given = description.freezeProtocol {
            if given.thawMinutes > 0 { phases.append(ProbePhase(.thaw, minutes: given.thawMinutes)) }
            if given.refreezeMinutes > 0 { phases.append(ProbePhase(.freeze, minutes: given.refreezeMinutes)) }
        } else {
            assumptions.append(String(format: "no protocol is given: one freeze of %g min", freeze))
        }
        guard let elapsed else {
            priors.elapsedMinutes = unknownElapsedMinutes
            assumptions.append(String(format: "the time of the scan is not given: the end of the first freeze, %g min", freeze))
            return (phases, 60 * freeze)
        }
        return (phases, 60 * elapsed)
    }

    /// The first probe no part of which that freezes is on a scan.
    func firstProbe(outside scan: GridGeometry) -> String? {
        probes.first { probe in
            let (near, far) = probe.activeEnds
            return !scan.contains(near) && !scan.contains(far)
        }?.name
    }

    private static func isFrozen(_ probe: PlacedProbe, _ ice: CaseObject) -> Bool {
        let (near, far) = probe.activeEnds, grid = ice.levelSet.geometry
        return stride(from: 0.0, through: 1, by: 0.1).contains { share in
            let voxel = grid.continuousIndex(near + share * (far - near)).nearest
            return grid.size.contains(voxel) && ice.levelSet.field[voxel] >= 0
        }
    }
}

extension CaseDescription {
    /// Of all probes that name one.
    var probeModelNames: [String] {
        guard case .given(let given) = probes else { return [probeModel].compactMap { $0 } }
        return (given.map(\.model) + [probeModel]).compactMap { $0 }
    }
}

extension ProbeLibrary {
    /// The built-in models and those of a case's own tables.
    static func load(_ files: [URL]) throws -> ProbeLibrary {
        var library = try ProbeLibrary.builtIn()
        for file in files {
            let text = try StrictYAML.text(of: file, what: "the table of probe models")
            library.add(try ProbeLibrary(text, file: file.path))
        }
        return library
    }
}
