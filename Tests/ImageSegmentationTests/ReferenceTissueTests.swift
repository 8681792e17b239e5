import Foundation
import ImagingCore
import Testing
@testable import ImageSegmentation

@Suite struct ReferenceTissueTests {
    /// Layers of fat and muscle, 20 mm apart, that lie `shiftMM` further in the scan with ice. Nothing is frozen.
    private static func meanCertaintyAtSteepPlaces(shiftMM: Double) throws -> Double {
        let grid = try AnalyticScan.grid(80, 64, 30, spacing: SIMD3(1, 1, 2))
        func layers(_ x: Double) -> Float { Float(60 * tanh(3 * sin(2 * .pi * x / 40))) }
        func volume(_ value: (SIMD3<Double>) -> Float) -> Volume<Float> {
            Volume<Float>(geometry: grid) { target in
                for offset in target.indices { target[offset] = value(grid.point(grid.size.index(atOffset: offset)).lps) }
            }
        }
        let before = volume { layers($0.x) }, work = volume { layers($0.x - shiftMM) }
        let toOrigin = volume { Float(($0 * $0).sum().squareRoot()) }
        let tissue = try #require(
            ReferenceTissue(
                .float32(before), work: work, modality: .ct, toOrigin: toOrigin, toAxis: toOrigin, toMiddle: toOrigin, parameters: .init()))
        let steep = before.gradientLengths(), evidence = tissue.evidence(of: work)
        let certain = evidence.values(in: Mask(steep) { $0 > 20 }).map { Double(abs($0)) }
        return certain.reduce(0, +) / Double(certain.count)
    }

    /// A scan that lies as the earlier one does is believed at the edges between fat and muscle; one that moved is not.
    @Test func motionIsMeasuredAndNotAssumed() throws {
        let unmoved = try Self.meanCertaintyAtSteepPlaces(shiftMM: 0), moved = try Self.meanCertaintyAtSteepPlaces(shiftMM: 2)
        #expect(unmoved > 0.7, "\(unmoved)")
        #expect(moved < 0.6, "\(moved)")
    }

    /// Bone falls by less than watery tissue. By how much is read where it has frozen, not along all of an active end that is longer than
    /// the ice.
    @Test func changeOfBoneIsReadInTheIce() throws {
        let grid = try AnalyticScan.grid(60, 60, 30, spacing: SIMD3(1.6, 1.6, 2.5)), dropHU: Float = 36
        func volume(_ value: (SIMD3<Double>) -> Float) -> Volume<Float> {
            Volume<Float>(geometry: grid) { target in
                for offset in target.indices { target[offset] = value(grid.point(grid.size.index(atOffset: offset)).lps) }
            }
        }
        let before = volume { p in 200 + 60 * Float(sin(p.x / 3) * sin(p.y / 4) * sin(p.z / 5)) }
        let toMiddle = volume { p in Float((p * p).sum().squareRoot()) }
        let work = before.combined(with: toMiddle) { level, away in away < 13 ? level - dropHU : level }
        let toAxis = volume { p in Float((p.x * p.x + p.y * p.y).squareRoot()) }
        let toOrigin = volume { p in
            let beyond = max(0, abs(p.z) - 20)
            return Float((p.x * p.x + p.y * p.y + beyond * beyond).squareRoot())
        }
        let tissue = try #require(
            ReferenceTissue(
                .float32(before), work: work, modality: .ct, toOrigin: toOrigin, toAxis: toAxis, toMiddle: toMiddle, parameters: .init()))
        let (iceness, confidence) = tissue.iceness(of: work), within = Mask(toMiddle) { $0 < 11 }
        let shares = iceness.values(in: within)
        #expect(abs(shares.reduce(0, +) / Float(shares.count) - 1) < 0.1)
        #expect(try #require(confidence.values(in: within).median) > 0.5)
    }

    /// Around an active end lies more fat that has not frozen than frozen; what fat changes by is read once the ice is known.
    @Test func changeOfFatIsReadWithinTheIce() throws {
        let grid = try AnalyticScan.grid(60, 60, 30, spacing: SIMD3(1.6, 1.6, 2.5)), dropHU: Float = 18
        func volume(_ value: (SIMD3<Double>) -> Float) -> Volume<Float> {
            Volume<Float>(geometry: grid) { target in
                for offset in target.indices { target[offset] = value(grid.point(grid.size.index(atOffset: offset)).lps) }
            }
        }
        let before = volume { p in -110 + 10 * Float(sin(p.x / 3) * sin(p.y / 4) * sin(p.z / 5)) }
        let toMiddle = volume { p in Float((p * p).sum().squareRoot()) }
        // The ice lies towards the tail of the active end.
        let depth = volume { p in 10 - Float(((p - SIMD3(0, 0, 9)) * (p - SIMD3(0, 0, 9))).sum().squareRoot()) }
        let work = before.combined(with: depth) { level, depth in depth > 0 ? level - dropHU : level }
        let toAxis = volume { p in Float((p.x * p.x + p.y * p.y).squareRoot()) }
        var tissue = try #require(
            ReferenceTissue(
                .float32(before), work: work, modality: .ct, toOrigin: toMiddle, toAxis: toAxis, toMiddle: toMiddle, parameters: .init()))
        func share(of tissue: ReferenceTissue) -> Float { tissue.iceness(of: work).0.values(in: Mask(depth) { $0 > 2 }).median ?? .nan }
        #expect(share(of: tissue) < 0.8)
        tissue.readFat(of: work, depth: depth, toAxis: toAxis)
        #expect(abs(share(of: tissue) - 1) < 0.1)
    }

    /// What falls by little shows where the scans agree well, and not where they are noisy.
    @Test(arguments: [(noiseHU: Float(5), isTrusted: true), (20, false)])
    func fatIsTrustedAsFarAsItsChangeShows(noiseHU: Float, isTrusted: Bool) {
        let fat = (0..<100).map { _ in (tissue: Float(-100), value: Float(-114)) }
        let change = FreezingChange(softDropHU: 85, noiseHU: noiseHU, frozen: fat)
        let (share, confidence) = change.iceness(-114, tissue: -100)
        #expect((confidence > 0.8) == isTrusted)
        #expect(!isTrusted || abs(share - 1) < 0.01)
        #expect(isTrusted || confidence < 0.2)
    }
}
