import ImagingCore

/// Which cells change within a step, row by row: all others rest, and the step's later stages leave them out.
///
/// A cell rests while it is unfrozen and its imbalance of heat is less than what blood would give it for `tolerance`, which bounds how far
/// from its balance it can be left. That is known from the first stage; no more than `reach` cells beyond those that change, all rest.
final class RestingCells: @unchecked Sendable {
    /// K.
    private static let tolerance = 0.02
    /// Cells that change within a step are at most this many cells from those that do so at its beginning.
    private static let reach = 2

    struct Span: BitwiseCopyable, Equatable {
        var start, end: Int32
        static let empty = Span(start: .max, end: 0)
        var isEmpty: Bool { start >= end }

        fileprivate func union(_ other: Span) -> Span { Span(start: min(start, other.start), end: max(end, other.end)) }
    }

    private let layout: FieldLayout
    /// Per tissue, the imbalance at which cells rest, W/m³.
    private let limits: FixedBuffer<Float>
    /// Per row, cells that change of themselves; and with their neighbours.
    private let own, alongJ, spans: FixedBuffer<Span>

    /// `nil` where no blood brings the main tissue back to balance: then no cell rests.
    init?(_ tissues: [Tissue], layout: FieldLayout) {
        guard tissues[0].perfusionConductance > 0 else { return nil }
        self.layout = layout
        limits = FixedBuffer(tissues.map { Float(Self.tolerance * $0.perfusionConductance) })
        own = FixedBuffer(repeating: .empty, count: layout.rowCount)
        alongJ = FixedBuffer(repeating: .empty, count: layout.rowCount)
        spans = FixedBuffer(repeating: .empty, count: layout.rowCount)
    }

    /// Takes up which cells of a row change at the beginning of a step; `rate` and `enthalpy` begin at the row.
    func note(
        row: Int, runs: UnsafeBufferPointer<TissueLayout.Run>, rate: UnsafePointer<Float>, enthalpy: UnsafePointer<Float>
    ) {
        var span = Span.empty
        for run in runs {
            let limit = limits.values[run.tissue]
            @inline(__always) func rests(_ i: Int) -> Bool { rate[i].magnitude <= limit && enthalpy[i] >= 0 }
            guard let first = (run.start..<run.end).first(where: { !rests($0) }) else { continue }
            let last = (first..<run.end).last { !rests($0) }!
            span = span.union(Span(start: Int32(first), end: Int32(last + 1)))
        }
        own.values[row] = span
    }

    /// Sets `span(ofRow:)` from what has been noted, and returns the share of all cells that change.
    func spread() -> Double {
        let size = layout.size, reach = Self.reach
        for row in 0..<layout.rowCount {
            let j = row % size.j
            var span = own.values[row]
            for step in -min(j, reach)...min(size.j - 1 - j, reach) { span = span.union(own.values[row + step]) }
            alongJ.values[row] = span
        }
        var count = 0
        for row in 0..<layout.rowCount {
            let k = row / size.j
            var span = alongJ.values[row]
            for step in -min(k, reach)...min(size.k - 1 - k, reach) { span = span.union(alongJ.values[row + step * size.j]) }
            if !span.isEmpty {
                span = Span(start: max(0, span.start - Int32(reach)), end: min(Int32(size.i), span.end + Int32(reach)))
                count += Int(span.end - span.start)
            }
            spans.values[row] = span
        }
        return Double(count) / Double(size.voxelCount)
    }

    /// The cells of a row that change; empty where all rest.
    @inline(__always) func span(ofRow row: Int) -> Span { spans.values[row] }
}
