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

/// The signed squared distances within one slice: along `j` by counting, then joined along `i`.
struct SliceDistance<Count: FixedWidthInteger & UnsignedInteger>: ~Copyable {
    let size: GridSize
    let squaredSpacingJ: Float
    let rows: LineDistance
    /// Steps down the column to the nearest voxel of the other kind; at least `none` where there is none.
    let below: UnsafeMutablePointer<Count>
    let above: UnsafeMutablePointer<Count>
    private let paddedSquares: UnsafeMutablePointer<Float>
    private var squares: UnsafeMutablePointer<Float> { paddedSquares + LineDistance.padding }
    let lastRow: UnsafeMutablePointer<Float>

    private var none: Count { 1 << (Count.bitWidth - 2) }

    init(size: GridSize, spacing: SIMD3<Double>, insideToo: Bool) {
        self.size = size
        squaredSpacingJ = Float(spacing.y * spacing.y)
        rows = LineDistance(lineLength: size.i, spacingMM: spacing.x, insideToo: insideToo)
        below = .allocate(capacity: size.sliceVoxelCount)
        above = .allocate(capacity: size.i)
        paddedSquares = .allocate(capacity: size.i + 2 * LineDistance.padding)
        paddedSquares.initialize(repeating: .infinity, count: size.i + 2 * LineDistance.padding)
        lastRow = .allocate(capacity: size.i + LineDistance.overshoot)
    }

    deinit {
        below.deallocate()
        above.deallocate()
        paddedSquares.deallocate()
        lastRow.deallocate()
    }

    func fill(_ mask: UnsafePointer<UInt8>, to field: UnsafeMutablePointer<Float>) {
        let columns = size.i, last = size.j - 1
        let none = none
        (below + last * columns).update(repeating: none, count: columns)
        for j in stride(from: last - 1, through: 0, by: -1) {
            let row = mask + j &* columns, next = row + columns
            let steps = below + j &* columns, nextSteps = steps + columns
            for i in 0..<columns { steps[i] = row[i] == next[i] ? nextSteps[i] &+ 1 : 1 }
        }
        above.update(repeating: none, count: columns)
        for j in 0...last {
            let row = mask + j &* columns, steps = below + j &* columns
            if j > 0 {
                let previous = row - columns
                for i in 0..<columns { above[i] = row[i] == previous[i] ? above[i] &+ 1 : 1 }
            }
            for i in 0..<columns {
                let nearest = min(steps[i], above[i])
                let count = Float(Int32(truncatingIfNeeded: nearest))
                let square = nearest >= none ? Float.infinity : squaredSpacingJ * (count * count)
                squares[i] = Float(bitPattern: square.bitPattern | UInt32(truncatingIfNeeded: row[i]) &<< 31)
            }
            let target = field + j &* columns
            if (last - j) * columns >= LineDistance.overshoot {
                // What is spoilt past its end is the start of the next rows, which are yet to come; never another slice.
                rows.join(squares, count: columns, to: target)
            } else {
                rows.join(squares, count: columns, to: lastRow)
                target.update(from: lastRow, count: columns)
            }
        }
    }
}

/// Joins slices along `k`, on blocks of neighbouring columns so that memory is read and written by rows.
private struct ThroughSliceDistance: ~Copyable {
    private static let width = 32

    let size: GridSize
    let kind: Mask.DistanceKind
    let lines: LineDistance
    private let pitch: Int
    private let paddedColumns: UnsafeMutablePointer<Float>
    private var columns: UnsafeMutablePointer<Float> { paddedColumns + LineDistance.padding }
    private let results: UnsafeMutablePointer<Float>

    init(size: GridSize, spacingMM: Double, kind: Mask.DistanceKind) {
        self.size = size
        self.kind = kind
        lines = LineDistance(lineLength: size.k, spacingMM: spacingMM, insideToo: kind == .signed)
        // A pitch that is not a power of two keeps neighbouring columns out of one cache set.
        pitch = (size.k + 3) / 4 * 4 + LineDistance.padding + 4
        paddedColumns = .allocate(capacity: pitch * Self.width + 2 * LineDistance.padding)
        results = .allocate(capacity: pitch * Self.width)
        paddedColumns.initialize(repeating: .infinity, count: pitch * Self.width + 2 * LineDistance.padding)
        results.initialize(repeating: 0, count: pitch * Self.width)
    }

    deinit {
        paddedColumns.deallocate()
        results.deallocate()
    }

