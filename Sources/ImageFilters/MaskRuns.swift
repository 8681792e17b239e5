import ImagingCore

/// The inside voxels of consecutive rows as runs along `i`.
struct MaskRuns {
    /// The first voxel of each run and the voxel after its last, in turn.
    var bounds: [Int32] = []
    /// For each row the number of its first run; one more entry at the end.
    var firstRun: [Int] = []

    var count: Int { bounds.count / 2 }

    /// Runs of `rows`, counted over all slices of a mask of the given size.
    init(of mask: UnsafePointer<UInt8>, size: GridSize, rows: Range<Int>) {
        firstRun.reserveCapacity(rows.count + 1)
        for row in rows {
            firstRun.append(bounds.count / 2)
            appendRuns(of: mask + row &* size.i, count: size.i)
        }
        firstRun.append(bounds.count / 2)
    }

    /// Eight voxels at a time: a byte that differs from the one before it is a bound.
    @inline(__always)
    private mutating func appendRuns(of row: UnsafePointer<UInt8>, count: Int) {
        var i = 0
        var before: UInt64 = 0
        while i &+ 8 <= count {
            let word = UnsafeRawPointer(row + i).loadUnaligned(as: UInt64.self).littleEndian
            var changes = word ^ (word &<< 8 | before)
            while changes != 0 {
                bounds.append(Int32(truncatingIfNeeded: i &+ changes.trailingZeroBitCount &>> 3))
                changes &= changes &- 1
            }
            before = word &>> 56
            i &+= 8
        }
        while i < count {
            if UInt64(row[i]) != before { bounds.append(Int32(truncatingIfNeeded: i)) }
            before = UInt64(row[i])
            i &+= 1
        }
        if before != 0 { bounds.append(Int32(truncatingIfNeeded: count)) }
    }
}
