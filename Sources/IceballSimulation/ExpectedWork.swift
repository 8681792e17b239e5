import ImagingCore

extension IceballSimulation {
    /// The coldest that is reckoned with where a source's power is given rather than its temperature, °C.
    private static let coldestAroundPowerC = -150.0

    /// Cells times stages that a run will take, about: no more than a third off where probes or sources freeze for minutes.
    public var expectedCellStages: Double {
        let table = model.mainTissue.table, spacing = model.grid.finestSpacing
        let sides = model.boundary.values.compactMap { if case .temperature(let value) = $0 { value } else { nil } }
        let coldest = (sinks.flatMap { $0.phases.map { $0.action.coolantC ?? Self.coldestAroundPowerC } } + sides).min()
            ?? model.startTemperatureC
        let limit = 0.85 * spacing * spacing / (6 * table.largestDiffusivity(downTo: coldest))
        let schedule = StepSchedule(sinks: sinks, outputTimesS: outputTimesS, longestStepS: longestStepS, growth: stepGrowth)
        return schedule.steps.reduce(0) { $0 + Double(SuperTimeStep.stageCount(
            seconds: $1, eulerLimit: limit
        )) } * Double(model.grid.cellCount)
    }
}
