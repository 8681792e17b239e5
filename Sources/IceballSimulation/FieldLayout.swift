import ImagingCore

/// How cell values lie in memory: rows along i, padded so that whole vectors may be read from any cell, with a ghost cell at either end.
struct FieldLayout: Sendable {
    let size: GridSize
    /// From row to row; a multiple of the vector's length.
    let pitch: Int

    init(_ size: GridSize) {
        self.size = size
        pitch = Lanes.scalarCount + (size.i + 1 + Lanes.scalarCount - 1) / Lanes.scalarCount * Lanes.scalarCount
    }

    var rowCount: Int { size.j * size.k }
    var count: Int { rowCount * pitch + Lanes.scalarCount }
    /// Vectors in a row.
    var blockCount: Int { (size.i + Lanes.scalarCount - 1) / Lanes.scalarCount }

    /// The offset of the first cell of a row; rows are numbered j + size.j · k.
    @inline(__always) func rowStart(_ row: Int) -> Int { Lanes.scalarCount &+ row &* pitch }
    func offset(_ i: Int, _ j: Int, _ k: Int) -> Int { rowStart(j + size.j * k) + i }
    func index(_ offset: Int) -> VoxelIndex {
        let row = (offset - Lanes.scalarCount) / pitch
        return VoxelIndex(offset - rowStart(row), row % size.j, row / size.j)
    }
    /// Rows that one thread takes at a time, so that there are some dozens of portions.
    var slab: Int { max(1, rowCount / 48) }
}

/// Memory of fixed size that kernels read and write by its address.
final class FixedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let values: UnsafeMutablePointer<Element>
    let count: Int

    init(repeating value: Element, count: Int) {
        self.count = count
        values = .allocate(capacity: max(1, count))
        values.initialize(repeating: value, count: count)
    }
    init(_ elements: [Element]) {
        count = elements.count
        values = .allocate(capacity: max(1, count))
        for (index, element) in elements.enumerated() { (values + index).initialize(to: element) }
    }
    deinit { values.deallocate() }

    func copy(from other: FixedBuffer) { values.update(from: other.values, count: count) }
    var elements: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: values, count: count) }
}

/// One value per cell, ghost cells and padding included.
typealias CellField = FixedBuffer<Float>

extension FixedBuffer where Element == Float {
    convenience init(_ layout: FieldLayout, repeating value: Float = 0) { self.init(repeating: value, count: layout.count) }
}

/// Items that belong to rows, sorted by them.
struct RowList<Item: BitwiseCopyable>: Sendable {
    private let items: FixedBuffer<Item>
    private let first: FixedBuffer<Int>
    private let view: View

    /// `rowOf` tells the row of each item; the order within a row is kept.
    init(_ items: [Item], rowCount: Int, rowOf: (Item) -> Int) {
        let rows = items.map(rowOf)
        self.items = FixedBuffer(items.indices.sorted { (rows[$0], $0) < (rows[$1], $1) }.map { items[$0] })
        var first = [Int](repeating: 0, count: rowCount + 1)
        for row in rows { first[row + 1] += 1 }
        for row in 0..<rowCount { first[row + 1] += first[row] }
        self.first = FixedBuffer(first)
        view = View(items: self.items.values, first: self.first.values, isEmpty: items.isEmpty)
    }
    var isEmpty: Bool { items.count == 0 }
    /// All items, row after row.
    var elements: UnsafeBufferPointer<Item> { items.elements }
    /// For kernels: addresses only, which live as long as the list.
    var kernelView: View { view }

    struct View: @unchecked Sendable {
        let items: UnsafeMutablePointer<Item>
        let first: UnsafeMutablePointer<Int>
        let isEmpty: Bool

        @inline(__always) subscript(row: Int) -> UnsafeBufferPointer<Item> {
            UnsafeBufferPointer(start: items + first[row], count: first[row &+ 1] &- first[row])
        }
        /// Where a row's items begin in the list.
        @inline(__always) func range(ofRow row: Int) -> Range<Int> { first[row]..<first[row &+ 1] }
    }
}
