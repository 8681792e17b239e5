import ImagingCore

/// By how much one image is shifted against another within a region, and how well the region's parts agree on it.
public struct LocalTranslation: Sendable, Hashable {
    /// From where tissue lies in the fixed image to where it lies in the moving image, millimetres.
    public let shift: PatientVector
    /// Pearson's correlation over the region at `shift`, and without it.
    public let correlation: Double
    public let correlationUnshifted: Double
    /// How far the parts' own shifts lie from `shift`, in millimetres: the root mean square of a normal distribution with their median, so
    /// that one part without structure does not decide. `nil` with fewer than three parts.
    public let spreadMM: Double?
    /// The parts of the region (its octants) that had enough structure to tell a shift.
    public let parts: Int

    /// The largest shift that is looked for, along each axis.
    public static let searchMM = 12.0
    /// A part needs this many voxels, and this correlation at its best shift, to have a say.
    static let minimumPartVoxels = 200
    static let minimumPartCorrelation = 0.3
    /// Of the length of a vector whose three components are normal: its root mean square over its median.
    private static let rootMeanSquareOfMedian = 1.126

    /// Maximises the correlation of `fixed` with the shifted `moving` over `region`.
    ///
    /// All three lie on one grid whose axes and spacing are those of `region`; the region must stay `searchMM` away from the grid's edge
    /// (voxels nearer to it are left out). Coarse exhaustive search, then a pattern search to 0.1 mm; deterministic.
    /// `nil` when the region is too small or has no structure.
    public static func estimate(fixed: Volume<Float>, moving: Volume<Float>, region: Mask) throws(GeometryError) -> LocalTranslation? {
        try fixed.geometry.requireSameGrid(as: moving.geometry)
        try fixed.geometry.requireSameGrid(as: region.geometry)
        let samples = Samples(fixed: fixed, moving: moving, region: region)
        guard samples.offsets.count >= 4 * minimumPartVoxels else { return nil }

        let coarse = samples.every(max(1, samples.offsets.count / 4000))
        var best = (shift: SIMD3<Double>.zero, score: coarse.correlation(at: .zero) ?? -1)
        let steps = stride(from: -searchMM, through: searchMM, by: 4)
        for z in steps {
            for y in steps {
                for x in steps {
                    guard let score = coarse.correlation(at: SIMD3(x, y, z)), score > best.score else { continue }
                    best = (SIMD3(x, y, z), score)
                }
            }
        }
        guard let unshifted = samples.correlation(at: .zero), let whole = samples.refined(from: best.shift, step: 2) else { return nil }

        let octants = samples.octants().compactMap { part -> SIMD3<Double>? in
            guard part.offsets.count >= minimumPartVoxels, let own = part.refined(from: whole.shift, step: 1),
                own.score >= minimumPartCorrelation
            else { return nil }
            return own.shift
        }
        let axes = fixed.geometry.axes
        let distances = octants.map { (($0 - whole.shift) * ($0 - whole.shift)).sum().squareRoot() }.sorted()
        return LocalTranslation(
            shift: axes.vector(whole.shift), correlation: whole.score, correlationUnshifted: unshifted,
            spreadMM: octants.count >= 3
                ? rootMeanSquareOfMedian * (distances[(octants.count - 1) / 2] + distances[octants.count / 2]) / 2 : nil,
            parts: octants.count)
    }
}

/// The voxels over which two images are compared.
private struct Samples {
    let fixed: Volume<Float>
    let moving: Volume<Float>
    var offsets: [Int]

    init(fixed: Volume<Float>, moving: Volume<Float>, offsets: [Int]) { (self.fixed, self.moving, self.offsets) = (fixed, moving, offsets) }

    init(fixed: Volume<Float>, moving: Volume<Float>, region: Mask) {
        let size = region.size, spacing = region.geometry.spacing
        // One step of the pattern search beyond the coarse range, and the neighbour that interpolation needs.
        let margin = (SIMD3(repeating: LocalTranslation.searchMM + 4) / spacing).rounded(.up) + 1
        let low = VoxelIndex(Int(margin.x), Int(margin.y), Int(margin.z))
        offsets = region.withUnsafeVoxels { voxels in
            var offsets: [Int] = []
            for k in low.k..<max(low.k, size.k - low.k) {
                for j in low.j..<max(low.j, size.j - low.j) {
                    for i in low.i..<max(low.i, size.i - low.i) {
                        let offset = size.offset(VoxelIndex(i, j, k))
                        if voxels[offset] != 0 { offsets.append(offset) }
                    }
                }
            }
            return offsets
        }
        (self.fixed, self.moving) = (fixed, moving)
    }

