import Foundation
import ImagingCore

/// The half rise (see `EdgeProfile`) of an image across a surface where its normal lies about in the slice plane, as the one that is most
/// likely for all patches of the surface together.
///
/// The surface is off its edge by some tenths of a millimetre here and there, and tissue differs from place to place: each patch has an
/// edge of its own place, levels and noise, and they share the half rise alone. Where a vessel or fat runs along the surface the
/// noise is large, and such a patch says little.
struct FrontRise {
    /// The mean and the standard deviation of what the half rise may be.
    let halfRiseMM: Double, deviationMM: Double

    init(halfRiseMM: Double, deviationMM: Double) { (self.halfRiseMM, self.deviationMM) = (halfRiseMM, deviationMM) }

    private static let patchMM: Float = 8, fewestLines = 4, fewestPatches = 3
    private static let largestSlant: Float = 0.35
    private static let stepMM = 0.05, halfRisesMM = Array(stride(from: 0.4, through: 2.6, by: stepMM))
    private static let offMM = Array(stride(from: -1.6, through: 1.6, by: 0.1))
    /// Vessels and fat on some sides change the step there; patches whose step differs by more than this share do not count.
    private static let toleratedStep: Float = 0.3
    /// Where fewer of the patches show that step, other tissue lies so near everywhere that it widens the edges that are left, too.
    private static let leastShare = 0.6
    /// Beyond this from the edge lies what has no part in it.
    static let reachMM: Float = 3.8
    /// Where other tissue lies between ice and what it is told from (ground glass in lung), no more than this of it is: that tissue is its
    /// outside, and its other edge none of the ice's.
    static let beforeOtherTissueMM: Float = 1.2
    /// Neighbouring places of a profile share their noise: it holds about one independent value per millimetre, of which the fit uses up
    /// four.
    private static let freedom = 4.0

    /// `nil` where too little of the edge shows.
    ///
    /// - Parameters:
    ///   - surface: signed distance, positive inside.
    ///   - usable: positive where the image can be trusted.
    ///   - leastContrast: of the step that the surface lies on.
    ///   - beyondMM: no more of what lies outside of the surface is looked at.
    init?(
        of image: Volume<Float>, across surface: Volume<Float>, usable: Volume<Float>, leastContrast: Float, beyondMM: Float = reachMM
    ) {
        let patches = Self.patches(of: image, across: surface, usable: usable)
        let spacing = SIMD3<Float>(image.geometry.spacing)
        // A voxel blurs by a twelfth of the square of its width; a leaning normal meets its long side.
        let extra = max(0, spacing.z * spacing.z - spacing.x * spacing.x) / 12
        let edges = Edges(beyondMM: beyondMM)
        var logs = [Double](repeating: 0, count: Self.halfRisesMM.count), used = 0
        let fits = patches.compactMap { patch -> (step: Float, logs: [Double])? in
            guard patch.profile.lines >= Self.fewestLines, let means = patch.profile.means else { return nil }
            return edges.fit(means, squareMM: Double(extra * patch.squaredSlants / Float(patch.profile.lines)))
        }
        guard let usual = fits.map(\.step).filter({ abs($0) > leastContrast }).median else { return nil }
        for fit in fits where abs(fit.step - usual) < Self.toleratedStep * abs(usual) {
            used += 1
            for n in logs.indices { logs[n] += fit.logs[n] }
        }
        guard used >= Self.fewestPatches, Double(used) >= Self.leastShare * Double(fits.count) else { return nil }
        let best = logs.max()!, weights = logs.map { exp($0 - best) }, total = weights.reduce(0, +)
        let mean = zip(weights, Self.halfRisesMM).reduce(0) { $0 + $1.0 * $1.1 } / total
        let square = zip(weights, Self.halfRisesMM).reduce(0) { $0 + $1.0 * ($1.1 - mean) * ($1.1 - mean) } / total
        (halfRiseMM, deviationMM) = (mean, square.squareRoot())
    }

    private struct Patch {
        var profile = EdgeProfile(), squaredSlants: Float = 0
    }

