import Foundation
import ImageFilters
import ImagingCore

/// The surface of ice where no edge shows it, carried on from where one does.
///
/// Edges lie on the refined surface, which is free of the bias that evidence with different certainty on its two sides has. The radius seen
/// from each body's middle gets the same prior as in `IceBodyFit`, and is fitted to those rays alone whose surface shows an edge; single
/// stretches that the smooth rest contradicts (a streak, a vessel that was taken along) count for little. Where no edge shows, tissue that
/// is surely frozen or surely not still says between which radii the surface lies (behind a rib the muscle shows that the ice ended
/// before). Between those it follows from the fit, and its posterior says how well.
struct IceCompletion {
    /// The completed surface; positive inside, not a distance.
    let surface: Volume<Float>
    /// The standard deviation, in millimetres, of what no edge shows, and how far the completion lies from where the evidence ended; both
    /// spread over the whole surface (root mean square).
    let hiddenDeviationMM: Double, contradictionMM: Double

    /// Of one ray's edge, including what the harmonics cannot follow.
    private static let rayDeviationMM = 1.0
    /// Edges farther than this from the fit are not the body's own.
    private static let contradictingMM = 2.0
    /// Clarities below the first are no edge, above the second as good as any; and the same for how far the evidence tells the sides apart.
    private static let clarity = 0.15...0.5
    private static let visibility = 0.2...0.6
    /// Beside what is hidden the surface leans towards where that was thought to lie: an edge counts by how many of those around it show.
    private static let neighbourCosine = cos(14 * Double.pi / 180), company = 0.3...0.7
    /// From so few edges nothing can be carried on, and from so many all.
    private static let leadingShare = 0.05...0.15
    /// How far an edge may lie from the body.
    private static let reachMM = 9.0, stepMM = 0.5
    /// Ice is round around a short active zone and long around a long one, and reaches more or less far beyond the tip: by so much the ends
    /// are made shorter or longer, and slide towards the tail, as shares of their usual length. What is far from usual has to lie that
    /// much nearer to the edges (millimetres, summed over the rays).
    private static let slides = [-0.5, -0.25, 0, 0.25]
    private static let stretches = [0.0, 0.35, 0.7, 1, 1.3], usualStretch = 0.85, unusualCost = 100.0
    /// A shape that lies farther from the edges by this much is less likely by a factor of e: neighbouring rays share their errors.
    private static let likelyCost = 5.0
    /// What the evidence says of where the surface lies counts by this much beside an edge.
    private static let evidenceShare = 0.01
    /// By how much a shape that leaves the evidence's bounds is less likely, beside an edge.
    private static let boundShare = 0.3
    /// Evidence of either kind over this length (millimetres, if certain) bounds a ray, as well as an edge of this deviation.
    private static let boundingMM = 1.5, boundDeviationMM = 1.6
    /// Evidence up to this bounds nothing: fat hardly changes, so that along all of it the evidence is a little wrong.
    /// Against an earlier scan what fat changes by was measured.
    private static let doubtfulAlone = 0.5, doubtfulCompared = 0.1
    private static let distancesMM = stride(from: 5.0, through: 32, by: 0.75)

    /// - Parameters:
    ///   - surface: refined; positive inside.
    ///   - clarity: how clear an edge the surface lies on, 0 … 1.
    ///   - evidence: −1 (unfrozen) … 1 (ice), 0 where nothing is known.
    ///   - compared: whether it stems from an earlier scan.
    init(of bodies: [IceBodyFit], surface: Volume<Float>, clarity: Volume<Float>, evidence: Volume<Float>, compared: Bool) {

        var shapes: [[Volume<Float>]] = [], hidden = 0.0, apart = 0.0, area = 0.0
        for body in bodies {
            let edges = Self.edges(of: body, on: surface, clarity)
            let (radii, deviations, trust) = Self.fit(body, edges, within: Self.bounds(of: body, by: evidence, isCompared: compared))
            for ray in radii.indices {
                let weight = radii[ray] * radii[ray]
                area += weight
                hidden += weight * (1 - trust[ray]) * deviations[ray] * deviations[ray]
                if let found = edges[ray].radius { apart += weight * (1 - trust[ray]) * (found - radii[ray]) * (found - radii[ray]) }
            }
            let leading = Self.share(trust.reduce(0, +) / Double(trust.count), in: Self.leadingShare)
            let kept = trust.map { 1 - leading * (1 - $0) }
            shapes.append(DirectionField([radii, kept], at: body.directions).map(surface.geometry, centre: body.centre))
        }
        (hiddenDeviationMM, contradictionMM) = ((hidden / area).squareRoot(), (apart / area).squareRoot())
        let merged = IceBodies.merged(shapes)
        self.surface = surface.combined(with: merged[0], merged[1]) { phi, depth, trust in trust * phi + (1 - trust) * depth }
    }

