import Foundation
import ImageFilters
import ImagingCore

/// A tumour as a radius by direction around a centre, found from grey levels, an expected size, and strokes.
struct RadialTumourFit {
    private(set) var center: PatientPoint
    private(set) var sphere: SphereDirections
    /// Millimetres by direction.
    private(set) var radii: [Float]
    /// Standard deviation of the logarithm of the radius, by direction.
    private(set) var deviationLog: [Float]
    private(set) var odds: RadialOdds
    private(set) var samples: RadialSamples
    /// How fast the image changes, grey levels per mm, at each of the samples.
    private var slopes: RadialSamples
    /// Area-weighted share of the surface across which grey levels change from the object's to others.
    private(set) var visibleShare = 0.0
    private(set) var visibility: [Float] = []

    /// What the search goes by.
    struct Expectation {
        var prompt: TumourPrompt
        /// What the prompt's exclude points leave out; none while they are not to correct anything.
        var exclusions: [PromptStrokes.Exclusion] = []
        let sigma: Float, grainVolumeMM3: Float
        /// Lung and air are lighter; only CT numbers tell.
        var lightestTissue: Float = -.infinity
        /// Where the tumour lies in lung.
        var lung: LungBackground?
        /// The radius that the search expects, as a share of the stated one.
        var share: Float = 1
        var radius: Float { share * Float(prompt.diameterMM / 2) }
    }

    let expectation: Expectation
    /// The level of the ground glass that the surface was laid around.
    private(set) var glassHU: Float?
    private let image: Volume<Float>
    private let gradient: Volume<Float>

    init(_ image: Volume<Float>, gradient: Volume<Float>, _ expectation: Expectation) {
        (self.image, self.gradient, self.expectation) = (image, gradient, expectation)
        let start = expectation.radius
        center = expectation.prompt.seed
        sphere = .coarse
        samples = RadialSamples(
            image, center: center, sphere: .coarse, smallestMM: max(0.1 * start, 0.8), largestMM: Self.largestShare * start, count: 72)
        slopes = RadialSamples(
            gradient, center: center, sphere: .coarse, smallestMM: max(0.1 * start, 0.8), largestMM: Self.largestShare * start, count: 72)
        radii = [Float](repeating: start, count: sphere.count)
        deviationLog = [Float](repeating: 0.3, count: sphere.count)
        odds = RadialOdds(
            samples, surface: radii, insideShare: 0.45, shellMM: 0.15 * start + max(8, 0.5 * start), sigma: expectation.sigma,
            grainVolumeMM3: expectation.grainVolumeMM3, lightestTissue: expectation.lightestTissue, lung: expectation.lung)
        update(iterations: 8)
        learn()
        update(iterations: 8)
        assess()
    }

    /// The surface lies no further from the seed than this many stated radii: a seed 40 % off the middle of a tumour a quarter larger than
    /// stated.
    private static let largestShare: Float = 2

    /// Goes on from where the search is, around the middle of what it found.
    mutating func refine() {
        recentre()
        sphere = .fine
        resample()
        learn()
        update(iterations: 12)
        learn()
        update(iterations: 12)
        assess()
    }

    /// Goes on with what is known of a part-solid tumour, whose core was found.
    ///
    /// - Parameter image: not smoothed, on a grid of voxels of about the rays' spacing.
    mutating func refine(with rim: GlassRim, in image: Volume<Float>) {
        for _ in 0..<2 {
            (center, radii) = rim.cut(image, samples: samples, center: center)
            resample()
        }
        glassHU = rim.glassHU
        learn()
        assess()
    }

    private mutating func recentre() {
        var volume: Float = 0, moment = SIMD3<Float>.zero
        for n in 0..<sphere.count {
            let r = radii[n], w = sphere.solidAngles[n]
            volume += w * r * r * r / 3
            moment += w * r * r * r * r / 4 * sphere.directions[n]
        }
        let offset = moment / max(volume, 1e-6)
        let moved = center + PatientVector(SIMD3<Double>(offset))
        let old = (center, sphere, radii)
        center = moved
        resampleRadii(from: old)
    }

