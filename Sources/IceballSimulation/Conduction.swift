import ImagingCore

/// The factors by which differences of θ between neighbouring cells become heat, and what stands for θ beyond the grid's sides.
struct Conduction {
    /// Per side; each tissue has its own θ at a given temperature.
    let layout: FieldLayout
    private let conditions: [SimulationGrid.Side: BoundaryCondition]
    /// 1 / (cell width · distance of centres), 1/m², towards lower and higher indices, and width / (distance of both neighbours).
    private let i, j, k: AxisFactors
    private let iLow, iHigh, iSpans: PaddedRow
    /// θ beyond the j and k sides, as rows; empty where insulated.
    private let walls: [SimulationGrid.Side: CellField]
    /// θ beyond the i sides per row; empty where insulated.
    private let iWalls: [SimulationGrid.Side: [Float]]

    struct AxisFactors {
        var low: [Double], high: [Double], span: [Double]

        init(_ axis: GridAxis, low lowCondition: BoundaryCondition, high highCondition: BoundaryCondition) {
            (low, high, span) = ([], [], [])
            let last = axis.count - 1
            for index in 0...last {
                let width = axis.widths[index]
                let toLow = index > 0 ? axis.centers[index] - axis.centers[index - 1] : width / 2
                let toHigh = index < last ? axis.centers[index + 1] - axis.centers[index] : width / 2
                low.append(index == 0 && lowCondition == .insulated ? 0 : 1 / (width * toLow))
                high.append(index == last && highCondition == .insulated ? 0 : 1 / (width * toHigh))
                span.append(width / (toLow + toHigh))
            }
        }
        var largestSum: Double { zip(low, high).map(+).max()! }
    }

    /// A row of factors that may be read as whole vectors.
    private final class PaddedRow: @unchecked Sendable {
        let values: UnsafeMutablePointer<Float>
        init(_ factors: [Double], pitch: Int) {
            values = .allocate(capacity: pitch)
            values.initialize(repeating: 0, count: pitch)
            for (index, factor) in factors.enumerated() { values[index] = Float(factor) }
        }
        deinit { values.deallocate() }
    }

    struct RowNeighbours {
        let start: Int
        let row, jLow, jHigh, kLow, kHigh: UnsafePointer<Float>
        let iLowFactors, iHighFactors, iSpans: UnsafePointer<Float>
        let jLowFactor, jHighFactor, kLowFactor, kHighFactor, jSpan, kSpan: Float
    }

    init(grid: SimulationGrid, layout: FieldLayout, tissues: TissueLayout, conditions: [SimulationGrid.Side: BoundaryCondition]) {
        (self.layout, self.conditions) = (layout, conditions)
        func condition(_ side: SimulationGrid.Side) -> BoundaryCondition { conditions[side] ?? .insulated }
        i = AxisFactors(grid.axes.x, low: condition(.iLow), high: condition(.iHigh))
        j = AxisFactors(grid.axes.y, low: condition(.jLow), high: condition(.jHigh))
        k = AxisFactors(grid.axes.z, low: condition(.kLow), high: condition(.kHigh))
        (iLow, iHigh, iSpans) = (PaddedRow(i.low, pitch: layout.pitch), PaddedRow(i.high, pitch: layout.pitch), PaddedRow(i.span, pitch: layout.pitch))
        var walls: [SimulationGrid.Side: CellField] = [:], iWalls: [SimulationGrid.Side: [Float]] = [:]
        let size = layout.size
        func kirchhoff(_ temperature: Double, _ i: Int, _ j: Int, _ k: Int) -> Float {
            Float(tissues.tissues[tissues.tissue(i, j, k)].table.kirchhoff(atTemperature: temperature))
        }
        for (side, condition) in conditions {
            guard case .temperature(let temperature) = condition else { continue }
            switch side {
            case .iLow, .iHigh:
                iWalls[side] = (0..<layout.rowCount).map { kirchhoff(temperature, side == .iLow ? 0 : size.i - 1, $0 % size.j, $0 / size.j) }
            case .jLow, .jHigh:
                let wall = FieldLayout(GridSize(size.i, 1, size.k)), field = CellField(wall)
                for k in 0..<size.k { for i in 0..<size.i { field.values[wall.offset(i, 0, k)] = kirchhoff(temperature, i, side == .jLow ? 0 : size.j - 1, k) } }
                walls[side] = field
            case .kLow, .kHigh:
                let wall = FieldLayout(GridSize(size.i, size.j, 1)), field = CellField(wall)
                for j in 0..<size.j { for i in 0..<size.i { field.values[wall.offset(i, j, 0)] = kirchhoff(temperature, i, j, side == .kLow ? 0 : size.k - 1) } }
                walls[side] = field
            }
        }
        (self.walls, self.iWalls) = (walls, iWalls)
    }

    /// The largest sum of a cell's factors, 1/m².
    var largestSum: Double { i.largestSum + j.largestSum + k.largestSum }

    func factors(_ axis: Int) -> AxisFactors { axis == 0 ? i : axis == 1 ? j : k }

    /// Rows beside a row; beyond an insulated side, the row itself.
    @inline(__always)
    func neighbours(ofRow row: Int, in kirchhoff: CellField) -> RowNeighbours {
        let start = layout.rowStart(row), size = layout.size, jIndex = row % size.j, kIndex = row / size.j
        let own = UnsafePointer(kirchhoff.values + start)
        func wall(_ side: SimulationGrid.Side, _ wallRow: Int) -> UnsafePointer<Float> {
            walls[side].map { UnsafePointer($0.values + layout.rowStart(wallRow)) } ?? own
        }
        return RowNeighbours(
            start: start, row: own,
            jLow: jIndex > 0 ? own - layout.pitch : wall(.jLow, kIndex), jHigh: jIndex < size.j - 1 ? own + layout.pitch : wall(.jHigh, kIndex),
            kLow: kIndex > 0 ? own - layout.pitch * size.j : wall(.kLow, jIndex),
            kHigh: kIndex < size.k - 1 ? own + layout.pitch * size.j : wall(.kHigh, jIndex),
            iLowFactors: UnsafePointer(iLow.values), iHighFactors: UnsafePointer(iHigh.values), iSpans: UnsafePointer(iSpans.values),
            jLowFactor: Float(j.low[jIndex]), jHighFactor: Float(j.high[jIndex]), kLowFactor: Float(k.low[kIndex]),
            kHighFactor: Float(k.high[kIndex]), jSpan: Float(j.span[jIndex]), kSpan: Float(k.span[kIndex]))
    }

    /// Sets θ in the cells before the first and after the last of a row.
    @inline(__always)
    func fillGhosts(ofRow row: Int, in kirchhoff: CellField) {
        let values = kirchhoff.values + layout.rowStart(row), last = layout.size.i - 1
        values[-1] = iWalls[.iLow]?[row] ?? values[0]
        values[last + 1] = iWalls[.iHigh]?[row] ?? values[last]
    }
}
