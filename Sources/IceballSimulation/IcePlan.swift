import ImagingCore

/// How uncertain a simulation is that no scan has been compared with: what its inputs' own spreads make of a reading.
public struct IcePlan: Sendable {
    /// Of the whole protocol, as it is planned.
    public let simulation: IceballSimulation
    public let probes: [PlacedProbe]
    public let priors: EdgeFitPriors
    /// One standard deviation of an isotherm's place that no input explains: tissue is uneven, and vessels are not all known, mm.
    public static let modelErrorMM = EdgeErrors.usualModelErrorMM

    public init(_ simulation: IceballSimulation, probes: [PlacedProbe], priors: EdgeFitPriors = EdgeFitPriors()) {
        (self.simulation, self.probes, self.priors) = (simulation, probes, priors)
    }

    /// One standard deviation of each reading at each output time, to first order; `nil` where a reading is no number.
    ///
    /// - Parameters:
    ///   - result: of `simulation`.
    ///   - read: what is wanted of a state. Called on several threads.
    public func deviations(
        _ result: IceballSimulation.Result, _ read: @Sendable (IceContinuation.State) -> [Double]
    ) throws -> [[Double?]] {
        let parameters = EdgeFitParameters(probeCount: probes.count, isPerfused: simulation.model.mainTissue.perfusion > 0, priors: priors)
        let none = [Double](repeating: 0, count: parameters.kinds.count), base = result.snapshots.map { read(.init($0)) }
        let changed = mapSlabs(of: none.count, slab: 1) { range -> Swift.Result<[[Double]], any Error> in
            var values = none
            values[range.lowerBound] = EdgeFit.differenceStep
            guard parameters.kinds[range.lowerBound].needsSimulation else {
                return .success(result.snapshots.map { read(.init($0, shift: parameters.shift(values))) })
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

    private var nominal: EdgeFitParameters.Setup {
        .init(model: simulation.model, probes: probes, seconds: simulation.outputTimesS.last ?? 0)
    }

    private func readings(_ setup: EdgeFitParameters.Setup, _ read: (IceContinuation.State) -> [Double]) throws -> [[Double]] {
        var changed = simulation
        (changed.model, changed.sinks) = (setup.model, try setup.probes.map { probe throws in try probe.sink() })
        return try changed.run().snapshots.map { read(.init($0)) }
    }
}
