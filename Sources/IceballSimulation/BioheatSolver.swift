import ImagingCore

/// Pennes' equation in volumetric enthalpy, on a stretched grid, by super time steps:
/// ∂H/∂t = ∇²θ + f (W (T_blood − T) + Q), f being the share of a cell that is not frozen, less what sinks take.
///
/// Deterministic: the same for any number of threads.
final class BioheatSolver {
    let model: ThermalModel
    let layout: FieldLayout
    let tissueLayout: TissueLayout
    private let kernel: StageKernel
    /// Per tissue, what a cell of it exchanges with its neighbours at most, 1/m²: where it is frozen, and whatever its state.
    private let factorSums: [(frozen: Double, any: Double)]
    private let insulated: Set<SimulationGrid.Side>
    private let faceTissues: FaceTissues

    private(set) var timeS = 0.0
    /// Cells times stages that were computed so far.
    private(set) var cellStages = 0.0
    /// H before and after the last step, and θ after it.
    private(set) var previousEnthalpy, enthalpy: CellField
    private(set) var kirchhoff: CellField
    private var faceStates, spareFaceStates: InterfaceFaces.States
    private let rate: CellField
    private var spareEnthalpy, spareKirchhoff: CellField
    private let flowLeft: CellField?
    /// The lowest temperature anywhere after the last step, °C.
    private(set) var coldestC: Double

    private var sinks: [HeatSink]
    private var sinkCells: SinkCells
    private var withdrawals: [Double]
    /// What each sink has taken so far, J.
    private(set) var heatTaken: [Double]

    init(_ model: ThermalModel, sinks: [HeatSink], leavesRestingCells: Bool = true) throws(SimulationError) {
        (self.model, self.sinks) = (model, sinks)
        layout = FieldLayout(model.grid.size)
        tissueLayout = TissueLayout(size: model.grid.size, tissues: model.tissues, labels: model.labels)
        let conduction = Conduction(grid: model.grid, layout: layout, tissues: tissueLayout, conditions: model.boundary)
        let interfaces = InterfaceFaces(grid: model.grid, layout: layout, tissues: tissueLayout, conduction: conduction)
        factorSums = interfaces.largestExtraSums().map { (conduction.largestSum + $0.frozen, conduction.largestSum + $0.any) }
        faceTissues = FaceTissues(model.tissues)
        flowLeft = model.stasisIsPermanent ? CellField(layout, repeating: 1) : nil
        let layout = layout
        kernel = StageKernel(
            layout: layout, tissues: tissueLayout, kernelTissues: KernelTissues(model.tissues, bloodTemperatureC: model.bloodTemperatureC),
            conduction: conduction, interfaces: interfaces,
            sharpFront: SharpFront(tissueLayout, layout: layout, conduction: conduction),
            smoothFlux: SmoothFlux(grid: model.grid, layout: layout, tissues: tissueLayout, conduction: conduction),
            pinned: RowList(Self.pinnedCells(tissueLayout, layout), rowCount: layout.rowCount) {
                ($0 - Lanes.scalarCount) / layout.pitch
            },
            flowLeft: flowLeft, restingCells: leavesRestingCells ? RestingCells(model.tissues, layout: layout) : nil)
        enthalpy = CellField(layout)
        kirchhoff = CellField(layout)
        faceStates = InterfaceFaces.States(repeating: .zero, count: interfaces.stateCount)
        spareFaceStates = InterfaceFaces.States(repeating: .zero, count: interfaces.stateCount)
        (previousEnthalpy, spareEnthalpy, rate, spareKirchhoff) = (
            CellField(layout), CellField(layout), CellField(layout), CellField(layout)
        )
        coldestC = model.startTemperatureC
        insulated = Set(SimulationGrid.Side.allCases.filter { model.boundary[$0] ?? .insulated == .insulated })
        withdrawals = sinks.map { _ in 0 }
        heatTaken = sinks.map { _ in 0 }
        sinkCells = SinkCells([], grid: model.grid, layout: layout)
        try placeSinks()
        setStart()
    }

    private static func pinnedCells(_ tissues: TissueLayout, _ layout: FieldLayout) -> [Int] {
        guard let labels = tissues.labels, tissues.tissues.contains(where: { !$0.isSolid }) else { return [] }
        return labels.indices.filter { !tissues.tissues[Int(labels[$0])].isSolid }.map {
            let index = layout.size.index(atOffset: $0)
            return layout.offset(index.i, index.j, index.k)
        }
    }

