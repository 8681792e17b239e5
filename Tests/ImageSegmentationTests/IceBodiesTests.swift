import ImagingCore
import Testing

@testable import ImageSegmentation

/// What is said of a ball of ice one half of which lies in tissue that says nothing.
@Suite struct IceBodiesTests {
    private static func bodies(hidden: Bool) throws -> IceBodies {
        let grid = try AnalyticScan.grid(60, 60, 40, spacing: SIMD3(2, 2, 2.5))
        let evidence = Volume<Float>(geometry: grid) { target in
            for offset in target.indices {
                let p = grid.point(grid.size.index(atOffset: offset)).lps
                target[offset] = hidden && p.x > -4 ? 0 : (p * p).sum() < 14 * 14 ? 1 : -1
            }
        }
        return try #require(IceBodies(evidence, groups: [IceGroup(centre: .zero, ends: [(SIMD3(0, -4, 0), SIMD3(0, 4, 0))])]))
    }

    /// LPS: +x is the patient's left. Who gave an earlier scan is not told to give one.
    @Test func remedyForAHiddenEdgeDependsOnWhatWasGiven() throws {
        let bodies = try Self.bodies(hidden: true)
        let alone = try #require(bodies.hiddenEdgeFinding(hasReference: false))
        let compared = try #require(bodies.hiddenEdgeFinding(hasReference: true))
        #expect(alone.code == "ice-edge-partly-invisible" && alone.message.contains("towards the patient's left"))
        #expect(alone.message == compared.message)
        #expect(alone.remedy.contains("Compare with a scan taken before freezing"))
        #expect(!compared.remedy.contains("Compare with") && compared.remedy.contains("draw the ice"))
        #expect(try Self.bodies(hidden: false).hiddenEdgeFinding(hasReference: false) == nil)
    }
}
