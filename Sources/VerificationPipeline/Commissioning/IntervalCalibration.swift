import Foundation
import ImageFilters
import ImagingCore
import MarginAnalysis
import SyntheticStudies

/// How often the 95 % interval of the smallest margin holds the truth, over random shapes, spacings, edge errors and misplacements.
public struct IntervalCalibration: Sendable, Encodable {
    public struct Trial: Sendable, Encodable {
        public let trueMarginMM, measuredMarginMM: Double
        public let intervalMM: [Double]
        public let fromMasks: Bool
        public let spacingMM: [Double]
        public let registrationErrorMM: Double

        public var holds: Bool { intervalMM[0] <= trueMarginMM && trueMarginMM <= intervalMM[1] }
        public var widthMM: Double { intervalMM[1] - intervalMM[0] }
        public var errorMM: Double { measuredMarginMM - trueMarginMM }
    }

    public let trials: [Trial]

    /// - Parameter count: how many random cases; half of them as binary masks, half as level sets.
    public init(count: Int, seed: UInt64) throws {
        trials = try (0..<count).map { index in
            try Self.trial(try RandomMarginCase(seed: seed &+ UInt64(index)), fromMasks: index % 2 == 0)
        }
    }

    /// Of the trials, the share whose interval holds the truth.
    public var coverage: Double { trials.isEmpty ? 0 : Double(trials.count { $0.holds }) / Double(trials.count) }
    public var meanWidthMM: Double { mean(\.widthMM) }
    public var meanErrorMM: Double { mean(\.errorMM) }
    public var rootMeanSquareErrorMM: Double { mean { $0.errorMM * $0.errorMM }.squareRoot() }
    /// What the interval would be wide on average if it held 95 % of these very errors: 3.92 times their root mean square.
    public var idealWidthMM: Double { 3.92 * rootMeanSquareErrorMM }

    private func mean(_ value: (Trial) -> Double) -> Double {
        trials.isEmpty ? 0 : trials.reduce(0) { $0 + value($1) } / Double(trials.count)
    }

    private static func trial(_ sample: RandomMarginCase, fromMasks: Bool) throws -> Trial {
        let tumour = fromMasks ? LevelSet(reconstructing: sample.tumourMask) : sample.tumour
        let zone = fromMasks ? LevelSet(reconstructing: sample.zoneMask) : sample.zone
        let source: SurfaceSampling.Source = fromMasks ? .binaryMask : .levelSet
        let result = try MarginAnalysis.margins(
            ofTumour: tumour, in: zone, zone: .visibleIce,
            uncertainty: MarginUncertainty(
                tumourSampling: SurfaceSampling(source, on: sample.tumour.geometry),
                zoneSampling: SurfaceSampling(source, on: sample.zone.geometry),
                tumourEdgeMM: sample.tumourEdgeMM, zoneEdgeMM: sample.zoneEdgeMM, registrationErrorMM: sample.registrationErrorMM))
        let interval = result.minimumMarginIntervalMM, spacing = sample.spacingMM
        return Trial(
            trueMarginMM: sample.trueMinimumMarginMM, measuredMarginMM: result.minimumMarginMM,
            intervalMM: [interval.lowerBound, interval.upperBound],
            fromMasks: fromMasks, spacingMM: [spacing.x, spacing.y, spacing.z], registrationErrorMM: sample.registrationErrorMM)
    }
}
