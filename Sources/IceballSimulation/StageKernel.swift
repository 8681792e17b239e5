import ImagingCore

/// One stage of a super time step over rows of cells.
///
/// Flux between cells follows from differences of θ. Blood heats the unfrozen share of a cell, which is taken from where θ = 0 passes
/// through it; a switch by cell would hold the front to cell borders.
struct StageKernel {
    let layout: FieldLayout
    let tissues: TissueLayout
    let kernelTissues: KernelTissues
    let conduction: Conduction
    let interfaces: InterfaceFaces
    let sharpFront: SharpFront?
    let smoothFlux: SmoothFlux?
    /// Offsets of cells whose temperature never changes.
    let pinned: RowList<Int>
    /// Per cell, the share of blood flow left; `nil` where it comes back with thawing.
    let flowLeft: CellField?
    /// `nil` where none are to be left out.
    let restingCells: RestingCells?

    /// What a stage reads and writes; `previous` is Y_{j−1}, `beforePrevious` Y_{j−2}, which `next` may be.
    struct Fields {
        let kirchhoff, previous, beforePrevious, start, rate: CellField
        let next, nextKirchhoff: CellField
        let faceStates, nextFaceStates: InterfaceFaces.States
    }

    /// Stages from this on leave out cells at rest.
    static let firstStageOfRest = 1

    /// - Parameter smooths: whether `smoothFlux` counts, too.
    func run(_ scheme: SuperTimeStep, stage index: Int, seconds: Double, smooths: Bool, _ fields: Fields, sinks: SinkCells) {
        let work = RowKernel(self, fields, sinks, RowKernel.Weights(scheme.stages[index], seconds)), gain = Float(scheme.firstRateGain)
        forEachSlab(of: layout.rowCount, slab: layout.slab) { rows in
            for row in rows {
                if index == 0 {
                    work.firstStage(row, self, gain: gain, smooths: smooths)
                } else {
                    work.laterStage(row, self, isFirstOfRest: index == Self.firstStageOfRest)
                }
            }
        }
        withExtendedLifetime((self, fields, sinks)) {}
    }

    /// Sets θ and the states at faces from H.
    func close(enthalpy: CellField, kirchhoff: CellField, faceStates: InterfaceFaces.States) {
        let work = RowKernel(self, enthalpy: enthalpy, kirchhoff: kirchhoff, faceStates: faceStates)
        for row in 0..<layout.rowCount { work.closeRow(row) }
        withExtendedLifetime((self, enthalpy, kirchhoff, faceStates)) {}
    }
}

/// The addresses that one stage works on: nothing in it is counted or copied while rows are computed.
private struct RowKernel: @unchecked Sendable {
    struct Weights {
        let mu, nu, muTilde, gammaTilde: Float
        init(_ stage: SuperTimeStep.Stage, _ seconds: Double) {
            (mu, nu) = (Float(stage.mu), Float(stage.nu))
            (muTilde, gammaTilde) = (Float(stage.muTilde * seconds), Float(stage.gammaTilde * seconds))
        }
    }

    let layout: FieldLayout
    let runs: RowList<TissueLayout.Run>.View
    let tissues: UnsafePointer<KernelTissue>
    let conduction: Conduction.View
    let pinned: RowList<Int>.View
    let sinks: SinkCells.View?
    let flowLeft: UnsafePointer<Float>?
    let kirchhoff, previous, beforePrevious, start: UnsafePointer<Float>
    let rate, next, nextKirchhoff: UnsafeMutablePointer<Float>
    let weights: Weights
    let interfaces: InterfaceFaces.View
    let faceStates: UnsafePointer<InterfaceFaces.State>
    let nextFaceStates: UnsafeMutablePointer<InterfaceFaces.State>
    let hasSharpFront: Bool