    /// The radii of the same surface about the present centre and directions.
    private mutating func resampleRadii(from old: (center: PatientPoint, sphere: SphereDirections, radii: [Float])) {
        let field = RadialField(sphere: old.sphere, radii: old.radii)
        let shift = SIMD3<Float>((center - old.center).lps)
        sphere = .fine
        radii = sphere.directions.map { d in
            // Bisection along the ray: the surface is star-shaped about a point near the old centre.
            var low: Float = 0, high = old.radii.max()! * 2
            for _ in 0..<24 {
                let middle = (low + high) / 2, place = shift + middle * d
                let length = (place * place).sum().squareRoot()
                if length < field.radius(place / max(length, 1e-6)) { low = middle } else { high = middle }
            }
            return max(low, 0.5)
        }
        deviationLog = [Float](repeating: 0.2, count: sphere.count)
    }

    private mutating func resample() {
        let mean = meanRadius
        func read(_ volume: Volume<Float>) -> RadialSamples {
            RadialSamples(
                volume, center: center, sphere: sphere, smallestMM: max(0.12 * mean, 0.6),
                largestMM: max(min(Self.largestShare * expectation.radius, 2.6 * mean), 1.4 * mean), count: 84)
        }
        (samples, slopes) = (read(image), read(gradient))
    }

    var meanRadius: Float { exp(zip(radii, sphere.solidAngles).reduce(0) { $0 + log($1.0) * $1.1 } / (4 * .pi)) }

    private mutating func learn() {
        odds = RadialOdds(
            samples, surface: radii, insideShare: 0.85, shellMM: max(7, 0.5 * meanRadius), sigma: expectation.sigma,
            grainVolumeMM3: expectation.grainVolumeMM3, lightestTissue: expectation.lightestTissue, lung: expectation.lung)
    }

    private mutating func update(iterations: Int) {
        let posterior = RadialPosterior(evidence: evidence(), samples: samples, roughness: Self.roughness, iterations: iterations)
        radii = posterior.meanLog.map { exp($0) }
        deviationLog = posterior.deviationLog
    }

    /// For each direction and radius the logarithm of the likelihood of a surface there.
    private func evidence() -> [Float] {
        let count = samples.radii.count, stated = expectation.radius
        let shift = SIMD3<Float>((center - expectation.prompt.seed).lps)
        let tolerated = toleratedSlope
        let strokes = PromptStrokes(
            expectation.prompt, exclusions: expectation.exclusions, center: center, directionSpacing: sphere.spacing)
        let largest: Float = expectation.prompt.axis == nil ? 1.35 : 1.1
        var result = [Float](repeating: 0, count: samples.values.count)
        for n in 0..<sphere.count {
            var sum: Float = 0
            let d = sphere.directions[n]
            for s in 0..<count {
                let r = samples.radii[s]
                let fromSeed = ((r * d + shift) * (r * d + shift)).sum().squareRoot()
                let size = log(r / (0.9 * stated)), excess = max(0, log(fromSeed / (largest * stated)))
                result[n * count + s] = sum - 0.1 * size * size / (2 * 0.4 * 0.4) - excess * excess / (2 * 0.15 * 0.15)
                    + strokes.logLikelihood(ofSurfaceAt: r, along: d)
                let value = samples.values[n * count + s]
                let weight = sphere.solidAngles[n] * r * r * r * samples.logStep / expectation.grainVolumeMM3
                guard !value.isNaN else {
                    sum -= weight
                    continue
                }
                // Between two tissues every grey level occurs: what changes fast counts as the least likely of what it changes between.
                let change = max(0, slopes.values[n * count + s] - tolerated) * (
                    odds.isLung(beyondDirection: n) ? Self.transitionInLungMM : Self.transitionMM)
                var own = odds.logOdds(value, direction: n)
                if change > 0, own > 0 {
                    own = min(own, odds.logOdds(value - change, direction: n), odds.logOdds(value + change, direction: n))
                }
                if change > 0, let between = odds.logOddsInTransition(value, change: slopes.values[n * count + s], direction: n) {
                    own += between.weight * (between.value - own)
                }
                sum += weight * own
            }
        }
        return result
    }

