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
    static func scan(needles: [Needle], grid: GridGeometry? = nil) throws -> ScanVolume {
        AnalyticScan.make(try grid ?? AnalyticScan.grid(140, 150, 26), noise: 12, metal: { p in needles.contains { $0.holds(p) } }) { p in
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

    struct Placement: Sendable {
        var name: String
        var needle: Needle
        var spacing = SIMD3(0.8, 0.8, 2.5)
        var size = (140, 150, 26)
    }
    static let placements = [
        Placement(
            name: "thick slices", needle: Needle(tip: SIMD3(4, 3, -8), tail: SIMD3(-20, -52, 10)), spacing: SIMD3(0.8, 0.8, 5),
            size: (140, 150, 14)),
        Placement(
            name: "along z, leaving the last slice", needle: Needle(tip: SIMD3(10, -6, -25), tail: SIMD3(6, -9, 60)), size: (140, 120, 30)),
        Placement(name: "in a slice's plane", needle: Needle(tip: SIMD3(-8, 2, 0.3), tail: SIMD3(-20, -55, 0.3))),
        Placement(name: "leaving through the side", needle: Needle(tip: SIMD3(8, -8, 4), tail: SIMD3(-60, -14, -10)), size: (80, 80, 26)),
        Placement(name: "from behind into the vertebra", needle: Needle(tip: SIMD3(2, 19, 0), tail: SIMD3(16, 57, 8))),
        Placement(name: "ending at the skin", needle: Needle(tip: SIMD3(5, 4, -3), tail: SIMD3(5, -34, 3))),
    ]

    @Test(arguments: placements.indices)
    func shaftIsFoundHoweverItLies(_ number: Int) throws {
        let place = Self.placements[number], h = place.spacing
        let scan = try Self.scan(needles: [place.needle], grid: AnalyticScan.grid(place.size.0, place.size.1, place.size.2, spacing: h))
        let found = ProbeDetection.find(in: scan, modality: .ct)
        let probe = try #require(found.probes.first, "\(place.name): \(found.findings)")
        let axis = PatientVector(place.needle.tail - place.needle.tip).normalized!, end = PatientPoint(place.needle.tip) + -0.85 * axis
        #expect(found.probes.count == 1 && probe.tip.distance(to: end) < 1.5, "\(place.name): \(probe.tip) for \(end)")
        // cos 1°.
        #expect(probe.direction!.dot(axis) > 0.99985, "\(place.name)")
        #expect(probe.tipUncertaintyMM! > 0 && probe.tipUncertaintyMM! < 2)
    }

    @Test func metalThatDoesNotEnterIsNoProbe() throws {
        let clips = (0..<5).map { Needle(tip: SIMD3(6 * Double($0) - 12, -4, 3), tail: SIMD3(6 * Double($0) - 9, -1, 6)) }
        let guide = Needle(tip: SIMD3(-30, -45, 0), tail: SIMD3(30, -46, 2)), wire = Needle(tip: SIMD3(-12, 2, -14), tail: SIMD3(14, 1, 16))
        #expect(ProbeDetection.probes(in: try Self.scan(needles: clips), modality: .ct).isEmpty)
        #expect(ProbeDetection.probes(in: try Self.scan(needles: [guide]), modality: .ct).isEmpty)
        let buried = ProbeDetection.find(in: try Self.scan(needles: [wire]), modality: .ct)
        #expect(buried.probes.isEmpty && buried.findings.contains { $0.code == "straight-metal-inside-body" }, "\(buried)")
    }

    @Test func bentLeadIsNoProbe() throws {
        // A circle of 40 mm about a point beside the body, through the skin.
        let scan = AnalyticScan.make(try AnalyticScan.grid(140, 150, 26), noise: 12, metal: { p in
            let away = ((p.x - 40) * (p.x - 40) + (p.y + 30) * (p.y + 30)).squareRoot() - 40
            return away * away + (p.z - 2) * (p.z - 2) < 0.7
        }) { p in (p.x / 45) * (p.x / 45) + (p.y / 36) * (p.y / 36) < 1 ? 50 : -1000 }
        #expect(ProbeDetection.probes(in: scan, modality: .ct).isEmpty)
    }

    @Test func tipBeyondTheScanIsSaid() throws {
        let scan = try Self.scan(needles: [Needle(tip: SIMD3(2, 0, -60), tail: SIMD3(-10, -54, 20))])
        let found = ProbeDetection.find(in: scan, modality: .ct)
        #expect(found.probes.isEmpty && found.findings.map(\.code) == ["probe-tip-outside-scan"], "\(found)")
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

    /// A needle that leaves its tip's direction by 3 mm at 80 mm: the ice forms along its deep part.
    @Test func directionOfABentProbeIsThatOfItsDeepPart() throws {
        let tip = SIMD3<Double>(-22, 25, -2), along = SIMD3<Double>(0.2, -0.97, 0.1386), aside = SIMD3<Double>(-0.97, -0.2, 0) / 0.99
        let knots = (0...21).map { (number: Int) -> SIMD3<Double> in
            let depth = 4 * Double(number), bend = 3 * (depth / 80) * (depth / 80)
            return tip + depth * along + bend * aside
        }
        let found = ProbeDetection.find(
            in: try Self.scan(needles: zip(knots, knots.dropFirst()).map { Needle(tip: $0, tail: $1) }), modality: .ct)
        let probe = try #require(found.probes.first), end = PatientPoint(tip - 0.85 * along)
        #expect(found.probes.count == 1 && found.findings.map(\.code) == ["probe-bends"], "\(found)")
        #expect(probe.tip.distance(to: end) < 1.2, "\(probe.tip.distance(to: end))")
        #expect(probe.direction!.dot(PatientVector(along)) > 0.99985, "\(probe)")
    }

    /// One that is listed beside a true one has no metal of its own; the order of the list does not matter.
    @Test(arguments: [0, 2]) func probeBesideATrueOneHasNoMetalOfItsOwn(place: Int) throws {
        var given = Self.needles.map { Probe(tip: PatientPoint($0.tip), tail: PatientPoint($0.tail), source: .given) }
        let beside = PatientVector(SIMD3(3.2, 0, 2.4))
        given.insert(Probe(tip: given[0].tip + beside, tail: given[0].tail + beside, source: .given), at: place)
        let findings = ProbeDetection.check(given: given, in: try Self.scan(needles: Self.needles), modality: .ct)
        #expect(findings.map(\.code) == ["probes-share-shaft"], "\(findings)")
        #expect(findings.first?.message.contains(place == 0 ? "probes 1 and 2" : "probes 1 and 3") == true, "\(findings)")
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