    /// For each ray where the surface passes from ice to tissue nearest to the body's own, and how clear the edge is there.
    private static func edges(
        of body: IceBodyFit, on surface: Volume<Float>, _ clarity: Volume<Float>
    ) -> [(radius: Double?, clarity: Double)] {
        let geometry = surface.geometry, size = surface.size
        let last = SIMD3(Float(size.i), Float(size.j), Float(size.k)) - 1
        let start = SIMD3<Float>(geometry.continuousIndex(PatientPoint(body.centre)).ijk)
        return surface.withUnsafeVoxels { phi in
            clarity.withUnsafeVoxels { clarity in
                let sample = TrilinearSampler(phi, size: size), clear = TrilinearSampler(clarity, size: size)
                return zip(body.directions, body.radii).map { u, radius in
                    let perMM = SIMD3<Float>(geometry.continuousIndex(PatientPoint(body.centre + u)).ijk) - start
                    func value(_ r: Double) -> Float? {
                        let place = start + Float(r) * perMM
                        return all(place .>= 0) && all(place .<= last) ? sample(place) : nil
                    }
                    var best: Double?
                    for r in stride(from: max(1, radius - reachMM), to: radius + reachMM, by: stepMM) {
                        guard let a = value(r), let b = value(r + stepMM) else { break }
                        guard a >= 0, b < 0 else { continue }
                        let crossing = r + stepMM * Double(a / (a - b))
                        if abs(crossing - radius) < abs((best ?? .infinity) - radius) { best = crossing }
                    }
                    return (best, best.map { Double(clear(start + Float($0) * perMM)) } ?? 0)
                }
            }
        }
    }

    /// For each ray between which radii the evidence lets the surface lie: where ending gains nearly as much as at the best place, as far
    /// as that holds without a break. Without an earlier scan there is no lower bound: dark streaks look as ice does.
    private static func bounds(of body: IceBodyFit, by evidence: Volume<Float>, isCompared: Bool) -> [ClosedRange<Double>] {
        let geometry = evidence.geometry, size = evidence.size, doubtful = isCompared ? doubtfulCompared : doubtfulAlone
        let last = SIMD3(Float(size.i), Float(size.j), Float(size.k)) - 1
        let start = SIMD3<Float>(geometry.continuousIndex(PatientPoint(body.centre)).ijk)
        return evidence.withUnsafeVoxels { voxels in
            let sample = TrilinearSampler(voxels, size: size)
            return zip(body.directions, body.radii).map { u, radius in
                let perMM = SIMD3<Float>(geometry.continuousIndex(PatientPoint(body.centre + u)).ijk) - start
                var gains = [0.0]
                for r in stride(from: stepMM / 2, to: min(radius + reachMM, IceBodyFit.longestMM) + stepMM, by: stepMM) {
                    let place = start + Float(r) * perMM
                    let value = all(place .>= 0) && all(place .<= last) ? Double(sample(place)) : 0
                    gains.append(gains.last! + stepMM * (value < 0 ? min(0, value + doubtful) : max(0, value - doubtful)) / (1 - doubtful))
                }
                let near = max(0, Int((radius - reachMM) / stepMM))..<gains.count
                let best = near.max { gains[$0] < gains[$1] }!, least = gains[best] - boundingMM
                let inner = isCompared ? gains[..<best].lastIndex { $0 < least }.map { $0 + 1 } ?? 0 : 0
                let outer = gains[best...].firstIndex { $0 < least } ?? Int(IceBodyFit.longestMM / stepMM)
                return Double(inner) * stepMM...Double(max(inner, outer)) * stepMM
            }
        }
    }

    private static func share(_ value: Double, in range: ClosedRange<Double>) -> Double {
        max(0, min(1, (value - range.lowerBound) / (range.upperBound - range.lowerBound)))
    }

