import ImagingCore

/// One stage of a super time step over rows of cells.
///
/// Flux between cells follows from differences of θ. Blood heats the unfrozen share of a cell, which is taken from where θ = 0 passes
/// through it; a switch by cell would hold the front to cell borders.
struct StageKernel {
    typealias Lanes = FieldLayout.Lanes

    let layout: FieldLayout
    let tissues: TissueLayout
    let kernelTissues: [KernelTissue]
    let conduction: Conduction
    let interfaces: InterfaceFaces
    /// Cells whose temperature never changes, as sorted offsets, and the first of each row.
    let pinned: RowList<Int>
    /// Per cell, the share of blood flow left; `nil` where it comes back with thawing.
    let flowLeft: CellField?

    /// What a stage reads and writes; `previous` is Y_{j−1}, `beforePrevious` Y_{j−2}, which `next` may be.
    struct Fields {
        let kirchhoff, previous, beforePrevious, start, rate: CellField
        let next, nextKirchhoff: CellField
    }

    func run(_ stage: SuperTimeStep.Stage, isFirst: Bool, seconds: Double, _ fields: Fields, sinks: SinkCells) {
        let weights = Weights(stage, seconds)
        forEachSlab(of: layout.rowCount, slab: layout.slab) { rows in
            for row in rows {
                if isFirst { self.firstStage(row, weights, fields, sinks) } else { self.laterStage(row, weights, fields, sinks) }
                self.closeRow(row, fields.next, fields.nextKirchhoff)
            }
        }
    }

    private struct Weights {
        let mu, nu, rest, muTilde, gammaTilde: Float
        init(_ stage: SuperTimeStep.Stage, _ seconds: Double) {
            (mu, nu, rest) = (Float(stage.mu), Float(stage.nu), Float(1 - stage.mu - stage.nu))
            (muTilde, gammaTilde) = (Float(stage.muTilde * seconds), Float(stage.gammaTilde * seconds))
        }
    }

    /// Writes M(Y_0) and Y_1.
    private func firstStage(_ row: Int, _ weights: Weights, _ fields: Fields, _ sinks: SinkCells) {
        let start = layout.rowStart(row), neighbours = conduction.neighbours(ofRow: row, in: fields.kirchhoff)
        let y0 = fields.start.values + start, rate = fields.rate.values + start, next = fields.next.values + start
        for run in tissues.runs(inRow: row) {
            let tissue = kernelTissues[run.tissue]
            var i = run.start
            while i < run.end {
                let lanes = min(FieldLayout.laneCount, run.end &- i)
                write(heatRate(neighbours, i, Self.load(y0, i), tissue), rate, i, lanes)
                i &+= FieldLayout.laneCount
            }
        }
        interfaces.correct(rate, row: row, enthalpy: fields.start, kirchhoff: fields.kirchhoff, factor: 1)
        sinks.add(to: rate, row: row, rowStart: start, factor: 1)
        for offset in pinned[row] { rate[offset &- start] = 0 }
        var i = 0
        while i < layout.size.i {
            (Self.load(y0, i) + Self.load(rate, i) * weights.muTilde).store(next, i)
            i &+= FieldLayout.laneCount
        }
    }

    private func laterStage(_ row: Int, _ weights: Weights, _ fields: Fields, _ sinks: SinkCells) {
        let start = layout.rowStart(row), neighbours = conduction.neighbours(ofRow: row, in: fields.kirchhoff)
        let y0 = fields.start.values + start, rate = fields.rate.values + start, next = fields.next.values + start
        let y1 = fields.previous.values + start, y2 = fields.beforePrevious.values + start
        for run in tissues.runs(inRow: row) {
            let tissue = kernelTissues[run.tissue]
            var i = run.start
            while i < run.end {
                let lanes = min(FieldLayout.laneCount, run.end &- i), previous = Self.load(y1, i)
                let heat = heatRate(neighbours, i, previous, tissue)
                var value = previous * weights.mu + Self.load(y2, i) * weights.nu
                value += Self.load(y0, i) * weights.rest
                value += heat * weights.muTilde
                value += Self.load(rate, i) * weights.gammaTilde
                write(value, next, i, lanes)
                i &+= FieldLayout.laneCount
            }
        }
        interfaces.correct(next, row: row, enthalpy: fields.previous, kirchhoff: fields.kirchhoff, factor: weights.muTilde)
        sinks.add(to: next, row: row, rowStart: start, factor: weights.muTilde)
        for offset in pinned[row] { next[offset &- start] = y0[offset &- start] }
    }

