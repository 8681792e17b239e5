import Foundation
import ImagingCore
import Testing
@testable import ImageSegmentation

/// Metal that is no probe, and probes that lie close together or cross.
@Suite struct ProbeLookalikeTests {
    private typealias Needle = ProbeDetectionTests.Needle

    private static func found(needles: [Needle] = [], metal: @escaping @Sendable (SIMD3<Double>) -> Bool) throws -> [Probe] {
        let scan = AnalyticScan.make(
            try AnalyticScan.grid(140, 150, 26), noise: 12, metal: { p in metal(p) || needles.contains { $0.holds(p) } }
        ) { p in (p.x / 45) * (p.x / 45) + (p.y / 36) * (p.y / 36) < 1 ? 50 : -1000 }
        return ProbeDetection.probes(in: scan, modality: .ct)
    }

    /// A mesh tube about an axis in the slices' plane or across it: crossing wires of 0.3 mm on a wall.
    private static func stent(_ p: SIMD3<Double>, radius: Double, length: Double, tilt: Double) -> Bool {
        let q = SIMD3(p.x, cos(tilt) * p.y + sin(tilt) * p.z, -sin(tilt) * p.y + cos(tilt) * p.z)
        let away = (q.x * q.x + q.z * q.z).squareRoot(), turn = atan2(q.z, q.x) * radius
        guard abs(q.y) < length / 2, abs(away - radius) < 0.25 else { return false }
        return [1.0, -1].contains { sign in abs((turn + sign * q.y).remainder(dividingBy: 3)) < 0.3 }
    }

    /// Biliary and vascular stents as wide and as long as they come, the middle `y` mm from the body's; the last five run through the skin.
    @Test(arguments: [
        (5.0, 60.0, 0.1, -6.0), (4, 80, 0.35, -6), (3, 40, 0.8, -6), (2, 38, 0.2, -6), (5, 110, 0.05, -6),
        (1.5, 70, 0.05, -20), (2, 70, 0.25, -24), (2.5, 70, 0.5, -14), (3, 90, 0.25, -10),
    ])
    func stentIsNoProbe(radius: Double, length: Double, tilt: Double, y: Double) throws {
        #expect(try Self.found { Self.stent($0 - SIMD3(4, y, 2), radius: radius, length: length, tilt: tilt) }.isEmpty)
    }

    /// Two lines side by side of which neither explains what lies about it: a wide tube's walls hold little metal, two rods of a crowd do.
    @Test(arguments: [(typicalExcess: 900.0, isTube: true), (2900, false)])
    func wallsOfATubeHoldLittleMetal(typicalExcess: Double, isTube: Bool) throws {
        let scan = AnalyticScan.make(try AnalyticScan.grid(8, 8, 8), noise: 1) { _ in 50 }
        let lines = [0.0, 7].map { x -> ShaftFit.Outcome in
            var model = ShaftModel(
                middle: SIMD3(x, 0, 0), direction: SIMD3(0, 0, 1), amplitude: typicalExcess, blurMM: 0.45, sliceThicknessMM: 2.5)
            (model.from, model.to) = (-40, 40)
            return ShaftFit.Outcome(
                model: model, explainedShare: 0.6, typicalExcess: typicalExcess, endUncertaintyMM: (0.5, 0.5), leavesScan: (false, false))
        }
        let tubes = MeshTubes(among: lines, in: scan)
        #expect(tubes.contains(0) == isTube && tubes.contains(1) == isTube)
    }

    /// A pedicle screw lies where a probe from behind may, and is as straight and as bright.
    @Test(arguments: [(diameterMM: 5.6, count: 0, codes: ["metal-not-taken-for-probe"]), (2.4, 1, [])])
    func screwIsTooThickForAProbe(diameterMM: Double, count: Int, codes: [String]) throws {
        let screw = Needle(tip: SIMD3(-8, -12, 2), tail: SIMD3(-26, 28, 0)), axis = screw.tail - screw.tip
        let scan = AnalyticScan.make(try AnalyticScan.grid(140, 120, 26), noise: 12, metal: { p in
            let o = p - screw.tip, t = max(0, min(1, (o * axis).sum() / (axis * axis).sum())), d = o - t * axis
            return (d * d).sum() < diameterMM * diameterMM / 4
        }) { p in (p.x / 55) * (p.x / 55) + (p.y / 46) * (p.y / 46) < 1 ? 50 : -1000 }
        let found = ProbeDetection.find(in: scan, modality: .ct)
        #expect(found.probes.count == count && found.findings.map(\.code).filter { $0 != "probe-tip-undecided" } == codes, "\(found)")
    }

    /// Surgical clips along a resection's edge: pieces of 8 mm, end to end with gaps, towards the skin.
    @Test(arguments: [3.0, 5, 8])
    func rowOfClipsIsNoProbe(gapMM: Double) throws {
        let axis = SIMD3(0.3, -0.9, 0.316)
        let clips = (0..<5).map { n -> Needle in
            let start = SIMD3(-6, 8, -4) + Double(n) * (8 + gapMM) * axis
            // Each lies a little askew, as clips do.
            let askew = SIMD3(n % 2 == 0 ? 0.35 : -0.35, 0, n % 2 == 0 ? -0.25 : 0.25), own = axis + askew
            return Needle(tip: start, tail: start + 8 / (own * own).sum().squareRoot() * own)
        }
        #expect(try Self.found(needles: clips) { _ in false }.isEmpty)
    }

    static let groups: [(name: String, needles: [ProbeDetectionTests.Needle])] = [
        ("10 mm apart, slanting", (0...2).map { n in
            .init(tip: SIMD3(10 * Double(n) - 12, 6, -8), tail: SIMD3(10 * Double(n) - 4, -50, 14))
        }),
        ("10 mm apart, one above the other", (-1...1).map { n in
            .init(tip: SIMD3(2, 4, 10 * Double(n)), tail: SIMD3(-6, -52, 10 * Double(n) + 3))
        }),
        ("crossing in the plane, 2 mm apart", [
            .init(tip: SIMD3(14, 8, 1), tail: SIMD3(-20, -46, 3)), .init(tip: SIMD3(-14, 8, 3), tail: SIMD3(20, -46, 5)),
        ]),
        ("crossing steeply", [
            .init(tip: SIMD3(-8, 6, -20), tail: SIMD3(6, -50, 22)), .init(tip: SIMD3(8, 4, 18), tail: SIMD3(-6, -50, -16)),
        ]),
    ]

    @Test(arguments: groups.indices)
    func shaftsCloseTogetherOrCrossingAreToldApart(_ number: Int) throws {
        let (name, needles) = Self.groups[number]
        let found = try Self.found(needles: needles) { _ in false }
        #expect(found.count == needles.count, "\(name): \(found)")
        for needle in needles {
            let axis = PatientVector(needle.tail - needle.tip).normalized!, end = PatientPoint(needle.tip) + -0.85 * axis
            let nearest = try #require(found.min { $0.tip.distance(to: end) < $1.tip.distance(to: end) })
            #expect(nearest.tip.distance(to: end) < 1.5, "\(name): \(nearest.tip) for \(end)")
            // cos 1°.
            #expect(nearest.direction!.dot(axis) > 0.99985, "\(name)")
        }
    }
}
