import ImagingCore
import Testing
@testable import ImageSegmentation

/// Zones whose edge is hidden, whose level varies or that touch what looks like them.
@Suite struct AblationZoneDoubtTests {
    static let zone = AblationZoneTests.zone

    private static func scan(
        spacing: SIMD3<Double> = SIMD3(0.8, 0.8, 2.5), slices: Int = 32, _ value: @escaping @Sendable (SIMD3<Double>) -> Double
    ) throws -> ScanVolume {
        AnalyticScan.make(try AnalyticScan.grid(128, 128, slices, spacing: spacing), noise: 14, value)
    }
    private static func find(_ scan: ScanVolume, _ seed: SIMD3<Double>, _ diameter: Double? = nil) throws -> SegmentationResult {
        try AblationZoneSegmentation.segment(scan: scan, modality: .ct, seeds: [PatientPoint(seed)], approximateDiameterMM: diameter)
    }

    /// The treated tumour in the zone is darker than the tissue frozen around it, which is nearer to the organ's level than to the
    /// tumour's.
    @Test(arguments: [nil, 34.0])
    func tissueFrozenAroundTheTumourBelongsToTheZone(diameter: Double?) throws {
        let scan = try Self.scan { p in
            let tumour = p - SIMD3(3, -2, 1)
            return (tumour * tumour).sum() < 49 ? 38 : Self.zone(p) > 0 ? 66 : 105
        }
        let found = try Self.find(scan, SIMD3(2, -1, 1), diameter)
        let comparison = SurfaceComparison(found.levelSet, on: scan.geometry, trueDistance: Self.zone)
        #expect(comparison.dice > 0.92, "\(comparison.dice) \(comparison.meanSigned)")
    }

    /// A gallbladder bed or fissure of the zone's level that touches it over a neck.
    @Test(arguments: [nil, 32.0])
    func neighbourBehindANeckIsLeftOut(diameter: Double?) throws {
        let scan = try Self.scan { p in
            let beside = (p - SIMD3(-28, 6, 1)) / SIMD3(13, 12, 16), neck = SIMD2(p.y - 2, p.z - 1)
            return Self.zone(p) > 0 || (beside * beside).sum() < 1 || (p.x < 0 && p.x > -20 && (neck * neck).sum() < 25) ? 50 : 108
        }
        let found = try Self.find(scan, SIMD3(4, -2, 1), diameter)
        let comparison = SurfaceComparison(found.levelSet, on: scan.geometry, trueDistance: Self.zone)
        #expect(comparison.dice > 0.9, "\(comparison.dice)")
    }

