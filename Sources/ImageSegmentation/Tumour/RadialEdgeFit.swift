import Foundation
import ImagingCore

/// Moves a closed surface, given as a radius by direction, onto the half-height of the edge that it lies near.
///
/// Along each ray the image is read as a share between the levels just inside and just outside; the share's integral says how far the
/// half-height lies. Each such reading has the variance that the scan's grain gives it, and a smooth surface is fitted to all of them
/// (`SphereSmoothing`): where the edge is faint or missing, the neighbourhood decides, and the fit's own spread says so.
struct RadialEdgeFit {
    let image: Volume<Float>
    let center: PatientPoint
    let sphere: SphereDirections
    /// Variance × volume of the scan's grain.
    let grainDensity: Float
    /// What the surface is held to where no edge shows: radii and the standard deviation of their logarithm.
    let expected: [Float]
    let expectedDeviation: Float
    /// The logarithm of the odds that a grey level in a direction is the object's.
    let odds: RadialOdds
    /// The ends of the longest axis as a person gave them, which the surface passes near.
    var ends: [PatientPoint] = []
    /// The level of ground glass below the surface, where there is any.
    var glassHU: Float?
    /// The scanner's blur in the slice plane (one standard deviation).
    var inPlaneBlurMM: Float = usualBlurMM

    struct Outcome {
        let radii: [Float]
        /// Standard deviation of the surface's position along its normal, in mm, by direction.
        let deviationsMM: [Float]
        /// How much of an edge each direction shows, 0 to 1.
        let clearness: [Float]
        /// Grey level inside minus outside, by direction.
        let contrasts: [Float]
        /// What the surface was expected at, once it was known how deep the search lies.
        let expected: [Float]
        /// The factor by which the surface went outwards, in the median of clear edges, where it is held back from going further.
        var further: Float?
    }

    /// Energy of the thin plate: shapes whose features of degree 2 differ by 12 % of the radius, of degree 4 by 5 %, of degree 8 by 2 %.
    private static let stiffness: Float = 0.7
    static let usualBlurMM: Float = 0.6
    private static let leastDeviationMM: Float = 0.3
    /// Vessels that run into ground glass look like it.
    private static let leastDeviationInGlassMM: Float = 1
    private static let passes = 7
    /// Where most of the surface shows a clear edge, and so much of that lies further out than the surface may go, it is fitted again.
    private static let mostRepeats = 3, leastClearShare = 2.0 / 3, heldShare = 0.25
    /// How far beyond the edge's blur the outside's level is read.
    private static let beyondMM: Float = 2.2
    /// Where the level beyond changes by more than this share of the contrast over half of that, it is another edge and no mere blur.
    private static let steep: Float = 0.1, surelySteep: Float = 0.25
    private static let denserThanGlass: Float = 1.35

    func fit(_ start: [Float]) -> Outcome {
        var expected = expected, outcome = fit(start, expected: expected)
        guard odds.isFarAboveGrain else { return outcome }
        // Where grain hides nothing the search stops as far inside as blur reaches, alike all around: it may be farther than one fit goes.
        for _ in 0..<Self.mostRepeats {
            guard let further = outcome.further else { break }
            expected = expected.map { $0 * further }
            outcome = fit(expected, expected: expected)
        }
        return outcome
    }

