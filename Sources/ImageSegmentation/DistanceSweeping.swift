import Foundation
import ImagingCore
import Synchronization

/// Distances that fall, from some that are known, as far as the eikonal equation lets them, in sweeps from the grid's eight corners.
///
/// What a row becomes depends on the rows before it in its slice and in the slice before. A second thread can therefore sweep the second
/// half of each slice's rows behind the first, and the result is that of one thread. It stays so far behind that both never touch one row.
struct DistanceSweeping: ~Copyable {
    private let distance: UnsafeMutablePointer<Float>
    private let size: GridSize, h: SIMD3<Float>, weights: SIMD3<Float>
    /// Whether a voxel may come nearer, and whether one in its row may: a neighbour did. Rows are padded to whole words, which are
    /// passed over together where nothing in them is open.
    private let isOpen: UnsafeMutablePointer<UInt8>, isRowOpen: UnsafeMutablePointer<UInt8>
    private let pitch: Int
    /// What stands for the rows beyond the grid.
    private let beyond: UnsafeMutablePointer<Float>

    private static let word = MemoryLayout<UInt64>.size
    private static let far = Float.greatestFiniteMagnitude
    /// A smaller grid is swept before a second thread has come.
    private static let fewestForTwo = 1 << 15

    /// - Parameters:
    ///   - distance: what is known, `limitMM` elsewhere; lies there as long as this does.
    ///   - limitMM: nothing becomes larger.
    init(_ distance: UnsafeMutableBufferPointer<Float>, size: GridSize, spacing: SIMD3<Float>, limitMM: Float) {
        (self.distance, self.size, h, weights) = (distance.baseAddress!, size, spacing, 1 / (spacing * spacing))
        pitch = (size.i + Self.word - 1) / Self.word * Self.word
        let rows = size.j * size.k
        isOpen = .allocate(capacity: pitch * rows)
        isOpen.initialize(repeating: 0, count: pitch * rows)
        isRowOpen = .allocate(capacity: rows)
        isRowOpen.initialize(repeating: 0, count: rows)
        beyond = .allocate(capacity: size.i)
        beyond.initialize(repeating: Self.far, count: size.i)
        for k in 0..<size.k {
            for j in 0..<size.j {
                let row = Row(j, k, of: self)
                for i in 0..<size.i where row.distance[i] < limitMM { row.open(around: i) }
            }
        }
    }

    deinit {
        isOpen.deallocate()
        isRowOpen.deallocate()
        beyond.deallocate()
    }

    /// - Parameter direction: which of the eight corners the sweep starts from.
    /// - Returns: whether a distance became shorter by more than a twentieth of the smallest spacing.
    @discardableResult
    func sweep(_ direction: Int) -> Bool {
        let parts = size.voxelCount < Self.fewestForTwo ? 1 : 2
        let done = Atomic<Int>(0)
        // Parts are begun in their order: the first never waits for the second.
        let changes = mapSlabs(of: parts, slab: 1) { part in
            let isFirst = part.lowerBound == 0
            let rows = isFirst ? 0..<(size.j + parts - 1) / parts : (size.j + parts - 1) / parts..<size.j
            var changed = false
            for slice in 0..<size.k {
                // The first half's last row opens rows of the second half in its own slice alone, and of its own in those beside it.
                if !isFirst { Self.wait(for: done, toReach: min(size.k, slice + 2)) }
                let k = direction & 4 == 0 ? slice : size.k &- 1 &- slice
                for line in rows {
                    let j = direction & 2 == 0 ? line : size.j &- 1 &- line
                    if sweepRow(j, k, isForward: direction & 1 == 0) { changed = true }
                }
                if isFirst { done.store(slice + 1, ordering: .releasing) }
            }
            return changed
        }
        return changes.contains(true)
    }

    private static func wait(for done: borrowing Atomic<Int>, toReach slices: Int) {
        var tries = 0
        while done.load(ordering: .acquiring) < slices {
            tries += 1
            if tries > 1000 { sched_yield() }
        }
    }

