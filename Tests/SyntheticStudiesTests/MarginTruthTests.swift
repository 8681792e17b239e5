import Foundation
import ImagingCore
import Testing
@testable import SyntheticStudies

/// Truth against closed forms of balls, and against brute force for everything else.
struct MarginTruthTests {
    private func ball(_ center: SIMD3<Double>, _ radius: Double) -> Ellipsoid {
        Ellipsoid(center: center, semiAxes: SIMD3(repeating: radius))
    }

    /// The volume that two balls share (lens), the second `d` away from the first.
    private func sharedVolume(_ a: Double, _ b: Double, _ d: Double) -> Double {
        if d <= abs(a - b) { return 4 / 3 * .pi * pow(min(a, b), 3) }
        if d >= a + b { return 0 }
        return .pi * pow(a + b - d, 2) * (d * d + 2 * d * (a + b) - 3 * (a - b) * (a - b)) / (12 * d)
    }

    @Test(
        arguments: [
            (ice: 17.0, offset: 3.0, margin: 4.0), (ice: 14, offset: 5, margin: -1), (ice: 22, offset: 1.5, margin: 10.5),
            (ice: 9, offset: 0, margin: -1)
        ])
    func ballsFollowTheirClosedForm(ice: Double, offset: Double, margin: Double) {
        let radius = 10.0, center = SIMD3(3.0, -7, 12), shift = offset * normalize(SIMD3(0.3, -0.5, 0.8))
        let tumour = TumourShape(ball: center, radius: radius)
        let truth = MarginTruth(tumourCenter: center, reachMM: 30, tumour: { tumour.value(at: $0) }, zone: ball(center + shift, ice))
        let margins = truth.margins(tumourID: "T1", zoneName: "visible-ice")

        #expect(abs(margins.minimumMarginMM - margin) < 0.002)
        let worst = center - (offset > 0 ? radius * normalize(shift) : SIMD3.zero)
        if offset > 0 { #expect(margins.worstPointLPS.distance(to: PatientPoint(worst)) < 0.3) }
        #expect(abs(truth.zoneVolumeML - 4 / 3 * .pi * pow(ice, 3) / 1000) < 0.002 * truth.zoneVolumeML)
        #expect(abs(truth.tumourBody.volumeML - 4 / 3 * .pi * pow(radius, 3) / 1000) < 1e-4)

        // On a ball, equal steps of cos θ have equal area; sd = ice − |x − c|, and |x − c|² = r² + d² − 2 r d cos θ.
        func shareBelow(_ limit: Double) -> Double {
            guard offset > 0 else { return ice - radius < limit ? 1 : 0 }
            let far = ice - limit
            guard far > 0 else { return 0 }
            return min(max(0.5 * (1 + (radius * radius + offset * offset - far * far) / (2 * radius * offset)), 0), 1)
        }
        let fractions = margins.surfaceFraction
        #expect(abs(fractions.below0 - shareBelow(0)) < 0.004)
        #expect(abs(fractions.from0to5 - (shareBelow(5) - shareBelow(0))) < 0.006)
        #expect(abs(fractions.from5to10 - (shareBelow(10) - shareBelow(5))) < 0.006)
        #expect(abs(fractions.atLeast10 - (1 - shareBelow(10))) < 0.004)

        let core = 4 / 3 * Double.pi * pow(radius, 3), shared = sharedVolume(radius, ice, offset)
        #expect(abs(margins.tumourCoverage - shared / core) < 0.001)
        #expect(abs(margins.residualVolumeML - (core - shared) / 1000) < 0.005)
        for shell in margins.shellCoverage {
            let outer = radius + shell.marginMM, whole = 4 / 3 * Double.pi * pow(outer, 3) - core
            #expect(abs(shell.fraction - (sharedVolume(outer, ice, offset) - shared) / whole) < 0.003, "shell of \(shell.marginMM) mm")
        }
    }

    @Test(arguments: [UInt64(3), 11])
    func irregularShapesAgreeWithBruteForce(seed: UInt64) throws {
        var options = StudyOptions(site: .liver, seed: seed)
        options.probeCount = 2
        let site = SitePlan(options, torso: Torso(seed: seed, isProne: false))
        let center = site.tumour.center, tumour = site.tumour
        let placement = ProbePlacement(
            target: center, entry: site.entry, tumourRadius: tumour.meanRadius, count: 2, torso: Torso(seed: seed, isProne: false),
            motion: .none,
            site: .liver, seed: seed)
        var ice = placement.ice
        ice.heatSinks = [IceShape.HeatSink(vessel: try #require(site.heatSink), depthMM: 2.8, reachMM: 4)]
        let zone = ice
        let truth = MarginTruth(tumourCenter: center, reachMM: 1.6 * tumour.largestRadius, tumour: { tumour.value(at: $0) }, zone: zone)
        let margins = truth.margins(tumourID: "T1", zoneName: "visible-ice")

        // Volumes by counting samples on a grid of 0.5 mm.
        var counts = (tumour: 0, both: 0, ice: 0)
        let box = zone.bounds.union(tumour.bounds), step = 0.5
        for z in stride(from: box.low.z, through: box.high.z, by: step) {
            for y in stride(from: box.low.y, through: box.high.y, by: step) {
                for x in stride(from: box.low.x, through: box.high.x, by: step) {
                    let point = SIMD3(x, y, z), inTumour = tumour.value(at: point) > 0, inIce = zone.value(at: point) > 0
                    if inTumour { counts.tumour += 1 }
                    if inIce { counts.ice += 1 }
                    if inTumour && inIce { counts.both += 1 }
                }
            }
        }
        let cell = step * step * step / 1000
        #expect(abs(Double(counts.tumour) * cell / truth.tumourBody.volumeML - 1) < 0.005)
        #expect(abs(Double(counts.ice) * cell / truth.zoneVolumeML - 1) < 0.005)
        #expect(abs(Double(counts.both) / Double(counts.tumour) - margins.tumourCoverage) < 0.003)

        // The distance at the worst point by random rays onto the ice's surface, a cloud of points some 0.2 mm apart.
        var generator = SeededGenerator(seed: seed, purpose: "brute force")
        let worst = margins.worstPointLPS.lps
        #expect(abs(tumour.value(at: worst)) < 1e-4)
        func distanceToIce(_ point: SIMD3<Double>) -> Double {
            var nearest = Double.infinity
            for _ in 0..<30_000 {
                // Along a random ray, the first change of sign.
                let u = generator.direction(), sign = zone.value(at: point) > 0
                var (a, b) = (0.0, 0.25)
                while b < 12, (zone.value(at: point + b * u) > 0) == sign { (a, b) = (b, b + 0.25) }
                guard b < 12 else { continue }
                for _ in 0..<14 {
                    let m = (a + b) / 2
                    if (zone.value(at: point + m * u) > 0) == sign { a = m } else { b = m }
                }
                nearest = min(nearest, b)
            }
            return zone.value(at: point) > 0 ? nearest : -nearest
        }
        #expect(abs(distanceToIce(worst) - margins.minimumMarginMM) < 0.02)
        // No other point of the surface has a smaller margin.
        for _ in 0..<4000 {
            let u = generator.direction()
            #expect(truth.signedDistance(at: center + tumour.radius(along: u) * u) > margins.minimumMarginMM - 0.02)
        }
    }

    @Test(arguments: [-3.0, 2.5])
    func iceGrowsToTheMarginAskedFor(marginMM: Double) throws {
        var options = StudyOptions(site: .kidney, seed: 5)
        options.marginMM = marginMM
        let site = SitePlan(options, torso: Torso(seed: 5, isProne: true)), tumour = site.tumour
        var ice = IceShape(
            drops: [.init(center: tumour.center + SIMD3(1, 0.5, -1), axis: site.entry, across: 12, towardsTip: 14, towardsTail: 18)])
        ice.grow(toMargin: marginMM, tumour: { tumour.value(at: $0) }, center: tumour.center, reachMM: 40)
        let truth = MarginTruth(tumourCenter: tumour.center, reachMM: 40, tumour: { tumour.value(at: $0) }, zone: ice)
        #expect(abs(truth.minimum().marginMM - marginMM) < 0.02)
    }

    @Test func tubesKnowTheirDistanceFromTheIce() {
        let tumour = TumourShape(ball: .zero, radius: 8)
        let truth = MarginTruth(tumourCenter: .zero, reachMM: 20, tumour: { tumour.value(at: $0) }, zone: ball(.zero, 12))
        func structure(_ x: Double) -> StudyTruth.Structure {
            let tube = Tube(through: [SIMD3(x, 0, -40), SIMD3(x, 0, 40)], radius: 3, pieces: 1)
            return truth.structure(.init(name: "duct", tube: tube, limitMM: 5), zoneName: "visible-ice", motion: .none)
        }
        #expect(abs(structure(20).minimumDistanceMM - 5) < 0.02)
        #expect(structure(20).overlapVolumeML == 0)
        #expect(structure(20).nearestPointLPS.distance(to: PatientPoint(17, 0, 0)) < 0.6)
        // Its nearest wall lies 2 mm inside the ice.
        #expect(abs(structure(13).minimumDistanceMM + 2) < 0.02)
        #expect(structure(13).overlapVolumeML > 0)
    }
}
