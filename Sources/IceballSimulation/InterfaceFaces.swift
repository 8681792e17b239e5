import ImagingCore

/// Faces between cells of different tissues, where a difference of θ means nothing: heat follows the difference of temperature there.
struct InterfaceFaces {
    fileprivate struct Face: Sendable, BitwiseCopyable {
        /// The cell that is corrected, and the one beyond the face.
        let cell, neighbour: Int32
        let tissue, neighbourTissue: UInt8
        /// What the stencil takes for this face, 1/m², and 1 / (width) of the cell, 1/m.
        let stencil, inverseWidth: Float
        /// From the centres to the face, m.
        let distance, neighbourDistance: Float
    }

    private let faces: RowList<Face>
    private let tissues: FaceTissues
    private let layout: FieldLayout
    var isEmpty: Bool { faces.isEmpty }

    init(grid: SimulationGrid, layout: FieldLayout, tissues: TissueLayout, conduction: Conduction) {
        (self.layout, self.tissues) = (layout, FaceTissues(tissues.tissues))
        var found: [Face] = []
        let size = layout.size, axes = [grid.axes.x, grid.axes.y, grid.axes.z]
        if let labels = tissues.labels {
            for offset in labels.indices where tissues.tissues[Int(labels[offset])].isSolid {
                let voxel = size.index(atOffset: offset), index = [voxel.i, voxel.j, voxel.k], counts = [size.i, size.j, size.k]
                for axis in 0..<3 {
                    for step in [-1, 1] where (0..<counts[axis]).contains(index[axis] + step) {
                        var other = index
                        other[axis] += step
                        let otherLabel = labels[size.offset(VoxelIndex(other[0], other[1], other[2]))]
                        guard otherLabel != labels[offset] else { continue }
                        let factors = conduction.factors(axis), width = axes[axis].widths
                        found.append(
                            Face(
                                cell: Int32(layout.offset(index[0], index[1], index[2])),
                                neighbour: Int32(layout.offset(other[0], other[1], other[2])),
                                tissue: labels[offset], neighbourTissue: otherLabel,
                                stencil: Float(step < 0 ? factors.low[index[axis]] : factors.high[index[axis]]),
                                inverseWidth: Float(1 / width[index[axis]]),
                                distance: Float(width[index[axis]] / 2), neighbourDistance: Float(width[other[axis]] / 2)))
                    }
                }
            }
        }
        faces = RowList(found, rowCount: layout.rowCount) { (Int($0.cell) - FieldLayout.Lanes.scalarCount) / layout.pitch }
    }

    /// For kernels: addresses only, which live as long as this.
    var kernelView: View { View(faces: faces.kernelView, tissues: tissues.values, layout: layout) }

    struct View: @unchecked Sendable {
        fileprivate let faces: RowList<Face>.View
        fileprivate let tissues: UnsafePointer<FaceTissue>
        fileprivate let layout: FieldLayout
        var isEmpty: Bool { faces.isEmpty }
    }

    /// The most that interface faces add to a cell's sum of factors, 1/m²: the better conductor beyond may double a face's.
    func largestExtraSum() -> Double {
        var sums: [Int32: Float] = [:]
        for face in faces.elements { sums[face.cell, default: 0] += face.stencil }
        return Double(sums.values.max() ?? 0)
    }
}

extension InterfaceFaces.View {
    /// Adds `factor` times the heat through the row's interface faces, less what the stencil has added for them, to `target`, which begins at the row.
    func correct(
        _ target: UnsafeMutablePointer<Float>, row: Int, enthalpy: UnsafePointer<Float>, kirchhoff: UnsafePointer<Float>, factor: Float
    ) {
        let start = layout.rowStart(row)
        for face in faces[row] {
            let cell = Int(face.cell), neighbour = Int(face.neighbour)
            let stencil = face.stencil * (kirchhoff[neighbour] - kirchhoff[cell])
            let flux = Self.heatFlux(face, tissues, enthalpy[cell], enthalpy[neighbour])
            target[cell &- start] += factor * (flux * face.inverseWidth - stencil)
        }
    }

    /// Into the cell, W/m².
    @inline(__always)
    private static func heatFlux(_ face: InterfaceFaces.Face, _ tissues: UnsafePointer<FaceTissue>, _ enthalpy: Float, _ neighbourEnthalpy: Float) -> Float {
        let other = tissues[Int(face.neighbourTissue)]
        if other.isGas { return 0 }
        let own = tissues[Int(face.tissue)].state(atEnthalpy: enthalpy), beyond = other.state(atEnthalpy: neighbourEnthalpy)
        let resistance = face.distance / own.conductivity + (other.isSolid ? face.neighbourDistance / beyond.conductivity : other.wallResistance)
        return (beyond.temperatureC - own.temperatureC) / resistance
    }
}
