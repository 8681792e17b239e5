import Foundation
import ImageFilters
import ImagingCore
import Testing
@testable import ImageSegmentation

/// Zones on MR, which differ little from the organ that they lie in.
@Suite struct AblationZoneContrastTests {
    static let zone = ellipsoid(SIMD3(3, -2, 1), SIMD3(13, 11, 13))

    private static func scan(noise: Double = 12, _ value: @escaping @Sendable (SIMD3<Double>) -> Double) throws -> ScanVolume {
        AnalyticScan.make(try AnalyticScan.grid(112, 112, 32), noise: noise, value)
    }
    private static func find(_ scan: ScanVolume, _ seed: SIMD3<Double>) throws -> SegmentationResult {
        try AblationZoneSegmentation.segment(scan: scan, modality: .mr, seeds: [PatientPoint(seed)])
    }

    /// At a kidney's surface: 7 % brighter than cortex, 29 % brighter than medulla, half as bright as fat.
    @Test(arguments: [0, 2.0])
    func zoneBetweenDarkerAndBrighterTissueIsFound(rimMM: Double) throws {
        let kidney = ellipsoid(SIMD3(-14, 0, 0), SIMD3(24, 32, 34)), scan = try Self.scan { p in
            let depth = Self.zone(p)
            if depth > 0 { return 420 }
            if depth > -rimMM { return 380 }
            return p.y > 22 ? 320 : kidney(p) > 7 ? 300 : kidney(p) > 0 ? 390 : 790
        }
        let found = try Self.find(scan, SIMD3(2, -1, 1))
        let comparison = SurfaceComparison(found.levelSet, on: scan.geometry, trueDistance: Self.zone)
        #expect(
            comparison.dice > 0.88 && abs(comparison.meanSigned) < 0.5,
            "\(comparison.dice) \(comparison.meanSigned) \(comparison.meanAbsolute)")
    }

    /// Over the same centimetres the signal rises by as much evenly, as the coils' sensitivity makes it, or at the zone's edge.
    @Test(arguments: [(isStep: true, least: 0.97, most: 1.0), (false, 0, 0.1)])
    func edgeIsClearWhereTheSignalStepsAndNotWhereItSlopes(isStep: Bool, least: Double, most: Double) throws {
        let scan = try Self.scan { p in
            let away = ((p.x - 3) * (p.x - 3) + (p.y + 2) * (p.y + 2) + (p.z - 1) * (p.z - 1)).squareRoot()
            return 300 * (isStep ? (away < 13 ? 1 : 1.1) : 1 + 0.01 * away)
        }
        let image = scan.floats(), surface = Volume<Float>(geometry: scan.geometry) { target in
            for offset in 0..<target.count {
                let away = scan.geometry.point(scan.geometry.size.index(atOffset: offset)).lps - SIMD3(3, -2, 1)
                target[offset] = 13 - Float((away * away).sum().squareRoot())
            }
        }
        let smooth = image.gaussianSmoothed(sigmaMM: 1.2)
        let core = smooth.withUnsafeVoxels { smooth in
            surface.withUnsafeVoxels { depth in smooth.indices.filter { depth[$0] > ZoneEdge.coreMM }.map { smooth[$0] } }
        }
        let share = ZoneEdge.clearShare(ZoneRim.patches(of: surface, image: image), core: core)
        #expect(share >= least && share <= most, "\(share)")
    }

    /// Normal tissue whose signal goes up and down over some centimetres, beside fat.
    @Test(arguments: [(scale: 10.0, height: 0.2), (10, 0.3)])
    func unevennessOfNormalTissueIsNoZone(scale: Double, height: Double) throws {
        let scan = try Self.scan { p in
            p.y > 26 ? 900 : 300 * (1 - height * cos(p.x / scale) * cos(p.y / scale) * cos(p.z / scale))
        }
        let error = #expect(throws: SegmentationError.self) { try Self.find(scan, SIMD3(0, 0, 0)) }
        #expect(error?.finding.message.contains("uneven") == true, "\(scale) \(height) \(String(describing: error))")
    }

    /// A zone that goes on into fat, which it dims, with a bright rim around both: between dark zone and dimmed fat a layer as bright as that
    /// rim is only the edge's blur, and does not show that the zone ends there.
    @Test func brightRimDoesNotEndTheZoneAtFat() throws {
        let scan = try Self.scan { p in
            let isFat = p.x > 6, depth = Self.zone(p)
            if depth > 0 { return isFat ? 380 : 100 }
            return depth > -2 ? (isFat ? 1000 : 270) : isFat ? 760 : 200
        }
        let found = try Self.find(scan, SIMD3(0, -2, 1))
        #expect(found.method.contains("rim") && found.edgeUncertaintyMM > 0.8, "\(found.method) \(found.edgeUncertaintyMM)")
        #expect(found.findings.contains { $0.code == "ablation-zone-edge-unseen" }, "\(found.findings)")
    }

    /// Fat keeps a level of its own in a zone: where the muscle around ends, the zone may go on.
    @Test func edgeAtTissueBrighterThanTheOrganIsNotCalledCertain() throws {
        let beside = try Self.find(try Self.scan { $0.x > 8 ? 900 : Self.zone($0) > 0 ? 170 : 300 }, SIMD3(0, -2, 1)),
            plain = try Self.find(try Self.scan { Self.zone($0) > 0 ? 170 : 300 }, SIMD3(0, -2, 1))
        #expect(beside.edgeUncertaintyMM > 1.3 * plain.edgeUncertaintyMM, "\(beside.edgeUncertaintyMM) \(plain.edgeUncertaintyMM)")
        #expect(beside.findings.contains { $0.code == "ablation-zone-edge-unseen" } && plain.findings.isEmpty, "\(beside.findings)")
    }
}
