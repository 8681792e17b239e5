import ImagingCore
import Testing
@testable import ImageSegmentation

@Suite struct IceSegmentationTests {
    static let tip = SIMD3(1.0, 2, -9), tail = SIMD3(14.0, -60, 30)
    static let probe = Probe(tip: PatientPoint(tip), tail: PatientPoint(tail), source: .given)
    static let truth = ellipsoid(SIMD3(2.2, -4, -4.6), SIMD3(13, 16, 14))

    /// 30 mm of liver around the ice, fat beyond it, a tumour within.
    @Sendable static func tissue(_ p: SIMD3<Double>) -> Double {
        let r = p - SIMD3(0, -6, -3)
        return (r * r).sum() < 80 ? 30 : p.x * p.x + p.y * p.y < 34 * 34 ? 60 : -100
    }
    @Sendable static func metal(_ p: SIMD3<Double>) -> Bool {
        let axis = tail - tip, o = p - tip, t = max(0, min(1, (o * axis).sum() / (axis * axis).sum())), d = o - t * axis
        return (d * d).sum() < 0.8
    }
    static func scan(frozen: Bool, seed: UInt64, shift: SIMD3<Double> = .zero, brighterBy: Double = 0) throws -> ScanVolume {
        let grid = try AnalyticScan.grid(100, 110, 32)
        let metal: (@Sendable (SIMD3<Double>) -> Bool)? = frozen ? Self.metal : nil
        return AnalyticScan.make(grid, noise: 12, seed: seed, metal: metal) { (p: SIMD3<Double>) -> Double in
            let unfrozen = Self.tissue(p + shift)
            if frozen, Self.truth(p) > 0 { return unfrozen - 85 }
            return unfrozen > 0 ? unfrozen + brighterBy : unfrozen
        }
    }
    /// The contour of half the change, so that a sharp analytic edge is what is looked for.
    static var halfDrop: IceSegmentation.Parameters {
        var parameters = IceSegmentation.Parameters()
        parameters.halfChangeToFrontMM = 0
        return parameters
    }

    @Test(arguments: [
        (name: "same position", shift: SIMD3<Double>.zero, brighterBy: 0.0),
        (name: "1.5 mm away", shift: SIMD3(0.9, -0.9, 0.8), brighterBy: 0.0),
        (name: "contrast phase", shift: SIMD3<Double>.zero, brighterBy: 55.0),
    ])
    func iceStandsOutAgainstAnEarlierScan(name: String, shift: SIMD3<Double>, brighterBy: Double) throws {
        let result = try IceSegmentation.segment(
            scan: Self.scan(frozen: true, seed: 3), modality: .ct, probes: [Self.probe],
            reference: Self.scan(frozen: false, seed: 4, shift: shift, brighterBy: brighterBy), parameters: Self.halfDrop)
        let comparison = SurfaceComparison(result.levelSet, on: try AnalyticScan.grid(100, 110, 32), trueDistance: Self.truth)
        #expect(abs(comparison.meanSigned) < 0.3)
        #expect(comparison.share95 < 1.6)
        #expect(comparison.dice > 0.94)
    }

    /// A second probe lies in tissue that has not frozen.
    @Test func aProbeWithoutIceIsSaid() throws {
        let bare = Probe(tip: PatientPoint(-22, 18, 8), tail: PatientPoint(-30, 60, 12), source: .given)
        let result = try IceSegmentation.segment(
            scan: Self.scan(frozen: true, seed: 3), modality: .ct, probes: [Self.probe, bare], reference: Self.scan(frozen: false, seed: 4))
        #expect(result.findings.filter { $0.code == "probe-without-ice" }.map(\.message) == ["No ice was found around probe P2."])
    }

    /// The same ice where everything around is bone of 260 HU, and as far from bone as usual.
    @Test(arguments: [true, false]) func iceInBoneIsSaidToBeUnsure(bone: Bool) throws {
        let grid = try AnalyticScan.grid(100, 110, 32)
        func scan(frozen: Bool, seed: UInt64) -> ScanVolume {
            AnalyticScan.make(grid, noise: 12, seed: seed, metal: frozen ? Self.metal : nil) { p in
                let unfrozen = bone ? 260 : Self.tissue(p)
                return frozen && Self.truth(p) > 0 ? unfrozen - 85 : unfrozen
            }
        }
        let result = try IceSegmentation.segment(
            scan: scan(frozen: true, seed: 3), modality: .ct, probes: [Self.probe], reference: scan(frozen: false, seed: 4))
        #expect(result.findings.contains { $0.code == IceSegmentation.inBoneCode } == bone)
        #expect(bone ? result.edgeUncertaintyMM > 1.3 : result.edgeUncertaintyMM < 1)
    }

