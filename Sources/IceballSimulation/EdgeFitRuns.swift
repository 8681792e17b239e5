import Foundation
import ImagingCore
import Synchronization

/// The simulations of an edge fit: for values of its parameters, the fields and how far the observed edge lies from the simulated one.
///
/// Each simulation keeps to one thread, and several run at a time: small grids gain nothing from sharing out a single one.
final class EdgeFitRuns: Sendable {
    struct State: Sendable {
        /// At the scan, and the lowest until then.
        var temperature, lowest: TemperatureField
        /// Per point of the edge, positive inside the simulated ice, mm, and the outward normals.
        var distances: [Double]
        var normals: [PatientVector]
    }

    /// How the distances change with each parameter, per spread of its prior, and the lowest temperatures of the changed models.
    struct Slopes: Sendable {
        var columns: [[Double]]
        /// `nil` for shifts.
        var fields: [TemperatureField?]

        /// Makes the slopes agree with the last step (Broyden 1965).
        mutating func correct(step: [Double], change: [Double]) {
            let length = step.reduce(0) { $0 + $1 * $1 }
            guard length > 0 else { return }
            for point in change.indices {
                let predicted = step.indices.reduce(0) { $0 + columns[$1][point] * step[$1] }
                for index in step.indices { columns[index][point] += (change[point] - predicted) * step[index] / length }
            }
        }
    }

    /// Longest step, s, and by how much the steps after a switch are longer than in a simulation of its own: coarse cells do not tell the
    /// difference.
    static let steps = (longestS: 20.0, growth: 2.0)

    private let fit: EdgeFit
    private let parameters: EdgeFitParameters
    private let done = Atomic<Int>(0)
    /// Simulations so far.
    var count: Int { done.load(ordering: .relaxed) }

    init(fit: EdgeFit, parameters: EdgeFitParameters) { (self.fit, self.parameters) = (fit, parameters) }

    func state(_ values: [Double]) throws -> State {
        let setup = parameters.apply(values, to: .init(model: fit.model, probes: fit.probes, seconds: fit.seconds))
        var simulation = IceballSimulation(
            model: setup.model, sinks: try setup.probes.map { probe throws in try probe.sink() }, outputTimesS: [setup.seconds])
        (simulation.longestStepS, simulation.stepGrowth) = Self.steps
        let snapshot = try simulation.run().snapshots[0]
        done.wrappingAdd(1, ordering: .relaxed)
        let shift = parameters.shift(values)
        let found = fit.edge.map { snapshot.temperature.edgeDistanceMM(of: fit.edgeTemperatureC, at: $0.position - shift) }
        return State(
            temperature: snapshot.temperature, lowest: snapshot.lowest, distances: found.map(\.distanceMM), normals: found.map(\.normal))
    }

    /// The state that a step leads to; `nil` where it moves a probe off the grid, as only ice that the probe cannot have made does.
    func trial(_ values: [Double]) throws -> State? {
        do {
            return try state(values)
        } catch SimulationError.sourceOutsideCore {
            return nil
        }
    }

    func slopes(at values: [Double], _ state: State) throws -> Slopes {
        let changed = mapSlabs(of: values.count, slab: 1) { range -> Swift.Result<State?, any Error> in
            let index = range.lowerBound
            guard parameters.kinds[index].needsSimulation else { return .success(nil) }
            var moved = values
            moved[index] += EdgeFit.differenceStep
            return Swift.Result { try KernelThreads.with(1) { try self.state(moved) } }
        }
        let states = try changed.map { try $0.get() }
        let columns = zip(parameters.kinds, states).map { kind, moved -> [Double] in
            if let moved { return zip(moved.distances, state.distances).map { ($0 - $1) / EdgeFit.differenceStep } }
            // Ice that moves along the normal lies farther out by as much.
            guard case .shift(let axis) = kind else { preconditionFailure("only shifts need no simulation") }
            return state.normals.map { $0.lps[axis] * parameters.spread(kind) }
        }
        return Slopes(columns: columns, fields: states.map { $0?.lowest })
    }
}