    private func fit(_ start: [Float], expected searched: [Float]) -> Outcome {
        var radii = start, expected = searched
        var outcome = Outcome(radii: start, deviationsMM: start, clearness: start, contrasts: start, expected: start)
        for pass in 0..<Self.passes {
            let last = pass == Self.passes - 1
            let reading = shifts(at: radii, widening: pass < 2 ? 1.6 : 1)
            let mean = max(radii.reduce(0, +) / Float(radii.count), 1)
            var information = reading.information, observed = radii
            for n in radii.indices { observed[n] += reading.shift[n] }
            hold(&observed, &information, expected)
            // In units of the mean radius, in which the plate's energy is stated.
            let smoothing = SphereSmoothing(sphere: sphere, stiffness: Self.stiffness, information: information.map { $0 * mean * mean })
            let fitted = smoothing.fit(observed.map { $0 / mean }, start: radii.map { $0 / mean }).map { max($0 * mean, 0.5) }
            // What lies far from the fit is a reading of something else.
            for n in radii.indices {
                let deviation = max(1 / max(reading.information[n], 1e-9).squareRoot(), 0.8)
                let miss = (observed[n] - fitted[n]) / (2.5 * deviation)
                information[n] /= 1 + miss * miss * miss * miss
            }
            let again = SphereSmoothing(sphere: sphere, stiffness: Self.stiffness, information: information.map { $0 * mean * mean })
            let next = again.fit(observed.map { $0 / mean }, start: fitted.map { $0 / mean }).map { max($0 * mean, 0.5) }
            for n in radii.indices {
                let limit = pass <= 2 ? max(2, 0.2 * expected[n]) : max(1.3, 0.13 * expected[n])
                radii[n] = max(expected[n] - limit, min(expected[n] + limit, next[n]))
            }
            if pass == 2 {
                // The search may place every clear edge a little deep alike; a faint one is no worse placed than its neighbours say.
                let seen = radii.indices.filter { reading.clearness[$0] > 0.5 }.map { radii[$0] / expected[$0] }
                if 3 * seen.count > radii.count, let share = seen.median {
                    for n in expected.indices { expected[n] *= 1 + (max(0.8, min(1.3, share)) - 1) * reading.clearness[n] }
                }
            }
            if last {
                let spread = again.deviations()
                let clear = radii.indices.filter { reading.clearness[$0] > 0.5 }, held = clear.count { next[$0] > radii[$0] }
                let isHeldBack = Double(clear.count) > Self.leastClearShare * Double(radii.count)
                    && Double(held) > Self.heldShare * Double(clear.count)
                outcome = Outcome(
                    radii: radii, deviationsMM: radii.indices.map { spread[$0] * mean * reading.cosine[$0] },
                    clearness: reading.clearness, contrasts: reading.contrast, expected: expected,
                    further: isHeldBack ? clear.map { radii[$0] / searched[$0] }.median : nil)
            }
        }
        return outcome
    }

    /// Adds what is known without an edge: the expected radii, weakly, and the ends of an axis.
    private func hold(_ observed: inout [Float], _ information: inout [Float], _ expected: [Float]) {
        for n in observed.indices {
            // About thirty independent parts make up the surface.
            let deviation = expectedDeviation * expected[n]
            let weak = 30 / Float(sphere.count) / (deviation * deviation)
            observed[n] = (observed[n] * information[n] + expected[n] * weak) / (information[n] + weak)
            information[n] += weak
        }
        for end in ends {
            let place = SIMD3<Float>((end - center).lps), length = (place * place).sum().squareRoot()
            let n = sphere.directions.indices.max { (sphere.directions[$0] * place).sum() < (sphere.directions[$1] * place).sum() }!
            let certain: Float = 1 / (0.8 * 0.8)
            observed[n] = (observed[n] * information[n] + length * certain) / (information[n] + certain)
            information[n] += certain
        }
    }

    private struct Reading {
        var shift, information, clearness, contrast, cosine: [Float]
    }

