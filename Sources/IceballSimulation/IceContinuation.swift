import Foundation
import ImagingCore

/// A fitted model with what is still uncertain about it: what further runs of it need.
struct FittedModel: Sendable {
    let parameters: EdgeFitParameters
    let values: [Double]
    let covariance: [[Double]]
    let nominal: EdgeFitParameters.Setup

    /// The fitted tissues of another nominal medium: the same on another grid, say.
    func tissues(of model: ThermalModel) -> ThermalModel { parameters.adjusted(model, values) }

    fileprivate func setup(changing index: Int?) -> (setup: EdgeFitParameters.Setup, shift: PatientVector) {
        var values = values
        if let index { values[index] += EdgeFit.differenceStep }
        return (parameters.apply(values, to: nominal), parameters.shift(values))
    }
}

/// The ice as it goes on freezing after the scan.
public struct IceContinuation: Sendable {
    /// What was read at one time.
    public struct Reading: Hashable, Sendable {
        /// From the scan; negative before it.
        public var minutes: Double
        public var values: [Double]
        /// One standard deviation each of the change since the scan.
        public var changeDeviations: [Double]
    }
    /// The fitted ice at some time: temperatures then, the lowest until then, and by which both are moved.
    public struct State: Sendable {
        public let temperature, lowest: TemperatureField
        public let shift: PatientVector

        public init(_ snapshot: IceballSimulation.Result.Snapshot, shift: PatientVector = .zero) {
            (temperature, lowest, self.shift) = (snapshot.temperature, snapshot.lowest, shift)
        }
    }

    private let fit: EdgeFit.Result
    public init(_ fit: EdgeFit.Result) { self.fit = fit }

    /// Reads numbers off the fitted ice at `minutes` (rising, 0 among them) from the scan, while every probe freezes on from then.
    ///
    /// - Parameters:
    ///   - read: what is wanted of a state; the same count every time. Called on several threads.
    ///   - withDeviations: whether they are wanted: each uncertain parameter needs a run of its own.
    public func readings(
        atMinutes minutes: [Double], withDeviations: Bool = true, _ read: @Sendable (State) -> [Double]
    ) throws -> [Reading] {
        let model = fit.fitted, kinds = withDeviations ? model.parameters.kinds : [], now = minutes.firstIndex(of: 0)!
        let changed = mapSlabs(of: kinds.count + 1, slab: 1) { range -> Swift.Result<[[Double]], any Error> in
            let index = range.lowerBound == 0 ? nil : range.lowerBound - 1
            return Swift.Result { try KernelThreads.with(1) { try values(changing: index, minutes, read) } }
        }
        let all = try changed.map { try $0.get() }, base = all[0]
        return minutes.indices.map { time in
            let deviations = base[time].indices.map { number -> Double in
                let slopes = kinds.indices.map { index -> Double in
                    let change = all[index + 1][time][number] - all[index + 1][now][number]
                    return (change - (base[time][number] - base[now][number])) / EdgeFit.differenceStep
                }
                let variance = slopes.indices.reduce(0.0) { sum, a in
                    sum + slopes[a] * slopes.indices.reduce(0.0) { $0 + model.covariance[a][$1] * slopes[$1] }
                }
                return max(0, variance).squareRoot()
            }
            return Reading(minutes: minutes[time], values: base[time], changeDeviations: deviations)
        }
    }

    private func values(changing index: Int?, _ minutes: [Double], _ read: @Sendable (State) -> [Double]) throws -> [[Double]] {
        var (setup, shift) = fit.fitted.setup(changing: index)
        let scanS = setup.seconds
        for probe in setup.probes.indices { setup.probes[probe].freezeOn(fromSeconds: scanS, minutes: max(1, minutes.last!)) }
        var simulation = IceballSimulation(
            model: setup.model, sinks: try setup.probes.map { probe throws in try probe.sink() }, outputTimesS: minutes.map {
                scanS + 60 * $0
            })
        (simulation.longestStepS, simulation.stepGrowth) = EdgeFitRuns.steps
        return try simulation.run().snapshots.map { read(State($0, shift: shift)) }
    }
}

extension PlacedProbe {
    /// Freezes from a time on, whatever was to come then.
    fileprivate mutating func freezeOn(fromSeconds seconds: Double, minutes: Double) {
        var kept: [ProbePhase] = [], time = 0.0
        for phase in phases where time < seconds - 1e-6 {
            var phase = phase
            phase.minutes = min(phase.minutes, (seconds - time) / 60)
            kept.append(phase)
            time += 60 * phase.minutes
        }
        if time < seconds - 1e-6 { kept.append(ProbePhase(.wait, minutes: (seconds - time) / 60)) }
        if kept.last?.activity == .freeze {
            kept[kept.count - 1].minutes += minutes
        } else {
            kept.append(ProbePhase(.freeze, minutes: minutes))
        }
        phases = kept
    }
}
