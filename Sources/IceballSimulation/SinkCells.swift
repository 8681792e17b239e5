import ImagingCore

/// The cells that wells take heat from, and how much at this stage.
final class SinkCells: @unchecked Sendable {
    let wells: [KernelWell]
    /// Sorted offsets of cells, the first of each row, and the heat taken up (W/m³, negative when cooled).
    private let offsets: RowList<Int32>
    private let heat: FixedBuffer<Float>
    /// Of each cell, all of which lie in the even core, m⁻³.
    private let inverseVolume: Float
    /// Per well, places in `offsets` of its cells.
    private let places: [[Int32]]
    /// Per well and segment, W/m of the last stage.
    private var powers: [[Double]]

    init(_ wells: [KernelWell], grid: SimulationGrid, layout: FieldLayout) {
        self.wells = wells
        let offsets = Set(wells.flatMap(\.cells)).sorted()
        let places = Dictionary(uniqueKeysWithValues: offsets.enumerated().map { ($0.element, Int32($0.offset)) })
        self.offsets = RowList(offsets, rowCount: layout.rowCount) { (Int($0) - Lanes.scalarCount) / layout.pitch }
        self.places = wells.map { $0.cells.map { places[$0]! } }
        heat = FixedBuffer(repeating: 0, count: offsets.count)
        inverseVolume = Float(1 / (grid.axes.x.coreSpacing * grid.axes.y.coreSpacing * grid.axes.z.coreSpacing))
        powers = wells.map { Array(repeating: 0, count: $0.segments.count) }
    }

    /// Sets what every cell loses for the given field, and returns the heat that all wells take, W.
    func update(_ actions: [HeatSink.Action], kirchhoff: CellField, tissues: [Tissue]) -> [Double] {
        heat.values.update(repeating: 0, count: heat.count)
        return wells.indices.map { take(actions[$0], well: $0, kirchhoff.values, tissues, heat.values) }
    }

    private func take(
        _ action: HeatSink.Action, well index: Int, _ kirchhoff: UnsafePointer<Float>, _ tissues: [Tissue],
        _ heat: UnsafeMutablePointer<Float>
    ) -> Double {
        if action == .idle { return 0 }
        let well = wells[index]
        var total = 0.0
        well.weights.withUnsafeBufferPointer { weights in
            well.cells.withUnsafeBufferPointer { cells in
                places[index].withUnsafeBufferPointer { places in
                    for (number, segment) in well.segments.enumerated() {
                        let mean = Self.sum(segment.cells) { weights[$0] * kirchhoff[Int(cells[$0])] } / segment.weight
                        let power = power(action, well, segment, mean: Double(mean), tissues, guess: powers[index][number])
                        powers[index][number] = power
                        let taken = Float(power * well.segmentLength), perVolume = taken * inverseVolume
                        for entry in segment.cells { heat[Int(places[entry])] -= perVolume * weights[entry] }
                        total += Double(taken) * Double(segment.weight)
                    }
                }
            }
        }
        return total
    }

    /// Four sums at a time, each of which waits for its own last addition only.
    @inline(__always) private static func sum(_ entries: Range<Int>, _ value: (Int) -> Float) -> Float {
        var entry = entries.lowerBound, (a, b, c, d): (Float, Float, Float, Float) = (0, 0, 0, 0)
        while entry &+ 4 <= entries.upperBound {
            a += value(entry)
            b += value(entry &+ 1)
            c += value(entry &+ 2)
            d += value(entry &+ 3)
            entry &+= 4
        }
        while entry < entries.upperBound {
            a += value(entry)
            entry &+= 1
        }
        return (a + b) + (c + d)
    }

    private func power(
        _ action: HeatSink.Action, _ well: KernelWell, _ segment: KernelWell.Segment, mean: Double, _ tissues: [Tissue], guess: Double
    ) -> Double {
        switch action {
        case .idle: 0
        case .power(let power), .powerGrowingWithRootTime(let power): power
        case .surface(let coolantC, let resistance, let largestPower, let duty, _):
            well.power(
                mean: mean, coolantC: coolantC, resistance: resistance, largestPower: largestPower, duty: duty,
                table: tissues[segment.tissue].table,
                guess: guess)
        }
    }

    /// For kernels: addresses only, which live as long as this does.
    var kernelView: View { View(offsets: offsets.kernelView, heat: heat.values) }

    struct View: @unchecked Sendable {
        fileprivate let offsets: RowList<Int32>.View
        fileprivate let heat: UnsafeMutablePointer<Float>

        @inline(__always) func isEmpty(row: Int) -> Bool { offsets.isEmpty || offsets.range(ofRow: row).isEmpty }

        /// Adds `factor` times the heat of the row's cells to `target`, which begins at the row.
        @inline(__always)
        func add(to target: UnsafeMutablePointer<Float>, row: Int, rowStart: Int, factor: Float) {
            guard !offsets.isEmpty else { return }
            for place in offsets.range(ofRow: row) { target[Int(offsets.items[place]) &- rowStart] += factor * heat[place] }
        }
    }
}
