import ImagingCore

/// How cell values lie in memory: rows along i, padded so that whole vectors may be read from any cell, with a ghost cell at either end.
struct FieldLayout: Sendable {
    typealias Lanes = SIMD8<Float>
    static let laneCount = Lanes.scalarCount

    let size: GridSize
    /// From row to row; a multiple of the vector's length.
    let pitch: Int

    init(_ size: GridSize) {
        self.size = size
        pitch = Self.laneCount + (size.i + 1 + Self.laneCount - 1) / Self.laneCount * Self.laneCount
    }

    var rowCount: Int { size.j * size.k }
    var count: Int { rowCount * pitch + Self.laneCount }
    /// Vectors in a row.
    var blockCount: Int { (size.i + Self.laneCount - 1) / Self.laneCount }

    /// The offset of the first cell of a row; rows are numbered j + size.j · k.
    func rowStart(_ row: Int) -> Int { Self.laneCount + row * pitch }
    func offset(_ i: Int, _ j: Int, _ k: Int) -> Int { rowStart(j + size.j * k) + i }
    func index(_ offset: Int) -> VoxelIndex {
        let row = (offset - Self.laneCount) / pitch
        return VoxelIndex(offset - rowStart(row), row % size.j, row / size.j)
    }
    /// Rows that one thread takes at a time, so that there are some dozens of portions.
    var slab: Int { max(1, rowCount / 48) }
}

/// One value per cell, ghost cells and padding included.
final class CellField: @unchecked Sendable {
    let values: UnsafeMutablePointer<Float>
    private let count: Int

    init(_ layout: FieldLayout, repeating value: Float = 0) {
        count = layout.count
        values = .allocate(capacity: count)
        values.initialize(repeating: value, count: count)
    }
    deinit { values.deallocate() }

    func copy(from other: CellField) { values.update(from: other.values, count: count) }
}
