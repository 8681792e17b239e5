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
            ReferenceTissue(.float32(before), work: work, modality: .ct, toOrigin: toOrigin, toAxis: toOrigin, parameters: .init()))
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
}
