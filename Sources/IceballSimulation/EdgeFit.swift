import Foundation
import ImagingCore

/// Fits a simulated iceball to the edge of the ice that a scan shows: the most probable power, perfusion, constants and small corrections
/// of pose, given the edge and priors on each of them (Gauss–Newton with Huber's weights).
public struct EdgeFit: Sendable {
    /// A point of the observed edge.
    public struct EdgePoint: Hashable, Sendable {
        public var position: PatientPoint
        /// One standard deviation along the edge's normal.
        public var uncertaintyMM: Double
        public init(position: PatientPoint, uncertaintyMM: Double) { (self.position, self.uncertaintyMM) = (position, uncertaintyMM) }
    }

    /// How far the observed edge lies from the simulated one; positive where the simulated ice is the larger.
    public struct Misfit: Sendable {
        public var distancesMM: [Double]
        public var meanMM: Double { distancesMM.reduce(0, +) / Double(distancesMM.count) }
        public var meanAbsoluteMM: Double { distancesMM.reduce(0) { $0 + abs($1) } / Double(distancesMM.count) }
        public var rmsMM: Double { (distancesMM.reduce(0) { $0 + $1 * $1 } / Double(distancesMM.count)).squareRoot() }
        public var largestMM: Double { distancesMM.map(abs).max() ?? 0 }
    }

    public struct Result: Sendable {
        /// The fitted model.
        public var model: ThermalModel
        public var probes: [PlacedProbe]
        public var shift: PatientVector
        public var before, after: Misfit
        /// The lowest temperature until the scan, and how sure that is.
        public var lowest: UncertainField
        /// Whether the simulation cannot be made to fit: use set-backs from the visible edge instead.
        public var isRejected: Bool
        public var simulationCount: Int
        public var findings: [Finding]
    }

    public var model: ThermalModel
    /// Cut at the time of the scan by `seconds`.
    public var probes: [PlacedProbe]
    /// When the scan was taken, from the protocol's beginning.
    public var seconds: Double
    public var edge: [EdgePoint]
    /// The temperature that the visible edge stands for, °C: on CT where half of the water is frozen.
    public var edgeTemperatureC: Double
    public var mayShift = true

    /// A model that misses the edge by more than this on average is rejected, mm.
    public static let rejectionMM = 2.5
    /// Errors of the model itself, mm, beside those of its constants.
    static let modelErrorMM = 0.4
    /// Errors of a segmented edge are alike over about this distance, mm.
    static let correlationMM = 10.0
    /// Residuals beyond this many standard deviations lose weight.
    private static let huber = 2.0
    private static let rounds = 4

    public init(model: ThermalModel, probes: [PlacedProbe], seconds: Double, edge: [EdgePoint], edgeTemperatureC: Double) {
        (self.model, self.probes, self.seconds, self.edge, self.edgeTemperatureC) = (model, probes, seconds, edge, edgeTemperatureC)
    }

    public func run(progress: (Double) -> Void = { _ in }) throws -> Result {
        precondition(edge.count >= 10, "an edge of fewer than ten points")
        let parameters = EdgeFitParameters(probeCount: probes.count, isPerfused: model.mainTissue.perfusion > 0, mayShift: mayShift)
        var values = [Double](repeating: 0, count: parameters.kinds.count), simulations = 0
        var state = try evaluate(parameters, values, &simulations)
        let before = Misfit(distancesMM: state.distances)
        var normal = NormalEquations(count: values.count), fields: [Int: TemperatureField] = [:], base = state.field
        for round in 0..<Self.rounds {
            (normal, fields) = try linearize(parameters, values, state, &simulations)
            base = state.field
            let step = normal.solution(priorAt: values).map { max(-1.5, min(1.5, $0)) }
            let next = zip(values, step).map(+), nextState = try evaluate(parameters, next, &simulations)
            progress(Double(round + 1) / Double(Self.rounds))
            guard cost(nextState.distances, next) < cost(state.distances, values) else { break }
            let isDone = step.map(abs).max()! < 0.05
            (values, state) = (next, nextState)
            if isDone { break }
        }
        let after = Misfit(distancesMM: state.distances), (fitted, posed) = parameters.apply(values, to: model, probes)
        let lowest = UncertainField(
            field: state.field, base: base, changes: parameters.kinds.indices.map { fields[$0] }, stepSize: Self.step,
            kinds: parameters.kinds,
            covariance: normal.covariance, shift: parameters.shift(values))
        let isRejected = after.meanAbsoluteMM > Self.rejectionMM
        return Result(
            model: fitted, probes: posed, shift: parameters.shift(values), before: before, after: after, lowest: lowest,
            isRejected: isRejected,
            simulationCount: simulations, findings: isRejected ? [Self.rejection(after)] : [])
    }

