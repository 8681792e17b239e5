import ImagingCore

/// A simulation: the medium, what cools it, and what is to be kept.
public struct IceballSimulation: Sendable {
    public var model: ThermalModel
    public var sinks: [HeatSink]
    /// Rising; the last is the end.
    public var outputTimesS: [Double]
    /// The longest time step, taken once nothing has been switched for four minutes.
    public var longestStepS = 20.0
    /// By which the short steps after a switch are longer than where early times matter, 1 or more.
    public var stepGrowth = 1.0
    /// Temperatures for which the time spent below is kept, °C.
    public var thresholdsC: [Double] = []
    /// Whether cells that no longer change may be left out.
    var leavesRestingCells = true
    /// Sides that ice may reach, because they mirror what is inside or hold a cold temperature.
    public var sidesThatIceMayReach: Set<SimulationGrid.Side> = []

    public init(model: ThermalModel, sinks: [HeatSink], outputTimesS: [Double]) {
        (self.model, self.sinks, self.outputTimesS) = (model, sinks, outputTimesS)
    }

    public struct Result: Sendable {
        public struct Snapshot: Sendable {
            public var timeS: Double
            /// Now, and the lowest so far.
            public var temperature, lowest: TemperatureField
            /// Per sink, taken so far, J.
            public var heatTakenJ: [Double]
            /// Lost by the tissue so far, J.
            public var heatLostJ: Double
        }
        public var snapshots: [Snapshot]
        /// Per threshold, seconds below it on the core's grid.
        public var secondsBelow: [(thresholdC: Double, seconds: Volume<Float>)]
        public var findings: [Finding]
        /// Cells times stages that were computed, for speed.
        public var cellStages: Double
    }

    /// Runs to the last output time.
    ///
    /// - Parameter progress: is told the share of the time that is done.
    public func run(progress: (Double) -> Void = { _ in }) throws -> Result {
        guard let end = outputTimesS.last, end > 0 else { throw SimulationError.nothingToDo }
        guard !sinks.isEmpty || model.boundary.values.contains(where: { $0 != .insulated && $0 != .temperature(model.startTemperatureC) })
        else {
            throw SimulationError.nothingToDo
        }
        let solver = try BioheatSolver(model, sinks: sinks, leavesRestingCells: leavesRestingCells), record = FreezeRecord(solver, thresholdsC: thresholdsC)
        let view = FieldView(solver), startHeat = view.enthalpySum(solver.enthalpy)
        var snapshots: [Result.Snapshot] = []
        let watched = sidesToWatch
        let schedule = StepSchedule(sinks: sinks, outputTimesS: outputTimesS, longestStepS: longestStepS, growth: stepGrowth)
        for seconds in schedule.steps {
            try solver.step(seconds: seconds)
            record.update(solver, seconds: seconds)
            if view.iceTouches(solver.kirchhoff, sides: watched) { throw SimulationError.iceAtBoundary(minutes: solver.timeS / 60) }
            if let time = outputTimesS.first(where: { abs($0 - solver.timeS) < StepSchedule.tolerance }) {
                snapshots.append(
                    .init(
                        timeS: time, temperature: view.temperature(enthalpy: solver.enthalpy),
                        lowest: view.temperature(enthalpy: record.lowestEnthalpy), heatTakenJ: solver.heatTaken,
                        heatLostJ: startHeat - view.enthalpySum(solver.enthalpy)))
            }
            progress(min(1, solver.timeS / end))
        }
        return Result(
            snapshots: snapshots, secondsBelow: zip(thresholdsC, record.secondsBelow).map { ($0, view.core(of: $1)) },
            findings: findings(view, solver), cellStages: solver.cellStages)
    }

    private var sidesToWatch: [SimulationGrid.Side] {
        SimulationGrid.Side.allCases.filter { side in
            guard !sidesThatIceMayReach.contains(side) else { return false }
            if case .temperature(let value)? = model.boundary[side] { return value > model.mainTissue.table.liquidusC }
            return true
        }
    }

    private func findings(_ view: FieldView, _ solver: BioheatSolver) -> [Finding] {
        let change = view.largestChange(solver.kirchhoff, sides: sidesToWatch, from: model.startTemperatureC)
        guard change > 1 else { return [] }
        return [
            Finding(
                .warning, "boundary-near",
                "At the edge of the grid the temperature has changed by \((change * 10).rounded() / 10) °C; the edge may hold back or help the ice.",
                remedy: "Let the grid reach farther beyond its core.")
        ]
    }
}

/// The time steps: short after every switch, when the field changes fast, longer in proportion to the time since then, and ending at every
/// switch and output time.
struct StepSchedule {
    static let tolerance = 1e-6
    /// Steps are this share of the time since the last switch, and at least so many seconds; no longer ones are taken while nothing
    /// freezes: what is left of melting ice ends in points, which long steps blunt.
    private static let share = 1.0 / 12, shortestS = 1.0, longestThawingS = 5.0
    let steps: [Double]

    init(sinks: [HeatSink], outputTimesS: [Double], longestStepS: Double, growth: Double = 1) {
        let end = outputTimesS.last ?? 0
        let switches = Set([0] + sinks.flatMap { $0.phases.flatMap { [$0.startS, $0.endS] } }).filter { $0 < end }.sorted()
        let stops = Set(switches + outputTimesS).sorted().filter { $0 > Self.tolerance }
        var steps: [Double] = [], time = 0.0
        for stop in stops {
            while stop - time > Self.tolerance {
                let sinceSwitch = time - switches.last { $0 <= time + Self.tolerance }!
                let isFreezing = sinks.isEmpty || sinks.contains { $0.cools(atSeconds: time + Self.tolerance) }
                let longest = min(
                    longestStepS, growth * (isFreezing ? .infinity : Self.longestThawingS),
                    growth * max(Self.shortestS, Self.share * sinceSwitch))
                // What is left is shared out evenly rather than ending in a sliver.
                let left = stop - time, step = left <= longest ? left : left < 2 * longest ? left / 2 : longest
                steps.append(step)
                time = step == left ? stop : time + step
            }
        }
        self.steps = steps
    }
}
