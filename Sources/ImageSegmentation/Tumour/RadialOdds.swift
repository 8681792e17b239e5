import Foundation
import ImagingCore

/// How much likelier a reading on a ray is inside an object than beyond it, where what lies beyond differs from side to side.
struct RadialOdds {
    private static let bins = 160
    /// The most that one reading can say, so that what no class foresees does not decide alone.
    private static let limit: Float = 8
    /// From so many standard deviations of the object's own levels on what lies around, blur alone tells its rim from its middle.
    private static let farAboveGrain: Float = 20
    /// Sides around the object whose surroundings are told apart.
    static let sides = SphereDirections(division: 2)
    /// How far to its sides a side's own surroundings reach, in radians (one standard deviation).
    private static let sideReach: Float = 0.55

    let insideMedian: Float, insideSpread: Float
    /// Whether the object differs from what lies around by so much that its levels differ by blur rather than by grain.
    let isFarAboveGrain: Bool
    /// What grain alone spreads the object's levels by, at the least.
    private let leastSpread: Float
    private let lowest: Float, scale: Float
    /// For each side a table over grey levels.
    private let tables: [Float]
    private let sideOfDirection: [Int]
    /// The usual grey level beyond each side.
    private let outsideMedians: [Float]
    private let lung: LungBackground?
    private let lightestTissue: Float

    /// - Parameters:
    ///   - surface: radius by direction; readings well inside make the inside's grey levels, those in a shell beyond it the outside's.
    ///   - grainVolumeMM3: the volume that one independent reading stands for.
    ///   - lightestTissue: what lies around and is lighter is lung or air: layers between it and the object are thin, and hardly lighter
    ///     than the object beside so large a step.
    ///   - lung: where set, what is denser than lung is the object's on sides where lung lies, whatever its middle looks like.
    init(
        _ samples: RadialSamples, surface: [Float], insideShare: Float, shellMM: Float, sigma: Float, grainVolumeMM3: Float,
        lightestTissue: Float = -.infinity, lung: LungBackground? = nil
    ) {
        let sphere = samples.sphere, radii = samples.radii, count = radii.count
        var inside: [(value: Float, weight: Float)] = []
        var insideVolume: Float = 0
        for n in 0..<sphere.count {
            let reach = surface[n] * insideShare
            for s in 0..<count {
                guard radii[s] < reach else { break }
                let value = samples.values[n * count + s], weight = sphere.solidAngles[n] * radii[s] * radii[s] * radii[s] * samples.logStep
                guard !value.isNaN else { break }
                inside.append((value, weight))
                insideVolume += weight
            }
        }
        let ordered = inside.sorted { $0.value < $1.value }
        let median = Self.quantile(ordered, 0.5)
        leastSpread = max(0.7 * sigma, 1e-3)
        let spread = max((Self.quantile(ordered, 0.8) - Self.quantile(ordered, 0.2)) / 1.683, leastSpread)
        (insideMedian, insideSpread, self.lung, self.lightestTissue) = (median, spread, lung, lightestTissue)

        var outside = [[(side: Int, value: Float, weight: Float)]](repeating: [], count: 1)
        var lowestOutside = median - 8 * spread, highestOutside = median + 8 * spread
        sideOfDirection = sphere.directions.map { Self.sides.nearest(to: $0) }
        for n in 0..<sphere.count {
            let near = surface[n] * 1.12 + 0.6, far = surface[n] * 1.12 + shellMM
            for s in 0..<count where radii[s] > near && radii[s] < far {
                let value = samples.values[n * count + s]
                guard !value.isNaN else { break }
                // All depths of the shell count alike: what touches the object matters most.
                outside[0].append((sideOfDirection[n], value, sphere.solidAngles[n] * surface[n] * surface[n] * radii[s] * samples.logStep))
            }
        }
        isFarAboveGrain = (outside[0].map { abs($0.value - median) }.median ?? 0) > Self.farAboveGrain * spread
        let sortedOutside = outside[0].map(\.value).sorted()
        if let low = sortedOutside.first, let high = sortedOutside.last, sortedOutside.count > 20 {
            lowestOutside = min(lowestOutside, max(low, sortedOutside[sortedOutside.count / 50] - 2 * spread, median - 60 * spread))
            highestOutside = max(highestOutside, min(high, sortedOutside[sortedOutside.count * 49 / 50] + 2 * spread, median + 60 * spread))
        }
        let lowest = lowestOutside, scale = Float(Self.bins) / (highestOutside - lowestOutside)
        (self.lowest, self.scale) = (lowest, scale)
        @inline(__always) func bin(_ value: Float) -> Int { Int(max(0, min(Float(Self.bins - 1), (value - lowest) * scale))) }

        var within = [Float](repeating: 0, count: Self.bins)
        for (value, weight) in inside where abs(value - median) < 3 * spread { within[bin(value)] += weight }
        let independent = max(insideVolume / grainVolumeMM3, 1)
        within = Self.smoothed(within, spread * scale * max(0.35, pow(independent, -0.2)))
        // A share for grey levels of the object that its middle does not show.
        let normal = Self.smoothed((0..<Self.bins).map { $0 == bin(median) ? 1 : 0 }, 2 * spread * scale)
        for at in 0..<Self.bins { within[at] = 0.85 * within[at] + 0.15 * normal[at] }

        var bySide = [[Float]](repeating: [Float](repeating: 0, count: Self.bins), count: Self.sides.count)
        for (side, value, weight) in outside[0] { bySide[side][bin(value)] += weight }
        let width = max(0.35 * spread, 0.5 * sigma) * scale
        let all = Self.smoothed((0..<Self.bins).map { at in bySide.reduce(0) { $0 + $1[at] } }, width)
        var tables: [Float] = [], outsideMedians: [Float] = []
        for side in 0..<Self.sides.count {
            var own = [Float](repeating: 0, count: Self.bins)
            for other in 0..<Self.sides.count {
                let angle = acos(max(-1, min(1, (Self.sides.directions[side] * Self.sides.directions[other]).sum())))
                guard angle < 3 * Self.sideReach else { continue }
                let weight = exp(-0.5 * angle * angle / (Self.sideReach * Self.sideReach))
                for at in 0..<Self.bins { own[at] += weight * bySide[other][at] }
            }
            own = Self.smoothed(own, width)
            var below: Float = 0
            outsideMedians.append(lowest + (Float(own.firstIndex { below += $0; return below >= 0.5 } ?? 0) + 0.5) / scale)
            for at in 0..<Self.bins {
                let beyond = 0.65 * own[at] + 0.3 * all[at] + 0.05 / Float(Self.bins)
                var odds = log((within[at] + 0.02 / Float(Self.bins)) / beyond)
                if let lung, lung.liesBeyond[side] { odds = max(odds, lung.logOdds(lowest + (Float(at) + 0.5) / scale)) }
                tables.append(max(-Self.limit, min(Self.limit, odds)))
            }
        }
        (self.tables, self.outsideMedians) = (tables, outsideMedians)
    }

