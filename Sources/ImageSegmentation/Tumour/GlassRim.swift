import Foundation
import ImagingCore

/// The ground glass of a part-solid tumour, between its core and the lung.
///
/// Beyond the core the tumour is glass alone: what is as dense as the core there is a vessel beside it, where elsewhere in lung all that is
/// dense speaks for the tumour. Vessels run in sheaths of glass-like voxels, their own blur, so the tumour is held to what is seen from its
/// middle before the first of them, and to little surface.
struct GlassRim {
    let glassHU: Float
    private let core: RadialField, coreCenter: PatientPoint
    private let found: RadialField, foundCenter: PatientPoint
    /// Log odds by grey level, from the level of lung on.
    private let table: [Float], lowestHU: Float

    private static let binHU: Float = 10, highestHU: Float = 300
    /// One standard deviation of glass, beside the scan's grain; and how densities of lung are smoothed.
    private static let unevennessHU: Float = 40, smoothingHU: Float = 25
    /// Shares of any level: of vessels within glass, and of what lung around did not show.
    private static let strayInGlass: Float = 0.05, unseenInLung: Float = 0.1
    /// Where lung is read: beyond this share of the radius, as far.
    private static let nearShare: Float = 1.1, aroundMM: Float = 10
    /// So far beyond the core's surface its blur makes any level.
    private static let skinMM: Float = 2
    private static let certain: Float = 6
    /// Odds that end the tumour along a ray: of lung, and of a vessel behind glass.
    private static let lungOdds: Float = -2.5, vesselOdds: Float = -0.5
    /// How much area of surface, in mm² per mm³, a voxel of even odds × e holds up; certain core; and what lies behind lung or a vessel.
    private static let forcePerMM: Float = 0.3, coreForcePerMM: Float = 2, hiddenForcePerMM: Float = -0.6
    private static let iterations = 120
    /// Lung that holds less air beside a wall reads as glass does: so far beyond what was found by size and shape the tumour may go on.
    private static let beyondFoundMM: Float = 2

    /// - Parameter whole: core and glass as found so far; what lies around is lung with its vessels.
    init(around core: RadialTumourFit, of whole: RadialTumourFit, glass: GroundGlass, lung: LungBackground) {
        self.core = RadialField(sphere: core.sphere, radii: core.radii)
        found = RadialField(sphere: whole.sphere, radii: whole.radii)
        foundCenter = whole.center
        (coreCenter, glassHU, lowestHU) = (core.center, glass.levelHU, lung.level)
        let bins = Int((Self.highestHU - lowestHU) / Self.binHU) + 1, samples = whole.samples, count = samples.radii.count
        var around = [Float](repeating: 0, count: bins)
        for n in whole.radii.indices where whole.odds.isLung(beyondDirection: n) {
            let first = Self.nearShare * whole.radii[n] + 1
            for s in 0..<count where samples.radii[s] > first && samples.radii[s] < first + Self.aroundMM {
                let value = samples.values[n * count + s], r = samples.radii[s]
                guard !value.isNaN else { break }
                around[max(0, min(bins - 1, Int((value - lung.level) / Self.binHU)))] += samples.sphere.solidAngles[n] * r * r * r
            }
        }
        let width = Self.smoothingHU / Self.binHU, reach = Int(3 * width)
        let kernel = (-reach...reach).map { exp(-0.5 * pow(Float($0) / width, 2)) }
        let inLung = Self.scaledToOne((0..<bins).map { at in
            (max(0, at - reach)...min(bins - 1, at + reach)).reduce(Float(0)) { $0 + around[$1] * kernel[$1 - at + reach] }
        })
        let sigma = whole.expectation.sigma, spread = (Self.unevennessHU * Self.unevennessHU + sigma * sigma).squareRoot()
        let inGlass = Self.scaledToOne((0..<bins).map { at in
            exp(-0.5 * pow((lung.level + (Float(at) + 0.5) * Self.binHU - glass.levelHU) / spread, 2))
        })
        table = zip(inGlass, inLung).map { inGlass, inLung in
            let odds = ((1 - Self.strayInGlass) * inGlass + Self.strayInGlass / Float(bins))
                / ((1 - Self.unseenInLung) * inLung + Self.unseenInLung / Float(bins))
            return max(-Self.certain, min(Self.certain, log(odds)))
        }
    }

