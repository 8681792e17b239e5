import ImagingCore
import Testing
@testable import ImageSegmentation

@Suite struct ProbeDetectionTests {
    struct Needle: Sendable {
        var tip, tail: SIMD3<Double>
        func holds(_ p: SIMD3<Double>) -> Bool {
            let axis = tail - tip, o = p - tip, t = max(0, min(1, (o * axis).sum() / (axis * axis).sum())), d = o - t * axis
            return (d * d).sum() < 0.85 * 0.85
        }
    }
    static let needles = [Needle(tip: SIMD3(3, 6, -12), tail: SIMD3(18, -50, 18)), Needle(tip: SIMD3(-11, 4, -5), tail: SIMD3(-14, -52, 3))]

    /// A body of 90 × 72 mm with a vertebra whose cortex reads 1000 HU, a calcified lump and two probes.
    static func scan(needles: [Needle]) throws -> ScanVolume {
        AnalyticScan.make(try AnalyticScan.grid(140, 150, 26), noise: 12, metal: { p in needles.contains { $0.holds(p) } }) { p in
            let bone = (p.x * p.x + (p.y - 22) * (p.y - 22)).squareRoot(), lump = p - SIMD3(25, -5, 0)
            if bone < 11 { return bone > 9 ? 1000 : 200 }
            if (lump * lump).sum() < 16 { return 1800 }
            return (p.x / 45) * (p.x / 45) + (p.y / 36) * (p.y / 36) < 1 ? 50 : -1000
        }
    }

    /// Three in a row, 8 mm apart, nearly in a slice's plane.
    static let parallel = (-1...1).map { Needle(tip: SIMD3(8 * Double($0), 6, 0.4), tail: SIMD3(8 * Double($0) + 3, -52, -2)) }

    @Test(arguments: [Self.needles, Self.parallel])
    func shaftsAreFoundWithTheirTipsInTheBody(needles: [Needle]) throws {
        let found = ProbeDetection.probes(in: try Self.scan(needles: needles), modality: .ct)
        #expect(found.count == needles.count)
        for needle in needles {
            // The needles' ends are round: they reach a radius further than their axis.
            let axis = needle.tail - needle.tip, end = PatientPoint(needle.tip - 0.85 / (axis * axis).sum().squareRoot() * axis)
            let nearest = try #require(found.min { $0.tip.distance(to: end) < $1.tip.distance(to: end) })
            #expect(nearest.tip.distance(to: end) < 1.5)
            let truth = PatientVector(needle.tail - needle.tip).normalized!
            // cos 1°.
            #expect(nearest.direction!.dot(truth) > 0.99985)
        }
    }

    @Test func boneAndCalciumAreNoProbes() throws {
        #expect(ProbeDetection.probes(in: try Self.scan(needles: []), modality: .ct).isEmpty)
    }

    @Test func magneticResonanceShowsNoMetal() throws {
        #expect(ProbeDetection.probes(in: try Self.scan(needles: Self.needles), modality: .mr).isEmpty)
    }

    @Test func listThatAgreesWithTheScanIsNotCriticised() throws {
        let given = Self.needles.map { Probe(tip: PatientPoint($0.tip + 0.8), tail: PatientPoint($0.tail), source: .given) }
        #expect(ProbeDetection.check(given: given, in: try Self.scan(needles: Self.needles), modality: .ct) == [])
    }

    static let contradictions: [(code: String, change: @Sendable ([Probe]) -> [Probe])] = [
        ("probe-tip-and-tail-swapped", { [Probe(tip: $0[0].tail, tail: $0[0].tip, source: .given), $0[1]] }),
        ("probe-tip-differs", { [Probe(tip: $0[0].point(atDepthMM: 6), tail: $0[0].tail, source: .given), $0[1]] }),
        ("probe-without-metal", { $0 + [Probe(tip: PatientPoint(-26, 5, 0), tail: PatientPoint(-38, -16, 2), source: .given)] }),
        ("probe-not-listed", { [$0[0]] }),
        ("probe-outside-scan", { $0 + [Probe(tip: PatientPoint(0, 0, 400), tail: PatientPoint(0, -50, 400), source: .given)] }),
        ("probe-tip-in-air", { $0 + [Probe(tip: PatientPoint(-50, -50, 0), tail: PatientPoint(-54, -58, 0), source: .given)] }),
        ("probe-without-length", { $0 + [Probe(tip: PatientPoint(5, 0, 0), tail: PatientPoint(5, 0, 0), source: .given)] }),
        ("probe-listed-twice", { $0 + [$0[1]] }),
    ]

    @Test(arguments: contradictions.indices)
    func listThatContradictsTheScanIsCriticised(_ number: Int) throws {
        let given = Self.needles.map { Probe(tip: PatientPoint($0.tip), tail: PatientPoint($0.tail), source: .given) }
        let (code, change) = Self.contradictions[number]
        let findings = ProbeDetection.check(given: change(given), in: try Self.scan(needles: Self.needles), modality: .ct)
        #expect(findings.contains { $0.code == code }, "\(findings)")
    }
}
