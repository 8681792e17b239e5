import ImagingCore
import Testing
@testable import ImageSegmentation

/// Ice among several tissues, with no scan before freezing; all shapes are closed forms.
@Suite struct IceWithoutReferenceTests {
    static let tip = SIMD3(-2.0, 3, -12), tail = SIMD3(-50.0, 3, 40)
    static let probe = Probe(tip: PatientPoint(tip), tail: PatientPoint(tail), source: .given)
    static let centre = tip + 14 * (tail - tip) / ((tail - tip) * (tail - tip)).sum().squareRoot()
    static let ice = ellipsoid(centre, SIMD3(14, 14, 14))
    /// Kidney on the right of a plane through the ice, fat on the left.
    @Sendable static func kidneyInFat(_ p: SIMD3<Double>, kidneyHU: Double) -> Double { p.x > centre.x - 4 ? kidneyHU : -102 }
    @Sendable static func metal(_ p: SIMD3<Double>) -> Bool {
        let axis = tail - tip, o = p - tip, t = max(0, min(1, (o * axis).sum() / (axis * axis).sum())), d = o - t * axis
        return (d * d).sum() < 0.8
    }
    static var halfChange: IceSegmentation.Parameters {
        var parameters = IceSegmentation.Parameters()
        parameters.halfChangeToFrontMM = 0
        return parameters
    }
    static func finding(_ scan: ScanVolume, probes: [Probe]) -> Finding? {
        do {
            _ = try IceSegmentation.segment(scan: scan, modality: .ct, probes: probes)
            return nil
        } catch { return error.finding }
    }
    static func refusal(_ scan: ScanVolume, _ modality: Modality, probes: [Probe] = [], seeds: [SIMD3<Double>]) -> String? {
        do {
            _ = try IceSegmentation.segment(scan: scan, modality: modality, probes: probes, seeds: seeds.map { PatientPoint($0) })
            return nil
        } catch { return error.finding.code }
    }