    init(_ kernel: StageKernel, _ fields: StageKernel.Fields, _ sinks: SinkCells?, _ weights: Weights) {
        (layout, runs, tissues) = (kernel.layout, kernel.tissues.runs.kernelView, UnsafePointer(kernel.kernelTissues.buffer.values))
        (conduction, pinned, self.sinks) = (kernel.conduction.kernelView, kernel.pinned.kernelView, sinks?.kernelView)
        flowLeft = kernel.flowLeft.map { UnsafePointer($0.values) }
        (kirchhoff, previous) = (UnsafePointer(fields.kirchhoff.values), UnsafePointer(fields.previous.values))
        (beforePrevious, start) = (UnsafePointer(fields.beforePrevious.values), UnsafePointer(fields.start.values))
        (rate, next, nextKirchhoff) = (fields.rate.values, fields.next.values, fields.nextKirchhoff.values)
        self.weights = weights
        interfaces = kernel.interfaces.kernelView
        (faceStates, nextFaceStates) = (UnsafePointer(fields.faceStates.values), fields.nextFaceStates.values)
        hasSharpFront = kernel.sharpFront != nil
    }
    init(_ kernel: StageKernel, enthalpy field: CellField, kirchhoff: CellField, faceStates: InterfaceFaces.States) {
        self.init(
            kernel,
            .init(
                kirchhoff: kirchhoff, previous: field, beforePrevious: field, start: field, rate: field, next: field,
                nextKirchhoff: kirchhoff, faceStates: faceStates, nextFaceStates: faceStates),
            nil,
            Weights(.init(), 0))
    }

    /// Whether nothing but conduction and blood changes a row's cells.
    @inline(__always) private func isPlain(_ row: Int) -> Bool {
        !hasSharpFront && interfaces.isEmpty(row: row) && (sinks?.isEmpty(row: row) ?? true)
            && (pinned.isEmpty || pinned.range(ofRow: row).isEmpty)
    }

    /// Writes M(Y_0) and Y_1.
    ///
    /// - Parameter gain: for what is computed here alone and stays for the whole step.
    func firstStage(_ row: Int, _ kernel: StageKernel, gain: Float, smooths: Bool) {
        let start = layout.rowStart(row), neighbours = conduction.neighbours(ofRow: row, in: kirchhoff)
        let y0 = self.start + start, rate = rate + start, next = next + start
        for run in runs[row] {
            let tissue = tissues[run.tissue]
            var i = run.start
            while i < run.end {
                var value = heatRate(neighbours, i, Lanes.load(y0, i), tissue)
                if tissue.isHeated { value -= warmthOfFront(neighbours, i, tissue) * gain }
                value.write(to: rate, i, run.end &- i)
                i &+= Lanes.scalarCount
            }
        }
        if !interfaces.isEmpty(row: row) {
            interfaces.correct(rate, row: row, rowStart: start, states: faceStates, kirchhoff: kirchhoff, factor: 1)
        }
        if hasSharpFront { kernel.sharpFront!.correct(rate, row: row, enthalpy: self.start, kirchhoff: kirchhoff, factor: 1) }
        if smooths { kernel.smoothFlux!.add(to: rate, row: row, kirchhoff: kirchhoff, share: gain) }
        sinks?.add(to: rate, row: row, rowStart: start, factor: 1)
        if !pinned.isEmpty { for offset in pinned[row] { rate[offset &- start] = 0 } }
        kernel.restingCells?.note(row: row, runs: runs[row], rate: rate, enthalpy: y0)
        var i = 0
        while i < layout.size.i {
            (Lanes.load(y0, i) + Lanes.load(rate, i) * weights.muTilde).write(to: next, i, Lanes.scalarCount)
            i &+= Lanes.scalarCount
        }
        closeRow(row)
    }

