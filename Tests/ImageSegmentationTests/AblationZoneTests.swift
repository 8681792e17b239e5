import ImagingCore
import Testing
@testable import ImageSegmentation

@Suite struct AblationZoneTests {
    static let zone = ellipsoid(SIMD3(3, -2, 1), SIMD3(15, 12, 16))

    /// What a follow-up scan shows besides the zone of 42 HU in enhanced tissue.
    struct Scene: Sendable {
        var tissue = 112.0, noise = 12.0
        /// An enhancing layer of this thickness outside the zone.
        var rimMM = 0.0
        var hasBubblesAndBlood = false
        var hasVessel = false
        /// A thrombosed vessel of the zone's own level that runs from it.
        var hasDarkVessel = false
        /// Fat from this x on.
        var fatFrom = Double.infinity
        /// A gallbladder of 12 HU beside the zone.
        var hasGallbladder = false
        /// An enhancing ball at the zone's edge.
        var noduleRadius = 0.0

        func value(_ p: SIMD3<Double>) -> Double {
            func ball(_ x: Double, _ y: Double, _ z: Double, _ radius: Double) -> Bool { (p - SIMD3(x, y, z)).length < radius }
            let depth = AblationZoneTests.zone(p)
            if noduleRadius > 0, ball(3, 11, 1, noduleRadius) { return 165 }
            if depth > 0 {
                if hasBubblesAndBlood, ball(0, -4, 2, 2.2) || ball(6, 2, -4, 1.6) { return -600 }
                if hasBubblesAndBlood, ball(8, -5, 3, 3) || ball(-3, 2, 6, 2.5) { return 78 }
                return 42
            }
            if depth > -rimMM { return 160 }
            if hasVessel, SIMD2(p.x + 13.5, p.z - 3).length2 < 9 { return 175 }
            if hasDarkVessel, p.x < 0, SIMD2(p.y + 2, p.z - 1).length2 < 9 { return 42 }
            if hasGallbladder, SIMD3((p.x + 24) / 9, (p.y - 10) / 9, (p.z - 4) / 14).length < 1 { return 12 }
            return p.x > fatFrom ? -100 : tissue
        }
        func scan() throws -> ScanVolume { AnalyticScan.make(try AnalyticScan.grid(112, 112, 32), noise: noise, value) }
    }

    static let visible: [(name: String, scene: Scene)] = [
        ("plain", Scene()), ("thin enhancing rim", Scene(rimMM: 1.5)), ("bubbles and blood", Scene(hasBubblesAndBlood: true)),
        ("vessel beside it", Scene(hasVessel: true)), ("vessel as dark as it", Scene(hasDarkVessel: true)),
        ("reaching fat", Scene(fatFrom: 11)), ("gallbladder beside it", Scene(hasGallbladder: true)),
    ]

