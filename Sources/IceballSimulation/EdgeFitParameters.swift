import Foundation
import ImagingCore

/// What is uncertain about a simulated iceball, as numbers that are 0 for the nominal model and in units of their own prior's spread.
///
/// Power, perfusion and the tissue's constants, where each probe lies along its own line, and a shift of everything (breathing).
/// Nothing scales the shape itself.
struct EdgeFitParameters {
    enum Kind: Hashable, Sendable {
        case coolant, perfusion, frozenConductivity, liquidConductivity, latentHeat
        case depth(probe: Int)
        case shift(axis: Int)

        /// One standard deviation of the prior: K, natural logarithms, mm. Coolant, perfusion and poses are those of PHYSICS §5's method,
        /// conductivities and latent heat the spread of published constants.
        var spread: Double {
            switch self {
            case .coolant: 15
            case .perfusion: 0.7
            case .frozenConductivity: 0.12
            case .liquidConductivity: 0.10
            case .latentHeat: 0.08
            case .depth: 2
            case .shift: 2
            }
        }
        /// Whether a changed value needs another simulation; a shift of everything does not.
        var needsSimulation: Bool { if case .shift = self { false } else { true } }
    }

    let kinds: [Kind]

    init(probeCount: Int, isPerfused: Bool, mayShift: Bool) {
        var kinds: [Kind] = [.coolant, .frozenConductivity, .liquidConductivity, .latentHeat]
        if isPerfused { kinds.append(.perfusion) }
        kinds += (0..<probeCount).map { .depth(probe: $0) }
        if mayShift { kinds += (0..<3).map { .shift(axis: $0) } }
        self.kinds = kinds
    }

    /// The model and probes for values in units of the spreads; shifts are left to the caller.
    func apply(_ values: [Double], to model: ThermalModel, _ probes: [PlacedProbe]) -> (ThermalModel, [PlacedProbe]) {
        var model = model, probes = probes, frozen = 1.0, liquid = 1.0, latent = 1.0, perfusion = 1.0
        for (kind, value) in zip(kinds, values) {
            let amount = value * kind.spread
            switch kind {
            case .coolant:
                for index in probes.indices { probes[index].model.coolantC = max(-250, (probes[index].model.coolantC ?? -140) + amount) }
            case .perfusion: perfusion = exp(amount)
            case .frozenConductivity: frozen = exp(amount)
            case .liquidConductivity: liquid = exp(amount)
            case .latentHeat: latent = exp(amount)
            case .depth(let probe): probes[probe].tip = probes[probe].tip + amount * probes[probe].direction
            case .shift: break
            }
        }
        for index in model.tissues.indices where model.tissues[index].isSolid {
            model.tissues[index].table = model.tissues[index].table.scaled(
                frozenConductivity: frozen, liquidConductivity: liquid, latentHeat: latent)
            model.tissues[index].perfusion *= perfusion
        }
        return (model, probes)
    }

    /// The shift of everything, mm along patient axes.
    func shift(_ values: [Double]) -> PatientVector {
        var shift = SIMD3<Double>.zero
        for (kind, value) in zip(kinds, values) { if case .shift(let axis) = kind { shift[axis] = value * kind.spread } }
        return PatientVector(shift)
    }
}
