import IceballSimulation
import ImagingCore

/// Gives tissues to the cells of a simulation's grid; what is painted later wins.
struct TissuePainter {
    let grid: SimulationGrid
    private(set) var tissues: [Tissue]
    /// Per cell an index of `tissues`; `nil` when all are of the first.
    private(set) var labels: [UInt8]?

    init(grid: SimulationGrid, background: Tissue) { (self.grid, tissues) = (grid, [background]) }

    /// The index of a tissue, which is added when it is new.
    mutating func label(of tissue: Tissue) -> UInt8 {
        let label = tissues.firstIndex(of: tissue) ?? tissues.count
        if label == tissues.count { tissues.append(tissue) }
        precondition(label < 256, "a description names far fewer tissues")
        return UInt8(label)
    }

    /// Gives each cell the label that `choose` returns for its centre and its present label, where it returns one; returns the number of
    /// those.
    @discardableResult
    mutating func paint(_ choose: (PatientPoint, UInt8) -> UInt8?) -> Int {
        var painted = labels ?? [UInt8](repeating: 0, count: grid.cellCount)
        let size = grid.size, plane = size.i * size.j
        let counts = painted.withUnsafeMutableBufferPointer { labels in
            nonisolated(unsafe) let labels = labels
            return mapSlabs(of: size.k, slab: 1) { slices -> Int in
                var count = 0
                for offset in slices.lowerBound * plane..<slices.upperBound * plane {
                    guard let label = choose(grid.cellCenter(size.index(atOffset: offset)), labels[offset]) else { continue }
                    labels[offset] = label
                    count += 1
                }
                return count
            }
        }
        let count = counts.reduce(0, +)
        if count > 0 { labels = painted }
        return count
    }

    /// Gives `tissue` to all cells whose centre `isInside`; returns their number.
    @discardableResult
    mutating func paint(_ tissue: Tissue, where isInside: (PatientPoint) -> Bool) -> Int {
        let label = label(of: tissue)
        return paint { point, _ in isInside(point) ? label : nil }
    }
}
