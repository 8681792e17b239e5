import ImagingCore

extension Mask {
    /// The distance in millimetres from each voxel centre to the nearest voxel centre inside the mask; zero inside.
    ///
    /// Exact to `Float` rounding (Felzenszwalb & Huttenlocher 2012). An empty mask gives `.infinity` everywhere; spacing may
    /// differ per axis. Complexity: O(voxels); no memory but the result.
    public func distanceToInside() -> Volume<Float> { distanceField(.outside) }

    /// The square, in square millimetres, of `distanceToInside`.
    public func squaredDistanceToInside() -> Volume<Float> { distanceField(.squaredOutside) }

    /// The distance in millimetres from each voxel centre to the nearest voxel centre of the other kind, positive inside the
    /// mask and negative outside.
    ///
    /// Voxel-centre based: the voxels on both sides of a face are at plus and minus one spacing, so that linear interpolation
    /// puts the zero in the middle. A uniform mask gives `±.infinity`. Complexity as `distanceToInside`.
    public func signedDistance() -> Volume<Float> { distanceField(.signed) }

    fileprivate enum DistanceKind { case squaredOutside, outside, signed }

    /// Squares of distances are kept positive outside and negative inside until the last step.
    private func distanceField(_ kind: DistanceKind) -> Volume<Float> {
        let size = size, spacing = geometry.spacing
        return withUnsafeVoxels { mask in
            Volume<Float>(geometry: geometry) { field in
                let mask = mask.baseAddress!, field = field.baseAddress!
                forEachSlab(of: size.k, slab: 4) { slices in
                    if size.j < 1 << 14 {
                        let kernel = SliceDistance<UInt16>(size: size, spacing: spacing, insideToo: kind == .signed)
                        for k in slices { kernel.fill(mask + k * size.sliceVoxelCount, to: field + k * size.sliceVoxelCount) }
                    } else {
                        let kernel = SliceDistance<UInt32>(size: size, spacing: spacing, insideToo: kind == .signed)
                        for k in slices { kernel.fill(mask + k * size.sliceVoxelCount, to: field + k * size.sliceVoxelCount) }
                    }
                }
                forEachSlab(of: size.j, slab: 8) { rows in
                    let kernel = ThroughSliceDistance(size: size, spacingMM: spacing.z, kind: kind)
                    for j in rows { kernel.update(field + j * size.i) }
                }
            }
        }
    }
}

/// The signed squared distances within one slice: along `j` by counting, along `i` by lower envelopes.
private struct SliceDistance<Count: FixedWidthInteger & UnsignedInteger>: ~Copyable {
    let size: GridSize
    let squaredSpacingJ: Float
    let insideToo: Bool
    let envelope: LowerEnvelope
    /// Steps upwards to the nearest voxel of the other kind in the same column; at least `none` where there is none.
    let above: UnsafeMutablePointer<Count>
    let below: UnsafeMutablePointer<Count>
    let squares: UnsafeMutablePointer<Float>
    let result: UnsafeMutablePointer<Float>

    private var none: Count { 1 << (Count.bitWidth - 2) }

    init(size: GridSize, spacing: SIMD3<Double>, insideToo: Bool) {
        self.size = size
        self.insideToo = insideToo
        squaredSpacingJ = Float(spacing.y * spacing.y)
        envelope = LowerEnvelope(lineLength: size.i, spacingMM: spacing.x)
        above = .allocate(capacity: size.sliceVoxelCount)
        below = .allocate(capacity: size.i)
        squares = .allocate(capacity: size.i)
        result = .allocate(capacity: size.i + LowerEnvelope.overshoot)
    }

    deinit {
        above.deallocate()
        below.deallocate()
        squares.deallocate()
        result.deallocate()
    }

    func fill(_ mask: UnsafePointer<UInt8>, to field: UnsafeMutablePointer<Float>) {
        let (columns, rows) = (size.i, size.j)
        above.update(repeating: none, count: columns)
        for j in 1..<max(rows, 1) {
            let row = mask + j &* columns, previous = row - columns
            let steps = above + j &* columns, previousSteps = steps - columns
            for i in 0..<columns { steps[i] = row[i] == previous[i] ? previousSteps[i] &+ 1 : 1 }
        }
        // A column that changes at all has a finite count in its last row.
        let lastSteps = above + (rows - 1) * columns
        guard let firstFinite = (0..<columns).first(where: { lastSteps[$0] < none }) else {
            fillUniformColumns(mask, to: field)
            return
        }
        let lastFinite = (0..<columns).last { lastSteps[$0] < none }!
        below.update(repeating: none, count: columns)
        for j in stride(from: rows - 1, through: 0, by: -1) {
            let row = mask + j &* columns, steps = above + j &* columns
            if j < rows - 1 {
                let next = row + columns
                for i in 0..<columns { below[i] = row[i] == next[i] ? below[i] &+ 1 : 1 }
            }
            for i in 0..<columns {
                let nearest = min(steps[i], below[i])
                let count = Float(Int32(truncatingIfNeeded: nearest))
                squares[i] = nearest >= none ? .infinity : squaredSpacingJ * (count * count)
            }
            joinRow(row, finite: firstFinite..<lastFinite + 1, to: field + j &* columns)
        }
    }

