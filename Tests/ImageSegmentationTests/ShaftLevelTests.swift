import Foundation
import ImagingCore
import Testing
@testable import ImageSegmentation

/// A rod that runs within one slice of 3 mm, of 50 mm length: any height and tilt that keeps it there looks the same.
@Suite struct ShaftLevelTests {
    private static let half = 25.0
    private static func fit() throws -> ShaftFit {
        let grid = try AnalyticScan.grid(10, 10, 4, spacing: SIMD3(0.9, 0.9, 3))
        return ShaftFit(scan: .int16(Volume<Int16>(geometry: grid, repeating: 0)), contrast: .metal)
    }
    private static func rod(low: Double, high: Double) -> ShaftModel {
        let rise = high - low, run = 2 * half
        return ShaftModel(
            middle: SIMD3(0, 0, (low + high) / 2), direction: SIMD3(run, 0, rise) / (run * run + rise * rise).squareRoot(), amplitude: 1500,
            blurMM: 0.9,
            sliceThicknessMM: 3)
    }
    private static func ends(_ model: ShaftModel) -> (low: Double, high: Double) {
        let rise = model.direction.z / model.direction.x * half
        return (model.middle.z - rise, model.middle.z + rise)
    }

    /// A rod of 124 mm that a second fit ends earlier: cut short where the scan shows it to go on, not where its end is seen there.
    @Test(arguments: [(lengthMM: 114.0, seenMM: 122.0, isCutShort: true), (114, 115, false), (122, 130, false)])
    func rodThatGoesOnIsCutShort(lengthMM: Double, seenMM: Double, isCutShort: Bool) {
        func outcome(_ length: Double) -> ShaftFit.Outcome {
            var model = Self.rod(low: 1.2, high: -0.9)
            (model.from, model.to) = (-62, length - 62)
            return ShaftFit.Outcome(
                model: model, explainedShare: 0.9, typicalExcess: 1500, endUncertaintyMM: (1, 1), leavesScan: (false, false))
        }
        #expect(outcome(lengthMM).isCutShort(of: outcome(124), extentMM: -62...seenMM - 62) == isCutShort)
    }

    /// What agrees best by a thousandth lies at a corner; the middle of all that agree lies in the middle of the slice.
    @Test func rodWithinOneSliceLiesInItsMiddle() throws {
        let (levelled, spread) = try Self.fit().levelled(Self.rod(low: 1.2, high: -0.9), halfMM: Self.half) { model in
            let (low, high) = Self.ends(model), beyond = max(abs(low) - 1.4, 0) + max(abs(high) - 1.4, 0)
            return 2000 + 400 * beyond + 0.5 * (high - low)
        }
        #expect(abs(levelled.middle.z) < 0.2)
        #expect(abs(levelled.direction.z) < 0.01)
        // Each end anywhere within 1.4 mm, for itself: 1.4/√3 at the ends, 1/√2 of that in the middle.
        for (along, expected) in [(-Self.half, 0.81), (0, 0.57), (Self.half, 0.81)] {
            #expect(abs(spread.deviationMM(at: along) - expected) < 0.15)
        }
    }

    /// A hundredth gained in one corner, as from bone beside the tip, moves the rod by less than half of the way there.
    @Test func littleIsMadeOfACornerThatAgreesALittleBetter() throws {
        let (levelled, _) = try Self.fit().levelled(Self.rod(low: 0, high: 1.4), halfMM: Self.half) { model in
            let (low, high) = Self.ends(model), beyond = max(abs(low) - 1.4, 0) + max(abs(high) - 1.4, 0)
            return 2000 + 400 * beyond - (high > 1.2 && abs(low) < 0.4 ? 25 : 0)
        }
        #expect(abs(Self.ends(levelled).high) < 0.5)
    }

    /// Whatever amplitude a rod comes with, it leaves with the one that the voxels were made with.
    @Test(arguments: [0.85, 1, 1.2])
    func rodIsAsBrightAsItsVoxels(factor: Double) throws {
        let truth = Self.rod(low: 0, high: 0), fit = try Self.fit()
        let samples = (-20...20).flatMap { i in
            (-4...4).flatMap { j in
                (-1...1).map { k in
                    let place = SIMD3(Double(i), 0.9 * Double(j), 3 * Double(k))
                    return ShaftFit.Sample(position: place, value: 40 + truth.excess(at: place), background: 40, along: Double(i))
                }
            }
        }
        var rod = truth
        rod.amplitude *= factor
        let bright = fit.withBestAmplitude(rod, ShaftVoxels(samples, around: .zero))
        #expect(abs(bright.amplitude / truth.amplitude - 1) < 0.02)
    }

    /// Light in the next slice tells the height: what it tells is kept.
    @Test func heightThatTheScanTellsIsKept() throws {
        let told = Self.rod(low: 1.0, high: -0.6)
        let (levelled, spread) = try Self.fit().levelled(told, halfMM: Self.half) { model in
            let (low, high) = Self.ends(model)
            return 2000 + 300 * ((low - 1.0) * (low - 1.0) + (high + 0.6) * (high + 0.6))
        }
        #expect(abs(levelled.middle.z - told.middle.z) < 0.05)
        #expect(abs(levelled.direction.z - told.direction.z) < 0.002)
        #expect(spread.deviationMM(at: Self.half) < 0.3)
    }
}