    private func placeSinks() throws(SimulationError) {
        var wells: [KernelWell] = []
        for (sink, withdrawal) in zip(sinks, withdrawals) {
            wells.append(
                try KernelWell(
                    sink, withdrawalMM: withdrawal, grid: model.grid, layout: layout, tissues: tissueLayout, insulated: insulated))
        }
        sinkCells = SinkCells(wells, grid: model.grid, layout: layout)
    }

    private func setStart() {
        for row in 0..<layout.rowCount {
            let start = layout.rowStart(row)
            for run in tissueLayout.runs(inRow: row) {
                let tissue = model.tissues[run.tissue]
                let temperature = tissue.isSolid ? model.startTemperatureC : model.bloodTemperatureC
                let value = Float(tissue.table.enthalpy(atTemperature: temperature))
                for i in run.start..<run.end { enthalpy.values[start + i] = value }
            }
        }
        kernel.close(enthalpy: enthalpy, kirchhoff: kirchhoff, faceStates: faceStates)
        previousEnthalpy.copy(from: enthalpy)
    }

    /// By how much a probe may cool the coldest cell within one step, K.
    private static let fastestCooling = 60.0

    /// The longest step of Euler's method that would be stable now: cold ice conducts fastest.
    private func eulerLimit(coolantC: Double?) -> Double {
        let boundaryC = model.boundary.values.compactMap { if case .temperature(let value) = $0 { value } else { nil } }.min() ?? .infinity
        let coldest = min(coldestC - 5, boundaryC, max(coolantC ?? .infinity, coldestC - Self.fastestCooling))
        let fastest =
            zip(model.tissues, factorSums).filter(\.0.isSolid).map { tissue, sums in
                let table = tissue.table, frozen = table.largestDiffusivity(downTo: coldest) * sums.frozen
                return max(frozen, table.largestDiffusivity(downTo: table.solidusC) * sums.any)
                    + tissue.perfusionConductance / table.liquidHeatCapacity / 2
            }.max() ?? 1
        // Sinks add to the spectrum what the kernel couples.
        return (sinks.isEmpty ? 0.95 : 0.85) * (kernel.sharpFront == nil ? 1 : SharpFront.stability) / fastest
    }

    /// Advances by `seconds`, in which no phase may begin or end.
    func step(seconds: Double) throws(SimulationError) {
        let middle = timeS + seconds / 2
        let moved = sinks.map { $0.withdrawalMM(atSeconds: middle) }
        if moved != withdrawals {
            withdrawals = moved
            try placeSinks()
        }
        let actions = sinks.map { action(of: $0, from: timeS, seconds: seconds) }
        let limit = eulerLimit(coolantC: actions.compactMap(\.coolantC).min())
        let stageCount = SuperTimeStep.stageCount(seconds: seconds, eulerLimit: limit)
        guard stageCount <= SuperTimeStep.mostStages else {
            throw .unstableTimeStep(seconds: seconds, stages: stageCount, largestSeconds: SuperTimeStep.longestStep(eulerLimit: limit))
        }
        let isSmoothed = kernel.smoothFlux.map { $0.fastestDecay * SmoothFlux.leastDecayRatio * limit <= 1 } ?? false
        advance(SuperTimeStep(stageCount: stageCount), seconds: seconds, isSmoothed: isSmoothed, actions)
        timeS += seconds
        try finishStep()
    }

    /// Power that grows with time becomes its mean over the step, a cooling surface what it is in the middle.
    private func action(of sink: HeatSink, from start: Double, seconds: Double) -> HeatSink.Action {
        guard let phase = sink.phase(atSeconds: start + seconds / 2) else { return .idle }
        switch phase.action {
        case .powerGrowingWithRootTime(let factor):
            func integral(_ time: Double) -> Double { 2.0 / 3 * time * time.squareRoot() }
            return .power(factor * (integral(start + seconds - phase.startS) - integral(start - phase.startS)) / seconds)
        case .surface(let coolantC, let resistance, let largestPower, let duty, let rampS) where rampS > 0:
            let share = min(1, (start + seconds / 2 - phase.startS) / rampS)
            let ramped = model.startTemperatureC + share * (coolantC - model.startTemperatureC)
            return .surface(coolantC: ramped, resistance: resistance, largestPower: largestPower, duty: duty, rampS: 0)
        default: return phase.action
        }
    }

