import ImagingCore
import Testing
@testable import ImageSegmentation

/// The layer that enhances around an ablation zone is no part of it, whatever lies behind.
@Suite struct AblationZoneRimTests {
    static let zone = AblationZoneTests.zone

    /// Levels of the zone, of the layer around it and of what surrounds both, and the layer's thickness in millimetres.
    struct Levels: Sendable {
        let name: String
        var modality = Modality.ct
        let zone, rim, around, rimMM: Double
    }
    static let layers = [
        Levels(name: "liver", zone: 45, rim: 130, around: 108, rimMM: 2),
        Levels(name: "renal cortex", zone: 45, rim: 118, around: 185, rimMM: 2.5),
        Levels(name: "fat", zone: 45, rim: 115, around: -100, rimMM: 2),
        Levels(name: "lung", zone: 45, rim: 120, around: -840, rimMM: 2.5),
        Levels(name: "dark on MR", modality: .mr, zone: 420, rim: 375, around: 520, rimMM: 2.5),
    ]

    @Test(arguments: layers.indices)
    func zoneEndsWhereItsRimBegins(_ number: Int) throws {
        let levels = Self.layers[number]
        let scan = AnalyticScan.make(try AnalyticScan.grid(104, 104, 28), noise: 12) { p in
            let depth = Self.zone(p)
            return depth > 0 ? levels.zone : depth > -levels.rimMM ? levels.rim : levels.around
        }
        let found = try AblationZoneSegmentation.segment(scan: scan, modality: levels.modality, seeds: [PatientPoint(1, -1, 3)])
        let comparison = SurfaceComparison(found.levelSet, on: scan.geometry, trueDistance: Self.zone)
        #expect(
            abs(comparison.meanSigned) < 0.4 && comparison.meanAbsolute < 0.5,
            "\(levels.name): \(comparison.meanSigned) \(comparison.meanAbsolute) \(comparison.dice)")
        #expect(found.findings.isEmpty, "\(levels.name): \(found.findings)")
        #expect(found.edgeUncertaintyMM < 1.2, "\(levels.name): \(found.edgeUncertaintyMM)")
        // Where in a trough the zone ends cannot be seen.
        if levels.rim < levels.zone { #expect(found.edgeUncertaintyMM > 0.6, "\(levels.name): \(found.edgeUncertaintyMM)") }
    }

    /// Without a layer the edge itself is taken for none, nor is a thick vessel or fat along a part of it.
    @Test(arguments: [(around: 108.0, beside: 108.0), (108, 180), (108, -100), (-840, 40)])
    func edgeWithoutRimStaysWhereItIs(around: Double, beside: Double) throws {
        let scan = AnalyticScan.make(try AnalyticScan.grid(104, 104, 28), noise: 12) { p in
            let vessel = SIMD2(p.x + 16, p.z - 2)
            return Self.zone(p) > 0 ? 45 : (vessel * vessel).sum() < 16 ? beside : around
        }
        let image = scan.floats(), surface = Volume<Float>(geometry: scan.geometry) { target in
            for offset in 0..<target.count {
                target[offset] = Float(Self.zone(scan.geometry.point(scan.geometry.size.index(atOffset: offset)).lps))
            }
        }.signedDistanceToZero()
        let steps = Array(stride(from: Float(10), through: 90, by: 10))
        let profiles = ZoneRim.patches(of: surface, image: image)
        let moved = ZoneRim.zoneInside(surface, patches: profiles, noise: 12, steps: steps)?.surface ?? surface
        let comparison = SurfaceComparison(LevelSet(field: moved), on: scan.geometry, trueDistance: Self.zone)
        #expect(abs(comparison.meanSigned) < 0.15 && comparison.meanAbsolute < 0.25, "\(comparison.meanSigned) \(comparison.meanAbsolute)")
    }
}