    private static func patches(of image: Volume<Float>, across surface: Volume<Float>, usable: Volume<Float>) -> [Patch] {
        let size = image.size, spacing = SIMD3<Float>(image.geometry.spacing), strideJ = size.i, strideK = size.i * size.j
        guard size.k > 2, size.i > 2, size.j > 2 else { return [] }
        let slices = max(1, Int((patchMM / spacing.z).rounded())), layers = (size.k + slices - 1) / slices
        let inside = Mask(surface) { $0 >= 0 }, centroid = inside.centroid
        let radius = cbrt(Float(1000 * inside.volumeML) * 3 / (4 * .pi))
        let sectors = max(5, Int((2 * .pi * radius / patchMM).rounded()))
        var patches = [Patch](repeating: Patch(), count: sectors * layers)
        let middle = SIMD3<Float>(image.geometry.continuousIndex(PatientPoint(centroid)).ijk)
        image.withUnsafeVoxels { image in
            usable.withUnsafeVoxels { usable in
                surface.withUnsafeVoxels { phi in
                    let sample = TrilinearSampler(image, size: size), valid = TrilinearSampler(usable, size: size)
                    for k in 1..<size.k - 1 {
                        for j in 1..<size.j - 1 {
                            for i in 1..<size.i - 1 {
                                let here = i &+ j &* strideJ &+ k &* strideK
                                guard abs(phi[here]) < 0.7 * spacing.x else { continue }
                                let g = SIMD3(
                                    phi[here &+ 1] - phi[here &- 1], phi[here &+ strideJ] - phi[here &- strideJ],
                                    phi[here &+ strideK] - phi[here &- strideK]) / (2 * spacing)
                                let length = (g * g).sum().squareRoot(), slant = abs(g.z) / max(length, 1e-6)
                                guard length > 0.5, slant < largestSlant else { continue }
                                let perMM = g / length / spacing, at = SIMD3(Float(i), Float(j), Float(k)), foot = at - phi[here] * perMM
                                let turn = (atan2(at.y - middle.y, at.x - middle.x) / (2 * .pi) + 0.5) * Float(sectors)
                                let patch = min(sectors - 1, Int(turn)) + sectors * (k / slices)
                                patches[patch].squaredSlants += slant * slant
                                patches[patch].profile.add { t in
                                    let place = foot + t * perMM
                                    return valid(place) > 0.7 ? sample(place) : nil
                                }
                            }
                        }
                    }
                }
            }
        }
        return patches
    }

    /// Edges of every half rise and place, and their fit to a profile.
    private struct Edges {
        private let used: Range<Int>
        /// By half rise, by place: the share of the rise at each place of a profile, its sum and its sum of squares.
        private let shares: [[(values: [Double], sum: Double, square: Double)]]

        init(beyondMM: Float) {
            let places = (0..<EdgeProfile.count).filter { (-beyondMM...reachMM).contains(EdgeProfile.place($0)) }
            let used = places.first!..<places.last! + 1
            self.used = used
            shares = halfRisesMM.map { half in
                let sigma = half / 0.99446
                return offMM.map { off in
                    let values = used.map { 0.5 * erfc((off - Double(EdgeProfile.place($0))) / (sigma * 2.0.squareRoot())) }
                    return (values, values.reduce(0, +), values.reduce(0) { $0 + $1 * $1 })
                }
            }
        }

        /// The step of the likeliest edge, and for each half rise the logarithm of its likelihood (place, levels and noise at their best);
        /// `squareMM` is what widens this profile beside the half rise.
        func fit(_ means: [Float], squareMM: Double) -> (step: Float, logs: [Double]) {
            let values = means[used].map { Double($0) }, count = Double(values.count)
            let mean = values.reduce(0, +) / count, power = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            var best = (rest: Double.infinity, step: 0.0)
            let rests = halfRisesMM.map { half -> Double in
                let wide = (half * half + squareMM).squareRoot()
                let row = shares[min(shares.count - 1, Int(((wide - halfRisesMM[0]) / stepMM).rounded()))]
                var least = Double.infinity
                for edge in row {
                    var cross = 0.0
                    for n in values.indices { cross += values[n] * edge.values[n] }
                    cross -= mean * edge.sum
                    let square = edge.square - edge.sum * edge.sum / count
                    let rest = power - cross * cross / square
                    if rest < least { least = rest }
                    if rest < best.rest { best = (rest, cross / square) }
                }
                return least
            }
            // No profile is known better than to a hundredth of its step.
            let floor = 1e-4 * best.step * best.step * count
            return (Float(best.step), rests.map { -0.5 * freedom * log(max($0, 0) + floor) })
        }
    }
}
