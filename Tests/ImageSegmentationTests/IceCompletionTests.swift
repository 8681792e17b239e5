import ImagingCore
import Testing
@testable import ImageSegmentation

@Suite struct IceCompletionTests {
    private static let grid = try! AnalyticScan.grid(64, 64, 30, spacing: SIMD3(1, 1, 2))
    private static func volume(_ value: (SIMD3<Double>) -> Double) -> Volume<Float> {
        Volume<Float>(geometry: grid) { target in
            for offset in target.indices { target[offset] = Float(value(grid.point(grid.size.index(atOffset: offset)).lps)) }
        }
    }
    private static func radius(_ p: SIMD3<Double>) -> Double { (p * p).sum().squareRoot() }
    /// On this side nothing shows where the ice ends.
    private static func isHidden(_ p: SIMD3<Double>) -> Bool { p.x > 0.55 * radius(p) }
    private static let ends = [(SIMD3(0.0, -1, 0), SIMD3(0.0, 1, 0))]

    /// Where the completed surface crosses the positive x axis.
    private static func reachAlongX(_ surface: Volume<Float>) -> Double {
        var at = 5.0
        while surface[grid.continuousIndex(PatientPoint(at, 0.2, 0.2)).nearest] >= 0, at < 30 { at += 0.25 }
        return at
    }

    /// The evidence ends at 15 mm, the edges lie at 17 mm, and on the hidden side the surface ran on to `leak`.
    @Test(arguments: [12.0, 17, 23])
    func hiddenSideFollowsTheEdgesAndNotTheEvidence(leak: Double) throws {
        let evidence = Self.volume { p in Self.isHidden(p) ? (Self.radius(p) < 15 ? 0.2 : 0.03) : Self.radius(p) < 15 ? 1 : -1 }
        let body = IceBodyFit(evidence, centre: .zero, ends: Self.ends)
        // What is hidden drifts away from the edges over some 20°.
        let surface = Self.volume { p in
            17 + (leak - 17) * max(0, min(1, (p.x / max(Self.radius(p), 1) - 0.55) / 0.25)) - Self.radius(p)
        }
        let clarity = Self.volume { Self.isHidden($0) ? 0 : 1 }
        let completion = IceCompletion(of: [body], surface: surface, clarity: clarity, evidence: evidence, compared: false)
        #expect(abs(Self.reachAlongX(completion.surface) - 17) < 1.2)
        #expect(completion.hiddenDeviationMM > 0.2)
        // A fifth of the sphere is hidden: what was found there lies √0.2 · 6 mm from the completion.
        #expect((completion.contradictionMM > 1.2) == (leak != 17), "\(completion.contradictionMM)")
    }

    /// Nothing tells ice from a rib, but the muscle behind it is surely not frozen; fat that hardly speaks bounds nothing.
    @Test(arguments: [(sureness: 1.0, reach: 10.5...14.0), (0.3, 15.8...18.2)])
    func tissueThatIsSurelyUnfrozenBoundsTheHiddenSide(sureness: Double, reach: ClosedRange<Double>) throws {
        func evidence(behind: Double) -> Volume<Float> {
            Self.volume { p in Self.isHidden(p) ? (Self.radius(p) < 12 ? 0 : behind) : Self.radius(p) < 17 ? 1 : -1 }
        }
        let body = IceBodyFit(evidence(behind: 0), centre: .zero, ends: Self.ends)
        let surface = Self.volume { 17 - Self.radius($0) }, clarity = Self.volume { Self.isHidden($0) ? 0 : 1 }
        let completion = IceCompletion(
            of: [body], surface: surface, clarity: clarity, evidence: evidence(behind: -sureness), compared: false)
        #expect(reach.contains(Self.reachAlongX(completion.surface)), "\(Self.reachAlongX(completion.surface))")
    }

    @Test func edgesAllAroundAreKept() throws {
        let evidence = Self.volume { Self.radius($0) < 15 ? 1 : -1 }
        let body = IceBodyFit(evidence, centre: .zero, ends: Self.ends)
        // A dent of 3 mm that a vessel makes.
        let surface = Self.volume { p in 16 - (p.x > 0.8 * Self.radius(p) ? 3 : 0) - Self.radius(p) }
        let completion = IceCompletion(of: [body], surface: surface, clarity: Self.volume { _ in 1 }, evidence: evidence, compared: false)
        #expect(abs(Self.reachAlongX(completion.surface) - 13) < 1.3)
        #expect(completion.hiddenDeviationMM < 0.2)
    }

    /// Edges show around the ends' middle only, where a long shape and a short one look alike: how far the ice goes along them is open.
    @Test func lengthThatNoEdgeTellsIsUnsure() throws {
        func deviation(seenWithin share: Double) -> Double {
            func isSeen(_ p: SIMD3<Double>) -> Bool { abs(p.y) < share * Self.radius(p) }
            let evidence = Self.volume { p in isSeen(p) ? (Self.radius(p) < 15 ? 1 : -1) : 0 }
            let body = IceBodyFit(evidence, centre: .zero, ends: [(SIMD3(0.0, -9, 0), SIMD3(0.0, 9, 0))])
            let clarity = Self.volume { isSeen($0) ? 1 : 0 }
            let surface = Self.volume { 15 - Self.radius($0) }
            let completion = IceCompletion(of: [body], surface: surface, clarity: clarity, evidence: evidence, compared: false)
            return completion.hiddenDeviationMM
        }
        #expect(deviation(seenWithin: 0.35) > 2.2)
    }
}
