import Foundation
import ImagingCore

/// Fits a simulated iceball to the edge of the ice that a scan shows: the most probable power, perfusion, constants and small corrections
/// of pose, given the edge and priors on each of them (Gauss–Newton, the slopes corrected from step to step).
public struct EdgeFit: Sendable {
    /// A point of the observed edge.
    public struct EdgePoint: Hashable, Sendable {
        public var position: PatientPoint
        /// One standard deviation along the edge's normal.
        public var uncertaintyMM: Double
        public init(position: PatientPoint, uncertaintyMM: Double) { (self.position, self.uncertaintyMM) = (position, uncertaintyMM) }
    }

    public struct Result: Sendable {
        /// The fitted model.
        public var model: ThermalModel
        public var probes: [PlacedProbe]
        /// Of the scan.
        public var seconds: Double
        public var shift: PatientVector
        public var before, after: EdgeMisfit
        /// The distance of each edge point from the fitted edge, mm, positive where the simulated ice is the larger.
        public var distancesMM: [Double] { after.distancesMM }
        public var parameters: [Parameter]
        /// The lowest temperature until the scan, and how sure that is.
        public var lowest: UncertainField
        /// The temperature at the scan, before `shift`.
        public var temperature: TemperatureField
        /// One standard deviation of what the model itself leaves wrong, mm.
        public var modelErrorMM: Double
        /// The probability of an edge that fits as badly as this one, or worse, if the model held.
        public var probability: Double
        /// Where the edge contradicts the model, the worst first.
        public var dents: [Dent]
        /// Why the simulation cannot be used; `nil` when it can. Set-backs from the visible edge are left then.
        public var rejection: Finding?
        public var simulationCount: Int
        /// What errors of the edge, and what models usually leave wrong in patients, make of `after.rmsMM` at most.
        public var usualRmsMM: Double
        public var isRejected: Bool { rejection != nil }

        let fitted: FittedModel

        /// The fitted ice on another grid, until the scan and at `furtherTimesS`.
        ///
        /// - Parameter model: with the nominal tissues.
        public func simulation(
            on model: ThermalModel, furtherTimesS: [Double] = [], thresholdsC: [Double] = []
        ) throws -> IceballSimulation {
            var simulation = IceballSimulation(
                model: fitted.tissues(of: model), sinks: try probes.map { probe throws in try probe.sink() },
                outputTimesS: [seconds] + furtherTimesS)
            simulation.thresholdsC = thresholdsC
            return simulation
        }
    }

    /// A fitted number.
    public struct Parameter: Hashable, Sendable {
        /// With its unit.
        public var name: String
        /// A factor of, or a change from, the nominal value.
        public var value: Double
        /// In units of the prior's spread, and how much of that spread is left.
        public var deviation, remainingSpread: Double
    }

    public var model: ThermalModel
    public var probes: [PlacedProbe]
    /// When the scan was taken, from the protocol's beginning.
    public var seconds: Double
    public var edge: [EdgePoint]
    /// The temperature that the visible edge stands for, °C.
    public var edgeTemperatureC: Double
    public var priors = EdgeFitPriors()

    /// Edges farther off than so many standard deviations are dented by what the model does not know of.
    static let outlier = 2.0
    private static let mostRounds = 6, roundsWithoutDents = 3
    /// Steps below this, in spreads of the priors, change no isotherm by a tenth of a millimetre.
    private static let smallestStep = 0.1
    /// Of finite differences, in spreads.
    static let differenceStep = 0.4

    public init(model: ThermalModel, probes: [PlacedProbe], seconds: Double, edge: [EdgePoint], edgeTemperatureC: Double) {
        (self.model, self.probes, self.seconds, self.edge, self.edgeTemperatureC) = (model, probes, seconds, edge, edgeTemperatureC)
    }

