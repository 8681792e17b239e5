import ImagingCore
import Testing
@testable import ImageSegmentation

/// What becomes of shafts whose tips, ends or nature are easily mistaken.
@Suite struct ProbeReadingTests {
    typealias Needle = ProbeDetectionTests.Needle

    private static func isInBody(_ p: SIMD3<Double>) -> Bool { (p.x / 45) * (p.x / 45) + (p.y / 36) * (p.y / 36) < 1 }

    /// A body of 90 × 72 mm of 50 HU with needles and whatever else `value` puts into it.
    private static func scan(
        _ needles: [Needle], _ value: @escaping @Sendable (SIMD3<Double>) -> Double? = { _ in nil }
    ) throws -> ScanVolume {
        AnalyticScan.make(try AnalyticScan.grid(140, 150, 26), noise: 12, metal: { p in needles.contains { $0.holds(p) } }) { p in
            value(p) ?? (Self.isInBody(p) ? 50 : -1000)
        }
    }

    /// Ice with the tip in its middle, and ahead of the tip, in line with the shaft, a vessel across lung; or nothing but lung.
    @Test(arguments: [7.0, 0], [8.0, 11, 14])
    func tipInLungIsWhereMetalEnds(iceRadius: Double, vesselAhead: Double) throws {
        let needle = Needle(tip: SIMD3(2, 4, 1), tail: SIMD3(-50, -46, 14)), axis = needle.tail - needle.tip,
            unit = axis / (axis * axis).sum().squareRoot()
        let vessel = needle.tip - vesselAhead * unit
        // Metal that the scanner clipped: it stands out by little more than the vessel does from lung.
        let scan = try Self.scan([]) { p in
            if needle.holds(p) { return 2500 }
            guard (p.x / 34) * (p.x / 34) + (p.y / 25) * (p.y / 25) < 1 else { return nil }
            let fromIce = p - needle.tip, fromVessel = p - vessel
            if (fromIce * fromIce).sum() < iceRadius * iceRadius { return -60 }
            let beside = SIMD2(fromVessel.x - fromVessel.y, fromVessel.z - fromVessel.x) * 0.7
            return (beside * beside).sum() < 9 ? 40 : -860
        }
        let found = ProbeDetection.find(in: scan, modality: .ct)
        let probe = try #require(found.probes.first, "\(found.findings)"), end = PatientPoint(needle.tip - 0.85 * unit)
        #expect(found.probes.count == 1 && probe.tip.distance(to: end) < 1.5, "\(probe.tip.lps) for \(end.lps)")
        #expect(probe.direction!.dot(PatientVector(unit)) > 0.99985)
    }

    /// A vessel that goes on where the shaft ends, in the next slice, is no part of the shaft.
    @Test(arguments: [(above: 3.0, radius: 4.0), (2, 2)])
    func vesselAheadInTheNextSliceIsNoMetal(above: Double, radius: Double) throws {
        let needle = Needle(tip: SIMD3(2, 4, 2), tail: SIMD3(-58, -12, -7)), axis = needle.tail - needle.tip,
            unit = axis / (axis * axis).sum().squareRoot(), sideways = SIMD3(-unit.y, unit.x, 0)
        let scan = try Self.scan([]) { p in
            if needle.holds(p) { return 3000 }
            guard (p.x / 34) * (p.x / 34) + (p.y / 25) * (p.y / 25) < 1 else { return nil }
            let o = p - needle.tip - SIMD3(0, 0, above), ahead = -(o * unit).sum(), d = SIMD2((o * sideways).sum(), o.z + ahead * unit.z)
            return ahead > 0 && (d * d).sum() < radius * radius ? 40 : -860
        }
        let found = ProbeDetection.find(in: scan, modality: .ct)
        let probe = try #require(found.probes.first, "\(found.findings)"), end = PatientPoint(needle.tip - 0.85 * unit)
        #expect(found.probes.count == 1 && probe.tip.distance(to: end) < 1.5, "\(probe.tip.lps) for \(end.lps)")
    }