    /// The radius of each ray, its standard deviation, and how far the edge found there is believed, 0 … 1.
    private static func fit(
        _ body: IceBodyFit, _ edges: [(radius: Double?, clarity: Double)], within bounds: [ClosedRange<Double>]
    ) -> ([Double], [Double], [Double]) {
        let count = SphericalHarmonics.count(upTo: IceBodyFit.degree)
        let harmonics = body.directions.flatMap { SphericalHarmonics.values(at: $0, upTo: IceBodyFit.degree) }
        let prior = IceBodyFit.precisions
        let alone = zip(edges, body.visibility).map { share($0.clarity, in: clarity) * share($1, in: visibility) }
        let seen = edges.indices.map { ray in
            let near = edges.indices.filter { (body.directions[$0] * body.directions[ray]).sum() > neighbourCosine }
            return alone[ray] * share(near.reduce(0) { $0 + alone[$1] } / Double(near.count), in: company)
        }
        let (base, spread) = base(of: body, edges, seen, within: bounds)
        var believed = [Double](repeating: 1, count: edges.count), radii = base
        var drawn = [Bool](repeating: false, count: edges.count)
        var system = NormalEquations(diagonal: prior)
        for _ in 0..<8 {
            system = NormalEquations(diagonal: prior)
            for ray in edges.indices {
                let row = harmonics[ray * count..<(ray + 1) * count]
                if seen[ray] > 0, let radius = edges[ray].radius {
                    system.add(row, value: radius - base[ray], weight: seen[ray] * believed[ray] / (rayDeviationMM * rayDeviationMM))
                }
                // A ray within its bounds stays where it is; one beyond is drawn to them.
                let hidden = 1 - seen[ray] * believed[ray], bounded = max(bounds[ray].lowerBound, min(bounds[ray].upperBound, radii[ray]))
                guard bounded != radii[ray] || drawn[ray] else { continue }
                drawn[ray] = true
                system.add(row, value: bounded - base[ray], weight: hidden / (boundDeviationMM * boundDeviationMM))
            }
            let solution = system.solve()
            for ray in edges.indices {
                let change = zip(solution, harmonics[ray * count..<(ray + 1) * count]).reduce(0) { $0 + $1.0 * $1.1 }
                radii[ray] = max(2, min(IceBodyFit.longestMM, base[ray] + change))
                guard let radius = edges[ray].radius else { continue }
                let away = (radius - radii[ray]) / contradictingMM
                believed[ray] = 1 / (1 + away * away * away * away)
            }
        }
        let deviations = edges.indices.map { ray in
            let own = system.deviation(of: harmonics[ray * count..<(ray + 1) * count])
            return (own * own + spread[ray] * spread[ray]).squareRoot()
        }
        return (radii, deviations, zip(seen, believed).map { $0 * $1 })
    }

    /// The sets of points at one distance from the ends, shortened or lengthened, averaged by how near they lie to the edges, and their
    /// standard deviation; the body's own base where hardly any edge shows.
    private static func base(
        of body: IceBodyFit, _ edges: [(radius: Double?, clarity: Double)], _ seen: [Double], within bounds: [ClosedRange<Double>]
    ) -> (radii: [Double], deviations: [Double]) {
        let used = edges.indices.filter { seen[$0] > 0 && edges[$0].radius != nil }
        let none = [Double](repeating: 0, count: edges.count)
        guard 20 * used.count > edges.count else { return (body.base, none) }
        let tried = stretches.flatMap { stretch in slides.map { (stretch: stretch, slide: $0) } }
        let shapes = mapSlabs(of: tried.count, slab: 1) { number -> [(cost: Double, radii: [Double])] in
            let (stretch, slide) = tried[number.lowerBound]
            let ends = body.ends.map { tipward, tailward -> (SIMD3<Double>, SIMD3<Double>) in
                let middle = (tipward + tailward) / 2 + slide * (tailward - tipward), half = stretch / 2 * (tailward - tipward)
                return (middle - half, middle + half)
            }
            let away = IceBodyFit.distances(centre: body.centre, directions: body.directions, ends: ends)
            return distancesMM.map { distance in
                let radii = IceBodyFit.radii(ofDistance: distance, away: away)
                let apart = used.reduce(0) { $0 + seen[$1] * min(abs(edges[$1].radius! - radii[$1]), contradictingMM) }
                let fromEvidence = zip(radii, body.radii).reduce(0) { $0 + min(abs($1.0 - $1.1), 2 * contradictingMM) }
                let beyond = radii.indices.reduce(0) { sum, ray in
                    let bounded = max(bounds[ray].lowerBound, min(bounds[ray].upperBound, radii[ray]))
                    return sum + (1 - seen[ray]) * min(abs(bounded - radii[ray]), 2 * contradictingMM)
                }
                let contradicting = evidenceShare * fromEvidence + boundShare * beyond
                return (apart + unusualCost * (abs(stretch - usualStretch) + abs(slide)) + contradicting, radii)
            }
        }.flatMap { $0 }
        let least = shapes.map(\.cost).min()!
        var sum = 0.0, means = none, squares = none
        for (cost, radii) in shapes where cost < least + 8 * likelyCost {
            let weight = exp((least - cost) / likelyCost)
            sum += weight
            for ray in radii.indices {
                means[ray] += weight * radii[ray]
                squares[ray] += weight * radii[ray] * radii[ray]
            }
        }
        means = means.map { $0 / sum }
        return (means, zip(squares, means).map { max(0, $0 / sum - $1 * $1).squareRoot() })
    }
}