    /// At a kidney's surface the zone goes on in fat, where nothing shows it; so it does in fat that slices share with muscle.
    @Test(arguments: [-100.0, -8])
    func edgeInFatIsSaidAndNotCalledCertain(fatHU: Double) throws {
        let scan = try Self.scan { p in p.x > 6 ? fatHU : Self.zone(p) > 0 ? 30 : 110 }
        let found = try Self.find(scan, SIMD3(-2, -2, 1), 30),
            plain = try Self.find(try Self.scan { Self.zone($0) > 0 ? 30 : 110 }, SIMD3(-2, -2, 1), 30)
        #expect(found.findings.contains { $0.code == "ablation-zone-edge-unseen" }, "\(found.findings)")
        #expect(
            found.edgeUncertaintyMM > 2 * plain.edgeUncertaintyMM && plain.findings.isEmpty, "\(found.edgeUncertaintyMM) \(plain.findings)")
    }

    /// Run into a flat neighbour over its whole width, the region is far from round.
    @Test func regionFarFromRoundIsDoubted() throws {
        let scan = try Self.scan { p in Self.zone(p) > 0 || (abs(p.y + 2) < 6.5 && p.x < 3 && p.x > -30 && abs(p.z - 1) < 22) ? 50 : 108 }
        let found = try Self.find(scan, SIMD3(4, -2, 1))
        #expect(
            found.findings.contains { ["ablation-zone-irregular", "ablation-zone-may-hold-neighbour"].contains($0.code) },
            "\(found.findings)")
        #expect(found.edgeUncertaintyMM >= 2)
    }

    /// Nobody is asked for the diameter that was given.
    @Test(arguments: [nil, 50.0]) func irregularZoneAsksForWhatWasNotGiven(diameter: Double?) throws {
        let scan = try Self.scan { p in Self.zone(p) > 0 || (abs(p.y + 2) < 6.5 && p.x < 3 && p.x > -30 && abs(p.z - 1) < 22) ? 50 : 108 }
        let found = try Self.find(scan, SIMD3(4, -2, 1), diameter)
        let finding = try #require(found.findings.first { $0.code == "ablation-zone-irregular" }, "\(found.findings)")
        #expect(finding.remedy.contains("diameter") == (diameter == nil))
    }

    /// A vessel that still runs through the zone shows as one bright section in thick slices.
    @Test func vesselSectionInThickSlicesIsNoNodule() throws {
        let scan = try Self.scan(spacing: SIMD3(1.2, 1.2, 8), slices: 12) { p in
            let vessel = SIMD2(p.x + 2, p.y + 2)
            return (vessel * vessel).sum() < 9 && abs(p.z - 4) < 4 ? 170 : Self.zone(p) > 0 ? 40 : 110
        }
        #expect(!(try Self.find(scan, SIMD3(6, 2, 1), 32)).findings.contains { $0.code == "nodular-enhancement" })
    }

    /// In lung a zone is as dense as the vessel that it lies on: how much of that was taken along cannot be seen. Thin vessels do not
    /// matter.
    @Test(arguments: [(vesselRadiusMM: 0.0, isSaid: false), (1.2, false), (4.2, true), (6, true)])
    func thickVesselAtAZoneInLungIsSaid(vesselRadiusMM: Double, isSaid: Bool) throws {
        let scan = try Self.scan { p in
            let away = ((p.y + 2) * (p.y + 2) + (p.z - 1) * (p.z - 1)).squareRoot()
            return Self.zone(p) > 0 ? 20 : away < vesselRadiusMM && p.x > 0 ? 40 : -840
        }
        let found = try Self.find(scan, SIMD3(-2, -2, 1))
        #expect(found.findings.contains { $0.code == "ablation-zone-meets-dense-tissue" } == isSaid, "\(found.findings)")
        #expect((found.edgeUncertaintyMM >= 2) == isSaid)
    }

    /// Two blocks that a rod joins; and a region without an outside, in which nothing has a depth, so that no waist is looked for.
    @Test func partBehindAWaistIsThatWithoutTheSeed() throws {
        let grid = try AnalyticScan.grid(40, 30, 30, spacing: SIMD3(repeating: 1)), seed = grid.continuousIndex(PatientPoint(-9, 0, 0)).nearest
        func mask(_ isInside: (SIMD3<Double>) -> Bool) -> Mask {
            var mask = Mask(empty: grid)
            for offset in 0..<grid.size.voxelCount {
                let index = grid.size.index(atOffset: offset)
                if isInside(grid.point(index).lps) { mask[index] = true }
            }
            return mask
        }
        let joined = mask { p in abs(abs(p.x) - 9) < 7 && abs(p.y) < 7 && abs(p.z) < 7 || abs(p.y) < 1.6 && abs(p.z) < 1.6 && abs(p.x) < 9 }
        let part = try #require(joined.partBehindWaist(from: [seed]))
        #expect(part[grid.continuousIndex(PatientPoint(9, 0, 0)).nearest] && !part[seed])
        #expect(mask { _ in true }.partBehindWaist(from: [seed]) == nil)
    }

    /// Of two balls the one that holds the point stays as it is; without a point in either both do.
    @Test func piecesWithoutASeedAreLeftOut() throws {
        let grid = try AnalyticScan.grid(50, 30, 20, spacing: SIMD3(1, 1, 1.5))
        let own = ellipsoid(SIMD3(-9, 0, 0), SIMD3(repeating: 8)), other = ellipsoid(SIMD3(12, 1, 0), SIMD3(repeating: 5))
        let both = Volume<Float>(geometry: grid) { target in
            for offset in target.indices {
                let p = grid.point(grid.size.index(atOffset: offset)).lps
                target[offset] = Float(max(own(p), other(p)))
            }
        }
        let kept = both.keepingPieces(at: [PatientPoint(-8, 1, 0)])
        #expect(abs(SurfaceComparison(LevelSet(field: kept), on: grid, trueDistance: own).meanSigned) < 0.1)
        #expect(kept[grid.continuousIndex(PatientPoint(12, 1, 0)).nearest] < -3)
        #expect(both.keepingPieces(at: [PatientPoint(2, 12, 10)]).values(in: Mask(both) { _ in true }) == both.values(in: Mask(both) { _ in true }))
    }
}