    func every(_ step: Int) -> Samples {
        Samples(fixed: fixed, moving: moving, offsets: stride(from: 0, to: offsets.count, by: step).map { offsets[$0] })
    }

    /// The samples by the side of their mean position on which they lie, along each axis.
    func octants() -> [Samples] {
        let size = fixed.size
        let indices = offsets.map { size.index(atOffset: $0) }
        let sum = indices.reduce((0, 0, 0)) { ($0.0 + $1.i, $0.1 + $1.j, $0.2 + $1.k) }
        let count = max(1, offsets.count)
        var parts = [[Int]](repeating: [], count: 8)
        for (offset, index) in zip(offsets, indices) {
            let part = (index.i * count > sum.0 ? 1 : 0) + (index.j * count > sum.1 ? 2 : 0) + (index.k * count > sum.2 ? 4 : 0)
            parts[part].append(offset)
        }
        return parts.map { Samples(fixed: fixed, moving: moving, offsets: $0) }
    }

    /// The shift (along the grid's axes, in millimetres) of locally greatest correlation.
    func refined(from start: SIMD3<Double>, step: Double) -> (shift: SIMD3<Double>, score: Double)? {
        guard var score = correlation(at: start) else { return nil }
        var shift = start, step = step
        let limit = LocalTranslation.searchMM + 3.5
        while step >= 0.1 {
            var improved = false
            for axis in 0..<3 {
                for sign in [-1.0, 1.0] {
                    var trial = shift
                    trial[axis] += sign * step
                    guard abs(trial[axis]) <= limit, let value = correlation(at: trial), value > score else { continue }
                    (shift, score, improved) = (trial, value, true)
                }
            }
            if !improved { step /= 2 }
        }
        return (shift, score)
    }

    /// Pearson's correlation when the moving image is read at `shift`; `nil` when either image is constant.
    func correlation(at shift: SIMD3<Double>) -> Double? {
        let size = fixed.size
        let voxels = shift / fixed.geometry.spacing
        let whole = voxels.rounded(.down), part = voxels - whole
        let jump = Int(whole.x) + size.i * (Int(whole.y) + size.j * Int(whole.z))
        let (x, y, z) = (Float(part.x), Float(part.y), Float(part.z))
        let rowStep = size.i, sliceStep = size.i * size.j
        return fixed.withUnsafeVoxels { fixed in
            moving.withUnsafeVoxels { moving in
                let sums = mapSlabs(of: offsets.count, slab: 8192) { range -> Sums in
                    var sums = Sums()
                    for index in range {
                        let offset = offsets[index]
                        let p = moving.baseAddress! + (offset &+ jump)
                        let front = (1 - y) * ((1 - x) * p[0] + x * p[1]) + y * ((1 - x) * p[rowStep] + x * p[rowStep &+ 1])
                        let q = p + sliceStep
                        let back = (1 - y) * ((1 - x) * q[0] + x * q[1]) + y * ((1 - x) * q[rowStep] + x * q[rowStep &+ 1])
                        sums.add(Double(fixed[offset]), Double((1 - z) * front + z * back))
                    }
                    return sums
                }
                return sums.reduce(into: Sums()) { $0.add($1) }.correlation
            }
        }
    }
}

private struct Sums {
    var n = 0.0, a = 0.0, b = 0.0, aa = 0.0, bb = 0.0, ab = 0.0

    mutating func add(_ x: Double, _ y: Double) {
        n += 1
        a += x
        b += y
        aa += x * x
        bb += y * y
        ab += x * y
    }
    mutating func add(_ other: Sums) {
        n += other.n
        a += other.a
        b += other.b
        aa += other.aa
        bb += other.bb
        ab += other.ab
    }
    var correlation: Double? {
        let (va, vb) = (aa - a * a / n, bb - b * b / n)
        guard n > 0, va > 1e-9 * max(aa, 1), vb > 1e-9 * max(bb, 1) else { return nil }
        return (ab - a * b / n) / (va * vb).squareRoot()
    }
}
