import Foundation
import ImageFilters
import ImagingCore

/// The layer of granulation tissue around an ablation zone, which enhances and is no part of the zone.
///
/// A layer of some millimetres moves the half-height between the zone and what follows: inwards where the layer is brighter than that,
/// outwards, by its whole thickness, where it lies between the two or where lung or fat follows. Profiles across the surface, averaged
/// over a patch of it, are therefore compared with three levels (zone, layer, surroundings) seen with the scan's blur. Thickness of the
/// layer and its step from the zone are the same all around; the levels on both sides and the place of the edge are each patch's own.
struct ZoneRim {
    let widthMM, step: Float
    /// 1 where it shows along the surface, 0 where it does not, near the surface.
    let presence: Volume<Float>

    /// Layers are thinner in the first weeks and thicker than that only as a halo that fades within a month.
    private static let widthsMM: [Float] = [1.5, 2, 2.5, 3]
    /// The part of the surface along which a layer must show to be one, not a vessel or an organ's capsule.
    private static let leastShare = 0.25, leastDarkShare = 0.5
    /// By how much the squared residuals, in variances, must speak for a layer or for none.
    private static let decisive: Float = 3
    /// What a patch says beyond this counts for less and less: one across a vessel fits neither.
    private static let usualGain: Float = 20
    private static let patchMM = 3.0, patchReachMM: Float = 4
    /// How exactly the place of an edge is known in a mean of many profiles: steep stretches count for less.
    private static let raggedMM: Float = 0.25

    /// Enhanced tissue on CT is hardly brighter than this, or than the organ by so much.
    private static let mostHU: Float = 130, mostAboveOrganHU: Float = 35

    /// Steps from the zone's level to that of a layer: enhanced tissue on CT; on MR also darker (haemosiderin).
    static func steps(_ level: ZoneLevel) -> [Float] {
        if level.modality == .ct {
            let most = max(mostHU, level.around + mostAboveOrganHU) - level.inside
            return Array(stride(from: 10, through: most, by: 10))
        }
        return stride(from: Float(-1), through: 1.61, by: 0.2).filter { abs($0) > 0.1 }.map { $0 * level.contrast }
    }

    /// Profiles of an image across a surface.
    static func patches(of surface: Volume<Float>, image: Volume<Float>) -> [RimProfiles] {
        RimProfiles.patches(of: surface, image: image, cellMM: patchMM, reachMM: patchReachMM)
    }

    /// Where the zone's own edge lies, and the layer around it; `nil` where no layer shows.
    ///
    /// - Parameters:
    ///   - surface: distances in millimetres, positive inside, from a surface on some edge near the zone's.
    ///   - patches: those of the surface.
    ///   - noise: standard deviation of the image's noise.
    static func zoneInside(
        _ surface: Volume<Float>, patches: [RimProfiles], noise: Float, steps: [Float]
    ) -> (surface: Volume<Float>, rim: ZoneRim)? {
        guard patches.count > 20 else { return nil }
        let variance = 1 / Float(patches.count)
        let plain = patches.map { RimFit($0, widthMM: 0, noise: noise, raggedMM: raggedMM) }
        let without = plain.map { $0.best(step: 0).cost }
        var best: (gain: Float, width: Float, step: Float)?, fits: [RimFit] = []
        for width in widthsMM {
            let candidates = patches.map { RimFit($0, widthMM: width, noise: noise, raggedMM: raggedMM) }
            for step in steps {
                var gain: Float = 0
                for n in candidates.indices {
                    let patch = max(without[n] - candidates[n].best(step: step).cost - decisive, 0)
                    gain += usualGain * log(1 + patch / usualGain) * variance
                }
                if gain > best?.gain ?? 0 { best = (gain, width, step) }
            }
            if best?.width == width { fits = candidates }
        }
        guard let best else { return nil }
        let found = fits.map { $0.best(step: best.step) }
        let shows = found.indices.map { found[$0].cost + decisive < without[$0] }
        let share = Double(shows.count { $0 }) / Double(found.count)
        guard share >= (best.step > 0 ? leastShare : leastDarkShare) else { return nil }
        // Once there is a layer, it lies wherever nothing speaks against it.
        let shifts = found.indices.map { found[$0].cost < without[$0] + decisive ? found[$0].placeMM : 0 }
        let fields = spread([shifts, shows.map { $0 ? 1 : 0 }], of: patches, on: surface.geometry)
        return (
            surface.combined(with: fields[0]) { $0 + $1 }.signedDistanceToZero(),
            ZoneRim(widthMM: best.width, step: best.step, presence: fields[1]))
    }

