import ImagingCore

/// How much a scan blurs in the slice plane, read at its sharpest strong edges: skin against air, lung against the chest wall.
struct ScanSharpness {
    /// The half rise of a sharp edge (see `EdgeProfile`) and its standard deviation.
    let halfRiseMM: Double, deviationMM: Double

    init(halfRiseMM: Double, deviationMM: Double) { (self.halfRiseMM, self.deviationMM) = (halfRiseMM, deviationMM) }

    private static let patchMM = 8.0, fewestPatches = 12, fewestLines = 4
    /// More slices tell nothing new about the plane that they share.
    private static let usedSlices = 6
    /// Real edges are at best sharp.
    private static let sharpestShare = 0.3
    /// How far the blur is in doubt, as a share of how much sharper the sharpest edges are, and at least.
    private static let sharpestOfAll = 0.15, doubtShare = 0.5, leastDoubtMM = 0.02

    /// `nil` where there are too few edges.
    ///
    /// - Parameters:
    ///   - slices: those of the scan that are looked at, some of them; the first and the last only serve to find edges that lean.
    ///   - excluded: positive where the edges of ice would be taken for sharp ones, on a grid of any extent.
    ///   - leastContrast: the smallest step that is looked at.
    init?(_ scan: ScanVolume, slices: Range<Int>, excluding excluded: Volume<Float>, leastContrast: Float) {
        let size = scan.geometry.size, spacing = SIMD3<Float>(scan.geometry.spacing)
        let margin = 2, cell = SIMD2(max(4, Int(Self.patchMM / Double(spacing.x))), max(4, Int(Self.patchMM / Double(spacing.y))))
        guard slices.count > 2, size.i > 4 * margin, size.j > 4 * margin else { return nil }
        let origin = SIMD3<Float>(excluded.geometry.continuousIndex(scan.geometry.point(VoxelIndex(0, 0, slices.lowerBound))).ijk)
        let across = SIMD3<Float>(excluded.geometry.spacing)
        let limit = SIMD3(Float(excluded.size.i), Float(excluded.size.j), Float(excluded.size.k)) - 1
        let halves: [[Float]] = excluded.withUnsafeVoxels { excludedVoxels in
            let outside = TrilinearSampler(excludedVoxels, size: excluded.size)
            let strideJ = size.i, strideK = size.i * size.j, h = 0.5 / spacing, leastSteep = 0.22 * leastContrast
            let every = max(1, (slices.count - 2) / Self.usedSlices)
            return mapSlabs(of: (slices.count - 3) / every + 1, slab: 1) { range in
                let number = range.lowerBound * every + 1, k = slices.lowerBound + number
                let three = scan.floats(in: 0..<size.i, 0..<size.j, k - 1..<k + 2)
                var found: [Float] = []
                three.withUnsafeVoxels { v in
                    let sample = TrilinearSampler(v, size: three.size)
                    @inline(__always) func slope(_ at: Int) -> SIMD2<Float> {
                        SIMD2((v[at &+ 1] - v[at &- 1]) * h.x, (v[at &+ strideJ] - v[at &- strideJ]) * h.y)
                    }
                    for blockJ in stride(from: margin, to: size.j - margin - cell.y, by: cell.y) {
                        for blockI in stride(from: margin, to: size.i - margin - cell.x, by: cell.x) {
                            var patch = EdgeProfile()
                            for j in blockJ..<blockJ + cell.y {
                                for i in blockI..<blockI + cell.x {
                                    let at = i &+ j &* strideJ &+ strideK, g = slope(at), square = (g * g).sum()
                                    guard square > leastSteep * leastSteep else { continue }
                                    let steep = square.squareRoot()
                                    let u = g / steep
                                    // Steepest along its own direction, and not leaning.
                                    let step = (abs(u.x) > 0.4 ? (u.x > 0 ? 1 : -1) : 0)
                                        &+ (abs(u.y) > 0.4 ? (u.y > 0 ? strideJ : -strideJ) : 0)
                                    let next = slope(at &+ step), last = slope(at &- step)
                                    guard steep * steep >= (next * next).sum(), steep * steep >= (last * last).sum(),
                                        abs(v[at &+ strideK] - v[at &- strideK]) * h.z < 0.2 * steep
                                    else { continue }
                                    let place = (origin + SIMD3(Float(i), Float(j), Float(number)) * spacing / across)
                                    if all(place .>= 0), all(place .<= limit), outside(place) > 0 { continue }
                                    let perMM = SIMD3(u.x, u.y, 0) / spacing, foot = SIMD3(Float(i), Float(j), 1)
                                    let levels = EdgeProfile.levels { sample(foot + $0 * perMM) }
                                    guard levels.after - levels.before > leastContrast else { continue }
                                    var own = EdgeProfile()
                                    own.add { sample(foot + $0 * perMM) }
                                    guard let rise = own.rise, rise.unevenness < 0.3, abs(rise.middleMM) < 1 else { continue }
                                    patch.add { sample(foot + ($0 + rise.middleMM) * perMM) }
                                }
                            }
                            guard patch.lines >= Self.fewestLines, let rise = patch.rise, rise.unevenness < 0.12,
                                let half = patch.halfRiseMM
                            else { continue }
                            found.append(half)
                        }
                    }
                }
                return found
            }
        }
        let sorted = halves.flatMap { $0 }.sorted()
        guard sorted.count >= Self.fewestPatches else { return nil }
        func quantile(_ share: Double) -> Double { Double(sorted[Int(share * Double(sorted.count - 1))]) }
        halfRiseMM = quantile(Self.sharpestShare)
        deviationMM = Self.doubtShare * (halfRiseMM - quantile(Self.sharpestOfAll)) + Self.leastDoubtMM
    }
}
