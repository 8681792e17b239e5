import Foundation
import ImagingCore

/// The smooth body around active ends that agrees best with the evidence, and how sure each part of its surface is.
///
/// Ice grows outwards from probes by conduction, so that its surface is smooth and can be seen whole from within. Seen from a middle point,
/// the radius is that of the set of points at one distance from the active ends, plus spherical harmonics of few degrees with a
/// normal prior whose spread falls with the degree. Along each ray the evidence says how much is gained by ending at each radius; the body
/// maximises the sum. Where evidence is hidden (fat, bone, streaks, the scan's border) the prior completes the surface from what is
/// visible around, and the posterior says how well.
struct IceBodyFit {
    let centre: SIMD3<Double>
    /// Per ray: the radius, the standard deviation of where the surface lies, and how clearly an edge is seen there, 0 … 1.
    private(set) var radii: [Double], deviations: [Double], visibility: [Double]
    let directions: [SIMD3<Double>]
    /// The radii of the set of points at one distance from the ends, about which the prior is.
    let base: [Double]
    let ends: [(SIMD3<Double>, SIMD3<Double>)]

    static let degree = 8
    /// The prior's standard deviation in millimetres by degree, summed over the orders.
    private static let priorMM: [Double] = [1.5, 2.5, 1.8, 1.1, 0.8, 0.6, 0.45, 0.35, 0.3]
    /// For each harmonic, such that a degree's variance, averaged over the sphere, is the prior's.
    static let precisions = SphericalHarmonics.degrees(upTo: degree).map { l in Double(2 * l + 1) / (4 * .pi * priorMM[l] * priorMM[l]) }
    /// Evidence errs alike over wide patches (streaks, fat, a vessel), which rays take for shape; edges that were refined do not. Higher
    /// degrees follow evidence less by this factor of their standard deviation.
    private static let evidenceStiffness = 0.6
    private static let evidencePrecisions = zip(SphericalHarmonics.degrees(upTo: degree), precisions).map { l, precision in
        l < 2 ? precision : precision / (evidenceStiffness * evidenceStiffness)
    }
    static let longestMM = 48.0
    private static let rayCount = 600, stepMM = 0.75
    /// Against growing where nothing at all is known, per millimetre; more so farther from the active ends than ice usually grows.
    private static let reluctance = 0.03, farReluctance = 0.25, usualMM = 18.0, farMM = 30.0
    /// Of one ray, including that neighbouring rays share their errors.
    private static let rayDeviationMM = 1.6
    /// A single ray that would end this much farther out or in than those around it counts half. Vessels warm ice, which dents it; what
    /// bulges is rather a vessel or fat that looks as ice does.
    private static let bulgeMM = 2.5, dentMM = 8.0

    /// - Parameters:
    ///   - evidence: −1 (unfrozen) … 1 (ice), 0 where nothing is known.
    ///   - ends: active ends as segments (a seed is a segment without length), in patient space.
    init(_ evidence: Volume<Float>, centre: SIMD3<Double>, ends: [(SIMD3<Double>, SIMD3<Double>)]) {
        (self.centre, self.ends) = (centre, ends)
        let directions = Self.evenDirections(Self.rayCount)
        self.directions = directions
        let away = Self.distances(centre: centre, directions: directions, ends: ends)
        let gains = Self.gains(evidence, centre: centre, directions: directions, away: away)
        base = Self.start(gains, away: away)
        let count = SphericalHarmonics.count(upTo: Self.degree)
        let harmonics = directions.flatMap { SphericalHarmonics.values(at: $0, upTo: Self.degree) }
        let precision = Self.evidencePrecisions
        (radii, deviations, visibility) = (base, [], [])
        var system = NormalEquations(diagonal: precision)
        // From coarse to fine: the few parameters of the lower degrees are found before the higher ones may follow details.
        for (limit, freedom) in [(1, 4.0), (1, 4), (2, 4), (2, 4), (2, 4), (4, 3), (4, 3), (4, 3), (8, 2.5), (8, 2.5), (8, 2.5)] {
            let used = SphericalHarmonics.count(upTo: limit)
            system = NormalEquations(diagonal: Array(precision[..<used]))
            visibility = []
            for ray in directions.indices {
                let (target, weight, seen) = Self.wanted(gains[ray], from: radii[ray], freedomMM: freedom)
                visibility.append(seen)
                guard weight > 0.01 else { continue }
                system.add(
                    harmonics[ray * count..<ray * count + used], value: target - base[ray],
                    weight: weight / (Self.rayDeviationMM * Self.rayDeviationMM))
            }
            let solution = system.solve()
            radii = directions.indices.map { ray in
                max(
                    2,
                    min(
                        Self.longestMM, base[ray] + zip(solution, harmonics[ray * count..<ray * count + used]).reduce(0) {
                            $0 + $1.0 * $1.1
                        }
                    ))
            }
        }
        deviations = directions.indices.map { system.deviation(of: harmonics[$0 * count..<($0 + 1) * count]) }
    }

