import ImagingCore

/// Reads cell fields of a solver: as temperatures, sums, and at the sides.
struct FieldView {
    private let model: ThermalModel
    private let layout: FieldLayout
    private let tissues: TissueLayout
    private let reference: EnthalpyTable
    /// Offsets of the cells that conduct, this near to each side.
    private var nearSides: [SimulationGrid.Side: [Int]] = [:]

    init(_ solver: BioheatSolver) {
        (model, layout, tissues) = (solver.model, solver.layout, solver.tissueLayout)
        reference = model.mainTissue.table
        for side in SimulationGrid.Side.allCases {
            nearSides[side] = cells(at: side, depth: Self.nearSide).filter(isSolid).map { layout.offset($0.i, $0.j, $0.k) }
        }
    }

    /// The field of temperature that belongs to H.
    func temperature(enthalpy: CellField) -> TemperatureField {
        let size = layout.size
        var kirchhoff = [Float](repeating: 0, count: size.voxelCount)
        var liquid = reference.hasSharpFront ? [Float](repeating: 1, count: size.voxelCount) : nil
        fill(&kirchhoff, from: enthalpy) { table, value in
            Float(reference.kirchhoff(atTemperature: table.temperature(atEnthalpy: Double(value))))
        }
        if liquid != nil {
            fill(&liquid!, from: enthalpy) { table, value in max(0, min(1, 1 - value / Float(table.solidusEnthalpy))) }
            liquid!.smooth(size)
        }
        return TemperatureField(grid: model.grid, kirchhoff: kirchhoff, liquidShare: liquid, table: reference)
    }

    private func fill(_ values: inout [Float], from field: CellField, _ value: (EnthalpyTable, Float) -> Float) {
        let source = field.values, size = layout.size
        values.withUnsafeMutableBufferPointer { values in
            nonisolated(unsafe) let values = values
            forEachSlab(of: layout.rowCount, slab: layout.slab) { rows in
                for row in rows {
                    let start = layout.rowStart(row)
                    for run in tissues.runs(inRow: row) {
                        let table = tissues.tissues[run.tissue].table
                        for i in run.start..<run.end { values[row * size.i + i] = value(table, source[start + i]) }
                    }
                }
            }
        }
    }

    /// The heat in all cells that are not held at a temperature, J.
    func enthalpySum(_ enthalpy: CellField) -> Double {
        let grid = model.grid
        return mapSlabs(of: layout.rowCount, slab: layout.slab) { rows -> Double in
            var sum = 0.0
            for row in rows {
                let start = layout.rowStart(row), j = row % layout.size.j, k = row / layout.size.j
                for run in tissues.runs(inRow: row) where tissues.tissues[run.tissue].isSolid {
                    for i in run.start..<run.end { sum += Double(enthalpy.values[start + i]) * grid.cellVolume(i, j, k) }
                }
            }
            return sum
        }.reduce(0, +)
    }

    /// The core's part of a field.
    func core(of field: CellField) -> Volume<Float> {
        let axes = model.grid.axes
        return Volume(geometry: model.grid.core) { target in
            var offset = 0
            for k in axes.z.core {
                for j in axes.y.core {
                    for i in axes.x.core {
                        target[offset] = field.values[layout.offset(i, j, k)]
                        offset += 1
                    }
                }
            }
        }
    }

    /// Ice this near to a side is held back or helped by it, metres.
    private static let nearSide = 5e-3

    /// Whether ice comes as near to one of the sides as 5 mm.
    func iceTouches(_ kirchhoff: CellField, sides: [SimulationGrid.Side]) -> Bool {
        let values = kirchhoff.values
        return sides.contains { side in nearSides[side]!.contains { values[$0] < 0 } }
    }

    /// By how many kelvin cells at the sides differ from `temperatureC`, at most.
    func largestChange(_ kirchhoff: CellField, sides: [SimulationGrid.Side], from temperatureC: Double) -> Double {
        sides.flatMap { cells(at: $0, depth: 0) }.filter(isSolid).reduce(0) { largest, cell in
            let table = tissues.tissues[tissues.tissue(cell.i, cell.j, cell.k)].table
            let value = table.temperature(atKirchhoff: Double(kirchhoff.values[layout.offset(cell.i, cell.j, cell.k)]))
            return max(largest, abs(value - temperatureC))
        }
    }

    private func isSolid(_ cell: VoxelIndex) -> Bool {
        tissues.labels == nil || tissues.tissues[tissues.tissue(cell.i, cell.j, cell.k)].isSolid
    }

    /// The layer of cells whose centres lie `depth` (metres) or a little more from a side; on a thin grid, the farthest layer.
    private func cells(at side: SimulationGrid.Side, depth: Double) -> [VoxelIndex] {
        let size = layout.size, axes = model.grid.axes
        func layer(_ axis: GridAxis, isHigh: Bool) -> Int {
            let order = isHigh ? Array(axis.centers.indices.reversed()) : Array(axis.centers.indices),
                face = isHigh ? axis.faces.last! : axis.faces[0]
            return order.first { abs(axis.centers[$0] - face) >= depth } ?? order.last!
        }
        func plane(_ a: Int, _ b: Int, _ cell: (Int, Int) -> VoxelIndex) -> [VoxelIndex] {
            (0..<b).flatMap { second in (0..<a).map { cell($0, second) } }
        }
        switch side {
        case .iLow, .iHigh:
            let i = layer(axes.x, isHigh: side == .iHigh)
            return plane(size.j, size.k) { VoxelIndex(i, $0, $1) }
        case .jLow, .jHigh:
            let j = layer(axes.y, isHigh: side == .jHigh)
            return plane(size.i, size.k) { VoxelIndex($0, j, $1) }
        case .kLow, .kHigh:
            let k = layer(axes.z, isHigh: side == .kHigh)
            return plane(size.i, size.j) { VoxelIndex($0, $1, k) }
        }
    }
}

extension [Float] {
    /// Along each axis, so that the level ½ of shares of cells runs straight through a plane front at any angle: twice with weights ¼ ½ ¼,
    /// taken from twice what a single time makes, which draws a curved front inwards by as much.
    fileprivate mutating func smooth(_ size: GridSize) {
        let own: Float = 5 / 8, near: Float = 1 / 4, far: Float = -1 / 16
        for (stride, count) in [(1, size.i), (size.i, size.j), (size.i * size.j, size.k)] {
            let source = self
            for offset in indices {
                let position = offset / stride % count
                func at(_ step: Int) -> Float { source[offset + (Swift.min(Swift.max(position + step, 0), count - 1) - position) * stride] }
                self[offset] = own * source[offset] + near * (at(-1) + at(1)) + far * (at(-2) + at(2))
            }
        }
    }
}