    /// In fat that hardly changes the ice is carried on from its side in the kidney, less well from one that is enhanced.
    @Test(arguments: [(kidneyHU: 32.0, fatDropHU: 10.0, within: 3.0), (32, 85, 3), (150, 10, 3.5)])
    func iceThatCrossesFromKidneyIntoFatIsWhole(kidneyHU: Double, fatDropHU: Double, within: Double) throws {
        let grid = try AnalyticScan.grid(110, 100, 36)
        let scan = AnalyticScan.make(grid, noise: 10, seed: 11, metal: Self.metal) { (p: SIMD3<Double>) -> Double in
            let tissue = Self.kidneyInFat(p, kidneyHU: kidneyHU)
            return Self.ice(p) > 0 ? tissue - (tissue < 0 ? fatDropHU : 85) : tissue
        }
        let result = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Self.probe], parameters: Self.halfChange)
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: Self.ice)
        #expect(comparison.dice > 0.9)
        #expect(comparison.share95 < within)
        // Where fat hardly changes the edge cannot be seen, and that is said.
        #expect((result.edgeUncertaintyMM > 0.7) == (fatDropHU < 50))
    }

    @Test func separateIceballsComeAsPieces() throws {
        let grid = try AnalyticScan.grid(130, 100, 30)
        let centres = [SIMD3(-24.0, 2, 0), SIMD3(22.0, -3, 3)], radii = [13.0, 10]
        let balls = zip(centres, radii).map { ellipsoid($0, SIMD3(repeating: $1)) }
        let scan = AnalyticScan.make(grid, noise: 10, seed: 12) { (p: SIMD3<Double>) -> Double in balls.contains { $0(p) > 0 } ? -30 : 55 }
        let result = try IceSegmentation.segment(
            scan: scan, modality: .ct, probes: [], seeds: centres.map { PatientPoint($0) }, parameters: Self.halfChange)
        #expect(result.pieces.count == 2)
        for (piece, (centre, radius)) in zip(result.pieces, zip(centres, radii)) {
            #expect(piece.centroid.distance(to: PatientPoint(centre)) < 0.7)
            #expect(abs(piece.volumeML - 4.18879 * radius * radius * radius / 1000) < 0.08 * piece.volumeML)
        }
    }

    @Test func lungIceIsDenserThanLung() throws {
        let grid = try AnalyticScan.grid(100, 100, 32)
        let scan = AnalyticScan.make(grid, noise: 15, seed: 13, metal: Self.metal) { (p: SIMD3<Double>) -> Double in
            let vessel = (p.y - 10) * (p.y - 10) + (p.z + 2) * (p.z + 2) < 4
            return Self.ice(p) > 0 ? -60 : vessel ? 45 : -850
        }
        let result = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Self.probe], parameters: Self.halfChange)
        #expect(SurfaceComparison(result.levelSet, on: grid, trueDistance: Self.ice).dice > 0.95)
    }

    /// Without contrast medium a vessel in lung reads as ice may; as far as it is thinner than ice can be it is not followed.
    @Test(arguments: [(radiusMM: 2.2, hu: -60.0), (3.2, -60), (3.2, -20), (6, 40)])
    func vesselThatEndsInLungIceIsNoIce(radiusMM: Double, hu: Double) throws {
        let grid = try AnalyticScan.grid(100, 100, 32)
        let scan = AnalyticScan.make(grid, noise: 15, seed: 17, metal: Self.metal) { (p: SIMD3<Double>) -> Double in
            let y = p.y - Self.centre.y, z = p.z - Self.centre.z, isVessel = p.x > Self.centre.x && y * y + z * z < radiusMM * radiusMM
            return Self.ice(p) > 0 ? -70 : isVessel ? hu : -850
        }
        let result = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Self.probe], parameters: Self.halfChange)
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: Self.ice)
        #expect(comparison.dice > 0.95)
        #expect(comparison.share95 < 2)
    }

    /// Streaks leave rays on ice, vessels join it; what is thin throughout stays.
    @Test func raysAreNoPartOfIce() throws {
        let grid = try AnalyticScan.grid(90, 60, 30, spacing: SIMD3(1, 1, 1.5))
        func mask(_ holds: (SIMD3<Double>) -> Bool) -> Mask {
            Mask(Volume<Float>(geometry: grid) { target in
                for offset in target.indices { target[offset] = holds(grid.point(grid.size.index(atOffset: offset)).lps) ? 1 : 0 }
            }) { $0 > 0 }
        }
        @Sendable func isBall(_ p: SIMD3<Double>) -> Bool { (p * p).sum() < 12 * 12 }
        @Sendable func isRay(_ p: SIMD3<Double>) -> Bool { p.x > 0 && p.y * p.y + p.z * p.z < 3.2 * 3.2 }
        let ball = mask(isBall), kept = mask { isBall($0) || isRay($0) }.withoutRays()
        #expect(kept.subtracting(ball).count < ball.count / 50)
        #expect(ball.subtracting(kept).count < ball.count / 20)
        let thin = mask { isRay($0) && $0.x < 30 }
        #expect(2 * thin.withoutRays().count > thin.count)
    }

    /// In the texture of bone ice does not show: that is said, and not that there is none.
    @Test func iceInBoneIsRefusedForTheBone() throws {
        let grid = try AnalyticScan.grid(100, 100, 32)
        let scan = AnalyticScan.make(grid, noise: 55, seed: 18, metal: Self.metal) { (p: SIMD3<Double>) -> Double in
            (p - Self.centre).y * (p - Self.centre).y < 22 * 22 ? (Self.ice(p) > 0 ? 230 : 260) : 50
        }
        let finding = try #require(Self.finding(scan, probes: [Self.probe]))
        #expect(finding.code == "no-ice-found" && finding.message.contains("bone"), "\(finding)")
        // Without bone nothing is said of it.
        let soft = AnalyticScan.make(grid, noise: 12, seed: 18, metal: Self.metal) { (_: SIMD3<Double>) -> Double in 50 }
        #expect(Self.finding(soft, probes: [Self.probe])?.message.contains("bone") == false)
    }

    /// A dark streak that fans out from the ice across fat: the outline does not follow it, and says what it does not know.
    @Test func streakAcrossFatIsNotFollowed() throws {
        let grid = try AnalyticScan.grid(120, 110, 36)
        let scan = AnalyticScan.make(grid, noise: 10, seed: 19, metal: Self.metal) { (p: SIMD3<Double>) -> Double in
            let tissue = Self.kidneyInFat(p, kidneyHU: 34), o = p - Self.centre, away = (o * o).sum().squareRoot()
            let streak = tissue < 0 && away < 26 && abs(o.y + 3) < 0.2 * away && abs(o.z) < 6 ? -22.0 : 0
            return (Self.ice(p) > 0 ? tissue - (tissue < 0 ? 10 : 85) : tissue) + streak
        }
        let result = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Self.probe], parameters: Self.halfChange)
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: Self.ice)
        #expect(comparison.dice > 0.9)
        #expect(result.edgeUncertaintyMM > comparison.rootMeanSquare)
    }

    /// Streaks beside a shaft look a little like ice all along it.
    @Test func faintEvidenceFarAlongTheShaftIsNotFollowed() throws {
        let grid = try AnalyticScan.grid(60, 60, 40, spacing: SIMD3(2, 2, 2.5))
        let evidence = Volume<Float>(geometry: grid) { target in
            for offset in target.indices {
                let p = grid.point(grid.size.index(atOffset: offset)).lps, across = p.x * p.x + p.z * p.z
                target[offset] = (p * p).sum() < 15 * 15 ? 1 : p.y > 0 && across < 12 * 12 ? 0.2 : p.y > 0 ? 0 : -1
            }
        }
        let body = IceBodyFit(evidence, centre: .zero, ends: [(SIMD3(0, -4, 0), SIMD3(0, 4, 0))])
        let along = zip(body.directions, body.radii).filter { $0.0.y > 0.97 }.map(\.1)
        #expect(along.max()! < 29)
    }

    @Test func ballsThatDifferOtherwiseThanByFreezingAreNoIce() throws {
        let grid = try AnalyticScan.grid(100, 100, 32)
        // Bile and a cyst, gas, fat, a dense tumour, a bright vessel: not 85 HU below what lies around.
        for level in [8.0, -950, -105, 30, 160] {
            let scan = AnalyticScan.make(grid, noise: 12, seed: 14) { (p: SIMD3<Double>) -> Double in Self.ice(p) > 0 ? level : 55 }
            #expect(Self.refusal(scan, .ct, seeds: [Self.centre]) == "no-ice-found", "\(level) HU")
            #expect(Self.refusal(scan, .ct, probes: [Self.probe], seeds: []) == "no-ice-found", "\(level) HU")
        }
    }

    @Test func darkOrganBesideTheIceIsNotIceOnMR() throws {
        let grid = try AnalyticScan.grid(100, 100, 32)
        let scan = AnalyticScan.make(grid, noise: 14, seed: 15) { (p: SIMD3<Double>) -> Double in
            let dark = Self.ice(p) > 0 || p.x > Self.centre.x + 12
            return (dark ? 12.0 : 380) * (1 + 0.004 * p.y)
        }
        let result = try IceSegmentation.segment(scan: scan, modality: .mr, probes: [Self.probe], parameters: Self.halfChange)
        let comparison = SurfaceComparison(result.levelSet, on: grid, trueDistance: Self.ice)
        #expect(comparison.dice > 0.92)
        #expect(comparison.share95 < 2.5)
    }

    @Test func probesWithoutMetalAreSaid() throws {
        let grid = try AnalyticScan.grid(100, 100, 32)
        let scan = AnalyticScan.make(grid, noise: 10, seed: 16) { (p: SIMD3<Double>) -> Double in Self.ice(p) > 0 ? -30 : 55 }
        let result = try IceSegmentation.segment(scan: scan, modality: .ct, probes: [Self.probe])
        #expect(result.findings.contains { $0.code == "probes-not-visible" })
    }
}
