import Foundation
import ImagingCore

/// How surely a table of sizes tells a probe's power: the spread that errors of the readings and the constants of the medium leave to it.
extension ProbeCalibration {
    /// One standard deviation of the fitted power, as the change of the coolant that makes isotherms as much wider or narrower, K.
    ///
    /// To first order, with the readings' own errors, or with what the fit left of them where that is more (Birge's ratio). Sizes that tell
    /// nothing leave what is believed of probes that nobody measured (`EdgeFitPriors.coolantK`). What differs between probes of one model,
    /// or between pressures of their gas, is in it only as far as the table's own errors contain it.
    func coolantUncertaintyK(_ values: [Double], misfit: Double) throws -> Double {
        let unmeasuredK = EdgeFitPriors().coolantK
        let ofProbe = try fitted.indices.map { index in
            let believed = Self.believed(fitted[index])
            return try slope(over: Self.farSteps * steps[index] / believed) { amount in
                var moved = values
                moved[index] += amount * believed
                return try simulate(moved)
            }
        }
        let ofMedium = try mediumUncertainty > 0 ? media.map { medium in
            try slope(over: Self.farSteps) { try medium($0).simulate(values) }
        } : []
        // Of the coolant alone, whether it is fitted or not.
        var cooling = self
        (cooling.start, cooling.fitted) = (model(values), [.coolant])
        let coolantC = cooling.values(of: cooling.start)[0]
        let power = try slope(over: Self.farSteps * cooling.steps[0]) { try cooling.simulate([coolantC + $0]) }
        let isWidth = rows.flatMap { [$0.widthMM.map { _ in true }, $0.lengthMM.map { _ in false }].compactMap { $0 } }
        let counted = power.indices.filter { isWidth[$0] || !isWidth.contains(true) }
        let told = counted.reduce(0) { $0 + power[$1] * power[$1] }
        guard told > 0 else { return unmeasuredK }
        let shares = ofProbe.map { column in counted.reduce(0) { $0 + power[$1] * column[$1] } / told }
        let covariance = NormalEquations(columns: ofProbe + ofMedium, residuals: power.map { _ in 0 }).covariance
        let variance = shares.indices.reduce(0.0) { sum, a in
            sum + shares[a] * shares.indices.reduce(0) { $0 + covariance[a][$1] * shares[$1] }
        }
        let free = power.count - fitted.count, ratio = free > 0 ? max(1, misfit / Double(free)) : 1
        return min(unmeasuredK, (ratio * variance).squareRoot())
    }

    /// Differences over so many steps of the fit, or spreads of the medium's constants, to either side: over less, cells leave their mark.
    private static let farSteps = 4.0

    /// How the residuals change with an amount.
    private func slope(over step: Double, _ sizes: (Double) throws -> [(width: Double, length: Double)]) rethrows -> [Double] {
        zip(residuals(try sizes(step)), residuals(try sizes(-step))).map { ($0 - $1) / (2 * step) }
    }

    /// What is believed of a parameter before anything is measured, one standard deviation: K, or natural logarithms.
    private static func believed(_ parameter: Parameter) -> Double {
        switch parameter {
        case .coolant: EdgeFitPriors().coolantK
        case .resistance: 1
        case .activeLength: 0.5
        }
    }

    /// This calibration in media one of whose constants differs by so many standard deviations.
    private var media: [(Double) -> ProbeCalibration] {
        func changed(_ amount: Double, _ which: Int) -> ProbeCalibration {
            func factor(_ index: Int) -> Double { which == index ? exp(amount * mediumUncertainty) : 1 }
            var other = self
            other.tissue.table = tissue.table.scaled(frozenConductivity: factor(0), liquidConductivity: factor(1), latentHeat: factor(2))
            return other
        }
        return (0..<3).map { which in { changed($0, which) } }
    }
}
