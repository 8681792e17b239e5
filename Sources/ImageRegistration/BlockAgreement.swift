import Foundation
import ImagingCore

/// Whether small blocks of tissue around a tumour, each looked for by itself, lie where a motion puts them.
///
/// The motion is far smoother than a block, so that blocks are evidence it was not made to fit: in scans of one patient each finds itself
/// where the motion says, in scans of different patients details lie anywhere although organs were made to coincide.
struct BlockAgreement {
    /// How far around the tumour's surface blocks are looked for.
    static let reachMM = 60.0
    /// Half the width of a block, how far it is looked for along each axis, and the distance between blocks, in voxels.
    static let radius = 2, search = 3, step = 2
    /// A block agrees when it finds itself within this many voxels of where it should be.
    static let toleranceVoxels = 0.75
    /// It agrees, too, when another place fits it better by no more than noise makes one of several do (the logarithm of a likelihood
    /// ratio).
    static let leastEvidence = 6.0
    /// The share of a block that must be comparable.
    static let leastShare: Float = 0.7
    /// A block's variance over that of noise, and in units of `RegistrationImage.values`.
    static let leastSignalToNoise: Float = 4
    static let leastVariance: Float = 0.02
    /// A block that resembles its own surroundings two voxels away more than this cannot tell where it lies: an edge slides along itself.
    static let largestSelfSimilarity: Float = 0.85
    /// Contrast that counts as noise, as in `LocalCorrelation`.
    static let noiseVariance: Float = 0.0025
    /// Fewer blocks say nothing.
    static let leastCount = 24

    /// Blocks with structure in all directions.
    let count: Int
    /// The share of them that agree; `nil` with fewer than `leastCount`.
    let share: Double?
    /// How far off blocks find themselves, the median in millimetres.
    let medianShiftMM: Double?
    /// How well blocks correlate where the motion puts them, the median.
    let correlation: Double?
}

extension BlockAgreement {
    /// - Parameter ball: the tumour, in the fixed frame.
    init(_ pair: RegistrationPair, _ transform: DeformableTransform, around ball: RegistrationFocus) {
        let margin = Double(Self.radius + 2 * Self.search) * pair.fixed.last!.geometry.spacing.max()
        guard let image = pair.fixed.last!.cropped(around: ball.center, reachMM: ball.radiusMM + pair.scale * Self.reachMM + margin) else {
            (count, share, medianShiftMM, correlation) = (0, nil, nil, nil)
            return
        }
        let grid = image.geometry, size = grid.size
        var warped = [SIMD2<Float>](repeating: .zero, count: size.voxelCount)
        let displacements = transform.displacements(inVoxelsOf: grid)
        warped.withUnsafeMutableBufferPointer { warped in
            displacements.withUnsafeBufferPointer {
                MovingImage(pair.moving.last!).warp(
                    onto: grid, through: transform.rigid, displacements: $0.baseAddress!, to: warped.baseAddress!)
            }
        }
        let fixed = image.values.withUnsafeVoxels { values in
            image.weights.withUnsafeVoxels { weights in values.indices.map { SIMD2(values[$0], weights[$0]) } }
        }
        let blocks = Blocks(
            size: size, fixed: fixed, warped: warped, noiseVariance: image.noise * image.noise, isSameModality: pair.isSameModality,
            radius: Self.radius, search: Self.search)

        let rim = Self.radius + Self.search
        let centers = stride(from: rim, to: size.k - rim, by: Self.step).flatMap { k in
            stride(from: rim, to: size.j - rim, by: Self.step).flatMap { j in
                stride(from: rim, to: size.i - rim, by: Self.step).map { VoxelIndex($0, j, k) }
            }
        }.filter { grid.point($0).distance(to: ball.center) <= ball.radiusMM + pair.scale * Self.reachMM }
        let found = mapSlabs(of: centers.count, slab: 64) { range in range.compactMap { blocks.match(at: size.offset(centers[$0])) } }.flatMap {
            $0
        }
        count = found.count
        guard count >= Self.leastCount else {
            (share, medianShiftMM, correlation) = (nil, nil, nil)
            return
        }
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        let agreeing = found.count { ($0.shift * $0.shift).sum().squareRoot() <= Self.toleranceVoxels || $0.evidence < Self.leastEvidence }
        share = Double(agreeing) / Double(count)
        medianShiftMM = median(found.map { ($0.shift * grid.spacing * $0.shift * grid.spacing).sum().squareRoot() })
        correlation = median(found.map(\.correlation))
    }
}

/// Blocks of a fixed image and where they find themselves in a moving one on the same grid (values and weights).
struct Blocks {
    let size: GridSize
    let fixed, warped: [SIMD2<Float>]
    let noiseVariance: Float
    let isSameModality: Bool
    let radius, search: Int

    struct Match {
        /// In voxels, where the block correlates best.
        var shift: SIMD3<Double>
        /// Without shift.
        var correlation: Double
        /// The logarithm of how much likelier the shift is than none, were all voxels' noise independent.
        var evidence: Double
    }

