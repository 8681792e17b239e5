import ImageFilters
import ImagingCore
import Testing
@testable import ImageSegmentation

/// Zones with blood in their middle, in which the seed lies.
@Suite struct AblationZoneCoreTests {
    static let zone = ellipsoid(SIMD3(3, -2, 1), SIMD3(17, 15, 16)), blood = ellipsoid(SIMD3(4, -1, 1), SIMD3(9, 7, 8))
    /// As far within the zone as its edge lies outside: what stays dark around the blood is 2 mm thick on one side.
    static let bloodAtEdge = ellipsoid(SIMD3(9, -2, 1), SIMD3(9, 8, 9))

    private static func scan(noise: Double, _ value: @escaping @Sendable (SIMD3<Double>) -> Double) throws -> ScanVolume {
        AnalyticScan.make(try AnalyticScan.grid(112, 112, 34), noise: noise, value)
    }
    private static func find(
        _ scan: ScanVolume, _ modality: Modality, _ seed: SIMD3<Double>, _ diameter: Double? = nil
    ) throws -> SegmentationResult {
        try AblationZoneSegmentation.segment(scan: scan, modality: modality, seeds: [PatientPoint(seed)], approximateDiameterMM: diameter)
    }

    /// Blood brighter than the organ, as bright, and in between.
    @Test(arguments: [(blood: 650.0, diameter: nil), (450, 34.0), (400, nil)])
    func bloodOnMRBelongsToTheZone(blood: Double, diameter: Double?) throws {
        let scan = try Self.scan(noise: 12) { Self.blood($0) > 0 ? blood : Self.zone($0) > 0 ? 240 : 450 }
        let found = try Self.find(scan, .mr, SIMD3(4, -1, 1), diameter)
        let comparison = SurfaceComparison(found.levelSet, on: scan.geometry, trueDistance: Self.zone)
        #expect(comparison.dice > 0.95 && abs(comparison.meanSigned) < 0.4, "\(comparison.dice) \(comparison.meanSigned)")
        #expect(found.findings.map(\.code) == ["ablation-zone-core-differs"], "\(found.findings)")
    }

    @Test func bloodOnCTThatReachesTheEdgeBelongsToTheZone() throws {
        let scan = try Self.scan(noise: 11) { Self.bloodAtEdge($0) > 0 && Self.zone($0) > 2 ? 74 : Self.zone($0) > 0 ? 34 : 120 }
        let found = try Self.find(scan, .ct, SIMD3(9, -2, 1))
        let comparison = SurfaceComparison(found.levelSet, on: scan.geometry, trueDistance: Self.zone)
        #expect(comparison.dice > 0.95, "\(comparison.dice) \(comparison.meanSigned)")
    }

    /// A rim of haemosiderin is dark, too, and no part of the zone; nor is an organ that is darker than the zone, between it and fat.
    @Test(arguments: [(layerMM: 2.5, beyond: 450.0), (12, 900)])
    func darkLayerThatIsNoZoneIsLeftOut(layerMM: Double, beyond: Double) throws {
        let scan = try Self.scan(noise: 12) { Self.blood($0) > 0 ? 600 : Self.blood($0) > -layerMM ? 400 : beyond }
        let found = try Self.find(scan, .mr, SIMD3(4, -1, 1))
        #expect(!found.findings.contains { $0.code == "ablation-zone-core-differs" }, "\(found.findings)")
        #expect(found.levelSet.mask.volumeML < 3.2, "\(found.levelSet.mask.volumeML)")
    }

    /// The stated diameter tells a zone in a dark layer from blood in a zone.
    @Test func statedDiameterDecides() throws {
        let scan = try Self.scan(noise: 12) { Self.blood($0) > 0 ? 650 : Self.zone($0) > 0 ? 240 : 450 }
        let found = try Self.find(scan, .mr, SIMD3(4, -1, 1), 18)
        #expect(found.levelSet.mask.volumeML < 3.2 && !found.findings.contains { $0.code == "ablation-zone-core-differs" }, "\(found.findings)")
    }

    @Test func evenZonesAndTissueHaveNoCore() throws {
        let scan = try Self.scan(noise: 12) { Self.zone($0) > 0 ? 240 : 450 }, image = scan.floats().gaussianSmoothed(sigmaMM: 1.2)
        for seed in [SIMD3(3.0, -2, 1), SIMD3(-20, -20, 0)] {
            let distance = SeedField(grid: image.geometry, seed: PatientPoint(seed)).distances
            #expect(ZoneCore(image, distance: distance, modality: .mr) == nil)
        }
    }
}