    /// dH/dt of cells i… by conduction between like tissues and by blood, W/m³.
    @inline(__always)
    private func heatRate(_ n: Conduction.RowNeighbours, _ i: Int, _ enthalpy: Lanes, _ tissue: KernelTissue) -> Lanes {
        let here = Self.load(n.row, i)
        let left = Self.load(n.row, i &- 1), right = Self.load(n.row, i &+ 1)
        let front = Self.load(n.jLow, i), back = Self.load(n.jHigh, i), below = Self.load(n.kLow, i), above = Self.load(n.kHigh, i)
        var rate = (right - here) * Self.load(n.iHighFactors, i) - (here - left) * Self.load(n.iLowFactors, i)
        rate += (back - here) * n.jHighFactor - (here - front) * n.jLowFactor
        rate += (above - here) * n.kHighFactor - (here - below) * n.kLowFactor
        guard tissue.isHeated else { return rate }
        // θ varies by `span` across the cell: its unfrozen share is where θ = 0 cuts that range.
        var span = Self.magnitude(right - left) * Self.load(n.iSpans, i)
        span += Self.magnitude(back - front) * n.jSpan
        span += Self.magnitude(above - below) * n.kSpan
        var share = here / (span + Lanes(repeating: 1e-12)) + Lanes(repeating: 0.5)
        share = share.replacing(with: 0, where: share .< 0)
        share = share.replacing(with: 1, where: share .> 1)
        if let flowLeft {
            let left = Self.load(flowLeft.values + n.start, i)
            share = share.replacing(with: left, where: share .> left)
        }
        let unfrozen = enthalpy.replacing(with: 0, where: enthalpy .< 0)
        return rate + share * (Lanes(repeating: tissue.heating) - unfrozen * tissue.heatingSlope)
    }

    /// θ of a finished row, and its ghost cells.
    func closeRow(_ row: Int, _ enthalpy: CellField, _ kirchhoff: CellField) {
        let start = layout.rowStart(row), source = enthalpy.values + start, target = kirchhoff.values + start
        for run in tissues.runs(inRow: row) {
            let tissue = kernelTissues[run.tissue]
            var i = run.start
            while i < run.end {
                write(Self.kirchhoff(Self.load(source, i), tissue), target, i, min(FieldLayout.laneCount, run.end &- i))
                i &+= FieldLayout.laneCount
            }
        }
        conduction.fillGhosts(ofRow: row, in: kirchhoff)
    }

    @inline(__always)
    static func kirchhoff(_ enthalpy: Lanes, _ tissue: KernelTissue) -> Lanes {
        let liquid = enthalpy.replacing(with: 0, where: enthalpy .< 0), below = enthalpy - liquid
        let mush = below.replacing(with: Lanes(repeating: -tissue.mushRelease), where: below .< -tissue.mushRelease)
        var frozen = enthalpy - tissue.solidusEnthalpy
        frozen.replace(with: 0, where: frozen .> 0)
        frozen *= tissue.inverseFrozenHeatCapacity
        var theta = liquid * tissue.liquidSlope + mush * tissue.mushSlope
        theta += (frozen - frozen * frozen * tissue.halfRise) * tissue.frozenConductivity
        for stretch in tissue.furtherStretches {
            var part = enthalpy - stretch.enthalpy
            part.replace(with: 0, where: part .> 0)
            part.replace(with: Lanes(repeating: -stretch.release), where: part .< -stretch.release)
            theta += part * stretch.slope
        }
        return theta
    }

    @inline(__always) static func load(_ row: UnsafePointer<Float>, _ i: Int) -> Lanes {
        UnsafeRawPointer(row + i).loadUnaligned(as: Lanes.self)
    }
    @inline(__always) static func load(_ row: UnsafeMutablePointer<Float>, _ i: Int) -> Lanes { load(UnsafePointer(row), i) }
    @inline(__always) static func magnitude(_ x: Lanes) -> Lanes {
        unsafeBitCast(unsafeBitCast(x, to: SIMD8<UInt32>.self) & SIMD8(repeating: 0x7fff_ffff), to: Lanes.self)
    }
    @inline(__always) private func write(_ lanes: Lanes, _ row: UnsafeMutablePointer<Float>, _ i: Int, _ count: Int) {
        if count == FieldLayout.laneCount { lanes.store(row, i) } else { for lane in 0..<count { row[i &+ lane] = lanes[lane] } }
    }
}

extension FieldLayout.Lanes {
    @inline(__always) fileprivate func store(_ row: UnsafeMutablePointer<Float>, _ i: Int) {
        UnsafeMutableRawPointer(row + i).storeBytes(of: self, as: FieldLayout.Lanes.self)
    }
}

/// Items that belong to rows, sorted by them.
struct RowList<Item: Sendable>: Sendable {
    private let items: [Item]
    private let first: [Int]

    /// `rowOf` tells the row of each item; the order within a row is kept.
    init(_ items: [Item], rowCount: Int, rowOf: (Item) -> Int) {
        guard !items.isEmpty else {
            (self.items, first) = ([], [])
            return
        }
        let rows = items.map(rowOf)
        self.items = items.indices.sorted { (rows[$0], $0) < (rows[$1], $1) }.map { items[$0] }
        var first = [Int](repeating: 0, count: rowCount + 1)
        for row in rows { first[row + 1] += 1 }
        for row in 0..<rowCount { first[row + 1] += first[row] }
        self.first = first
    }
    var isEmpty: Bool { items.isEmpty }
    subscript(row: Int) -> ArraySlice<Item> { items.isEmpty ? [] : items[first[row]..<first[row + 1]] }
}