    @Test func iceStandsOutAgainstTheOrganAround() throws {
        let result = try IceSegmentation.segment(
            scan: Self.scan(frozen: true, seed: 3), modality: .ct, probes: [Self.probe], parameters: Self.halfDrop)
        let comparison = SurfaceComparison(result.levelSet, on: try AnalyticScan.grid(100, 110, 32), trueDistance: Self.truth)
        #expect(abs(comparison.meanSigned) < 0.35)
        #expect(comparison.dice > 0.92)
    }

    @Test func frontLiesOutsideTheHalfDrop() throws {
        let scan = try Self.scan(frozen: true, seed: 3), before = try Self.scan(frozen: false, seed: 4)
        var parameters = Self.halfDrop
        let half = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Self.probe], reference: before, parameters: parameters)
        parameters.halfChangeToFrontMM = 1
        let front = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Self.probe], reference: before, parameters: parameters)
        let grid = try AnalyticScan.grid(100, 110, 32)
        let difference = SurfaceComparison(front.levelSet, on: grid, trueDistance: Self.truth).meanSigned
            - SurfaceComparison(half.levelSet, on: grid, trueDistance: Self.truth).meanSigned
        #expect(abs(difference - 1) < 0.1)
    }

    @Test func unfrozenTissueIsNoIce() throws {
        let scan = try Self.scan(frozen: false, seed: 5), before = try Self.scan(frozen: false, seed: 6, shift: SIMD3(0.9, -0.9, 0.8))
        let seed = PatientPoint(0, -6, -3)
        for (probes, reference) in [([Self.probe], before), ([], before), ([Self.probe], nil), ([], nil)] as [([Probe], ScanVolume?)] {
            #expect { try IceSegmentation.segment(
                scan: scan, modality: .ct, probes: probes, seeds: [seed], reference: reference
            ) } throws: {
                ($0 as? SegmentationError)?.finding.code == "no-ice-found"
            }
        }
    }

    @Test func signalVoidIsIceOnMR() throws {
        let grid = try AnalyticScan.grid(90, 90, 28)
        let scan = AnalyticScan.make(grid, noise: 14) { (p: SIMD3<Double>) -> Double in
            (Self.truth(p) > 0 ? 15.0 : 400.0) * (1 + 0.004 * p.x)
        }
        var parameters = IceSegmentation.Parameters()
        parameters.halfChangeToFrontMM = 0
        let result = try IceSegmentation.segment(scan: scan, modality: .mr, probes: [Self.probe], parameters: parameters)
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: Self.truth)
        #expect(abs(comparison.meanSigned) < 0.25)
        #expect(comparison.dice > 0.95)
    }

    @Test func iceAtTheEdgeOfTheScanIsSaid() throws {
        let grid = try AnalyticScan.grid(100, 110, 8)
        let scan = AnalyticScan.make(grid, noise: 8) { Self.truth($0) > 0 ? -25 : 60 }
        let result = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Self.probe])
        #expect(result.findings.contains { $0.code == "ice-reaches-scan-edge" })
    }

    @Test func missingOriginsAreRefused() throws {
        let scan = try Self.scan(frozen: false, seed: 5), away = PatientPoint(900, 0, 0)
        #expect(throws: SegmentationError.noProbesOrSeeds) { try IceSegmentation.segment(scan: scan, modality: .ct, probes: []) }
        #expect(throws: SegmentationError.probesOutsideScan(PlaceOutsideScan(away, scan: scan.geometry))) {
            try IceSegmentation.segment(scan: scan, modality: .ct, probes: [], seeds: [away])
        }
    }
}

@Suite struct RayTests {
    private static func mask(_ isInside: @escaping (SIMD3<Double>) -> Bool) throws -> Mask {
        let grid = try AnalyticScan.grid(50, 50, 40, spacing: SIMD3(1.4, 1.4, 1.5))
        return Mask(geometry: grid) { target in
            for offset in target.indices { target[offset] = isInside(grid.point(grid.size.index(atOffset: offset)).lps) ? 1 : 0 }
        }
    }

    /// A rod of 5 mm across that sticks out of a ball is taken off; the ball stays but for corners.
    @Test func thinRaysAreTakenOffTheIce() throws {
        let ball = try Self.mask { ($0 * $0).sum() < 15 * 15 }
        let rayed = try Self.mask { p in (p * p).sum() < 15 * 15 || (p.x > 0 && p.y * p.y + p.z * p.z < 2.5 * 2.5) }
        let found = rayed.withoutRays()
        #expect(rayed.subtracting(ball).count > 100 && found.subtracting(ball).count < 30)
        #expect(Double(found.intersection(ball).count) > 0.97 * Double(ball.count))
    }

    @Test func regionThatIsThinThroughoutStays() throws {
        let thin = try Self.mask { p in p.y * p.y + p.z * p.z < 3 * 3 && abs(p.x) < 12 }
        #expect(thin.subtracting(thin.withoutRays()).count == 0)
    }
}