    private func shifts(at radii: [Float], widening: Float) -> Reading {
        let count = sphere.count
        let normals = sphere.normals(ofSurface: radii)
        let axes = [image.geometry.axes.i, image.geometry.axes.j, image.geometry.axes.k].map { SIMD3<Float>($0.lps) }
        let h = SIMD3<Float>(image.geometry.spacing), size = image.size
        func onGrid(_ d: SIMD3<Float>) -> SIMD3<Float> { SIMD3((d * axes[0]).sum(), (d * axes[1]).sum(), (d * axes[2]).sum()) }
        let middle = SIMD3<Float>(image.geometry.continuousIndex(center).ijk)
        let variance = SIMD3<Float>(inPlaneBlurMM * inPlaneBlurMM, inPlaneBlurMM * inPlaneBlurMM, 0) + h * h * (1 / 12 + 1 / 6)
        let cosine = (0..<count).map { max(0.35, (normals[$0] * sphere.directions[$0]).sum()) }
        let thickness = (0..<count).map { n -> Float in
            let along = onGrid(normals[n]) * h
            return (along * along).sum().squareRoot()
        }
        let mean = radii.reduce(0, +) / Float(count)

        // Profiles about the surface, each the mean of a few rays where one would see only a part of its patch.
        let step: Float = 0.35, inwards = 18, outwards = 22, length = inwards + outwards
        let limit = SIMD3(Float(size.i), Float(size.j), Float(size.k)) - 0.5
        let profiles: [Float] = image.withUnsafeVoxels { voxels in
            let sample = TrilinearSampler(voxels, size: size)
            return [Float](unsafeUninitializedCapacity: count * length) { target, initialized in
                nonisolated(unsafe) let target = target
                forEachSlab(of: count, slab: 32) { range in
                    for n in range {
                        let d = sphere.directions[n], (u, v) = SphereDirections.tangents(d)
                        let patch = sphere.solidAngles[n].squareRoot() * radii[n]
                        let rays = patch > 3 ? 6 : (patch > 2 ? 3 : 0)
                        for s in 0..<length {
                            let r = radii[n] + (Float(s - inwards) + 0.5) * step
                            guard r > 0.3 else {
                                target[n * length + s] = .nan
                                continue
                            }
                            var sum: Float = 0
                            for ray in 0...rays {
                                var direction = d
                                if ray > 0 {
                                    let angle = Float(ray) * 2 * .pi / Float(rays), aside = 0.33 * sphere.spacing
                                    direction += aside * (cos(angle) * u + sin(angle) * v)
                                    direction /= (direction * direction).sum().squareRoot()
                                }
                                // Beside the ray the surface lies where its normal says.
                                let own = ray == 0 ? r : r * (normals[n] * d).sum() / max((normals[n] * direction).sum(), 0.2)
                                let place = middle + own * onGrid(direction) / h
                                sum += any(place .< -0.5) || any(place .> limit) ? .nan : sample(place)
                            }
                            target[n * length + s] = sum / Float(rays + 1)
                        }
                    }
                }
                initialized = count * length
            }
        }
        func windowMean(_ n: Int, _ from: Float, _ to: Float) -> Float? {
            var sum: Float = 0, used: Float = 0
            let first = max(0, Int((from / step).rounded(.up)) + inwards),
                last = min(length - 1, Int((to / step).rounded(.down)) + inwards - 1)
            guard first <= last else { return nil }
            for s in first...last where !profiles[n * length + s].isNaN {
                sum += profiles[n * length + s]
                used += 1
            }
            return used > 0 ? sum / used : nil
        }
        var near = [Float](repeating: .nan, count: count), beyond = near, rises = near, isGlass = [Bool](repeating: false, count: count)
        for n in 0..<count {
            let gap = (0.9 + 0.4 * thickness[n]) / cosine[n], depth = min(2.5, 0.4 * radii[n])
            if let value = windowMean(n, gap, gap + Self.beyondMM) { beyond[n] = value }
            if let first = windowMean(n, gap, gap + Self.beyondMM / 2),
                let second = windowMean(n, gap + Self.beyondMM / 2, gap + Self.beyondMM) { rises[n] = second - first }
            // Ground glass may be thin: the level deep inside, and most of what lies near, is then that of the core.
            let shallow = glassHU != nil && odds.isLung(beyondDirection: n) ? windowMean(n, -gap - 1, -gap) : nil
            if let glassHU, let shallow, shallow < 0.5 * glassHU {
                near[n] = glassHU
                isGlass[n] = true
            } else if let value = windowMean(n, -min(gap + depth, 0.85 * radii[n]), -min(gap, 0.5 * radii[n])) {
                near[n] = value
            }
        }
        let wide = max(4 / max(mean, 1), 1.2 * sphere.spacing), narrow = max(1 / max(mean, 1), 0.5 * sphere.spacing)
        let inside = localMeans(near, width: wide), outside = localMeans(beyond, width: wide, byMedian: true),
            closest = localMeans(beyond, width: narrow), rise = localMeans(rises, width: narrow)
        let skin = localMeans(near, width: max(1.2 / max(mean, 1), 0.7 * sphere.spacing))

        let usual = beyond.filter { !$0.isNaN }.median ?? 0
        var reading = Reading(
            shift: [Float](repeating: 0, count: count), information: [Float](repeating: 0, count: count),
            clearness: [Float](repeating: 0, count: count),
            contrast: [Float](repeating: 0, count: count), cosine: cosine)
        for n in 0..<count where !inside.mean[n].isNaN && !outside.mean[n].isNaN {
            let patchArea = radii[n] * radii[n]
            let a = inside.mean[n]
            // The outside's own level where it differs by more than the grain makes it differ (a vessel, fat beyond a capsule).
            let ownVariance = grainDensity / (closest.solidAngle[n] * patchArea * Self.beyondMM)
            let difference = closest.mean[n].isNaN ? 0 : closest.mean[n] - outside.mean[n]
            var b = outside.mean[n] + difference * max(0, 1 - 2 * ownVariance / max(difference * difference, 1e-6))
            if !beyond[n].isNaN {
                let rest = beyond[n] - b, variance = grainDensity / (sphere.solidAngles[n] * patchArea * Self.beyondMM)
                b += rest * max(0, 1 - 2 * variance / max(rest * rest, 1e-6))
            }
            b = levelBeforeNextEdge(b, inside: a, usual: usual, rise: rise.mean[n], variance: grainDensity / (
                rise.solidAngle[n] * patchArea * Self.beyondMM / 4))
            let contrast = a - b
            // The edge of something else has something else on its near side.
            let likeness = 1 / (1 + exp(-2 * (odds.logOdds(skin.mean[n].isNaN ? a : skin.mean[n], direction: n) + 0.5)))
            let contrastVariance = grainDensity / patchArea * (
                1 / (inside.solidAngle[n] * 2.5) + 1 / (outside.solidAngle[n] * Self.beyondMM))
            let squared = likeness * max(0, contrast * contrast - 2 * contrastVariance)
            reading.contrast[n] = contrast
            reading.clearness[n] = squared / (squared + 4 * contrastVariance + 1e-6)
            guard squared > 0 else { continue }

            let reach = widening * (1.3 + 0.6 * thickness[n]) / cosine[n]
            let steps = max(3, Int((reach / step).rounded(.up)))
            let tolerance = 0.9 + 2 * (grainDensity / (squared * sphere.solidAngles[n] * patchArea * 1.5)).squareRoot()
            var sum: Float = 0, used = 0
            var outwardBroken = false, inwardBroken = false
            for s in 0..<steps {
                for sign in [1, -1] {
                    let at = inwards + (sign > 0 ? s : -1 - s)
                    guard at >= 0, at < length, !profiles[n * length + at].isNaN else { continue }
                    let ideal: Float = sign > 0 ? 0 : 1
                    used += 1
                    if sign > 0 ? outwardBroken : inwardBroken { continue }
                    let share = (profiles[n * length + at] - b) / contrast
                    // Beyond glass only a vessel is denser than it.
                    let isVessel = isGlass[n] && sign > 0 && share > Self.denserThanGlass
                    if isVessel || (abs(share - 0.5) > tolerance && Float(s) * step > 1) {
                        if sign > 0 { outwardBroken = true } else { inwardBroken = true }
                        continue
                    }
                    sum += max(-0.6, min(isGlass[n] ? 1.1 : 1.6, share)) - ideal
                }
            }
            guard used > steps else { continue }
            var shift = sum * step
            // Blur draws the half-height of a curved edge inwards.
            let n2 = onGrid(normals[n]) * onGrid(normals[n])
            shift += 0.5 * (variance * (1 - n2)).sum() / max(radii[n], 3) / cosine[n]
            let window = 2 * Float(steps) * step
            let own = squared * sphere.solidAngles[n] * patchArea / (window * max(grainDensity, 1e-9))
            reading.shift[n] = shift
            let least = isGlass[n] ? Self.leastDeviationInGlassMM : Self.leastDeviationMM
            reading.information[n] = 1 / (1 / own + least * least / (cosine[n] * cosine[n]))
        }
        return reading
    }

