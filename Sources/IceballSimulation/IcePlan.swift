import ImagingCore

/// How uncertain a simulation is that no scan has been compared with: what its inputs' own spreads make of a reading.
public struct IcePlan: Sendable {
    /// Of the whole protocol, as it is planned.
    public let simulation: IceballSimulation
    public let probes: [PlacedProbe]
    public let priors: EdgeFitPriors

    public init(_ simulation: IceballSimulation, probes: [PlacedProbe], priors: EdgeFitPriors = EdgeFitPriors()) {
        (self.simulation, self.probes, self.priors) = (simulation, probes, priors)
    }

    /// One standard deviation of each reading at each output time, to first order; `nil` where a reading is no number.
    ///
    /// - Parameters:
    ///   - result: of `simulation`.
    ///   - read: numbers from the lowest temperatures so far, and by which that field is moved. Called on several threads.
    public func deviations(
        _ result: IceballSimulation.Result, _ read: @Sendable (TemperatureField, PatientVector) -> [Double]
    ) throws -> [[Double?]] {
        let parameters = EdgeFitParameters(probeCount: probes.count, isPerfused: simulation.model.mainTissue.perfusion > 0, priors: priors)
        let none = [Double](repeating: 0, count: parameters.kinds.count), base = result.snapshots.map { read($0.lowest, .zero) }
        let changed = mapSlabs(of: none.count, slab: 1) { range -> Swift.Result<[[Double]], any Error> in
            var values = none
            values[range.lowerBound] = EdgeFit.differenceStep
            guard parameters.kinds[range.lowerBound].needsSimulation else {
                return .success(result.snapshots.map { read($0.lowest, parameters.shift(values)) })
            }
            return Swift.Result { try KernelThreads.with(1) { try readings(parameters.apply(values, to: nominal), read) } }
        }
        let all = try changed.map { try $0.get() }
        return base.indices.map { time in
            base[time].indices.map { number in
                let variance = all.reduce(0.0) { sum, readings in
                    let slope = (readings[time][number] - base[time][number]) / EdgeFit.differenceStep
                    return sum + slope * slope
                }
                return variance.isFinite ? variance.squareRoot() : nil
            }
        }
    }

    private var nominal: EdgeFitParameters.Setup { .init(model: simulation.model, probes: probes, seconds: simulation.outputTimesS.last ?? 0) }

    private func readings(_ setup: EdgeFitParameters.Setup, _ read: (TemperatureField, PatientVector) -> [Double]) throws -> [[Double]] {
        var changed = simulation
        (changed.model, changed.sinks) = (setup.model, try setup.probes.map { probe throws in try probe.sink() })
        return try changed.run().snapshots.map { read($0.lowest, .zero) }
    }
}
