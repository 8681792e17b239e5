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
        let sigma: Float, grainVolumeMM3: Float
        var denserThan: Float?
        var radius: Float { Float(prompt.diameterMM / 2) }
    }

    let expectation: Expectation
    private let image: Volume<Float>
    private let gradient: Volume<Float>

    /// - Parameter startShare: the object's radius at first guess, as a share of the stated one.
    init(_ image: Volume<Float>, gradient: Volume<Float>, _ expectation: Expectation, startShare: Float) {
        (self.image, self.gradient, self.expectation) = (image, gradient, expectation)
        let stated = expectation.radius, start = stated * startShare
        center = expectation.prompt.seed
        sphere = .coarse
        samples = RadialSamples(image, center: center, sphere: .coarse, smallestMM: max(0.1 * start, 0.8), largestMM: Self.largestShare * stated, count: 72)
        slopes = RadialSamples(gradient, center: center, sphere: .coarse, smallestMM: max(0.1 * start, 0.8), largestMM: Self.largestShare * stated, count: 72)
        radii = [Float](repeating: start, count: sphere.count)
        deviationLog = [Float](repeating: 0.3, count: sphere.count)
        odds = RadialOdds(
            samples, surface: radii, insideShare: 0.45, shellMM: 0.15 * start + max(8, 0.5 * start), sigma: expectation.sigma,
            grainVolumeMM3: expectation.grainVolumeMM3, denserThan: expectation.denserThan)
        update(iterations: 8)
        learn()
        update(iterations: 8)
        assess()
    }

    /// The surface lies no further from the seed than this many stated radii: a seed 40 % off the middle of a tumour a quarter larger than stated.
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
            grainVolumeMM3: expectation.grainVolumeMM3, denserThan: expectation.denserThan)
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
        let strokes = PromptStrokes(expectation.prompt, center: center, directionSpacing: sphere.spacing)
        let largest: Float = expectation.prompt.axis == nil ? 1.35 : 1.1
        var result = [Float](repeating: 0, count: samples.values.count)
        for n in 0..<sphere.count {
            var sum: Float = 0
            let d = sphere.directions[n]
            for s in 0..<count {
                let r = samples.radii[s]
                let fromSeed = ((r * d + shift) * (r * d + shift)).sum().squareRoot()
                let size = log(r / (0.9 * stated)), excess = max(0, log(fromSeed / (largest * stated)))
                result[n * count + s] = sum - 0.1 * size * size / (2 * 0.4 * 0.4) - excess * excess / (2 * 0.15 * 0.15) + strokes.logLikelihood(ofSurfaceAt: r, along: d)
                let value = samples.values[n * count + s]
                let weight = sphere.solidAngles[n] * r * r * r * samples.logStep / expectation.grainVolumeMM3
                guard !value.isNaN else {
                    sum -= weight
                    continue
                }
                // Between two tissues every grey level occurs: what changes fast counts as the least likely of what it changes between.
                let change = max(0, slopes.values[n * count + s] - tolerated) * Self.transitionMM
                var own = odds.logOdds(value, direction: n)
                if change > 0, own > 0 {
                    own = min(own, odds.logOdds(value - change, direction: n), odds.logOdds(value + change, direction: n))
                }
                sum += weight * own
            }
        }
        return result
    }

    /// Neighbouring directions' radii differ by about this share.
    private static let roughness: Float = 0.1
    private static let transitionMM: Float = 1

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

    /// Looks how grey levels change across the surface found.
    private mutating func assess() {
        let count = samples.radii.count, nodes = sphere.count
        var inner = [Float](repeating: 0, count: nodes), outer = inner
        for n in 0..<nodes {
            var sums = SIMD2<Float>.zero, weights = SIMD2<Float>.zero
            for s in 0..<count {
                let r = samples.radii[s], value = samples.values[n * count + s]
                guard !value.isNaN else { break }
                let weight = r * samples.logStep
                if r > 0.5 * radii[n], r < 0.88 * radii[n] { sums.x += weight * odds.logOdds(value, direction: n); weights.x += weight }
                if r > 1.1 * radii[n] + 0.5, r < 1.1 * radii[n] + 4.5 { sums.y += weight * odds.logOdds(value, direction: n); weights.y += weight }
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

extension SphereDirections {
    /// Each value averaged with its neighbours'.
    func averaged(_ values: [Float]) -> [Float] {
        (0..<count).map { n in
            let around = neighbourStarts[n]..<neighbourStarts[n + 1]
            return (values[n] + around.reduce(0) { $0 + values[neighbours[$1]] }) / Float(around.count + 1)
        }
    }
}

/// A radius for every direction, interpolated between those of a sphere's directions.
struct RadialField {
    private let table: [Float]
    private static let side = 40

    /// The Gaussian that joins directions, as a share of their spacing.
    private static let joiningShare: Float = 0.55

    /// What the field reads at the directions themselves.
    static func joined(_ radii: [Float], on sphere: SphereDirections) -> [Float] {
        let beside = exp(-0.5 / (joiningShare * joiningShare))
        return radii.indices.map { n in
            let around = sphere.neighbourStarts[n]..<sphere.neighbourStarts[n + 1]
            return (radii[n] + beside * around.reduce(0) { $0 + radii[sphere.neighbours[$1]] }) / (1 + beside * Float(around.count))
        }
    }

    init(sphere: SphereDirections, radii: [Float]) {
        let side = Self.side, width = Self.joiningShare * sphere.spacing, limit = cos(min(3.2 * width, 1.2))
        table = [Float](unsafeUninitializedCapacity: 6 * side * side) { target, initialized in
            let first = target.baseAddress!
            forEachSlab(of: 6 * side, slab: 4) { range in
                for row in range {
                    for column in 0..<side {
                        let d = Self.direction(face: row / side, Float(row % side) / Float(side - 1) * 2 - 1, Float(column) / Float(side - 1) * 2 - 1)
                        var sum: Float = 0, weights: Float = 0
                        for n in 0..<sphere.count {
                            let cosine = (sphere.directions[n] * d).sum()
                            guard cosine > limit else { continue }
                            let weight = exp((cosine - 1) / (width * width))
                            sum += weight * radii[n]
                            weights += weight
                        }
                        (first + row * side + column).initialize(to: sum / weights)
                    }
                }
            }
            initialized = 6 * side * side
        }
    }

    /// A direction from a position on a face of the cube around the sphere.
    private static func direction(face: Int, _ u: Float, _ v: Float) -> SIMD3<Float> {
        let sign: Float = face % 2 == 0 ? 1 : -1
        let d: SIMD3<Float> = switch face / 2 {
        case 0: SIMD3(sign, u, v)
        case 1: SIMD3(u, sign, v)
        default: SIMD3(u, v, sign)
        }
        return d / (d * d).sum().squareRoot()
    }

    /// - Parameter direction: of any length but zero.
    @inline(__always)
    func radius(_ direction: SIMD3<Float>) -> Float {
        let size = SIMD3(abs(direction.x), abs(direction.y), abs(direction.z))
        var face: Int, u: Float, v: Float
        if size.x >= size.y, size.x >= size.z {
            (face, u, v) = (direction.x < 0 ? 1 : 0, direction.y / size.x, direction.z / size.x)
        } else if size.y >= size.z {
            (face, u, v) = (direction.y < 0 ? 3 : 2, direction.x / size.y, direction.z / size.y)
        } else {
            (face, u, v) = (direction.z < 0 ? 5 : 4, direction.x / size.z, direction.y / size.z)
        }
        let side = Self.side
        let a = (u + 1) / 2 * Float(side - 1), b = (v + 1) / 2 * Float(side - 1)
        let i = max(0, min(Int(a), side - 2)), j = max(0, min(Int(b), side - 2))
        let x = a - Float(i), y = b - Float(j)
        let at = (face &* side &+ i) &* side &+ j
        let low = table[at] + y * (table[at &+ 1] - table[at])
        let high = table[at &+ side] + y * (table[at &+ side &+ 1] - table[at &+ side])
        return low + x * (high - low)
    }

    /// Radius minus distance from the centre, at every voxel of a grid: positive inside.
    func levels(on grid: GridGeometry, center: PatientPoint) -> Volume<Float> {
        let axes = [grid.axes.i, grid.axes.j, grid.axes.k].map { SIMD3<Float>($0.lps) }
        let h = SIMD3<Float>(grid.spacing), start = SIMD3<Float>((grid.origin - center).lps)
        let size = grid.size
        return Volume<Float>(geometry: grid) { target in
            forEachSlab(of: size.k, slab: 1) { range in
                for k in range {
                    for j in 0..<size.j {
                        let row = size.i &* (j &+ size.j &* k)
                        let rowStart = start + Float(j) * h.y * axes[1] + Float(k) * h.z * axes[2]
                        for i in 0..<size.i {
                            let place = rowStart + Float(i) * h.x * axes[0]
                            let length = (place * place).sum().squareRoot()
                            target[row &+ i] = length < 1e-4 ? radius(SIMD3(1, 0, 0)) : radius(place) - length
                        }
                    }
                }
            }
        }
    }
}
