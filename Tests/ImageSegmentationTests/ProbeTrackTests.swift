import ImagingCore
import Testing
@testable import ImageSegmentation

/// Probes on MR, where metal gives no signal and neither does the ice around its tip.
@Suite struct ProbeTrackTests {
    typealias Needle = ProbeDetectionTests.Needle

    private static func track(_ needle: Needle, radius: Double, _ p: SIMD3<Double>) -> Bool {
        let axis = needle.tail - needle.tip, o = p - needle.tip, t = max(0, min(1, (o * axis).sum() / (axis * axis).sum())),
            d = o - t * axis
        return (d * d).sum() < radius * radius
    }
    /// A body of 104 × 96 mm with fat under the skin, ice around the tips of some tracks and other straight tracks elsewhere.
    private static func scan(
        _ needles: [Needle], iceSemiAxes: SIMD3<Double>? = SIMD3(13, 15, 14), vessels: [Needle] = []
    ) throws -> ScanVolume {
        let needles = needles, vessels = vessels
        return AnalyticScan.make(try AnalyticScan.grid(144, 140, 30), noise: 15) { p in
            let skin = (p.x / 52) * (p.x / 52) + (p.y / 48) * (p.y / 48)
            guard skin < 1 else { return 0 }
            if let axes = iceSemiAxes, (((p - SIMD3(2, 4, -2)) / axes) * ((p - SIMD3(2, 4, -2)) / axes)).sum() < 1 { return 5 }
            if needles.contains(where: { Self.track($0, radius: 1.4, p) }) || vessels.contains(where: { Self.track($0, radius: 1.8, p) }) {
                return 5
            }
            return skin > 0.85 ? 520 : 260
        }
    }
    static let pair = [Needle(tip: SIMD3(2, 10, -6), tail: SIMD3(14, -64, 12)), Needle(tip: SIMD3(-6, 9, -4), tail: SIMD3(-16, -64, 4))]

    @Test func tracksThatRunIntoTheIceAreProbes() throws {
        let found = ProbeDetection.find(in: try Self.scan(Self.pair), modality: .mr)
        #expect(found.probes.count == 2 && found.findings.map(\.code) == ["probe-tips-hidden-in-ice"], "\(found)")
        for needle in Self.pair {
            let axis = PatientVector(needle.tail - needle.tip).normalized!, tip = PatientPoint(needle.tip)
            let probe = try #require(found.probes.min { $0.tip.distance(to: tip) < $1.tip.distance(to: tip) })
            let offset = probe.tip - tip, along = offset.dot(axis)
            // cos 1.5°; the tip is hidden, and as uncertain as that.
            #expect(probe.direction!.dot(axis) > 0.99966 && (offset - along * axis).length < 1.5, "\(probe)")
            #expect(abs(along) < 2 * probe.tipUncertaintyMM! && probe.tipUncertaintyMM! >= 3, "\(along)")
        }
    }

    /// In voxels longer than a track is wide nothing of it can be read; that is what is said, and not that there is none.
    @Test func tracksThinnerThanTheSlicesAreSaidToBe() throws {
        let scan = AnalyticScan.make(try AnalyticScan.grid(70, 70, 10, spacing: SIMD3(1.5, 1.5, 8.75)), noise: 15) { p in
            (p.x / 45) * (p.x / 45) + (p.y / 45) * (p.y / 45) < 1 ? 260 : 0
        }
        let found = ProbeDetection.find(in: scan, modality: .mr), finding = try #require(found.findings.first)
        #expect(finding.code == "no-probe-tracks-on-mr" && finding.message.contains("8.8 mm"), "\(finding)")
    }

    /// A vessel through the liver, one that ends in it, and ice that no track runs into.
    @Test func darkLinesThatDoNotRunFromTheSkinIntoIceAreNone() throws {
        let vessels = [Needle(tip: SIMD3(-30, 18, -10), tail: SIMD3(34, 26, 10)), Needle(tip: SIMD3(30, 6, 2), tail: SIMD3(38, -60, 6))]
        for ice in [SIMD3(13.0, 15, 14), nil] {
            let found = ProbeDetection.find(in: try Self.scan([], iceSemiAxes: ice, vessels: vessels), modality: .mr)
            #expect(found.probes.isEmpty && found.findings.map(\.code) == ["no-probe-tracks-on-mr"], "\(found)")
        }
    }
}
