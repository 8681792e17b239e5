import Foundation
import ImagingCore

/// Puts probes and the ice that grows around them into a scan.
struct ProbePlacement {
    var probes: [ProbePose]
    var ice: IceShape

    /// How far behind the tip the middle of the freezing part lies, in millimetres.
    private static let activeMiddleMM = 13.0

    /// Probes around `target` (scan space), coming from the direction `entry`; bones are passed by where possible.
    init(
        target: SIMD3<Double>, entry: SIMD3<Double>, tumourRadius: Double, count: Int, torso: Torso, motion: PatientMotion, site: StudySite,
        seed: UInt64
    ) {
        var best: (bone: Int, probes: [ProbePose]) = (.max, [])
        for attempt in 0..<40 where best.bone > 0 {
            var generator = SeededGenerator(seed: seed, purpose: "probes \(attempt)")
            let spread = 0.05 + 0.012 * Double(attempt)
            let tilted = normalize(
                entry + SIMD3(
                    generator.uniform(-spread...spread), generator.uniform(-spread...spread), generator.uniform(-spread...spread)))
            let probes = Self.fan(
                target: target, axis: tilted, tumourRadius: tumourRadius, count: count, torso: torso, motion: motion, &generator)
            let bone = site == .spine ? 0 : probes.reduce(0) { $0 + Self.boneAlong($1, torso: torso, motion: motion) }
            if bone < best.bone { best = (bone, probes) }
        }
        probes = best.probes

        var generator = SeededGenerator(seed: seed, purpose: "ice")
        let across = (count == 1 ? tumourRadius + 4 : tumourRadius * 0.62 + 5)
        let drops = probes.map { probe in
            IceShape.Drop(
                center: probe.tip + Self.activeMiddleMM * probe.direction, axis: probe.direction,
                across: across * generator.uniform(0.93...1.07), towardsTip: (across + 3) * generator.uniform(0.95...1.05),
                towardsTail: (across + 7) * generator.uniform(0.95...1.1))
        }
        ice = IceShape(drops: drops, waves: ValueNoise(seed: seed &+ 501, cell: 13), waveAmplitudeMM: 0.6)
    }

    private static func fan(
        target: SIMD3<Double>, axis: SIMD3<Double>, tumourRadius: Double, count: Int, torso: Torso, motion: PatientMotion,
        _ generator: inout SeededGenerator
    ) -> [ProbePose] {
        let (u, v) = perpendiculars(to: axis)
        let ring = count == 1 ? 0 : max(5.5, tumourRadius * (count == 2 ? 0.55 : 0.65))
        let start = generator.uniform(0...2 * .pi)
        let miss = generator.uniform(-1.4...1.4) * u + generator.uniform(-1.4...1.4) * v
        return (0..<count).map { number in
            let angle = start + 2 * .pi * Double(number) / Double(count)
            let offset = ring * (cos(angle) * u + sin(angle) * v) + miss
            let direction = normalize(axis + 0.03 * (generator.uniform(-1...1) * u + generator.uniform(-1...1) * v))
            let tip = target + offset - (activeMiddleMM + generator.uniform(-2...2)) * direction
            // The shaft goes on for 70 mm after it has left the skin.
            var length = 20.0
            while length < 320, torso.body.value(at: motion.planningPoint(of: tip + length * direction)) > 0 { length += 1 }
            return ProbePose(tip: tip, tail: tip + (length + 70) * direction)
        }
    }

    /// How many millimetres of a shaft lie in ribs or vertebrae.
    private static func boneAlong(_ probe: ProbePose, torso: Torso, motion: PatientMotion) -> Int {
        let ribs = Ribs(wall: Trunk(center: SIMD2(0, 2), halfWidth: 151, halfDepth: 93)), arches = NeuralArches(canal: torso.canalCenter)
        let bodies = VertebralBodies(center: torso.vertebraCenter)
        return stride(from: 0.0, to: 220, by: 1).reduce(0) { count, along in
            let point = motion.planningPoint(of: probe.tip + along * probe.direction)
            return max(ribs.value(at: point), arches.value(at: point), bodies.value(at: point)) > -1.5 ? count + 1 : count
        }
    }
}