    private func sweepRow(_ j: Int, _ k: Int, isForward: Bool) -> Bool {
        guard isRowOpen[j &+ k &* size.j] != 0 else { return false }
        isRowOpen[j &+ k &* size.j] = 0
        let row = Row(j, k, of: self), (h, weights, count) = (h, weights, size.i), noticeable = 0.05 * h.min()
        var changed = false
        for n in 0..<pitch / Self.word {
            let start = (isForward ? n : pitch / Self.word &- 1 &- n) &* Self.word, end = min(start &+ Self.word, count)
            guard UnsafeRawPointer(row.isOpen + start).loadUnaligned(as: UInt64.self) != 0 else { continue }
            for m in 0..<end &- start {
                let i = isForward ? start &+ m : end &- 1 &- m
                guard row.isOpen[i] != 0 else { continue }
                row.isOpen[i] = 0
                let old = row.distance[i], (a, b, c) = row.nearest(to: i)
                // No way through a neighbour is shorter than the neighbour's own.
                guard min(a, b, c) < old else { continue }
                let new = Self.eikonal(a, b, c, h, weights)
                guard new < old else { continue }
                changed = changed || new < old - noticeable
                row.distance[i] = new
                row.open(around: i)
            }
        }
        return changed
    }

    /// The smallest u with Σ max(0, (u − aᵢ)/hᵢ)² = 1 over the axes' nearest values (Godunov's upwind scheme).
    @inline(__always)
    private static func eikonal(_ a: Float, _ b: Float, _ c: Float, _ h: SIMD3<Float>, _ w: SIMD3<Float>) -> Float {
        var (v0, v1, v2) = (a, b, c), (h0, w0) = (h.x, w.x), (w1, w2) = (w.y, w.z)
        var h1 = h.y, h2 = h.z
        if v1 < v0 { swap(&v0, &v1); swap(&h0, &h1); swap(&w0, &w1) }
        if v2 < v0 { swap(&v0, &v2); swap(&h0, &h2); swap(&w0, &w2) }
        if v2 < v1 { swap(&v1, &v2); swap(&h1, &h2); swap(&w1, &w2) }
        guard v0 < far else { return v0 }
        var u = v0 + h0
        if u <= v1 { return u }
        var sumW = w0 + w1, sumV = w0 * v0 + w1 * v1, sumVV = w0 * v0 * v0 + w1 * v1 * v1
        u = (sumV + max(0, sumV * sumV - sumW * (sumVV - 1)).squareRoot()) / sumW
        if u <= v2 { return u }
        sumW += w2
        sumV += w2 * v2
        sumVV += w2 * v2 * v2
        return (sumV + max(0, sumV * sumV - sumW * (sumVV - 1)).squareRoot()) / sumW
    }

    /// A row of voxels and the four beside it.
    private struct Row {
        let distance: UnsafeMutablePointer<Float>, isOpen: UnsafeMutablePointer<UInt8>
        private let isRowOpen: UnsafeMutablePointer<UInt8>
        private let last: Int
        private typealias Side = (distance: UnsafeMutablePointer<Float>, isOpen: UnsafeMutablePointer<UInt8>?, row: Int)
        private let number: Int, previous: Side, next: Side, below: Side, above: Side

        @inline(__always)
        init(_ j: Int, _ k: Int, of sweeping: borrowing DistanceSweeping) {
            let size = sweeping.size, number = j &+ k &* size.j
            let (distances, opens, pitch) = (sweeping.distance, sweeping.isOpen, sweeping.pitch)
            let outside: Side = (sweeping.beyond, nil, 0)
            func side(_ exists: Bool, _ row: Int) -> Side {
                exists ? (distances + row &* size.i, opens + row &* pitch, row) : outside
            }
            (distance, isOpen) = (distances + number &* size.i, opens + number &* pitch)
            isRowOpen = sweeping.isRowOpen
            (last, self.number) = (size.i &- 1, number)
            previous = side(j > 0, number &- 1)
            next = side(j &+ 1 < size.j, number &+ 1)
            below = side(k > 0, number &- size.j)
            above = side(k &+ 1 < size.k, number &+ size.j)
        }

        /// The nearer neighbour's distance along each axis.
        @inline(__always)
        func nearest(to i: Int) -> (Float, Float, Float) {
            (
                min(i > 0 ? distance[i &- 1] : far, i < last ? distance[i &+ 1] : far),
                min(previous.distance[i], next.distance[i]), min(below.distance[i], above.distance[i]))
        }

        /// Opens what lies farther than the voxel and beside it.
        @inline(__always)
        func open(around i: Int) {
            let value = distance[i]
            @inline(__always) func open(_ side: Side) {
                guard let opens = side.isOpen, side.distance[i] > value else { return }
                opens[i] = 1
                isRowOpen[side.row] = 1
            }
            if i > 0, distance[i &- 1] > value { isOpen[i &- 1] = 1; isRowOpen[number] = 1 }
            if i < last, distance[i &+ 1] > value { isOpen[i &+ 1] = 1; isRowOpen[number] = 1 }
            open(previous)
            open(next)
            open(below)
            open(above)
        }
    }
}