    /// Means over the patches around.
    private static func spread(_ values: [[Float]], of patches: [RimProfiles], on geometry: GridGeometry) -> [Volume<Float>] {
        func smoothed(_ values: [Float]) -> Volume<Float> {
            var field = Volume<Float>(geometry: geometry, repeating: 0)
            for (patch, value) in zip(patches, values) { field[patch.voxel] += value }
            return field.gaussianSmoothed(sigmaMM: patchMM)
        }
        let weight = smoothed(patches.map { _ in 1 })
        return values.map { smoothed($0).combined(with: weight) { $1 > 1e-6 ? $0 / $1 : 0 } }
    }
}

/// The mean of an image along lines across a patch of a surface.
struct RimProfiles {
    static let stepMM: Float = 0.5, count = 29
    static func place(_ n: Int) -> Float { stepMM * Float(n - count / 2) }

    let voxel: VoxelIndex
    let means: [Float]
    /// How many profiles of independent noise the mean is worth.
    let independent: Float
    /// The scan's blur across the surface.
    let blurMM: Float

    /// By how much the level changes across the edge: means over 2.5 mm on both sides of its blur.
    var step: Float {
        let blur = min(max(blurMM, 1.5), 4)
        func mean(_ side: Float) -> Float {
            let side = means.indices.filter { side * Self.place($0) >= blur && side * Self.place($0) <= blur + 2.5 }.map { means[$0] }
            return side.reduce(0, +) / Float(side.count)
        }
        return mean(1) - mean(-1)
    }

    /// One patch per cell of the surface.
    static func patches(of surface: Volume<Float>, image: Volume<Float>, cellMM: Double, reachMM: Float) -> [RimProfiles] {
        let lines = lines(across: surface, image: image)
        let cells = PointCells(lines.map { SIMD3<Double>($0.foot) }, edgeMM: cellMM)
        var taken = Set<SIMD3<Int>>(), patches: [RimProfiles] = []
        for line in lines where taken.insert(SIMD3<Int>((SIMD3<Double>(line.foot) / cellMM).rounded(.down))).inserted {
            var sum = [Float](repeating: 0, count: count), total: Float = 0, squares: Float = 0, visited = cells.noneVisited
            cells.forEachPoint(around: SIMD3<Double>(line.foot), reachMM: 2.5 * Double(reachMM), visited: &visited) { n in
                let other = lines[n], away = other.foot - line.foot, cosine = (other.outward * line.outward).sum()
                guard cosine > 0 else { return }
                let weight = cosine * cosine * exp(-0.5 * (away * away).sum() / (reachMM * reachMM))
                total += weight
                squares += weight * weight
                for m in 0..<count { sum[m] += weight * other.values[m] }
            }
            patches.append(RimProfiles(
                voxel: line.voxel, means: sum.map { $0 / total }, independent: max(total * total / squares / neighboursAlike, 1),
                blurMM: blur(across: line.outward, spacing: SIMD3<Float>(image.geometry.spacing))))
        }
        return patches
    }
    /// Lines through neighbouring voxels read the same voxels.
    private static let neighboursAlike: Float = 3

    /// The scanner's blur in the slice plane, and as a share of the spacing that of voxels and of reading between them (one standard
    /// deviation); what a patch's roughness adds is in the factor.
    private static let scannerMM: Float = 0.6, voxelShare: Float = 0.45, widening: Float = 1.2
    private static func blur(across normal: SIMD3<Float>, spacing: SIMD3<Float>) -> Float {
        let scanner = scannerMM * scannerMM * (normal.x * normal.x + normal.y * normal.y), voxel = voxelShare * normal * spacing
        return widening * (scanner + (voxel * voxel).sum()).squareRoot()
    }

    private struct Line {
        let voxel: VoxelIndex
        let foot, outward: SIMD3<Float>
        let values: [Float]
    }

