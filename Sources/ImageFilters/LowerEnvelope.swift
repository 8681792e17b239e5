/// The lower envelope of parabolas along one line of voxels: the step of the exact distance transform that joins lines.
///
/// Each site `q` with value `g(q)` stands for the parabola `g(q) + (w · (x − q))²`; the envelope at `x` is the smallest of them
/// (Felzenszwalb & Huttenlocher, Theory of Computing 8, 2012). Only parabolas that are lowest at some voxel are kept.
///
/// A line is divided into runs of voxels inside and outside the mask. Voxels of the other kind are sites of value 0 for a run,
/// so only those that adjoin it matter.
struct LowerEnvelope: ~Copyable {
    private let squaredSpacing: Float
    /// 1 / (2 w² d) for a distance of d voxels.
    private let halfReciprocal: UnsafeMutablePointer<Double>
    private let candidates: UnsafeMutablePointer<Int32>
    private let site: UnsafeMutablePointer<Int>
    private let value: UnsafeMutablePointer<Float>
    /// The first voxel at which a site is lowest, as a number and as an offset.
    private let start: UnsafeMutablePointer<Double>
    private let startOffset: UnsafeMutablePointer<Int>

    init(lineLength: Int, spacingMM: Double) {
        let capacity = lineLength + 8
        squaredSpacing = Float(spacingMM * spacingMM)
        halfReciprocal = .allocate(capacity: capacity)
        candidates = .allocate(capacity: capacity)
        site = .allocate(capacity: capacity)
        value = .allocate(capacity: capacity)
        start = .allocate(capacity: capacity)
        startOffset = .allocate(capacity: capacity)
        for distance in 0..<capacity {
            (halfReciprocal + distance).initialize(to: 1 / (2 * Double(squaredSpacing) * Double(distance)))
        }
    }

    deinit {
        halfReciprocal.deallocate()
        candidates.deallocate()
        site.deallocate()
        value.deallocate()
        start.deallocate()
        startOffset.deallocate()
    }

    /// Finds the sites of a line that may be on the envelope. `LineDistance.padding` infinite elements lie before and after it.
    ///
    /// The envelope is the lower convex hull of the points (q, g(q) + w² q²): a site on or above the chord of two others is never
    /// lowest. Chords of four lengths leave few sites that are not on the hull, without a branch. A voxel of the other kind
    /// has the magnitude of its own square where 0 would do, which rejects less but never wrongly.
    @inline(__always)
    func findCandidates(_ line: UnsafePointer<Float>, count: Int) {
        @inline(__always) func four(_ offset: Int) -> SIMD4<Float> {
            let bits = UnsafeRawPointer(line + offset).loadUnaligned(as: SIMD4<UInt32>.self) & 0x7FFF_FFFF
            return unsafeBitCast(bits, to: SIMD4<Float>.self)
        }
        var found = 0
        var q = 0
        while q < count {
            let twice = 2 * four(q)
            let isBelow = (twice .< four(q &- 1) + four(q &+ 1) + SIMD4(repeating: 2 * squaredSpacing))
                .& (twice .< four(q &- 2) + four(q &+ 2) + SIMD4(repeating: 8 * squaredSpacing))
                .& (twice .< four(q &- 4) + four(q &+ 4) + SIMD4(repeating: 32 * squaredSpacing))
            let keep = SIMD4<Int32>.zero.replacing(with: SIMD4(repeating: 1), where: isBelow)
            for lane in 0..<4 {
                candidates[found] = Int32(truncatingIfNeeded: q &+ lane)
                found &+= Int(keep[lane])
            }
            q &+= 4
        }
        while found > 0 && candidates[found &- 1] >= count { found &-= 1 }
        candidates[found] = .max
    }

    /// Writes `sign` times the envelope over the voxels of `run` to `target`; up to `LineDistance.overshoot`
    /// elements past the run are spoilt.
    ///
    /// The magnitudes of `line` are the sites' values. `zeroBefore` and `zeroAfter` say whether a voxel of the other kind adjoins
    /// the run. `next` is the first of the candidates that has not been looked at; runs come in their order.
    @inline(__always)
    func fill(
        _ run: Range<Int>, zeroBefore: Bool, zeroAfter: Bool, sign: Float, next candidate: inout Int,
        from line: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
    ) {
        let first = run.lowerBound, end = run.upperBound
        let limit = Double(end &- 1)
        var top = -1
        var topSite = 0, topValue: Float = 0, topStart = 0.0

        @inline(__always) func offer(_ q: Int, _ g: Float) {
            var from = Double(first)
            var fromOffset = first
            while top >= 0 {
                let crossing = 0.5 * Double(q &+ topSite) + Double(g - topValue) * halfReciprocal[q &- topSite]
                if crossing >= topStart {
                    if crossing >= limit { return }
                    // The next whole number: such a sum has no bits for a fraction, and ends in the whole number's own.
                    let sum = crossing + 0.5 + 0x1.8p52
                    from = sum - 0x1.8p52
                    fromOffset = Int(Int32(truncatingIfNeeded: sum.bitPattern))
                    break
                }
                top &-= 1
                if top >= 0 { (topSite, topValue, topStart) = (site[top], value[top], start[top]) }
            }
            top &+= 1
            (topSite, topValue, topStart) = (q, g, from)
            site[top] = q
            value[top] = g
            start[top] = from
            startOffset[top] = fromOffset
        }

        if zeroBefore { offer(first &- 1, 0) }
        while candidates[candidate] < end {
            let q = Int(candidates[candidate])
            candidate &+= 1
            if q >= first { offer(q, line[q].magnitude) }
        }
        if zeroAfter { offer(end, 0) }

        guard top >= 0 else {
            (target + first).update(repeating: sign * .infinity, count: end - first)
            return
        }
        startOffset[top &+ 1] = end
        let ramp = SIMD4<Float>(0, 1, 2, 3), weight = SIMD4<Float>(repeating: sign * squaredSpacing)
        var x = first
        for index in 0...top {
            let next = startOffset[index &+ 1]
            let offset = SIMD4<Float>(repeating: sign * value[index])
            var distance = SIMD4<Float>(repeating: Float(x &- site[index])) + ramp
            while x < next {
                UnsafeMutableRawPointer(target + x).storeBytes(of: offset + weight * (distance * distance), as: SIMD4<Float>.self)
                distance += 4
                x &+= 4
            }
            x = next
        }
    }
}