    private static func rejection(_ misfit: Misfit) -> Finding {
        Finding(
            .warning, "simulation-rejected",
            String(
                format: "The simulated ice cannot be made to fit the visible ice: they differ by %.1f mm on average.", misfit.meanAbsoluteMM
            ),
            remedy:
                "Check probe models, positions and the time of the scan; until then only fixed set-backs from the visible edge can be used."
        )
    }

    // MARK: Simulation

    private struct State {
        var field: TemperatureField
        /// Per point of the edge, positive inside the simulated ice, mm, and the outward normals.
        var distances: [Double]
        var normals: [PatientVector]
    }

    private func evaluate(_ parameters: EdgeFitParameters, _ values: [Double], _ simulations: inout Int) throws -> State {
        let field = try simulate(parameters, values)
        simulations += 1
        let shift = parameters.shift(values), found = edge.map { field.edgeDistanceMM(of: edgeTemperatureC, at: $0.position - shift) }
        return State(field: field, distances: found.map(\.distanceMM), normals: found.map(\.normal))
    }

    private func simulate(_ parameters: EdgeFitParameters, _ values: [Double]) throws -> TemperatureField {
        let (model, probes) = parameters.apply(values, to: model, probes)
        var simulation = IceballSimulation(
            model: model, sinks: try probes.map { probe throws in try probe.sink() }, outputTimesS: [seconds])
        simulation.longestStepS = 15
        return try simulation.run().snapshots[0].lowest
    }

    // MARK: Least squares

    /// Of finite differences, in spreads.
    private static let step = 0.4

    /// The normal equations at `values`, and the fields of the changed models.
    private func linearize(_ parameters: EdgeFitParameters, _ values: [Double], _ state: State, _ simulations: inout Int) throws
        -> (NormalEquations, [Int: TemperatureField])
    {
        var columns: [[Double]] = [], fields: [Int: TemperatureField] = [:]
        for (index, kind) in parameters.kinds.enumerated() {
            if case .shift(let axis) = kind {
                // Ice that moves along the normal lies farther out by as much.
                columns.append(state.normals.map { $0.lps[axis] * kind.spread })
                continue
            }
            var moved = values
            moved[index] += Self.step
            let changed = try evaluate(parameters, moved, &simulations)
            fields[index] = changed.field
            columns.append(zip(changed.distances, state.distances).map { ($0 - $1) / Self.step })
        }
        return (NormalEquations(columns: columns, residuals: state.distances, weights: weights(state.distances)), fields)
    }

    /// Per point: 1 / variance, less for outliers, shared among the points that one error moves together.
    private func weights(_ distances: [Double]) -> [Double] {
        let share = Double(independentPatches) / Double(edge.count)
        return zip(edge, distances).map { point, distance in
            let variance = point.uncertaintyMM * point.uncertaintyMM + Self.modelErrorMM * Self.modelErrorMM,
                size = abs(distance) / variance.squareRoot()
            return min(1, share) / variance * (size > Self.huber ? Self.huber / size : 1)
        }
    }
    private func cost(_ distances: [Double], _ values: [Double]) -> Double {
        zip(distances, weights(distances)).reduce(0) { $0 + $1.0 * $1.0 * $1.1 } + values.reduce(0) { $0 + $1 * $1 }
    }
    private var independentPatches: Int {
        Set(edge.map { ($0.position.lps / Self.correlationMM).rounded(.down) }).count
    }
}

/// Least squares with a prior of spread 1 around 0 on every unknown.
struct NormalEquations {
    private var matrix: [[Double]]
    private var right: [Double]

    init(count: Int) {
        matrix = (0..<count).map { row in (0..<count).map { $0 == row ? 1 : 0 } }
        right = Array(repeating: 0, count: count)
    }

    init(columns: [[Double]], residuals: [Double], weights: [Double]) {
        self.init(count: columns.count)
        for a in columns.indices {
            for b in columns.indices {
                for point in residuals.indices { matrix[a][b] += columns[a][point] * columns[b][point] * weights[point] }
            }
            for point in residuals.indices { right[a] -= columns[a][point] * residuals[point] * weights[point] }
        }
    }

    /// The step from `values` to the minimum.
    func solution(priorAt values: [Double]) -> [Double] {
        let inverse = covariance, gradient = zip(right, values).map { $0 - $1 }
        return inverse.map { row in zip(row, gradient).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    /// The inverse of the matrix, which is positive definite by its prior.
    var covariance: [[Double]] {
        let count = matrix.count
        var work = matrix.enumerated().map { row, values in values + (0..<count).map { $0 == row ? 1.0 : 0 } }
        for pivot in 0..<count {
            let scale = work[pivot][pivot]
            for column in 0..<2 * count { work[pivot][column] /= scale }
            for row in 0..<count where row != pivot {
                let factor = work[row][pivot]
                for column in 0..<2 * count { work[row][column] -= factor * work[pivot][column] }
            }
        }
        return work.map { Array($0[count...]) }
    }
}