    @Test(arguments: visible.indices)
    func zoneIsFoundToItsEdge(_ number: Int) throws {
        let scene = Self.visible[number].scene, scan = try scene.scan()
        let found = try AblationZoneSegmentation.segment(
            scan: scan, modality: .ct, seeds: [PatientPoint(1, -1, 3)], approximateDiameterMM: 34)
        let comparison = SurfaceComparison(found.levelSet, on: scan.geometry, trueDistance: Self.zone)
        // A rim brighter than the tissue beyond it draws the half height inwards.
        let tolerance = scene.rimMM > 0 ? 0.7 : 0.5
        #expect(
            comparison.dice > 0.93 && comparison.meanAbsolute < tolerance,
            "\(Self.visible[number].name): \(comparison.dice) \(comparison.meanAbsolute) \(comparison.meanSigned)")
        #expect(!found.findings.contains { $0.severity != .info }, "\(Self.visible[number].name): \(found.findings)")
    }

    @Test func sizeNeedNotBeKnown() throws {
        let scan = try Scene().scan()
        let found = try AblationZoneSegmentation.segment(scan: scan, modality: .ct, seeds: [PatientPoint(-2, 2, -2)])
        #expect(SurfaceComparison(found.levelSet, on: scan.geometry, trueDistance: Self.zone).dice > 0.93)
    }

    @Test func lumpThatEnhancesIsReportedWithItsPlace() throws {
        let found = try AblationZoneSegmentation.segment(
            scan: try Scene(noduleRadius: 5).scan(), modality: .ct, seeds: [PatientPoint(1, -4, 1)], approximateDiameterMM: 32)
        #expect(found.findings.contains { $0.code == "nodular-enhancement" }, "\(found.findings)")
    }

    @Test func unenhancedScanIsSaid() throws {
        let found = try AblationZoneSegmentation.segment(
            scan: try Scene(tissue: 68, noise: 6).scan(), modality: .ct, seeds: [PatientPoint(1, -1, 3)], approximateDiameterMM: 32)
        #expect(found.findings.contains { $0.code == "scan-not-enhanced" })
    }

    /// A rim that is brighter than what follows draws the half height inwards, but no further than its own blur does.
    @Test func rimLiesOutside() throws {
        let scan = try Scene(noise: 8, rimMM: 1.5).scan()
        let found = try AblationZoneSegmentation.segment(
            scan: scan, modality: .ct, seeds: [PatientPoint(1, -1, 3)], approximateDiameterMM: 34)
        let comparison = SurfaceComparison(found.levelSet, on: scan.geometry, trueDistance: Self.zone)
        #expect(abs(comparison.meanSigned) < 0.53, "\(comparison.meanSigned) \(comparison.dice)")
    }

    /// Stomach or gallbladder in an abdomen without contrast medium.
    @Test func scanThatSurelyHasNoContrastMediumShowsNoZone() throws {
        let scan = try Scene(tissue: 35, noise: 6).scan(), fluid = SIMD3<Double>(3, -2, 1)
        let dark = AnalyticScan.make(scan.geometry, noise: 6) { p in (p - fluid).length < 13 ? 5 : 35 }
        let error = #expect(throws: SegmentationError.self) {
            try AblationZoneSegmentation.segment(scan: dark, modality: .ct, seeds: [PatientPoint(fluid)])
        }
        #expect(error?.finding.message.contains("without contrast medium") == true, "\(String(describing: error))")
    }

    /// An organ of 11 cm, darker than what lies around, is no zone, and does not end where the search does.
    @Test func wholeOrganIsNoZone() throws {
        let scan = AnalyticScan.make(try AnalyticScan.grid(110, 110, 50, spacing: SIMD3(1.4, 1.4, 3)), noise: 6) { p in
            p.length < 53 ? 60 : 110
        }
        let error = #expect(throws: SegmentationError.self) {
            try AblationZoneSegmentation.segment(scan: scan, modality: .ct, seeds: [PatientPoint(0, 0, 0)])
        }
        #expect(error?.finding.message.contains("whole organ") == true, "\(String(describing: error))")
    }

    @Test func normalTissueIsNoZone() throws {
        let scan = AnalyticScan.make(try AnalyticScan.grid(96, 96, 24), noise: 12) { p in SIMD2(p.x - 20, p.y).length2 < 16 ? 170 : 110 }
        for seed in [PatientPoint(0, 0, 0), PatientPoint(-10, 8, 5)] {
            #expect(throws: SegmentationError.self) {
                try AblationZoneSegmentation.segment(scan: scan, modality: .ct, seeds: [seed], approximateDiameterMM: 30)
            }
        }
    }

    @Test func seedThatCannotBeInAZoneIsRefused() throws {
        let scan = try Scene(fatFrom: 20).scan()
        func find(_ seeds: [PatientPoint], _ diameter: Double = 30) throws -> SegmentationResult {
            try AblationZoneSegmentation.segment(scan: scan, modality: .ct, seeds: seeds, approximateDiameterMM: diameter)
        }
        #expect(throws: SegmentationError.noZoneSeed) { try find([]) }
        let away = PatientPoint(500, 0, 0)
        #expect(throws: SegmentationError.seedOutsideScan(PlaceOutsideScan(away, scan: scan.geometry))) { try find([away]) }
        #expect(throws: SegmentationError.diameterNotUsable(millimetres: 900, allowed: AblationZoneSegmentation.usableDiameterMM)) {
            try find([PatientPoint(0, 0, 0)], 900)
        }
        #expect(throws: SegmentationError.self) { try find([PatientPoint(35, 0, 0)]) }
    }
}

extension SIMD2<Double> {
    fileprivate var length2: Double { x * x + y * y }
}