    /// - Parameter isFirstOfRest: whether cells at rest have to be taken over; later, both fields that take turns hold them.
    func laterStage(_ row: Int, _ kernel: StageKernel, isFirstOfRest: Bool) {
        let isPlain = isPlain(row)
        var cells = 0..<layout.size.i
        if let span = kernel.restingCells?.span(ofRow: row) {
            if isFirstOfRest { takeOver(row) }
            if span.isEmpty { return }
            // What corrects a row takes no heed of spans.
            if isPlain { cells = Int(span.start)..<Int(span.end) }
        }
        let start = layout.rowStart(row), neighbours = conduction.neighbours(ofRow: row, in: kirchhoff)
        let y0 = self.start + start, rate = rate + start, next = next + start, y1 = previous + start, y2 = beforePrevious + start
        let theta = nextKirchhoff + start
        for run in runs[row] {
            let tissue = tissues[run.tissue], end = min(run.end, cells.upperBound)
            var i = max(run.start, cells.lowerBound)
            while i < end {
                // Changes from Y_0, small and exact, are weighed rather than the enthalpies, whose rounding would add up to a loss of heat.
                let previous = Lanes.load(y1, i), first = Lanes.load(y0, i)
                var change = heatRate(neighbours, i, previous, tissue) * weights.muTilde
                change += (previous - first) * weights.mu
                change += (Lanes.load(y2, i) - first) * weights.nu
                change += Lanes.load(rate, i) * weights.gammaTilde
                let value = first + change
                value.write(to: next, i, end &- i)
                if isPlain { Self.kirchhoff(value, tissue).write(to: theta, i, end &- i) }
                i &+= Lanes.scalarCount
            }
        }
        guard !isPlain else { return finish(row) }
        if !interfaces.isEmpty(row: row) {
            interfaces.correct(next, row: row, rowStart: start, states: faceStates, kirchhoff: kirchhoff, factor: weights.muTilde)
        }
        if hasSharpFront { kernel.sharpFront!.correct(next, row: row, enthalpy: previous, kirchhoff: kirchhoff, factor: weights.muTilde) }
        sinks?.add(to: next, row: row, rowStart: start, factor: weights.muTilde)
        if !pinned.isEmpty { for offset in pinned[row] { next[offset &- start] = y0[offset &- start] } }
        closeRow(row)
    }

    /// Leaves a row as the last stage has left it.
    private func takeOver(_ row: Int) {
        let start = layout.rowStart(row)
        (next + start).update(from: previous + start, count: layout.size.i)
        (nextKirchhoff + start).update(from: kirchhoff + start, count: layout.size.i)
        finish(row)
    }

    /// dH/dt of cells i… by conduction between like tissues and by blood, W/m³.
    @_transparent  // Whole-module builds leave it a call in spite of @inline(__always), at twice the time.
    private func heatRate(_ n: Conduction.RowNeighbours, _ i: Int, _ enthalpy: Lanes, _ tissue: KernelTissue) -> Lanes {
        let here = Lanes.load(n.row, i)
        let left = Lanes.load(n.row, i &- 1), right = Lanes.load(n.row, i &+ 1)
        let front = Lanes.load(n.jLow, i), back = Lanes.load(n.jHigh, i), below = Lanes.load(n.kLow, i), above = Lanes.load(n.kHigh, i)
        var rate = (right - here) * Lanes.load(n.iHighFactors, i) - (here - left) * Lanes.load(n.iLowFactors, i)
        rate += (back - here) * n.jHighFactor - (here - front) * n.jLowFactor
        rate += (above - here) * n.kHighFactor - (here - below) * n.kLowFactor
        guard tissue.isHeated else { return rate }
        // θ varies by `span` across the cell: its unfrozen share is where θ = 0 cuts that range.
        var span = (right - left).magnitude * Lanes.load(n.iSpans, i)
        span += (back - front).magnitude * n.jSpan
        span += (above - below).magnitude * n.kSpan
        let half = span * Lanes(repeating: 0.5)
        // Few cells hold the front: the division is for them alone.
        if (here + half).areAllNegative { return rate }
        var share = Lanes(repeating: 1)
        if (here - half).isAnyNegative {
            share = here / (span + Lanes(repeating: 1e-12)) + Lanes(repeating: 0.5)
            share = share.positive.atMost(Lanes(repeating: 1))
        }
        if let flowLeft { share = share.atMost(Lanes.load(flowLeft + n.start, i)) }
        return rate + share * (Lanes(repeating: tissue.heating) - enthalpy.positive * tissue.heatingSlope)
    }

