import IceballSimulation
import Reporting

extension CaseReport.Simulation {
    static let modelName = "Pennes bioheat in enthalpy, probes as kernel wells"

    init(_ simulation: CaseSimulation) {
        let fit = simulation.fit, setup = simulation.setup
        func numbers(_ entries: [(String, Double)]) -> JSONValue {
            .object(Dictionary(uniqueKeysWithValues: entries.map { ($0.0, JSONValue.number($0.1)) }))
        }
        let probes = fit.probes.map { probe -> JSONValue in
            let model = probe.model
            return .object([
                "id": .string(probe.name), "model": .string(model.name), "coolantC": model.coolantC.map(JSONValue.number) ?? .null,
                "coolantUncertaintyK": .number(setup.priors.coolantK),
                "resistanceKMPerW": .number(model.resistance), "diameterMM": model.diameterMM.map(JSONValue.number) ?? .null,
                "activeLengthMM": model.activeLengthMM.map(JSONValue.number) ?? .null,
            ])
        }
        let fitted = fit.parameters.map { parameter -> (String, JSONValue) in
            (
                parameter.name,
                numbers(
                    [("value", parameter.value), ("priorDeviations", parameter.deviation), ("remainingSpread", parameter.remainingSpread)]))
        }
        self.init(
            model: Self.modelName, accepted: !fit.isRejected, probability: fit.probability,
            parameters: .object([
                "scanSeconds": .number(fit.seconds), "probes": .array(probes),
                "tissues": .array(fit.model.tissues.map { .string($0.name) }),
                "assumed": .array(setup.assumptions.map(JSONValue.string)), "fitted": .object(Dictionary(uniqueKeysWithValues: fitted)),
                "edgeTemperatureC": .number(simulation.edgeTemperatureC), "modelErrorMM": .number(fit.modelErrorMM),
                "simulations": .number(Double(fit.simulationCount)),
                "edgePoints": .number(Double(simulation.edge.points.count)), "edgeLeftOutFraction": .number(simulation.edge.excludedShare),
                "edgeHiddenFraction": .number(simulation.edge.hiddenShare),
            ]),
            fitBefore: .init(simulation.before, dice: nil), fit: .init(simulation.after, dice: simulation.dice))
    }
}

extension CaseReport.Simulation.Fit {
    fileprivate init(_ misfit: EdgeMisfit, dice: Double?) {
        self.init(meanMM: misfit.meanMM, rmsMM: misfit.rmsMM, maxMM: misfit.largestMM, dice: dice)
    }
}
