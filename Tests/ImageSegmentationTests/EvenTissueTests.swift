import ImagingCore
import Testing

@testable import ImageSegmentation

/// Ice beside tissue whose level lies between that of ice and that of what lies behind; all shapes are closed forms.
@Suite struct EvenTissueTests {
    private typealias Scene = IceWithoutReferenceTests

    private static func found(
        _ modality: Modality, noise: Double, reference: (@Sendable (SIMD3<Double>) -> Double)? = nil,
        parameters: IceSegmentation.Parameters = Scene.halfChange, _ level: @escaping @Sendable (SIMD3<Double>) -> Double
    ) throws -> (surface: SurfaceComparison, codes: [String]) {
        let grid = try AnalyticScan.grid(90, 90, 28, spacing: SIMD3(1, 1, 3))
        func scan(_ level: @escaping @Sendable (SIMD3<Double>) -> Double) -> ScanVolume {
            modality == .ct
                ? AnalyticScan.make(grid, noise: noise, seed: 5, metal: Scene.metal, level)
                : AnalyticScan.make(grid, noise: noise, seed: 5) { Scene.metal($0) ? 5 : level($0) }
        }
        let result = try IceSegmentation.segment(
            scan: scan(level), modality: modality, probes: [Scene.probe], reference: reference.map(scan), parameters: parameters)
        return (SurfaceComparison(result.levelSet, on: grid, trueDistance: Scene.ice), result.findings.map(\.code))
    }

    /// A canal of 16 mm, and a wedge of muscle between ice and fat, which both give much less signal than half of the fat's.
    @Test(arguments: [110.0, 200])
    func darkTissueBesideIceOnMRIsNoIce(signal: Double) throws {
        let (comparison, _) = try Self.found(.mr, noise: 12) { p in
            let q = p - Scene.centre
            if Scene.ice(p) > 0 { return 20 }
            let isCanal = (q.x - 14) * (q.x - 14) + q.y * q.y < 64, isWedge = q.y < -6 && q.y > -20 + 0.3 * q.x
            return isCanal || isWedge ? signal : 700
        }
        #expect(comparison.dice > 0.95 && abs(comparison.meanSigned) < 0.3 && comparison.share95 < 1.5, "\(comparison)")
    }

    /// A shell of 4 mm whose level lies half of the way from lung to its ice, with and without a scan from before.
    @Test(arguments: [false, true])
    func groundGlassAroundLungIceIsNoIce(isCompared: Bool) throws {
        let lung: @Sendable (SIMD3<Double>) -> Double = { _ in -850 }
        let (comparison, codes) = try Self.found(.ct, noise: 15, reference: isCompared ? lung : nil) { p in
            let depth = Scene.ice(p)
            return depth > 0 ? -200 : depth > -4 ? -540 : -850
        }
        #expect(comparison.dice > 0.97 && abs(comparison.meanSigned) < 0.3 && comparison.share95 < 1, "\(comparison)")
        #expect(codes.contains("ground-glass-around-ice"))
    }

    /// The rim's edge against lung, 2.5 mm outside, makes no wider ramp of the front.
    @Test func frontBesideGroundGlassIsItsOwn() throws {
        let (comparison, _) = try Self.found(.ct, noise: 15, parameters: IceSegmentation.Parameters()) { p in
            let depth = Scene.ice(p)
            return depth > 0 ? -580 + 490 * min(1, depth) : depth > -2.5 ? -580 : -850
        }
        #expect(comparison.dice > 0.95 && abs(comparison.meanSigned) < 0.4, "\(comparison)")
    }

    /// A tumour of 24 mm, much of which has not frozen and sticks out of the ice into lung; it reads as water does or a little more.
    @Test(arguments: [(sticksOut: false, hu: 30.0), (true, 30), (true, 8)])
    func unfrozenTumourThatSticksOutOfLungIceIsLeftOut(sticksOut: Bool, hu: Double) throws {
        let tumour = ellipsoid(Scene.centre + SIMD3(0, sticksOut ? 10 : 0, 0), SIMD3(repeating: 12))
        let (comparison, codes) = try Self.found(.ct, noise: 15) { p in
            Scene.ice(p) > 0 ? (tumour(p) > 0 ? hu - 75 : -90) : tumour(p) > 0 ? hu : -850
        }
        #expect(codes.contains("unfrozen-tissue-beside-lung-ice") == sticksOut, "\(codes)")
        #expect(comparison.dice > 0.95 && abs(comparison.meanSigned) < 0.5 && comparison.share95 < 2.5, "\(comparison)")
    }

    /// Blood or a streak within the ice may read as water does, but does not come to its surface as tissue outside does; and a rib's marrow
    /// reads more, frozen or not.
    @Test(arguments: [(atSurface: false, inRib: false, isWarm: false), (true, false, true), (true, true, false)])
    func brightPatchWithinLungIceIsIce(atSurface: Bool, inRib: Bool, isWarm: Bool) throws {
        let patch = ellipsoid(Scene.centre + SIMD3(0, atSurface ? 12 : 7, 0), SIMD3(7, 4, 7))
        let scan = AnalyticScan.make(try AnalyticScan.grid(90, 90, 28, spacing: SIMD3(1, 1, 3)), noise: 15, seed: 6) { p in
            patch(p) > 0 ? (inRib && patch(p) < 1.5 ? 500 : 20) : Scene.ice(p) > 0 ? -90 : -850
        }
        let size = scan.geometry.size, image = scan.floats(in: 0..<size.i, 0..<size.j, 0..<size.k)
        let depth = Volume<Float>(geometry: image.geometry) { target in
            for offset in target.indices { target[offset] = Float(Scene.ice(image.geometry.point(size.index(atOffset: offset)).lps)) }
        }
        let found = WarmInLung(in: image, depth: depth, toAxis: Volume(geometry: image.geometry, repeating: 20))
        #expect(found.isLeftOut == isWarm && found.mask.isEmpty == !isWarm)
    }
}