    /// Probes end bluntly, or in a trocar's point or a cone of some millimetres, whose very tip is meant.
    @Test(arguments: [0.0, 2, 4, 5], [SIMD3(-24.0, -48, 13), SIMD3(-10, -50, -3)])
    func tipIsThePointOfAConeAndTheFaceOfABluntEnd(pointMM: Double, tail: SIMD3<Double>) throws {
        let tip = SIMD3(3.0, 5, -2), axis = tail - tip, unit = axis / (axis * axis).sum().squareRoot()
        let grid = try AnalyticScan.grid(140, 150, 32, spacing: SIMD3(0.8, 0.8, 1.5))
        let scan = AnalyticScan.make(grid, noise: 12, metal: { p in
            let o = p - tip, along = (o * unit).sum(), across = o - along * unit
            let radius = pointMM == 0 ? 0.85 : 0.85 * min(along / pointMM, 1)
            return along >= 0 && (across * across).sum() < radius * radius
        }) { Self.isInBody($0) ? 50 : -1000 }
        let found = ProbeDetection.find(in: scan, modality: .ct)
        let probe = try #require(found.probes.first, "\(found.findings)"), error = probe.tip.distance(to: PatientPoint(tip))
        #expect(found.probes.count == 1 && error < 1 && error < 2 * probe.tipUncertaintyMM!, "\(error) ± \(probe.tipUncertaintyMM!)")
    }

    static let undecided = [
        Needle(tip: SIMD3(-22, -18, -4), tail: SIMD3(24, -16, 6)),
        Needle(tip: SIMD3(-49, 6, -3), tail: SIMD3(50, -4, 4)),
    ]

    /// Either both ends lie a little under the skin, or both outside it.
    @Test(arguments: undecided)
    func tipThatCannotBeToldIsSaid(needle: Needle) throws {
        let found = ProbeDetection.find(in: try Self.scan([needle]), modality: .ct)
        #expect(found.probes.count == 1 && found.findings.map(\.code) == ["probe-tip-undecided"], "\(found)")
    }

    @Test func tipThatLiesDeeperIsNotDoubted() throws {
        let needle = Needle(tip: SIMD3(4, 6, -4), tail: SIMD3(20, -24, 4)),
            found = ProbeDetection.find(in: try Self.scan([needle]), modality: .ct)
        #expect(found.probes.count == 1 && found.findings.isEmpty, "\(found)")
    }

    /// A wire under the skin whose straight part ends in an arc is no probe; leaving it out is said.
    @Test func straightPartOfALeadIsLeftOutAloud() throws {
        let straight = Needle(tip: SIMD3(6, 10, 0), tail: SIMD3(-18, -22, 0))
        let scan = AnalyticScan.make(try AnalyticScan.grid(140, 150, 26), noise: 12, metal: { p in
            // The arc touches the straight part at its deep end.
            let normal = SIMD3(0.8, -0.6, 0.0), center = straight.tip + 14 * normal, o = p - center
            let ring = (o.x * o.x + o.y * o.y).squareRoot() - 14, ahead = (p - straight.tip).x * 0.6 + (p - straight.tip).y * 0.8 > 0
            return straight.holds(p) || (ahead && ring * ring + o.z * o.z < 0.72)
        }) { Self.isInBody($0) ? 50 : -1000 }
        let found = ProbeDetection.find(in: scan, modality: .ct)
        #expect(found.probes.isEmpty && found.findings.map(\.code) == ["metal-not-taken-for-probe"], "\(found)")
    }

    /// As thin, straight and long as a probe, and it leaves the scan as one may.
    @Test func floatingRibIsNoProbe() throws {
        let rib = Needle(tip: SIMD3(-8, 4, -14), tail: SIMD3(16, 22, 60))
        let scan = try Self.scan([]) { p in
            let axis = rib.tail - rib.tip, o = p - rib.tip, t = max(0, (o * axis).sum() / (axis * axis).sum()), d = o - t * axis
            return (d * d).sum() < 4.4 ? 750 : nil
        }
        let found = ProbeDetection.find(in: scan, modality: .ct)
        #expect(found.probes.isEmpty && found.findings.isEmpty, "\(found)")
    }
}
