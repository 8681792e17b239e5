/// The lower envelope of parabolas along one line of voxels: the step of the exact distance transform that joins lines.
///
/// Each site `q` with value `g(q)` stands for the parabola `g(q) + (w · (x − q))²`; the envelope at `x` is the smallest of them
/// (Felzenszwalb & Huttenlocher, Theory of Computing 8, 2012). Only parabolas that are lowest at some voxel are kept.
struct LowerEnvelope: ~Copyable {
    private let squaredSpacing: Float
    /// 1 / (2 w² d) for a distance of d voxels.
    private let halfReciprocal: UnsafeMutablePointer<Double>
    private let site: UnsafeMutablePointer<Int>
    private let value: UnsafeMutablePointer<Float>
    /// The first voxel at which a site is lowest.
    private let start: UnsafeMutablePointer<Double>

    /// The number of elements past the end of a line that `fill` may overwrite.
    static let overshoot = 4

    init(lineLength: Int, spacingMM: Double) {
        let capacity = lineLength + 3
        squaredSpacing = Float(spacingMM * spacingMM)
        halfReciprocal = .allocate(capacity: capacity)
        site = .allocate(capacity: capacity)
        value = .allocate(capacity: capacity)
        start = .allocate(capacity: capacity)
        for distance in 0..<capacity {
            (halfReciprocal + distance).initialize(to: 1 / (2 * Double(squaredSpacing) * Double(distance)))
        }
    }

    deinit {
        halfReciprocal.deallocate()
        site.deallocate()
        value.deallocate()
        start.deallocate()
    }

    /// Writes `sign` times the envelope over the voxels of `run` to `target`; up to `overshoot` elements past the run are spoilt.
    ///
    /// The magnitudes of `source` are the sites' values; those outside `finite` are infinite. `zeroBefore` and `zeroAfter` say
    /// whether a site of value 0 adjoins the run on either side.
    @inline(__always)
    func fill(
        _ run: Range<Int>, finite: Range<Int>, zeroBefore: Bool, zeroAfter: Bool, sign: Float,
        from source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
    ) {
        let first = run.lowerBound, end = run.upperBound
        let limit = Double(end &- 1)
        var top = -1
        var topSite = 0, topValue: Float = 0, topStart = 0.0

        @inline(__always) func offer(_ q: Int, _ g: Float) {
            var from = Double(first)
            while top >= 0 {
                let crossing = 0.5 * Double(q &+ topSite) + Double(g - topValue) * halfReciprocal[q &- topSite]
                if crossing >= topStart {
                    if crossing >= limit { return }
                    from = Double(Int(crossing) &+ 1)
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
        }

        if zeroBefore { offer(first &- 1, 0) }
        var q = max(first, finite.lowerBound)
        let last = min(end, finite.upperBound)
        while q < last {
            let g = source[q].magnitude
            if g < .infinity { offer(q, g) }
            q &+= 1
        }
        if zeroAfter { offer(end, 0) }

        guard top >= 0 else {
            (target + first).update(repeating: sign * .infinity, count: end - first)
            return
        }
        start[top &+ 1] = Double(end)
        let ramp = SIMD4<Float>(0, 1, 2, 3), weight = SIMD4<Float>(repeating: sign * squaredSpacing)
        var x = first
        for index in 0...top {
            let next = Int(start[index &+ 1])
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