    private static func scaledToOne(_ values: [Float]) -> [Float] {
        let total = max(values.reduce(0, +), 1e-9)
        return values.map { $0 / total }
    }

    /// Logarithm of the odds that a grey level beyond the core is glass.
    func logOdds(_ value: Float) -> Float { table[max(0, min(table.count - 1, Int((value - lowestHU) / Self.binHU)))] }

    /// The tumour of least surface that grey levels hold up, as radii about its middle.
    ///
    /// - Parameter samples: the image along rays from `center`, which lies in the tumour.
    func cut(_ image: Volume<Float>, samples: RadialSamples, center: PatientPoint) -> (center: PatientPoint, radii: [Float]) {
        let seen = reach(samples, center: center), farthest = seen.max() ?? 1
        let box = image.geometry.indexRanges(around: [center], marginMM: Double(farthest) + 6)!
        let part = image.cropped(box.i, box.j, box.k), grid = part.geometry
        let withinReach = RadialField(sphere: samples.sphere, radii: seen).levels(on: grid, center: center)
        let withinCore = core.levels(on: grid, center: coreCenter)
        let slice = grid.size.i * grid.size.j
        let force = Volume<Float>(geometry: grid) { force in
            part.withUnsafeVoxels { values in withinReach.withUnsafeVoxels { reach in withinCore.withUnsafeVoxels { core in
                for n in 0..<values.count {
                    // In the slice beside the core its level is mixed in: what is denser than glass there is no vessel.
                    let isMixed = (n >= slice && core[n - slice] > 0) || (n + slice < values.count && core[n + slice] > 0)
                    let own = Self.forcePerMM * logOdds(isMixed ? min(values[n], glassHU) : values[n])
                    force[n] = core[n] > -Self.skinMM ? Self.coreForcePerMM : reach[n] < 0 ? min(Self.hiddenForcePerMM, own) : own
                }
            }}}
        }
        let share = TotalVariationCut.solve(force: force, iterations: Self.iterations)
        let middle = middle(of: share) ?? center
        let rays = RadialSamples(share, center: middle, sphere: .fine, smallestMM: 1, largestMM: farthest + 5, count: 160)
        let count = rays.radii.count
        let radii = rays.sphere.directions.indices.map { n in
            rays.radii[(0..<count).first { !(rays.values[n * count + $0] >= 0.5) } ?? count - 1]
        }
        return (middle, radii)
    }

    private func liesBeyondCore(_ place: SIMD3<Float>) -> Bool { (place * place).sum().squareRoot() > core.radius(place) + Self.skinMM }

    private func liesNearFound(_ place: SIMD3<Float>) -> Bool {
        (place * place).sum().squareRoot() < found.radius(place) + Self.beyondFoundMM
    }

    /// How far the tumour may reach in each direction: to the first lung, or the first vessel behind glass.
    private func reach(_ samples: RadialSamples, center: PatientPoint) -> [Float] {
        let count = samples.radii.count, shift = SIMD3<Float>((center - coreCenter).lps)
        let fromFound = SIMD3<Float>((center - foundCenter).lps)
        return samples.sphere.directions.indices.map { n in
            var sawGlass = false
            for s in 0..<count where liesBeyondCore(samples.radii[s] * samples.sphere.directions[n] + shift) {
                if !liesNearFound(samples.radii[s] * samples.sphere.directions[n] + fromFound) { return samples.radii[s] }
                let value = samples.values[n * count + s], odds = value.isNaN ? Self.lungOdds : logOdds(value)
                if odds > 0 { sawGlass = true }
                if odds <= Self.lungOdds || (sawGlass && odds < Self.vesselOdds) { return samples.radii[s] }
            }
            return samples.radii[count - 1]
        }
    }

    private func middle(of share: Volume<Float>) -> PatientPoint? {
        let grid = share.geometry
        var moment = SIMD3<Double>.zero, weight = 0.0
        share.withUnsafeVoxels { share in
            for n in 0..<share.count where share[n] > 0 {
                moment += Double(share[n]) * grid.point(grid.size.index(atOffset: n)).lps
                weight += Double(share[n])
            }
        }
        return weight > 0 ? PatientPoint(moment / weight) : nil
    }
}