    /// The outside's level before another edge, such as that of cortical bone behind a layer of trabecular bone, begins to change it.
    ///
    /// - Parameters:
    ///   - usual: the level beyond most of the object, which is what such a layer is taken for.
    ///   - rise: by how much the outer half of where `level` was read differs from the inner one, and the variance that grain gives it.
    private func levelBeforeNextEdge(_ level: Float, inside: Float, usual: Float, rise: Float, variance: Float) -> Float {
        let contrast = level - inside, share = rise / contrast
        guard share > Self.steep, (usual - inside) / contrast > 0, (usual - inside) / contrast < 1 else { return level }
        let sure = max(0, 1 - 2 * variance / (rise * rise)), isEdge = min(1, (share - Self.steep) / (Self.surelySteep - Self.steep))
        return level + sure * isEdge * (usual - level)
    }

    /// Means (or medians, which a vessel's level does not enter) over the directions around each, and the solid angle that each stands for.
    private func localMeans(_ values: [Float], width: Float, byMedian: Bool = false) -> (mean: [Float], solidAngle: [Float]) {
        let limit = cos(min(2.5 * width, 1.5)), exponent = 1 / (width * width)
        var means = values, angles = [Float](repeating: 0, count: values.count)
        for n in values.indices {
            var list: [(value: Float, weight: Float)] = []
            for m in values.indices where !values[m].isNaN {
                let cosine = (sphere.directions[n] * sphere.directions[m]).sum()
                if cosine > limit { list.append((values[m], sphere.solidAngles[m] * exp((cosine - 1) * exponent))) }
            }
            let total = list.reduce(0) { $0 + $1.weight }, squares = list.reduce(0) { $0 + $1.weight * $1.weight / sphere.solidAngles[n] }
            if byMedian, total > 0 {
                list.sort { $0.value < $1.value }
                var sum: Float = 0
                means[n] = list.first { sum += $0.weight; return sum >= 0.5 * total }!.value
            } else {
                means[n] = total > 0 ? list.reduce(0) { $0 + $1.value * $1.weight } / total : .nan
            }
            angles[n] = max(total * total / max(squares, 1e-9), sphere.solidAngles[n])
        }
        return (means, angles)
    }
}