    public func run(progress: @Sendable (Double) -> Void = { _ in }) throws -> Result {
        precondition(edge.count >= 10, "an edge of fewer than ten points")
        let parameters = EdgeFitParameters(probeCount: probes.count, isPerfused: model.mainTissue.perfusion > 0, priors: priors)
        let runs = EdgeFitRuns(fit: self, parameters: parameters)
        var values = [Double](repeating: 0, count: parameters.kinds.count)
        var state = try runs.state(values), slopes = try runs.slopes(at: values, state), isFresh = true
        var dented: Set<Int> = []
        func errors(_ modelErrorMM: Double) -> EdgeErrors {
            EdgeErrors(
                edge, distances: state.distances, columns: slopes.columns, values: values, modelErrorMM: modelErrorMM, dented: dented)
        }
        var weighed = errors(EdgeErrors.usualModelErrorMM)
        let before = EdgeMisfit(distancesMM: state.distances)
        func minimise(_ rounds: Range<Int>) throws {
            for round in rounds {
                let normal = weighed.normalEquations(slopes.columns, state.distances)
                let step = normal.solution(priorAt: values).map { max(-1.5, min(1.5, $0)) }, next = zip(values, step).map(+)
                let nextState = try runs.trial(next)
                progress(Double(round + 1) / Double(Self.mostRounds + Self.roundsWithoutDents + 1))
                if let nextState, weighed.cost(nextState.distances, next) < weighed.cost(state.distances, values) {
                    slopes.correct(step: step, change: zip(nextState.distances, state.distances).map { $0 - $1 })
                    (values, state, isFresh) = (next, nextState, false)
                } else {
                    guard !isFresh else { break }
                    (slopes, isFresh) = (try runs.slopes(at: values, state), true)
                }
                weighed = errors(weighed.modelErrorMM)
                if step.map(abs).max()! < Self.smallestStep { break }
            }
        }
        try minimise(0..<Self.mostRounds)
        // Dents that nothing explains are to bend no parameter; where they are most of the edge it is the model that is wrong.
        let held = HeldBackEdge(edge, errors: weighed, columns: slopes.columns, distances: state.distances, values: values)
        if !held.dented.isEmpty, held.dented.count < edge.count / 3 {
            dented = held.dented
            weighed = errors(weighed.modelErrorMM)
            try minimise(Self.mostRounds..<Self.mostRounds + Self.roundsWithoutDents)
        }
        if !isFresh { slopes = try runs.slopes(at: values, state) }
        progress(1)
        return try result(parameters, runs, values, state, slopes, errors(weighed.modelErrorMM), held.dents, before: before)
    }

    private func result(
        _ parameters: EdgeFitParameters, _ runs: EdgeFitRuns, _ values: [Double], _ state: EdgeFitRuns.State, _ slopes: EdgeFitRuns.Slopes,
        _ errors: EdgeErrors, _ dents: [Dent], before: EdgeMisfit
    ) throws -> Result {
        let nominal = EdgeFitParameters.Setup(model: model, probes: probes, seconds: seconds), setup = parameters.apply(values, to: nominal)
        let covariance = errors.covariance(slopes.columns), shift = parameters.shift(values), modelErrorMM = errors.modelErrorMM
        let discrepancy = try ModelDiscrepancy(
            points: edge.map { $0.position - shift }, errors: errors.modelErrors(distances: state.distances, columns: slopes.columns),
            field: state.temperature, edgeTemperatureC: edgeTemperatureC)
        let lowest = UncertainField(
            field: state.lowest, changes: slopes.fields, stepSize: Self.differenceStep,
            shiftSpreads: parameters.kinds.map { kind in
                if case .shift(let axis) = kind { PatientVector.along(axis, parameters.spread(kind)) } else { nil }
            }, covariance: covariance, shift: shift, discrepancy: discrepancy)
        let after = EdgeMisfit(distancesMM: state.distances), probability = EdgePatches(edge).probability(state.distances, values)
        return Result(
            model: setup.model, probes: setup.probes, seconds: setup.seconds, shift: shift, before: before, after: after,
            parameters: zip(parameters.kinds, values).enumerated().map { index, pair in
                let amount = pair.1 * parameters.spread(pair.0)
                return Parameter(
                    name: pair.0.name, value: pair.0.isFactor ? exp(amount) : amount, deviation: pair.1,
                    remainingSpread: covariance[index][index].squareRoot())
            }, lowest: lowest, temperature: state.temperature, modelErrorMM: modelErrorMM, probability: probability,
            dents: dents,
            rejection: Self.rejection(after, probability), simulationCount: runs.count,
            usualRmsMM: EdgeErrors.usualRmsMM(of: edge),
            fitted: FittedModel(parameters: parameters, values: values, covariance: covariance, nominal: nominal))
    }

    private static func rejection(_ misfit: EdgeMisfit, _ probability: Double) -> Finding? {
        guard probability < EdgePatches.leastProbability || misfit.meanAbsoluteMM > EdgePatches.largestMeanMM else { return nil }
        return Finding(
            .warning, "simulation-rejected",
            String(
                format: "The simulated ice cannot be made to fit the visible ice (mean distance %.1f mm, root mean square %.1f mm, largest %.1f mm; "
                    + "a sound model fits so badly with a probability of %.1g).",
                misfit.meanAbsoluteMM, misfit.rmsMM, misfit.largestMM, probability),
            remedy: "Check probe models, positions and the time of the scan; until then only fixed set-backs from the visible edge can be used.")
    }
}

/// How far an observed edge lies from the simulated one; positive where the simulated ice is the larger.
public struct EdgeMisfit: Hashable, Sendable {
    public var distancesMM: [Double]
    public init(distancesMM: [Double]) { self.distancesMM = distancesMM }
    public var meanMM: Double { distancesMM.reduce(0, +) / Double(distancesMM.count) }
    public var meanAbsoluteMM: Double { distancesMM.reduce(0) { $0 + abs($1) } / Double(distancesMM.count) }
    public var rmsMM: Double { (distancesMM.reduce(0) { $0 + $1 * $1 } / Double(distancesMM.count)).squareRoot() }
    public var largestMM: Double { distancesMM.map(abs).max() ?? 0 }
}