    private func advance(_ scheme: SuperTimeStep, seconds: Double, isSmoothed: Bool, _ actions: [HeatSink.Action]) {
        // Y_0 stays in `enthalpy`; the two other fields take turns.
        let start = enthalpy
        var taken = sinks.map { _ in (now: 0.0, before: 0.0) }, firstPower: [Double] = []
        var previous = start, beforePrevious = start, next = previousEnthalpy, free = spareEnthalpy
        var changingShare = 1.0
        for (index, stage) in scheme.stages.enumerated() {
            if index == StageKernel.firstStageOfRest, let share = kernel.restingCells?.spread() { changingShare = share }
            cellStages += changingShare * Double(layout.size.voxelCount)
            let power = sinkCells.update(actions, kirchhoff: kirchhoff, tissues: model.tissues)
            if index == 0 { firstPower = power }
            kernel.run(
                scheme, stage: index, seconds: seconds, smooths: isSmoothed,
                .init(
                    kirchhoff: kirchhoff, previous: previous, beforePrevious: beforePrevious, start: start, rate: rate, next: next,
                    nextKirchhoff: spareKirchhoff, faceStates: faceStates, nextFaceStates: spareFaceStates),
                sinks: sinkCells)
            // The heat taken follows the same recurrence as the enthalpy.
            for sink in taken.indices {
                let value =
                    stage.mu * taken[sink].now + stage.nu * taken[sink].before
                    + seconds * (stage.muTilde * power[sink] + stage.gammaTilde * firstPower[sink])
                taken[sink] = (value, taken[sink].now)
            }
            swap(&kirchhoff, &spareKirchhoff)
            swap(&faceStates, &spareFaceStates)
            (beforePrevious, previous) = (previous, next)
            // From the third stage on the field of two stages ago is overwritten; the first may never be.
            (next, free) = beforePrevious === start ? (free, next) : (beforePrevious, free)
        }
        for sink in taken.indices { heatTaken[sink] += taken[sink].now }
        spareEnthalpy = previous === previousEnthalpy ? spareEnthalpy : previousEnthalpy
        (previousEnthalpy, enthalpy) = (start, previous)
    }

    private func finishStep() throws(SimulationError) {
        let layout = layout, enthalpy = enthalpy, kirchhoff = kirchhoff, flowLeft = flowLeft, tissueLayout = tissueLayout
        nonisolated(unsafe) let tissues = faceTissues.values
        let conduction = kernel.conduction.kernelView
        let coldest = mapSlabs(of: layout.rowCount, slab: layout.slab) { rows -> Double in
            var coldest = Double.infinity
            for row in rows {
                let start = layout.rowStart(row), neighbours = conduction.neighbours(ofRow: row, in: kirchhoff.values)
                for run in tissueLayout.runs(inRow: row) where tissues[run.tissue].isSolid {
                    var least = Float.infinity
                    for i in run.start..<run.end {
                        let value = enthalpy.values[start &+ i]
                        // A value that is not a number is never the smaller one and must not be passed over.
                        least = value >= least ? least : value
                        if let flowLeft {
                            let span = neighbours.span(at: i)
                            flowLeft.values[start &+ i] = min(
                                flowLeft.values[start &+ i], max(0, min(1, 0.5 + neighbours.row[i] / (span + 1e-12))))
                        }
                    }
                    let temperature = Double(tissues[run.tissue].state(atEnthalpy: least).temperatureC)
                    if !(temperature >= coldest) { coldest = temperature }
                }
            }
            return coldest
        }
        coldestC = coldest.reduce(.infinity) { $1 >= $0 ? $0 : $1 }
        guard coldestC.isFinite else { throw .notFinite(seconds: timeS) }
    }
}

extension Conduction.RowNeighbours {
    /// By how much θ varies across a cell.
    func span(at i: Int) -> Float {
        let alongI = abs(row[i + 1] - row[i - 1]) * iSpans[i]
        return alongI + abs(jHigh[i] - jLow[i]) * jSpan + abs(kHigh[i] - kLow[i]) * kSpan
    }
}
