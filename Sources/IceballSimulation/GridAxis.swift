/// The cells of a grid along one axis: an even core, and cells that widen by a constant ratio beyond it.
///
/// Positions are metres from the low face of the first core cell.
struct GridAxis: Sendable {
    /// Of each cell, low to high.
    let widths: [Double]
    let centers: [Double]
    /// One more than cells.
    let faces: [Double]
    let core: Range<Int>

    /// - Parameters:
    ///   - reachLow: how far the cells beyond the core go on the low side, at least; 0 for none.
    ///   - ratio: of the widths of neighbouring cells beyond the core, above 1.
    init(coreCount: Int, spacing: Double, reachLow: Double, reachHigh: Double, ratio: Double) {
        precondition(coreCount > 0 && spacing > 0 && ratio > 1)
        func beyond(_ reach: Double) -> [Double] {
            var widths: [Double] = [], sum = 0.0
            while sum < reach * (1 - 1e-9) {
                widths.append((widths.last ?? spacing) * ratio)
                sum += widths.last!
            }
            return widths
        }
        let low = beyond(reachLow)
        widths = low.reversed() + Array(repeating: spacing, count: coreCount) + beyond(reachHigh)
        core = low.count..<low.count + coreCount
        var faces = [-low.reduce(0, +)]
        for width in widths { faces.append(faces.last! + width) }
        // The core's faces are exact multiples of its spacing.
        for index in core { faces[index] = Double(index - low.count) * spacing }
        self.faces = faces
        centers = widths.indices.map { (faces[$0] + faces[$0 + 1]) / 2 }
    }

    var count: Int { widths.count }
    var coreSpacing: Double { widths[core.lowerBound] }

    /// The cell below whose centre and the next `position` lies, with the share of the way to the next; held at the outermost centres.
    func bracket(_ position: Double) -> (cell: Int, share: Double) {
        guard count > 1, position > centers[0] else { return (0, 0) }
        guard position < centers[count - 1] else { return (count - 2, 1) }
        // In the even core the cell follows from the position.
        let even = Int((position / coreSpacing - 0.5).rounded(.down))
        if even >= 0, even < core.count - 1 { return (core.lowerBound + even, min(1, max(0, position / coreSpacing - 0.5 - Double(even)))) }
        var low = 0, high = count - 1
        while high - low > 1 {
            let middle = (low + high) / 2
            if centers[middle] <= position { low = middle } else { high = middle }
        }
        return (low, (position - centers[low]) / (centers[high] - centers[low]))
    }
}