    private static func lines(across surface: Volume<Float>, image: Volume<Float>) -> [Line] {
        let size = surface.size, spacing = SIMD3<Float>(surface.geometry.spacing), strideJ = size.i, strideK = size.i * size.j
        var lines: [Line] = []
        guard size.i > 2, size.j > 2, size.k > 2 else { return lines }
        surface.withUnsafeVoxels { phi in
            image.withUnsafeVoxels { voxels in
                let sample = TrilinearSampler(voxels, size: size)
                for k in 1..<size.k - 1 {
                    for j in 1..<size.j - 1 {
                        for i in 1..<size.i - 1 {
                            let here = i &+ j &* strideJ &+ k &* strideK
                            guard abs(phi[here]) < 0.6 else { continue }
                            let gradient = SIMD3(
                                phi[here &+ 1] - phi[here &- 1], phi[here &+ strideJ] - phi[here &- strideJ],
                                phi[here &+ strideK] - phi[here &- strideK]) / (2 * spacing)
                            let length = (gradient * gradient).sum().squareRoot()
                            guard length > 0.3 else { continue }
                            let outward = -gradient / length, perVoxel = outward / spacing
                            let foot = SIMD3<Float>(Float(i), Float(j), Float(k)) + phi[here] * perVoxel
                            lines.append(Line(
                                voxel: VoxelIndex(i, j, k), foot: foot * spacing, outward: outward,
                                values: (0..<count).map { sample(foot + place($0) * perVoxel) }))
                        }
                    }
                }
            }
        }
        return lines
    }
}

/// A layer of one thickness in one patch: how well it fits with the edge at each place, as a polynomial of the step to it.
struct RimFit {
    private static let reachMM: (inwards: Float, outwards: Float) = (4, 3), stepMM: Float = 0.25
    private static let places = Int((reachMM.inwards + reachMM.outwards) / stepMM) + 1

    private var costs: [SIMD3<Float>] = []

    init(_ patch: RimProfiles, widthMM: Float, noise: Float, raggedMM: Float) {
        let count = RimProfiles.count, means = patch.means
        let grain = max(noise / patch.independent.squareRoot(), 0.03 * noise + 0.5)
        let weights = means.indices.map { n -> Float in
            let low = max(n - 1, 0), high = min(n + 1, count - 1)
            let slope = (means[high] - means[low]) / (RimProfiles.stepMM * Float(high - low))
            let weight = 1 / (grain * grain + raggedMM * raggedMM * slope * slope)
            // What lies far off is likelier to be something else.
            return abs(RimProfiles.place(n)) > 5 ? 0.5 * weight : weight
        }
        // 0 before an edge and 1 behind it, at multiples of the places' step.
        let reach = Int((7 + Self.reachMM.inwards + 5) / Self.stepMM)
        let rise = (-reach...reach).map { n in 0.5 * erfc(-Self.stepMM * Float(n) / (patch.blurMM * Float(2).squareRoot())) }
        let perStep = Int(RimProfiles.stepMM / Self.stepMM), width = Int(widthMM / Self.stepMM)
        costs.reserveCapacity(Self.places)
        for place in 0..<Self.places {
            let edge = place - Int(Self.reachMM.inwards / Self.stepMM)
            var pp: Float = 0, pq: Float = 0, qq: Float = 0, pd: Float = 0, qd: Float = 0, dd: Float = 0
            var py: Float = 0, qy: Float = 0, dy: Float = 0, yy: Float = 0
            for n in 0..<count {
                let at = (n - count / 2) * perStep - edge + reach
                let behind = rise[at - width], before = 1 - behind, within = rise[at] - behind, y = means[n], w = weights[n]
                pp += w * before * before; pq += w * before * behind; qq += w * behind * behind
                pd += w * before * within; qd += w * behind * within; dd += w * within * within
                py += w * before * y; qy += w * behind * y; dy += w * within * y; yy += w * y * y
            }
            // Without what the levels on both sides explain.
            let determinant = pp * qq - pq * pq
            func product(_ a: (Float, Float), _ b: (Float, Float)) -> Float {
                (qq * a.0 * b.0 - pq * (a.0 * b.1 + a.1 * b.0) + pp * a.1 * b.1) / determinant
            }
            costs.append(SIMD3(
                yy - product((py, qy), (py, qy)), -2 * (dy - product((pd, qd), (py, qy))), dd - product((pd, qd), (pd, qd))))
        }
    }

    /// Where the zone's edge lies, in millimetres outwards, and the squared residuals in variances.
    func best(step: Float) -> (cost: Float, placeMM: Float) {
        var best = (cost: Float.infinity, place: 0)
        for place in costs.indices {
            let cost = costs[place].x + step * (costs[place].y + step * costs[place].z)
            if cost < best.cost { best = (cost, place) }
        }
        return (best.cost, Float(best.place) * Self.stepMM - Self.reachMM.inwards)
    }
}
