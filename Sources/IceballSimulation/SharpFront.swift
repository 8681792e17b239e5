import ImagingCore

/// Where freezing happens at one temperature, the front lies somewhere within a cell, and heat flows to it from there, not from the
/// cell's centre: the share of the cell that is frozen tells how far.
///
/// Without this the front goes forward in jerks of a cell's width. For models of a single tissue.
struct SharpFront: Sendable {
    /// H at which such a tissue is all frozen.
    private let solidus: Float
    private let layout: FieldLayout
    private let conduction: Conduction.View
    /// The most by which a distance to the front may be shortened.
    private static let largestGain: Float = 2

    /// `nil` for models to which it does not apply.
    init?(_ tissues: TissueLayout, layout: FieldLayout, conduction: Conduction) {
        guard tissues.labels == nil, tissues.tissues[0].table.hasSharpFront, tissues.tissues[0].table.stretches.count == 1 else {
            return nil
        }
        (solidus, self.layout, self.conduction) = (Float(tissues.tissues[0].table.solidusEnthalpy), layout, conduction.kernelView)
    }

    /// The share by which the longest stable step falls: heat may take half the way.
    static let stability = 0.8

    /// Adds to `target`, which begins at the row, `factor` times the difference that the front's place makes to dH/dt.
    func correct(
        _ target: UnsafeMutablePointer<Float>, row: Int, enthalpy: UnsafePointer<Float>, kirchhoff: UnsafePointer<Float>, factor: Float
    ) {
        let size = layout.size, j = row % size.j, k = row / size.j, n = conduction.neighbours(ofRow: row, in: kirchhoff)
        let start = layout.rowStart(row), plane = layout.pitch * size.j
        for i in 0..<size.i {
            let offset = start + i, own = enthalpy[offset], isOwn = isFront(own)
            func difference(_ exists: Bool, _ step: Int, _ there: Float, _ faceFactor: Float, axis: Int, cell: (Int, Int, Int)) -> Float {
                let here = kirchhoff[offset]
                let gain: Float
                if isOwn {
                    gain = self.gain(own, isFrozenSide: there < 0, distance: exists ? 1 : 0.5)
                } else if exists, isFront(enthalpy[offset + step]) {
                    gain = self.gain(enthalpy[offset + step], isFrozenSide: here < 0, distance: 1)
                } else {
                    return 0
                }
                guard there != here else { return 0 }
                let share = isOwn ? across(i, j, k, kirchhoff)[axis] : across(cell.0, cell.1, cell.2, kirchhoff)[axis]
                return share * (gain - 1) * faceFactor * (there - here)
            }
            let sum =
                difference(i > 0, -1, n.row[i - 1], n.iLowFactors[i], axis: 0, cell: (i - 1, j, k))
                + difference(i < size.i - 1, 1, n.row[i + 1], n.iHighFactors[i], axis: 0, cell: (i + 1, j, k))
                + difference(j > 0, -layout.pitch, n.jLow[i], n.jLowFactor, axis: 1, cell: (i, j - 1, k))
                + difference(j < size.j - 1, layout.pitch, n.jHigh[i], n.jHighFactor, axis: 1, cell: (i, j + 1, k))
                + difference(k > 0, -plane, n.kLow[i], n.kLowFactor, axis: 2, cell: (i, j, k - 1))
                + difference(k < size.k - 1, plane, n.kHigh[i], n.kHighFactor, axis: 2, cell: (i, j, k + 1))
            target[i] += factor * sum
        }
    }

    /// How much each axis goes across the front in a cell: the squares of the normal's components. An axis along the front tells nothing of
    /// how far it is, and its differences are left as they are.
    private func across(_ i: Int, _ j: Int, _ k: Int, _ kirchhoff: UnsafePointer<Float>) -> SIMD3<Float> {
        let n = conduction.neighbours(ofRow: j + layout.size.j * k, in: kirchhoff)
        let slopes = SIMD3(n.row[i + 1] - n.row[i - 1], n.jHigh[i] - n.jLow[i], n.kHigh[i] - n.kLow[i]), squares = slopes * slopes
        return squares / (squares.sum() + 1e-12)
    }

    @inline(__always) private func isFront(_ enthalpy: Float) -> Bool { enthalpy < 0 && enthalpy > solidus }

    /// What the distance from a neighbour to the cell's centre is to that from the neighbour to the front; `distance` is the former in
    /// cells.
    @inline(__always) private func gain(_ enthalpy: Float, isFrozenSide: Bool, distance: Float) -> Float {
        let liquid = 1 - enthalpy / solidus, toFront = distance + (isFrozenSide ? 0.5 - liquid : liquid - 0.5)
        return toFront * Self.largestGain > distance ? distance / toFront : Self.largestGain
    }
}
