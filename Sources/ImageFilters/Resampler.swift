import ImagingCore

/// A voxel type that can be interpolated.
protocol InterpolatedVoxel: VoxelValue {
    var interpolated: Float { get }
    init(interpolated: Float)
}
extension Float: InterpolatedVoxel {
    var interpolated: Float { self }
    init(interpolated: Float) { self = interpolated }
}
extension Int16: InterpolatedVoxel {
    var interpolated: Float { Float(self) }
    /// Rounded half away from zero.
    init(interpolated value: Float) {
        let limited = Swift.min(Swift.max(value, -32768), 32767)
        self = Int16(truncatingIfNeeded: Int32(limited + (limited < 0 ? -0.5 : 0.5)))
    }
}

/// Samples a volume along the rows of another grid.
struct Resampler<Voxel: InterpolatedVoxel> {
    let source: Volume<Voxel>

    init(_ source: Volume<Voxel>) { self.source = source }

    /// Each row of the target is a straight line through the source.
    func volume(on grid: GridGeometry, _ transform: AffineTransform, _ interpolation: Interpolation, outside: Voxel) -> Volume<Voxel> {
        let toSource = grid.indexToPatient.followed(by: transform).followed(by: source.geometry.indexToPatient.inverse!)
        let step = SIMD3(toSource.matrix.rows.0.x, toSource.matrix.rows.1.x, toSource.matrix.rows.2.x)
        return volume(on: grid) { sampler, j, k, target in
            let start = toSource(PatientPoint(0, Double(j), Double(k))).lps
            switch interpolation {
            case .nearest: sampler.line(from: start, step: step, count: grid.size.i, outside: outside, to: target, reach: 0...0) {
                $0.nearest($1)
            }
            case .linear: sampler.line(from: start, step: step, count: grid.size.i, outside: outside, to: target, reach: 0...1) {
                $0.linear($1)
            }
            case .cubic: sampler.line(from: start, step: step, count: grid.size.i, outside: outside, to: target, reach: -1...2) {
                $0.cubic($1)
            }
            }
        }
    }

    /// `mapRow` gives the source indices of a row's voxels.
    func volume(
        on grid: GridGeometry, _ mapRow: (ResampledRow, UnsafeMutablePointer<SIMD3<Double>>) -> Void,
        _ interpolation: Interpolation, outside: Voxel
    ) -> Volume<Voxel> {
        let step = grid.spacing.x * grid.axes.i
        return volume(on: grid) { sampler, j, k, target in
            withUnsafeTemporaryAllocation(of: SIMD3<Double>.self, capacity: grid.size.i) { indices in
                let row = ResampledRow(first: grid.point(VoxelIndex(0, j, k)), step: step, count: grid.size.i, source: source.geometry)
                mapRow(row, indices.baseAddress!)
                for i in 0..<grid.size.i { target[i] = sampler.clamped(indices[i], interpolation) ?? outside }
            }
        }
    }

    private func volume(
        on grid: GridGeometry, _ fillRow: (Sampler<Voxel>, _ j: Int, _ k: Int, UnsafeMutablePointer<Voxel>) -> Void
    ) -> Volume<Voxel> {
        let size = grid.size
        return source.withUnsafeVoxels { voxels in
            let sampler = Sampler(voxels: voxels.baseAddress!, size: source.size)
            return Volume(geometry: grid) { target in
                forEachSlab(of: size.j * size.k, slab: 32) { rows in
                    for row in rows { fillRow(sampler, row % size.j, row / size.j, target.baseAddress! + row * size.i) }
                }
            }
        }
    }
}

/// Values of a volume at continuous indices.
struct Sampler<Voxel: InterpolatedVoxel> {
    let voxels: UnsafePointer<Voxel>
    let size: GridSize

    /// An index as a whole voxel and a fraction of at least 0 and below 1 per axis.
    struct Position {
        var offset: Int
        var fraction: SIMD3<Float>
    }

    // MARK: Lines

    /// Index arithmetic along a line: 32 bits before and 32 after the point, so that every step is the same.
    private static var one: Double { 4_294_967_296 }

