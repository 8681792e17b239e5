import ImagingCore

/// The factors by which differences of θ between neighbouring cells become heat, and what stands for θ beyond the grid's sides.
struct Conduction: Sendable {
    let layout: FieldLayout
    /// 1 / (cell width · distance of centres), 1/m², towards lower and higher indices, and width / (distance of both neighbours).
    private let i, j, k: AxisFactors
    /// Rows of factors that may be read as whole vectors.
    private let iLow, iHigh, iSpans: FixedBuffer<Float>
    /// The same for j and k: per row along that axis, low, high and span.
    private let jFactors, kFactors: FixedBuffer<SIMD4<Float>>
    /// θ beyond a side, in rows (beyond j and k) or per row (beyond i); `nil` where insulated.
    private let walls: [FixedBuffer<Float>?]
    let kernelView: View

    struct AxisFactors: Sendable {
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
        var together: FixedBuffer<SIMD4<Float>> {
            FixedBuffer(low.indices.map { SIMD4(Float(low[$0]), Float(high[$0]), Float(span[$0]), 0) })
        }
    }

    struct RowNeighbours {
        let start: Int
        let row, jLow, jHigh, kLow, kHigh: UnsafePointer<Float>
        let iLowFactors, iHighFactors, iSpans: UnsafePointer<Float>
        let jLowFactor, jHighFactor, kLowFactor, kHighFactor, jSpan, kSpan: Float
    }

    init(grid: SimulationGrid, layout: FieldLayout, tissues: TissueLayout, conditions: [SimulationGrid.Side: BoundaryCondition]) {
        self.layout = layout
        func condition(_ side: SimulationGrid.Side) -> BoundaryCondition { conditions[side] ?? .insulated }
        i = AxisFactors(grid.axes.x, low: condition(.iLow), high: condition(.iHigh))
        j = AxisFactors(grid.axes.y, low: condition(.jLow), high: condition(.jHigh))
        k = AxisFactors(grid.axes.z, low: condition(.kLow), high: condition(.kHigh))
        func padded(_ factors: [Double]) -> FixedBuffer<Float> {
            FixedBuffer(factors.map(Float.init) + Array(repeating: 0, count: layout.pitch - factors.count))
        }
        (iLow, iHigh, iSpans) = (padded(i.low), padded(i.high), padded(i.span))
        (jFactors, kFactors) = (j.together, k.together)
        var walls = [FixedBuffer<Float>?](repeating: nil, count: SimulationGrid.Side.allCases.count)
        let size = layout.size
        func kirchhoff(_ temperature: Double, _ i: Int, _ j: Int, _ k: Int) -> Float {
            Float(tissues.tissues[tissues.tissue(i, j, k)].table.kirchhoff(atTemperature: temperature))
        }
        for (side, condition) in conditions {
            guard case .temperature(let temperature) = condition else { continue }
            switch side {
            case .iLow, .iHigh:
                walls[side.rawValue] = FixedBuffer(
                    (0..<layout.rowCount).map { kirchhoff(temperature, side == .iLow ? 0 : size.i - 1, $0 % size.j, $0 / size.j) })
            case .jLow, .jHigh:
                let wall = FieldLayout(GridSize(size.i, 1, size.k)), field = CellField(wall)
                for k in 0..<size.k {
                    for i in 0..<size.i {
                        field.values[wall.offset(i, 0, k)] = kirchhoff(temperature, i, side == .jLow ? 0 : size.j - 1, k)
                    }
                }
                walls[side.rawValue] = field
            case .kLow, .kHigh:
                let wall = FieldLayout(GridSize(size.i, size.j, 1)), field = CellField(wall)
                for j in 0..<size.j {
                    for i in 0..<size.i {
                        field.values[wall.offset(i, j, 0)] = kirchhoff(temperature, i, j, side == .kLow ? 0 : size.k - 1)
                    }
                }
                walls[side.rawValue] = field
            }
        }
        // A side's condition holds for each tissue there with the tissue's own θ.
        self.walls = walls
        func address(_ side: SimulationGrid.Side) -> UnsafePointer<Float>? { walls[side.rawValue].map { UnsafePointer($0.values) } }
        kernelView = View(
            layout: layout, iLow: UnsafePointer(iLow.values), iHigh: UnsafePointer(iHigh.values), iSpans: UnsafePointer(iSpans.values),
            jFactors: UnsafePointer(jFactors.values), kFactors: UnsafePointer(kFactors.values), iLowWall: address(.iLow),
            iHighWall: address(.iHigh),
            jLowWall: address(.jLow), jHighWall: address(.jHigh), kLowWall: address(.kLow), kHighWall: address(.kHigh))
    }

    /// The largest sum of a cell's factors, 1/m².
    var largestSum: Double { i.largestSum + j.largestSum + k.largestSum }

    func factors(_ axis: Int) -> AxisFactors { axis == 0 ? i : axis == 1 ? j : k }

    /// For kernels: addresses only, which live as long as the value they come from.
    struct View: @unchecked Sendable {
        let layout: FieldLayout
        fileprivate let iLow, iHigh, iSpans: UnsafePointer<Float>
        fileprivate let jFactors, kFactors: UnsafePointer<SIMD4<Float>>
        fileprivate let iLowWall, iHighWall, jLowWall, jHighWall, kLowWall, kHighWall: UnsafePointer<Float>?

        /// Rows beside a row; beyond an insulated side, the row itself.
        @inline(__always)
        func neighbours(ofRow row: Int, in kirchhoff: UnsafePointer<Float>) -> RowNeighbours {
            let start = layout.rowStart(row), size = layout.size, j = row % size.j, k = row / size.j, own = kirchhoff + start
            @inline(__always) func wall(_ values: UnsafePointer<Float>?, _ wallRow: Int) -> UnsafePointer<Float> {
                if let values { values + layout.rowStart(wallRow) } else { own }
            }
            let jRow = jFactors[j], kRow = kFactors[k]
            return RowNeighbours(
                start: start, row: own,
                jLow: j > 0 ? own - layout.pitch : wall(jLowWall, k), jHigh: j < size.j - 1 ? own + layout.pitch : wall(jHighWall, k),
                kLow: k > 0 ? own - layout.pitch * size.j : wall(kLowWall, j),
                kHigh: k < size.k - 1 ? own + layout.pitch * size.j : wall(kHighWall, j),
                iLowFactors: iLow, iHighFactors: iHigh, iSpans: iSpans,
                jLowFactor: jRow[0], jHighFactor: jRow[1], kLowFactor: kRow[0], kHighFactor: kRow[1], jSpan: jRow[2], kSpan: kRow[2])
        }

        /// Sets θ in the cells before the first and after the last of a row.
        @inline(__always)
        func fillGhosts(ofRow row: Int, in kirchhoff: UnsafeMutablePointer<Float>) {
            let values = kirchhoff + layout.rowStart(row), last = layout.size.i - 1
            values[-1] = iLowWall?[row] ?? values[0]
            values[last + 1] = iHighWall?[row] ?? values[last]
        }
    }
}