    /// Logarithm of the odds of a reading.
    @inline(__always)
    func logOdds(_ value: Float, direction: Int) -> Float {
        // The tables span the object's own grey levels; lung may lie far below.
        if value < LungBackground.solidHU, let lung, lung.liesBeyond[sideOfDirection[direction]] { return lung.logOdds(value) }
        return tables[sideOfDirection[direction] &* Self.bins &+ Int(max(0, min(Float(Self.bins &- 1), (value - lowest) * scale)))]
    }

    /// Of a reading between the object's level and that beyond it, where the image changes: it is blur's, and half-height parts the two.
    ///
    /// Where grain hides less than blur does, the object's own levels lie so close together that its blurred rim is none of them.
    ///
    /// - Parameter change: how fast the image changes there, in grey levels per mm.
    /// - Returns: the logarithm of the odds, and how surely they hold rather than `logOdds`, 0 to 1; `nil` where they do not.
    @inline(__always)
    func logOddsInTransition(_ value: Float, change: Float, direction: Int) -> (value: Float, weight: Float)? {
        let beyond = outsideMedians[sideOfDirection[direction]], contrast = insideMedian - beyond
        guard lung == nil, beyond > lightestTissue else { return nil }
        let height = (value - beyond) / contrast
        let weight = Self.share(abs(contrast) / leastSpread, of: Self.blurShows) * Self.share(change / abs(contrast), of: Self.transitionPerMM)
        guard height > 0, height < 1, weight > 0 else { return nil }
        return (Self.transitionLimit * (2 * height - 1), weight)
    }

    /// Contrasts, in grain's standard deviations, from which blur tells more than grain. Below them a vessel whose level is nearly the
    /// object's is told from it by that little; levels within a transition would take its flanks along.
    private static let blurShows: ClosedRange<Float> = 40...60
    /// Shares of the contrast: blur of 3 mm (full width at half maximum) changes by 0.3 in the middle and 0.1 at 5 % and 95 % of height.
    private static let transitionPerMM: ClosedRange<Float> = 0.03...0.1
    private static let transitionLimit: Float = 4

    /// Whether lung lies beyond the object in a direction.
    func isLung(beyondDirection n: Int) -> Bool { lung?.liesBeyond[sideOfDirection[n]] ?? false }

    /// How much of a range lies below a value, 0 to 1.
    private static func share(_ value: Float, of range: ClosedRange<Float>) -> Float {
        max(0, min(1, (value - range.lowerBound) / (range.upperBound - range.lowerBound)))
    }

    private static func quantile(_ ordered: [(value: Float, weight: Float)], _ share: Float) -> Float {
        let total = ordered.reduce(0) { $0 + $1.weight }
        var sum: Float = 0
        for (value, weight) in ordered {
            sum += weight
            if sum >= share * total { return value }
        }
        return ordered.last?.value ?? 0
    }

    /// Smoothed with a Gaussian of `width` bins and scaled to sum 1.
    private static func smoothed(_ counts: [Float], _ width: Float) -> [Float] {
        let width = max(width, 0.4), reach = min(counts.count - 1, max(1, Int((3 * width).rounded(.up))))
        let kernel = (-reach...reach).map { exp(-0.5 * pow(Float($0) / width, 2)) }
        var result = [Float](repeating: 0, count: counts.count)
        for (at, value) in counts.enumerated() where value > 0 {
            for shift in max(-reach, -at)...min(reach, counts.count - 1 - at) { result[at + shift] += value * kernel[shift + reach] }
        }
        let total = max(result.reduce(0, +), 1e-20)
        return result.map { $0 / total }
    }
}
