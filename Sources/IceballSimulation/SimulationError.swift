import Foundation
import ImagingCore

/// Why a simulation cannot be made of what was given.
public enum SimulationError: ReportableError {
    case unknownTissue(String, known: [String])
    case unknownProbeModel(String, known: [String])
    case incompleteProbeModel(String, missing: [String])
    case gridTooLarge(cells: Int, largest: Int)
    /// How far inside the core it lies (negative: outside), and how far from it cells give heat.
    case sourceOutsideCore(String, distanceMM: Double, neededMM: Double)
    case coreNotCubic(SIMD3<Double>)
    case probesOverlap(String, String, distanceMM: Double)
    case protocolContradicts(String, reason: String)
    case unstableTimeStep(seconds: Double, stages: Int, largestSeconds: Double)
    case iceAtBoundary(minutes: Double)
    case nothingToDo
    case notFinite(seconds: Double)

    public var category: FailureCategory { if case .notFinite = self { .internalError } else { .badData } }

    public var finding: Finding {
        func mm(_ value: Double) -> String { String(format: "%.1f mm", value) }
        switch self {
        case .unknownTissue(let name, let known):
            return Finding(
                .error, "unknown-tissue", "There is no tissue “\(name)”.",
                remedy: "Known: \(known.joined(separator: ", ")); or define it under “define”.")
        case .unknownProbeModel(let name, let known):
            return Finding(
                .error, "unknown-probe-model", "There is no probe model “\(name)”.",
                remedy: "Known: \(known.joined(separator: ", ")); or give the probe's own numbers.")
        case .incompleteProbeModel(let name, let missing):
            return Finding(
                .error, "probe-model-incomplete",
                "The probe model “\(name)” lacks \(missing.joined(separator: ", ")), which only its maker's instructions or a measurement give.",
                remedy: "Fill them in from the instructions for use, or fit them to a table of isotherm sizes with --calibrate.")
        case .gridTooLarge(let cells, let largest):
            return Finding(
                .error, "grid-too-large", "The grid has \(cells) cells; at most \(largest) are accepted.",
                remedy: "Make the core smaller or its spacing coarser.")
        case .sourceOutsideCore(let name, let distance, let needed):
            let place =
                distance < 0
                ? "\(name) lies up to \(mm(-distance)) outside the fine core of the grid"
                : "\(name) comes within \(mm(distance)) of the fine core's edge; its heat comes from cells up to \(mm(needed)) away"
            return Finding(
                .error, "source-outside-grid", place + ".",
                remedy: "Enlarge the core of the grid, or correct the position (LPS millimetres).")
        case .coreNotCubic(let spacing):
            return Finding(
                .error, "cells-not-cubes",
                "Probes and point or line sources need cells of equal sides; the core's are \(mm(spacing.x)) × \(mm(spacing.y)) × \(mm(spacing.z)).",
                remedy: "Give one spacing for all three axes.")
        case .probesOverlap(let a, let b, let distance):
            return Finding(
                .error, "probes-overlap",
                "The active parts of \(a) and \(b) come within \(mm(distance)) of each other, less than their radii together.",
                remedy: "Correct their positions, or remove the one that is listed twice.")
        case .protocolContradicts(let what, let reason):
            return Finding(.error, "protocol-contradiction", "\(what): \(reason).", remedy: "Correct the protocol or the probes.")
        case .unstableTimeStep(let seconds, let stages, let largest):
            return Finding(
                .error, "time-step-too-long",
                String(format: "A time step of %.3g s would need %d stages on this grid to be stable.", seconds, stages),
                remedy: String(format: "Give a time step of at most %.3g s, or a coarser grid.", largest))
        case .iceAtBoundary(let minutes):
            return Finding(
                .error, "ice-at-boundary",
                String(
                    format: "The ice reaches the edge of the grid (to within 5 mm) after %.1f min; sizes from then on would be wrong.",
                    minutes),
                remedy: "Enlarge the grid (its core, or how far it reaches beyond).")
        case .nothingToDo:
            return Finding(
                .error, "nothing-to-simulate", "There is no probe, no source and no side of another temperature: nothing would change.",
                remedy: "Add probes or sources.")
        case .notFinite(let seconds):
            return Finding(
                .error, "simulation-diverged", String(format: "The temperature is no longer a number after %.1f s.", seconds),
                remedy: "Halve the time step, and report this.")
        }
    }
}
