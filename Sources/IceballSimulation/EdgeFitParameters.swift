import Foundation
import ImagingCore

/// How uncertain what is told to an edge fit is: one standard deviation each; 0 holds a parameter at its nominal value.
public struct EdgeFitPriors: Hashable, Sendable {
    /// Of the surface that cools, K.
    public var coolantK = 15.0
    /// Natural logarithms: blood flow differs by much between and within patients, constants by as much as published values do.
    public var perfusion = 0.7, frozenConductivity = 0.12, liquidConductivity = 0.10, latentHeat = 0.08
    /// Of each probe along its own line, where its freezing part is not seen; and of everything together along each axis: ice and probes
    /// are seen on one scan, so that breathing moves both, and little more than errors of finding the probes is left, mm.
    public var depthMM = 2.0, shiftMM = 1.0
    /// Of the part that freezes, mm: 0 where the model of the probe is known.
    public var activeLengthMM = 0.0
    /// Of the time for which the probes had been freezing, minutes: 0 where it is known.
    public var elapsedMinutes = 0.0

    public init() {}
}

/// What is uncertain about a simulated iceball, as numbers that are 0 for the nominal model and in units of their own prior's spread.
///
/// Power, perfusion and the tissue's constants, what is not known of the probes, where each lies along its own line, and a shift of
/// everything. Nothing scales the shape itself.
struct EdgeFitParameters: Sendable {
    enum Kind: Hashable, Sendable {
        case coolant, perfusion, frozenConductivity, liquidConductivity, latentHeat, activeLength, elapsed
        case depth(probe: Int)
        case shift(axis: Int)

        /// Whether a changed value needs another simulation; a shift of everything does not.
        var needsSimulation: Bool { if case .shift = self { false } else { true } }

        /// For a report, with the unit of `Parameter.value`.
        var name: String {
            switch self {
            case .coolant: "coolantShiftK"
            case .perfusion: "perfusionFactor"
            case .frozenConductivity: "frozenConductivityFactor"
            case .liquidConductivity: "liquidConductivityFactor"
            case .latentHeat: "latentHeatFactor"
            case .activeLength: "activeLengthChangeMM"
            case .elapsed: "elapsedChangeMinutes"
            case .depth(let probe): "depthShiftMM-P\(probe + 1)"
            case .shift(let axis): "shiftMM-\(["L", "P", "S"][axis])"
            }
        }
        /// Whether its value multiplies the nominal one.
        var isFactor: Bool { [.perfusion, .frozenConductivity, .liquidConductivity, .latentHeat].contains(self) }
    }

    let kinds: [Kind]
    private let priors: EdgeFitPriors

    init(probeCount: Int, isPerfused: Bool, priors: EdgeFitPriors) {
        self.priors = priors
        let all: [Kind] =
            [.coolant, .frozenConductivity, .liquidConductivity, .latentHeat, .activeLength, .elapsed] + (isPerfused ? [.perfusion] : [])
            + (0..<probeCount).map { .depth(probe: $0) } + (0..<3).map { .shift(axis: $0) }
        kinds = all.filter { Self.spread($0, priors) > 0 }
    }

    func spread(_ kind: Kind) -> Double { Self.spread(kind, priors) }
    private static func spread(_ kind: Kind, _ priors: EdgeFitPriors) -> Double {
        switch kind {
        case .coolant: priors.coolantK
        case .perfusion: priors.perfusion
        case .frozenConductivity: priors.frozenConductivity
        case .liquidConductivity: priors.liquidConductivity
        case .latentHeat: priors.latentHeat
        case .activeLength: priors.activeLengthMM
        case .elapsed: priors.elapsedMinutes
        case .depth: priors.depthMM
        case .shift: priors.shiftMM
        }
    }

    /// What is simulated.
    struct Setup: Sendable {
        var model: ThermalModel
        var probes: [PlacedProbe]
        /// Of the scan.
        var seconds: Double
    }

    /// The setup for values in units of the spreads; shifts are left to the caller.
    func apply(_ values: [Double], to nominal: Setup) -> Setup {
        var setup = nominal
        setup.model = adjusted(nominal.model, values)
        for (kind, value) in zip(kinds, values) {
            let amount = value * spread(kind)
            switch kind {
            case .coolant:
                for index in setup.probes.indices {
                    setup.probes[index].model.coolantC = max(-250, (setup.probes[index].model.coolantC ?? -140) + amount)
                }
            case .activeLength:
                for index in setup.probes.indices {
                    setup.probes[index].model.activeLengthMM = max(5, (setup.probes[index].model.activeLengthMM ?? 0) + amount)
                }
            case .elapsed: setup.lengthenFreeze(byMinutes: amount)
            case .depth(let probe): setup.probes[probe].tip = setup.probes[probe].tip + amount * setup.probes[probe].direction
            case .shift, .perfusion, .frozenConductivity, .liquidConductivity, .latentHeat: break
            }
        }
        return setup
    }

    /// A medium with the tissues for values in units of the spreads.
    func adjusted(_ nominal: ThermalModel, _ values: [Double]) -> ThermalModel {
        var model = nominal, frozen = 1.0, liquid = 1.0, latent = 1.0, perfusion = 1.0
        for (kind, value) in zip(kinds, values) {
            let factor = exp(value * spread(kind))
            switch kind {
            case .perfusion: perfusion = factor
            case .frozenConductivity: frozen = factor
            case .liquidConductivity: liquid = factor
            case .latentHeat: latent = factor
            default: break
            }
        }
        for index in model.tissues.indices where model.tissues[index].isSolid {
            model.tissues[index].table = model.tissues[index].table.scaled(
                frozenConductivity: frozen, liquidConductivity: liquid, latentHeat: latent)
            model.tissues[index].perfusion *= perfusion
        }
        return model
    }

    /// The shift of everything, mm along patient axes.
    func shift(_ values: [Double]) -> PatientVector {
        var shift = SIMD3<Double>.zero
        for (kind, value) in zip(kinds, values) { if case .shift(let axis) = kind { shift[axis] = value * spread(kind) } }
        return PatientVector(shift)
    }
}

extension EdgeFitParameters.Setup {
    /// Lets what goes on when the scan is taken go on for longer, or less long, but not less than half a minute; the scan comes as much
    /// later.
    fileprivate mutating func lengthenFreeze(byMinutes change: Double) {
        let scanS = seconds
        for index in probes.indices {
            var endS = 0.0
            for phase in probes[index].phases.indices {
                endS += 60 * probes[index].phases[phase].minutes
                guard endS >= scanS - 1e-6 else { continue }
                probes[index].phases[phase].minutes = max(0.5, probes[index].phases[phase].minutes + change)
                break
            }
        }
        seconds = max(30, scanS + 60 * change)
    }
}