    /// Every column is uniform, so all rows are alike.
    private func fillUniformColumns(_ mask: UnsafePointer<UInt8>, to field: UnsafeMutablePointer<Float>) {
        squares.update(repeating: .infinity, count: size.i)
        joinRow(mask, finite: 0..<0, to: field)
        for j in 1..<max(size.j, 1) { (field + j * size.i).update(from: field, count: size.i) }
    }

    @inline(__always)
    private func joinRow(_ mask: UnsafePointer<UInt8>, finite: Range<Int>, to field: UnsafeMutablePointer<Float>) {
        let columns = size.i
        var first = 0
        while first < columns {
            let inside = mask[first] != 0
            let end = endOfRun(mask, from: first, count: columns)
            if inside && !insideToo {
                (result + first).update(repeating: -1, count: end - first)
            } else {
                envelope.fill(
                    first..<end, finite: finite, zeroBefore: first > 0, zeroAfter: end < columns, sign: inside ? -1 : 1,
                    from: squares, to: result)
            }
            first = end
        }
        field.update(from: result, count: columns)
    }
}

/// The end of the run of equal bytes that starts at `first`.
@inline(__always)
func endOfRun(_ bytes: UnsafePointer<UInt8>, from first: Int, count: Int) -> Int {
    let value = bytes[first]
    let pattern = UInt64(value) &* 0x0101_0101_0101_0101
    var end = first &+ 1
    while end &+ 8 <= count {
        let difference = UnsafeRawPointer(bytes + end).loadUnaligned(as: UInt64.self).littleEndian ^ pattern
        if difference != 0 { return end &+ difference.trailingZeroBitCount >> 3 }
        end &+= 8
    }
    while end < count && bytes[end] == value { end &+= 1 }
    return end
}

/// Joins slices: lower envelopes along `k`, on blocks of neighbouring columns so that memory is read and written by rows.
private struct ThroughSliceDistance: ~Copyable {
    private static let width = 32

    let size: GridSize
    let kind: Mask.DistanceKind
    let envelope: LowerEnvelope
    let pitch: Int
    let columns: UnsafeMutablePointer<Float>
    let results: UnsafeMutablePointer<Float>

    init(size: GridSize, spacingMM: Double, kind: Mask.DistanceKind) {
        self.size = size
        self.kind = kind
        envelope = LowerEnvelope(lineLength: size.k, spacingMM: spacingMM)
        pitch = (size.k + 3) / 4 * 4 + LowerEnvelope.overshoot
        columns = .allocate(capacity: pitch * Self.width)
        results = .allocate(capacity: pitch * Self.width)
        columns.initialize(repeating: 0, count: pitch * Self.width)
        results.initialize(repeating: 0, count: pitch * Self.width)
    }

    deinit {
        columns.deallocate()
        results.deallocate()
    }

    /// Joins and finishes the rows with one `j` in all slices; `row` is the first of them.
    func update(_ row: UnsafeMutablePointer<Float>) {
        var i = 0
        while i < size.i {
            let width = min(Self.width, size.i - i)
            gather(row + i, width)
            for lane in 0..<width { join(columns + lane &* pitch, to: results + lane &* pitch) }
            scatter(row + i, width)
            i += width
        }
    }

    private func join(_ column: UnsafeMutablePointer<Float>, to result: UnsafeMutablePointer<Float>) {
        let count = size.k
        var first = 0
        while first < count {
            let inside = column[first].sign == .minus
            var end = first &+ 1
            while end < count && (column[end].sign == .minus) == inside { end &+= 1 }
            if inside && kind != .signed {
                (result + first).update(repeating: -1, count: end - first)
            } else {
                envelope.fill(
                    first..<end, finite: 0..<count, zeroBefore: first > 0, zeroAfter: end < count, sign: inside ? -1 : 1,
                    from: column, to: result)
            }
            first = end
        }
    }

    private func gather(_ row: UnsafePointer<Float>, _ width: Int) {
        let stride = size.sliceVoxelCount
        for k in 0..<size.k {
            let source = row + k &* stride
            for lane in 0..<width { columns[lane &* pitch &+ k] = source[lane] }
        }
    }

    private func scatter(_ row: UnsafeMutablePointer<Float>, _ width: Int) {
        let stride = size.sliceVoxelCount
        for k in 0..<size.k {
            let target = row + k &* stride
            switch kind {
            case .squaredOutside: for lane in 0..<width { target[lane] = max(results[lane &* pitch &+ k], 0) }
            case .outside: for lane in 0..<width { target[lane] = max(results[lane &* pitch &+ k], 0).squareRoot() }
            case .signed:
                for lane in 0..<width {
                    let square = results[lane &* pitch &+ k]
                    target[lane] = square < 0 ? (-square).squareRoot() : -square.squareRoot()
                }
            }
        }
    }
}