    /// Joins and finishes the rows with one `j` in all slices; `row` is the first of them.
    func update(_ row: UnsafeMutablePointer<Float>) {
        var i = 0
        while i < size.i {
            let width = min(Self.width, size.i - i)
            gather(row + i, width)
            for lane in 0..<width { lines.join(columns + lane &* pitch, count: size.k, to: results + lane &* pitch) }
            scatter(row + i, width)
            i += width
        }
    }

    private func gather(_ row: UnsafePointer<Float>, _ width: Int) {
        let stride = size.sliceVoxelCount
        var k = 0
        while k &+ 4 <= size.k && width == Self.width {
            for lane in Swift.stride(from: 0, to: Self.width, by: 4) {
                let block = Block4x4(reading: row + (k &* stride &+ lane), pitch: stride)
                block.transposed.write(to: columns + (lane &* pitch &+ k), pitch: pitch)
            }
            k &+= 4
        }
        while k < size.k {
            for lane in 0..<width { columns[lane &* pitch &+ k] = row[k &* stride &+ lane] }
            k &+= 1
        }
    }

    private func scatter(_ row: UnsafeMutablePointer<Float>, _ width: Int) {
        let stride = size.sliceVoxelCount
        var k = 0
        while k &+ 4 <= size.k && width == Self.width {
            for lane in Swift.stride(from: 0, to: Self.width, by: 4) {
                var block = Block4x4(reading: results + (lane &* pitch &+ k), pitch: pitch).transposed
                block.rows = (finish(block.rows.0), finish(block.rows.1), finish(block.rows.2), finish(block.rows.3))
                block.write(to: row + (k &* stride &+ lane), pitch: stride)
            }
            k &+= 4
        }
        while k < size.k {
            for lane in 0..<width { row[k &* stride &+ lane] = finish(SIMD4(repeating: results[lane &* pitch &+ k]))[0] }
            k &+= 1
        }
    }

    /// From signed squares, negative inside, to what was asked for.
    @inline(__always)
    private func finish(_ squares: SIMD4<Float>) -> SIMD4<Float> {
        switch kind {
        case .squaredOutside: return squares.replacing(with: 0, where: squares .< 0)
        case .outside: return squares.replacing(with: 0, where: squares .< 0).squareRoot()
        case .signed:
            let bits = unsafeBitCast(squares, to: SIMD4<UInt32>.self)
            let roots = unsafeBitCast(bits & 0x7FFF_FFFF, to: SIMD4<Float>.self).squareRoot()
            return unsafeBitCast(unsafeBitCast(roots, to: SIMD4<UInt32>.self) | (~bits & 0x8000_0000), to: SIMD4<Float>.self)
        }
    }
}

/// Four rows of four neighbouring numbers each.
private struct Block4x4 {
    var rows: (SIMD4<Float>, SIMD4<Float>, SIMD4<Float>, SIMD4<Float>)

    @inline(__always)
    init(reading source: UnsafePointer<Float>, pitch: Int) {
        @inline(__always) func row(_ index: Int) -> SIMD4<Float> {
            UnsafeRawPointer(source + index &* pitch).loadUnaligned(as: SIMD4<Float>.self)
        }
        rows = (row(0), row(1), row(2), row(3))
    }

    @inline(__always)
    private init(_ a: SIMD4<Float>, _ b: SIMD4<Float>, _ c: SIMD4<Float>, _ d: SIMD4<Float>) { rows = (a, b, c, d) }

    var transposed: Block4x4 {
        @inline(__always) get {
            let (a, b, c, d) = rows
            return Block4x4(
                SIMD4(a.x, b.x, c.x, d.x), SIMD4(a.y, b.y, c.y, d.y), SIMD4(a.z, b.z, c.z, d.z), SIMD4(a.w, b.w, c.w, d.w))
        }
    }

    @inline(__always)
    func write(to target: UnsafeMutablePointer<Float>, pitch: Int) {
        UnsafeMutableRawPointer(target).storeBytes(of: rows.0, as: SIMD4<Float>.self)
        UnsafeMutableRawPointer(target + pitch).storeBytes(of: rows.1, as: SIMD4<Float>.self)
        UnsafeMutableRawPointer(target + 2 &* pitch).storeBytes(of: rows.2, as: SIMD4<Float>.self)
        UnsafeMutableRawPointer(target + 3 &* pitch).storeBytes(of: rows.3, as: SIMD4<Float>.self)
    }
}