    /// Samples `count` points from `from` on. Where all voxels that `inner` needs (`reach`, relative to the lower voxel) lie in the
    /// grid, it is called without checks; the ends of the line go through `clamped`.
    @inline(__always)
    func line(
        from start: SIMD3<Double>, step: SIMD3<Double>, count: Int, outside: Voxel, to target: UnsafeMutablePointer<Voxel>,
        reach: ClosedRange<Int>, _ inner: (Sampler, Position) -> Float
    ) {
        let interpolation: Interpolation = reach.count == 1 ? .nearest : reach.count == 2 ? .linear : .cubic
        let shift: Double = reach.count == 1 ? 0.5 : 0
        let range = innerRange(from: start + shift, step: step, count: count, reach: reach)
        for i in 0..<range.lowerBound { target[i] = clamped(start + Double(i) * step, interpolation) ?? outside }
        if !range.isEmpty {
            let fixedStep = fixed(step)
            var position = fixed(start + shift) &+ fixedStep &* Int64(range.lowerBound)
            let rowPitch = size.i, slicePitch = size.i &* size.j
            for i in range {
                let whole = position &>> 32
                let part = SIMD4<UInt32>(truncatingIfNeeded: SIMD4(position, 0))
                let offset = Int(whole.x) &+ Int(whole.y) &* rowPitch &+ Int(whole.z) &* slicePitch
                let fraction = SIMD3(Self.fraction(part.x), Self.fraction(part.y), Self.fraction(part.z))
                target[i] = Voxel(interpolated: inner(self, Position(offset: offset, fraction: fraction)))
                position &+= fixedStep
            }
        }
        for i in range.upperBound..<count { target[i] = clamped(start + Double(i) * step, interpolation) ?? outside }
    }

    /// 24 bits, so that the fraction stays below 1.
    @inline(__always)
    private static func fraction(_ part: UInt32) -> Float { Float(Int32(truncatingIfNeeded: part &>> 8)) * 0x1p-24 }

    private func fixed(_ value: SIMD3<Double>) -> SIMD3<Int64> {
        SIMD3(Int64((value.x * Self.one).rounded()), Int64((value.y * Self.one).rounded()), Int64((value.z * Self.one).rounded()))
    }

    /// The points of a line whose voxels within `reach` all lie in the grid.
    private func innerRange(from start: SIMD3<Double>, step: SIMD3<Double>, count: Int, reach: ClosedRange<Int>) -> Range<Int> {
        var low = 0.0, high = Double(count - 1)
        for axis in 0..<3 {
            let voxelCount = [size.i, size.j, size.k][axis]
            // Rounding of the fixed-point line stays far below this margin.
            let first = Double(-reach.lowerBound) + 1e-6, last = Double(voxelCount - reach.upperBound) - 1e-6
            guard first < last else { return 0..<0 }
            if abs(step[axis]) < 1e-12 {
                if start[axis] < first || start[axis] > last { return 0..<0 }
            } else {
                let a = (first - start[axis]) / step[axis], b = (last - start[axis]) / step[axis]
                low = max(low, min(a, b))
                high = min(high, max(a, b))
            }
        }
        guard low <= high else { return 0..<0 }
        let lower = Int(low.rounded(.up)), upper = Int(high.rounded(.down))
        return lower <= upper ? lower..<upper + 1 : 0..<0
    }

    @inline(__always)
    func nearest(_ position: Position) -> Float { voxels[position.offset].interpolated }

    @inline(__always)
    func linear(_ position: Position) -> Float {
        let f = position.fraction
        @inline(__always) func alongI(_ corner: UnsafePointer<Voxel>) -> Float {
            let a = corner[0].interpolated, b = corner[1].interpolated
            return a + f.x * (b - a)
        }
        let corner = voxels + position.offset
        let next = corner + size.i, over = corner + size.i &* size.j
        let a0 = alongI(corner), a1 = alongI(next), b0 = alongI(over), b1 = alongI(over + size.i)
        let a = a0 + f.y * (a1 - a0), b = b0 + f.y * (b1 - b0)
        return a + f.z * (b - a)
    }