    /// By how much less blood heats cells that ice has reached than if all of them were as warm as their centres: what is not frozen of a
    /// cell is on average as warm as its own middle. W/m³.
    private func warmthOfFront(_ n: Conduction.RowNeighbours, _ i: Int, _ tissue: KernelTissue) -> Lanes {
        let here = Lanes.load(n.row, i), half = Lanes(repeating: 0.5)
        var span = (Lanes.load(n.row, i &+ 1) - Lanes.load(n.row, i &- 1)).magnitude * Lanes.load(n.iSpans, i) + Lanes(repeating: 1e-12)
        span += (Lanes.load(n.jHigh, i) - Lanes.load(n.jLow, i)).magnitude * n.jSpan
        span += (Lanes.load(n.kHigh, i) - Lanes.load(n.kLow, i)).magnitude * n.kSpan
        if !(here - span * half).isAnyNegative || (here + span * half).areAllNegative { return Lanes(repeating: 0) }
        var share = (here / span + half).positive.atMost(Lanes(repeating: 1))
        // θ of that middle is half the greatest in the cell.
        let warmer = (share * span * half - here.positive).positive / tissue.liquidSlope
        if let flowLeft { share = share.atMost(Lanes.load(flowLeft + n.start, i)) }
        return share * warmer * tissue.heatingSlope
    }

    /// What follows from the enthalpies of a row.
    func closeRow(_ row: Int) {
        let start = layout.rowStart(row), source = next + start, target = nextKirchhoff + start
        for run in runs[row] {
            let tissue = tissues[run.tissue]
            var i = run.start
            while i < run.end {
                Self.kirchhoff(Lanes.load(source, i), tissue).write(to: target, i, run.end &- i)
                i &+= Lanes.scalarCount
            }
        }
        finish(row)
    }

    /// Ghost cells of a row and the states of its cells at faces.
    private func finish(_ row: Int) {
        conduction.fillGhosts(ofRow: row, in: nextKirchhoff)
        interfaces.close(row: row, enthalpy: next, states: nextFaceStates)
    }

    @_transparent  // As above.
    static func kirchhoff(_ enthalpy: Lanes, _ tissue: KernelTissue) -> Lanes {
        // Most cells are either liquid or frozen through.
        if !enthalpy.isAnyNegative { return enthalpy * tissue.liquidSlope }
        let below = enthalpy - tissue.solidusEnthalpy
        if below.areAllNegative { return frozenKirchhoff(below, tissue) + Lanes(repeating: tissue.solidusKirchhoff) }
        let none = Lanes(repeating: 0)
        var theta = enthalpy.positive * tissue.liquidSlope
        theta += enthalpy.atMost(none).atLeast(Lanes(repeating: -tissue.mushRelease)) * tissue.mushSlope
        for index in 0..<tissue.furtherStretchCount {
            let stretch = tissue.furtherStretches[index]
            theta += (enthalpy - stretch.enthalpy).atMost(none).atLeast(Lanes(repeating: -stretch.release)) * stretch.slope
        }
        return frozenKirchhoff(below.atMost(none), tissue) + theta
    }

    /// θ less that of the solidus, from H less that of the solidus.
    @_transparent
    private static func frozenKirchhoff(_ enthalpy: Lanes, _ tissue: KernelTissue) -> Lanes {
        let cooling = enthalpy * tissue.inverseFrozenHeatCapacity
        return (cooling - cooling * cooling * tissue.halfRise) * tissue.frozenConductivity
    }
}