    /// Where the block around `offset` finds itself; `nil` when it has too little structure to tell.
    func match(at offset: Int) -> Match? {
        fixed.withUnsafeBufferPointer { fixed in
            warped.withUnsafeBufferPointer { warped -> Match? in
                guard hasStructure(fixed, at: offset), let unshifted = value(fixed, warped, offset, 0, 0, 0) else { return nil }
                var best = unshifted, at = (0, 0, 0)
                for z in -search...search {
                    for y in -search...search {
                        for x in -search...search {
                            guard let score = value(fixed, warped, offset, x, y, z), score > best else { continue }
                            (best, at) = (score, (x, y, z))
                        }
                    }
                }
                // The top of a parabola along each axis.
                func part(_ low: Float?, _ high: Float?) -> Double {
                    guard let low, let high, low + high < 2 * best else { return 0 }
                    return Double(0.5 * (low - high) / (low - 2 * best + high))
                }
                let (x, y, z) = at
                let shift = SIMD3(
                    Double(x) + part(value(fixed, warped, offset, x - 1, y, z), value(fixed, warped, offset, x + 1, y, z)),
                    Double(y) + part(value(fixed, warped, offset, x, y - 1, z), value(fixed, warped, offset, x, y + 1, z)),
                    Double(z) + part(value(fixed, warped, offset, x, y, z - 1), value(fixed, warped, offset, x, y, z + 1)))
                func unexplained(_ correlation: Float) -> Double { max(1e-6, 1 - Double(correlation * correlation)) }
                let voxels = Double((2 * radius + 1) * (2 * radius + 1) * (2 * radius + 1))
                return Match(
                    shift: shift, correlation: Double(unshifted), evidence: voxels / 2 * log(unexplained(unshifted) / unexplained(best)))
            }
        }
    }

    /// How much of the block around `offset` the moving image explains where it lies, less what it does a `search` away in all directions:
    /// the logarithms of explained variances; `nil` when the block has too little structure, or cannot be compared.
    func distinctness(at offset: Int) -> Double? {
        fixed.withUnsafeBufferPointer { fixed in
            warped.withUnsafeBufferPointer { warped -> Double? in
                guard hasStructure(fixed, at: offset), let own = value(fixed, warped, offset, 0, 0, 0) else { return nil }
                func gain(_ correlation: Float) -> Double { -log(max(1e-3, 1 - Double(max(0, correlation) * max(0, correlation)))) }
                let wrong = Self.shell(search).compactMap { value(fixed, warped, offset, $0.0, $0.1, $0.2) }.map(gain)
                return wrong.isEmpty ? nil : gain(own) - wrong.reduce(0, +) / Double(wrong.count)
            }
        }
    }

    /// Whether the block around `offset` stands out from noise, and from its own surroundings in every direction.
    private func hasStructure(_ fixed: UnsafeBufferPointer<SIMD2<Float>>, at offset: Int) -> Bool {
        guard let variance = variance(fixed, at: offset),
            variance > BlockAgreement.leastVariance + BlockAgreement.leastSignalToNoise * noiseVariance else { return false }
        let likeness = variance / (variance + noiseVariance)
        return Self.shell(2).allSatisfy { shift in
            correlation(fixed, fixed, at: offset, shift).map { $0 <= BlockAgreement.largestSelfSimilarity * likeness } ?? true
        }
    }

    private func value(
        _ a: UnsafeBufferPointer<SIMD2<Float>>, _ b: UnsafeBufferPointer<SIMD2<Float>>, _ offset: Int, _ x: Int, _ y: Int, _ z: Int
    ) -> Float? {
        guard max(abs(x), abs(y), abs(z)) <= search else { return nil }
        return correlation(a, b, at: offset, (x, y, z)).map { isSameModality ? $0 : abs($0) }
    }

    /// The shifts to the middles of the faces, edges and corners of a cube.
    private static func shell(_ reach: Int) -> [(Int, Int, Int)] {
        let steps = [-reach, 0, reach]
        return steps.flatMap { z in steps.flatMap { y in steps.map { x in (x, y, z) } } }.filter { $0 != (0, 0, 0) }
    }

    private func variance(_ image: UnsafeBufferPointer<SIMD2<Float>>, at offset: Int) -> Float? {
        let sums = moments(image, image, at: offset, (0, 0, 0))
        let full = Float((2 * radius + 1) * (2 * radius + 1) * (2 * radius + 1))
        guard sums[0] >= BlockAgreement.leastShare * full else { return nil }
        let mean = sums / sums[0]
        return max(0, mean[3] - mean[1] * mean[1])
    }

    /// Pearson's correlation of the block around `offset` in `a` with the shifted one in `b`; `nil` when too little of it can be compared.
    private func correlation(
        _ a: UnsafeBufferPointer<SIMD2<Float>>, _ b: UnsafeBufferPointer<SIMD2<Float>>, at offset: Int, _ shift: (Int, Int, Int)
    ) -> Float? {
        let sums = moments(a, b, at: offset, shift)
        let full = Float((2 * radius + 1) * (2 * radius + 1) * (2 * radius + 1))
        guard sums[0] >= BlockAgreement.leastShare * full else { return nil }
        let mean = sums / sums[0]
        let varA = max(0, mean[3] - mean[1] * mean[1]), varB = max(0, mean[4] - mean[2] * mean[2]), floor = BlockAgreement.noiseVariance
        return (mean[5] - mean[1] * mean[2]) / ((varA + floor) * (varB + floor)).squareRoot()
    }

    /// Weight, weighted values, their squares and product.
    @inline(__always)
    private func moments(
        _ a: UnsafeBufferPointer<SIMD2<Float>>, _ b: UnsafeBufferPointer<SIMD2<Float>>, at offset: Int, _ shift: (Int, Int, Int)
    ) -> SIMD8<Float> {
        let jump = shift.0 &+ size.i &* (shift.1 &+ size.j &* shift.2)
        var sums = SIMD8<Float>.zero
        for k in -radius...radius {
            for j in -radius...radius {
                let start = offset &+ size.i &* (j &+ size.j &* k)
                for i in -radius...radius {
                    let p = a[start &+ i], q = b[start &+ i &+ jump]
                    let w = p.y * q.y
                    sums += w * SIMD8(1, p.x, q.x, p.x * p.x, q.x * q.x, p.x * q.x, 0, 0)
                }
            }
        }
        return sums
    }
}