    @inline(__always)
    func cubic(_ position: Position) -> Float {
        let weightI = Self.cubicWeights(position.fraction.x)
        let weightJ = Self.cubicWeights(position.fraction.y), weightK = Self.cubicWeights(position.fraction.z)
        var sum = SIMD4<Float>.zero
        for k in 0..<4 {
            for j in 0..<4 {
                let row = voxels + (position.offset &- 1 &+ (j &- 1) &* size.i &+ (k &- 1) &* size.i &* size.j)
                let four = SIMD4(row[0].interpolated, row[1].interpolated, row[2].interpolated, row[3].interpolated)
                sum += (weightJ[j] * weightK[k]) * four
            }
        }
        return (sum * weightI).sum()
    }

    /// The weights of the voxels at −1, 0, 1 and 2 for a point at `t` between 0 and 1.
    @inline(__always)
    static func cubicWeights(_ t: Float) -> SIMD4<Float> {
        let s = 1 - t
        return SIMD4(-0.5 * t * s * s, 1 + t * t * (1.5 * t - 2.5), 1 + s * s * (1.5 * s - 2.5), -0.5 * s * t * t)
    }

    // MARK: Points

    /// The value at an index, with the outermost voxels continued; `nil` beyond their border.
    func clamped(_ index: SIMD3<Double>, _ interpolation: Interpolation) -> Voxel? {
        let tolerance = 1e-6
        let limit = SIMD3(Double(size.i), Double(size.j), Double(size.k)) - 0.5 + tolerance
        guard index.x >= -0.5 - tolerance, index.y >= -0.5 - tolerance, index.z >= -0.5 - tolerance,
            index.x <= limit.x, index.y <= limit.y, index.z <= limit.z
        else { return nil }
        if interpolation == .nearest {
            let whole = (index + 0.5).rounded(.down)
            return voxels[offset(Int(whole.x), Int(whole.y), Int(whole.z))]
        }
        let lower = index.rounded(.down)
        let fraction = SIMD3<Float>(index - lower)
        let i = Int(lower.x), j = Int(lower.y), k = Int(lower.z)
        if interpolation == .linear {
            if i >= 0, j >= 0, k >= 0, i < size.i &- 1, j < size.j &- 1, k < size.k &- 1 {
                return Voxel(interpolated: linear(Position(offset: size.offset(VoxelIndex(i, j, k)), fraction: fraction)))
            }
            return Voxel(interpolated: clampedLinear(i, j, k, fraction))
        }
        return Voxel(interpolated: clampedCubic(i, j, k, fraction))
    }

    private func clampedLinear(_ i: Int, _ j: Int, _ k: Int, _ f: SIMD3<Float>) -> Float {
        @inline(__always) func alongI(_ j: Int, _ k: Int) -> Float {
            let a = value(i, j, k), b = value(i &+ 1, j, k)
            return a + f.x * (b - a)
        }
        let a0 = alongI(j, k), a1 = alongI(j &+ 1, k), b0 = alongI(j, k &+ 1), b1 = alongI(j &+ 1, k &+ 1)
        let a = a0 + f.y * (a1 - a0), b = b0 + f.y * (b1 - b0)
        return a + f.z * (b - a)
    }

    private func clampedCubic(_ i: Int, _ j: Int, _ k: Int, _ f: SIMD3<Float>) -> Float {
        let weightI = Self.cubicWeights(f.x), weightJ = Self.cubicWeights(f.y), weightK = Self.cubicWeights(f.z)
        var sum = SIMD4<Float>.zero
        for c in 0..<4 {
            for b in 0..<4 {
                let row = j &+ b &- 1, slice = k &+ c &- 1
                let four = SIMD4(value(i &- 1, row, slice), value(i, row, slice), value(i &+ 1, row, slice), value(i &+ 2, row, slice))
                sum += (weightJ[b] * weightK[c]) * four
            }
        }
        return (sum * weightI).sum()
    }

    /// The value of the voxel of the grid that is nearest to (i, j, k).
    @inline(__always)
    private func value(_ i: Int, _ j: Int, _ k: Int) -> Float { voxels[offset(i, j, k)].interpolated }

    @inline(__always)
    private func offset(_ i: Int, _ j: Int, _ k: Int) -> Int {
        size.offset(VoxelIndex(min(max(i, 0), size.i &- 1), min(max(j, 0), size.j &- 1), min(max(k, 0), size.k &- 1)))
    }
}
