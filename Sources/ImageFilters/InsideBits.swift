import ImagingCore

/// Which voxels reach a threshold: one bit each, rows padded with an outside voxel before the first and after the last.
///
/// Bit p of a row is voxel i = p − 1. Rows and slices outside the grid are outside.
struct InsideBits {
    let wordsPerRow: Int
    private let words: [UInt64]
    private let size: GridSize
    private let emptyRow: [UInt64]
    /// Whether any bit of a slice is set.
    private let sliceIsEmpty: [Bool]

    init(of field: Volume<Float>, atLeast threshold: Float) {
        let size = field.size
        let wordsPerRow = (size.i + 2 + 63) / 64
        let rowCount = size.j * size.k
        words = field.withUnsafeVoxels { voxels in
            [UInt64](unsafeUninitializedCapacity: wordsPerRow * rowCount) { words, count in
                let words = words.baseAddress!, voxels = voxels.baseAddress!
                forEachSlab(of: rowCount, slab: 256) { rows in
                    for row in rows {
                        Self.pack(voxels + row &* size.i, count: size.i, threshold: threshold, to: words + row &* wordsPerRow, wordsPerRow)
                    }
                }
                count = wordsPerRow * rowCount
            }
        }
        let allWords = words
        sliceIsEmpty = (0..<size.k).map { k in
            !allWords[k * size.j * wordsPerRow..<(k + 1) * size.j * wordsPerRow].contains { $0 != 0 }
        }
        (self.size, self.wordsPerRow) = (size, wordsPerRow)
        emptyRow = [UInt64](repeating: 0, count: wordsPerRow)
    }

    private static func pack(
        _ row: UnsafePointer<Float>, count: Int, threshold: Float, to words: UnsafeMutablePointer<UInt64>, _ wordCount: Int
    ) {
        var carry: UInt64 = 0
        var i = 0
        for word in 0..<wordCount {
            var bits: UInt64 = 0
            var bit: UInt64 = 0
            let end = min(count, i &+ 64)
            while i &+ 8 <= end {
                let eight = UnsafeRawPointer(row + i).loadUnaligned(as: SIMD8<Float>.self) .>= SIMD8(repeating: threshold)
                let ones = SIMD8<Int32>.zero.replacing(with: SIMD8(1, 2, 4, 8, 16, 32, 64, 128), where: eight)
                bits |= UInt64(truncatingIfNeeded: ones.wrappedSum()) &<< bit
                bit &+= 8
                i &+= 8
            }
            while i < end {
                if row[i] >= threshold { bits |= 1 &<< bit }
                bit &+= 1
                i &+= 1
            }
            words[word] = bits &<< 1 | carry
            carry = bits &>> 63
        }
    }

    func isEmpty(slice k: Int) -> Bool { k < 0 || k >= size.k || sliceIsEmpty[k] }

    /// Calls `body` with the words of row (j, k), which may lie outside the grid.
    @inline(__always)
    func withRow<R>(_ j: Int, _ k: Int, _ body: (UnsafePointer<UInt64>) -> R) -> R {
        guard j >= 0, j < size.j, k >= 0, k < size.k else { return emptyRow.withUnsafeBufferPointer { body($0.baseAddress!) } }
        return words.withUnsafeBufferPointer { body($0.baseAddress! + (j &+ k &* size.j) &* wordsPerRow) }
    }
}