    /// The directions of a Fibonacci lattice: nearly equal areas.
    static func evenDirections(_ count: Int) -> [SIMD3<Double>] {
        (0..<count).map { n in
            let z = 1 - (2 * Double(n) + 1) / Double(count), s = (1 - z * z).squareRoot(), azimuth = 2.399963229728653 * Double(n)
            return SIMD3(s * cos(azimuth), s * sin(azimuth), z)
        }
    }

    /// For each ray and step along it the distance in millimetres from the nearest end.
    static func distances(
        centre: SIMD3<Double>, directions: [SIMD3<Double>], ends: [(SIMD3<Double>, SIMD3<Double>)]
    ) -> [[Double]] {
        let segments = ends.map { a, b in (start: a, axis: b - a, lengthSquared: ((b - a) * (b - a)).sum()) }
        func distance(_ p: SIMD3<Double>) -> Double {
            var least = Double.infinity
            for (start, axis, lengthSquared) in segments {
                let from = p - start, t = lengthSquared > 0 ? max(0, min(1, (from * axis).sum() / lengthSquared)) : 0
                let away = from - t * axis
                least = min(least, (away * away).sum())
            }
            return least.squareRoot()
        }
        return mapSlabs(of: directions.count, slab: 75) { rays in
            directions[rays].map { u in (0...Int(longestMM / stepMM) + 8).map { n in distance(centre + Double(n) * stepMM * u) } }
        }.flatMap { $0 }
    }

    /// For each ray the running integral of the evidence, one value per step.
    private static func gains(
        _ evidence: Volume<Float>, centre: SIMD3<Double>, directions: [SIMD3<Double>], away: [[Double]]
    ) -> [[Double]] {
        let geometry = evidence.geometry, size = evidence.size
        let last = SIMD3(Float(size.i), Float(size.j), Float(size.k)) - 0.5
        let start = SIMD3<Float>(geometry.continuousIndex(PatientPoint(centre)).ijk)
        return evidence.withUnsafeVoxels { voxels in
            let sample = TrilinearSampler(voxels, size: size)
            return zip(directions, away).map { u, away in
                let step = SIMD3<Float>(geometry.continuousIndex(PatientPoint(centre + stepMM * u)).ijk) - start
                var sum = 0.0
                return away.indices.map { n in
                    let place = start + (Float(n) + 0.5) * step, before = sum
                    if all(place .> -0.5), all(place .< last) {
                        let far = max(0, min(1, (away[n] - usualMM) / (farMM - usualMM)))
                        sum += stepMM * (Double(sample(place)) - reluctance - farReluctance * far)
                    }
                    return before
                }
            }
        }
    }

    /// The radii of the set of points at one distance from the ends; that distance which gains most.
    private static func start(_ gains: [[Double]], away: [[Double]]) -> [Double] {
        var best: (gain: Double, radii: [Double]) = (-.infinity, [])
        for tried in stride(from: 5.0, through: 32, by: 1.5) {
            let radii = radii(ofDistance: tried, away: away)
            let gain = zip(gains, radii).reduce(0) { sum, pair in sum + pair.0[Int(pair.1 / stepMM)] - 0.02 * pair.1 }
            if gain > best.gain { best = (gain, radii) }
        }
        return best.radii
    }

    /// Along each ray the last place at a distance from the ends.
    static func radii(ofDistance distance: Double, away: [[Double]]) -> [Double] {
        let longest = Int(longestMM / stepMM)
        return away.map { line in Double(line[...longest].lastIndex { $0 < distance } ?? 2) * stepMM }
    }

    /// Where a ray would best end, not far from where it ends now; how much that counts, and how clear the edge there is.
    private static func wanted(_ gain: [Double], from radius: Double, freedomMM: Double) -> (
        radius: Double, weight: Double, visibility: Double
    ) {
        let reach = Int(2.2 * freedomMM / stepMM), now = min(max(Int((radius / stepMM).rounded()), 1), gain.count - 6)
        var best = (value: -Double.infinity, step: now)
        for n in max(2, now - reach)...max(2, min(gain.count - 6, now + reach)) {
            let away = (Double(n) * stepMM - radius) / freedomMM
            let value = gain[n] - 0.5 * away * away
            if value > best.value { best = (value, n) }
        }
        let n = best.step, width = 4
        let within = (gain[n] - gain[max(0, n - width)]) / (Double(width) * stepMM),
            beyond = (gain[n] - gain[n + width]) / (Double(width) * stepMM)
        let seen = max(0, min(1, min(within, beyond) / 0.35))
        let pushed = max(0, min(1, (gain[n] - gain[now]) / 1.5))
        let out = Double(n) * stepMM - radius, jump = out / (out > 0 ? bulgeMM : dentMM)
        return (Double(n) * stepMM, max(seen, pushed) / (1 + jump * jump), seen)
    }

    /// The share of the surface, by area, at which an edge is seen.
    var visibleShare: Double {
        let areas = radii.map { $0 * $0 }
        return zip(areas, visibility).reduce(0) { $0 + $1.0 * $1.1 } / areas.reduce(0, +)
    }
}
