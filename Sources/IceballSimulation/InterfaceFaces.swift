import ImagingCore

/// Faces between cells of different tissues, where a difference of θ means nothing: heat follows the difference of temperature there.
struct InterfaceFaces {
    fileprivate struct Face: Sendable, BitwiseCopyable {
        /// The cell that is corrected, and the one beyond the face.
        let cell, neighbour: Int32
        /// Their places among the cells whose states are kept.
        var state, neighbourState: Int32
        let tissue, neighbourTissue: UInt8
        /// What the stencil takes for this face, 1/m², and 1 / (width) of the cell, 1/m.
        let stencil, inverseWidth: Float
        /// What the cells' resistivities are multiplied with, m: from the centres to the face.
        let distance, neighbourDistance: Float
    }
    fileprivate struct Cell: Sendable, BitwiseCopyable {
        let offset: Int32
        let tissue: UInt8
    }
    /// °C, and m K/W; the wall's resistance (m² K/W) for cells that hold blood.
    typealias State = SIMD2<Float>
    /// Of all cells at faces.
    typealias States = FixedBuffer<State>

    private let faces: RowList<Face>
    private let cells: RowList<Cell>
    private let tissues: FaceTissues
    private let layout: FieldLayout
    var isEmpty: Bool { faces.isEmpty }
    var stateCount: Int { cells.elements.count }

    init(grid: SimulationGrid, layout: FieldLayout, tissues: TissueLayout, conduction: Conduction) {
        (self.layout, self.tissues) = (layout, FaceTissues(tissues.tissues))
        var found: [Face] = [], atFaces: [Int32: UInt8] = [:]
        let size = layout.size, axes = [grid.axes.x, grid.axes.y, grid.axes.z], steps = [1, size.i, size.i * size.j]
        for offset in (tissues.labels ?? []).indices where tissues.tissues[Int(tissues.labels![offset])].isSolid {
            let labels = tissues.labels!, voxel = size.index(atOffset: offset), index = [voxel.i, voxel.j, voxel.k]
            let counts = [size.i, size.j, size.k]
            for axis in 0..<3 {
                for step in [-1, 1] where index[axis] + step >= 0 && index[axis] + step < counts[axis] {
                    let other = offset + step * steps[axis], beyond = tissues.tissues[Int(labels[other])]
                    guard labels[other] != labels[offset] else { continue }
                    let factors = conduction.factors(axis), width = axes[axis].widths, place = size.index(atOffset: other)
                    let cell = Int32(layout.offset(index[0], index[1], index[2])),
                        neighbour = Int32(layout.offset(place.i, place.j, place.k))
                    (atFaces[cell], atFaces[neighbour]) = (labels[offset], labels[other])
                    // Blood is as warm as it is right behind the wall.
                    let distance = beyond.isSolid ? Float(width[index[axis] + step] / 2) : 1
                    found.append(
                        Face(
                            cell: cell, neighbour: neighbour, state: 0, neighbourState: 0, tissue: labels[offset],
                            neighbourTissue: labels[other],
                            stencil: Float(step < 0 ? factors.low[index[axis]] : factors.high[index[axis]]),
                            inverseWidth: Float(1 / width[index[axis]]), distance: Float(width[index[axis]] / 2),
                            neighbourDistance: distance))
                }
            }
        }
        func row(_ offset: Int32) -> Int { (Int(offset) - Lanes.scalarCount) / layout.pitch }
        let sorted = atFaces.keys.sorted(), places = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, Int32($0)) })
        for index in found.indices {
            (found[index].state, found[index].neighbourState) = (places[found[index].cell]!, places[found[index].neighbour]!)
        }
        faces = RowList(found, rowCount: layout.rowCount) { row($0.cell) }
        cells = RowList(sorted.map { Cell(offset: $0, tissue: atFaces[$0]!) }, rowCount: layout.rowCount) { row($0.offset) }
    }

    /// For kernels: addresses only, which live as long as this.
    var kernelView: View { View(faces: faces.kernelView, cells: cells.kernelView, tissues: tissues.values) }

    struct View: @unchecked Sendable {
        fileprivate let faces: RowList<Face>.View
        fileprivate let cells: RowList<Cell>.View
        fileprivate let tissues: UnsafePointer<FaceTissue>
        @inline(__always) func isEmpty(row: Int) -> Bool { faces.isEmpty || faces.range(ofRow: row).isEmpty }
    }

    /// How much more than its stencil a cell of each tissue exchanges at most, 1/m²: where it is frozen, and whatever its state.
    ///
    /// A better conductor beyond a face may nearly double what passes it. Frozen cells lie beside cells about as cold.
    func largestExtraSums() -> [(frozen: Double, any: Double)] {
        let count = tissues.count
        var gains = [[Double]](repeating: Array(repeating: 1, count: count), count: count)
        for own in 0..<count where tissues.values[own].isSolid {
            for other in 0..<count {
                gains[own][other] = tissues.values[other].isSolid ? Self.gain(tissues.values[own], tissues.values[other]) : 1
            }
        }
        var sums: [Int32: (tissue: Int, frozen: Double, any: Double)] = [:]
        for face in faces.elements {
            let stencil = Double(face.stencil), own = Int(face.tissue)
            var sum = sums[face.cell] ?? (own, 0, 0)
            (sum.frozen, sum.any) = (sum.frozen + stencil * gains[own][Int(face.neighbourTissue)], sum.any + stencil)
            sums[face.cell] = sum
        }
        return (0..<count).map { tissue in
            let own = sums.values.filter { $0.tissue == tissue }
            return (own.map(\.frozen).max() ?? 0, own.map(\.any).max() ?? 0)
        }
    }

    /// By which share of a face's stencil the exchange of frozen cells of two tissues exceeds it at most, temperatures on both sides being
    /// up to 20 K apart.
    private static func gain(_ own: FaceTissue, _ other: FaceTissue) -> Double {
        let conductivities = stride(from: -10.0, through: -210, by: -20).map { temperature in
            (
                Double(own.conductivity(atTemperature: Float(temperature))),
                Double(other.conductivity(atTemperature: Float(temperature - 20))))
        }
        return conductivities.map { min(1, max(0, 2 * $1 / ($0 + $1) - 1)) }.max()!
    }
}

extension InterfaceFaces.View {
    /// Adds `factor` times the heat through the row's interface faces, less what the stencil has added for them, to `target`, which begins
    /// at the row.
    func correct(
        _ target: UnsafeMutablePointer<Float>, row: Int, rowStart: Int, states: UnsafePointer<InterfaceFaces.State>,
        kirchhoff: UnsafePointer<Float>, factor: Float
    ) {
        for face in faces[row] {
            let cell = Int(face.cell), own = states[Int(face.state)], beyond = states[Int(face.neighbourState)]
            let stencil = face.stencil * (kirchhoff[Int(face.neighbour)] - kirchhoff[cell])
            let resistance = face.distance * own.y + face.neighbourDistance * beyond.y
            target[cell &- rowStart] += factor * ((beyond.x - own.x) / resistance * face.inverseWidth - stencil)
        }
    }

    /// Sets the states of a row's cells at faces.
    func close(row: Int, enthalpy: UnsafePointer<Float>, states: UnsafeMutablePointer<InterfaceFaces.State>) {
        guard !cells.isEmpty else { return }
        for place in cells.range(ofRow: row) {
            let cell = cells.items[place], tissue = tissues[Int(cell.tissue)], state = tissue.state(atEnthalpy: enthalpy[Int(cell.offset)])
            states[place] = .init(state.temperatureC, tissue.isSolid ? 1 / state.conductivity : tissue.wallResistance)
        }
    }
}