    /// Neighbouring directions' radii differ by about this share.
    private static let roughness: Float = 0.1
    private static let transitionMM: Float = 1, transitionInLungMM: Float = 0.5

    /// Changes that grain alone makes inside the object.
    private var toleratedSlope: Float {
        let count = samples.radii.count
        var inside: [Float] = []
        for n in stride(from: 0, to: sphere.count, by: 2) {
            for s in 0..<count where samples.radii[s] < 0.6 * radii[n] && samples.radii[s] > 0.3 * radii[n] {
                let value = slopes.values[n * count + s]
                if !value.isNaN { inside.append(value) }
            }
        }
        return 2.5 * (inside.median ?? 0)
    }

    /// How much grey levels within the surface speak for the object, as a logarithm, less what its shape and size cost.
    var support: Float {
        let evidence = evidence(), count = samples.radii.count
        return radii.indices.reduce(0) { sum, n in
            let at = (log(radii[n] / samples.radii[0]) / samples.logStep + 0.5).rounded()
            return sum + evidence[n * count + max(0, min(count - 1, Int(at)))]
        }
    }

    /// Whether a point lies inside, or a little beside it.
    func holds(_ point: PatientPoint) -> Bool { depthMM(of: point) > -Self.besideMM }

    /// How far inside the surface a point lies, along its ray from the middle; negative outside.
    func depthMM(of point: PatientPoint) -> Float {
        let place = SIMD3<Float>((point - center).lps), distance = (place * place).sum().squareRoot()
        return distance > 0 ? RadialField(sphere: sphere, radii: radii).radius(place) - distance : meanRadius
    }
    private static let besideMM: Float = 1.5

    /// Looks how grey levels change across the surface found.
    private mutating func assess() {
        let count = samples.radii.count, nodes = sphere.count
        var inner = [Float](repeating: 0, count: nodes), outer = inner
        for n in 0..<nodes {
            // Lung says so little about where its edge is that the next few millimetres must be it.
            let beyond: ClosedRange<Float> = odds.isLung(beyondDirection: n)
                ? 1.02 * radii[n] + 0.5...1.02 * radii[n] + 3 : 1.1 * radii[n] + 0.5...1.1 * radii[n] + 4.5
            var sums = SIMD2<Float>.zero, weights = SIMD2<Float>.zero
            for s in 0..<count {
                let r = samples.radii[s], value = samples.values[n * count + s]
                guard !value.isNaN else { break }
                let weight = r * samples.logStep
                if r > 0.5 * radii[n], r < 0.88 * radii[n] { sums.x += weight * odds.logOdds(value, direction: n); weights.x += weight }
                if beyond.contains(r) { sums.y += weight * odds.logOdds(value, direction: n); weights.y += weight }
            }
            inner[n] = weights.x > 0 ? sums.x / weights.x : 0
            outer[n] = weights.y > 0 ? sums.y / weights.y : 0
        }
        for _ in 0..<2 { (inner, outer) = (sphere.averaged(inner), sphere.averaged(outer)) }
        var seen: Float = 0, all: Float = 0
        visibility = (0..<nodes).map { n in max(0, min(1, (inner[n] - outer[n] - 0.4) / 0.8)) }
        for n in 0..<nodes {
            let area = sphere.solidAngles[n] * radii[n] * radii[n]
            all += area
            seen += area * visibility[n]
        }
        visibleShare = Double(seen / max(all, 1e-6))
    }
}
