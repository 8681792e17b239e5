import Foundation

/// A share of a whole, with its 95 % interval by Wilson's score, which holds for small numbers and for shares near 0 and 1
/// (Wilson 1927; Newcombe, Stat Med 1998;17:857).
public struct Proportion: Sendable, Hashable {
    public let count: Int
    public let total: Int

    /// - Precondition: 0 ≤ `count` ≤ `total`, `total` > 0.
    public init(_ count: Int, of total: Int) {
        precondition(total > 0 && (0...total).contains(count))
        (self.count, self.total) = (count, total)
    }

    public var value: Double { Double(count) / Double(total) }

    public var interval95: ClosedRange<Double> {
        let z = normal975, n = Double(total), p = value
        let center = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return (count == 0 ? 0 : max(0, center - half))...(count == total ? 1 : min(1, center + half))
    }
}

/// The 97.5 % quantile of the standard normal distribution.
private let normal975 = 1.959_963_984_540_054

/// The share that stays free of an event over time, by Kaplan and Meier (J Am Stat Assoc 1958;53:457).
public struct SurvivalCurve: Sendable {
    public struct Step: Sendable, Hashable {
        public var time: Double
        public var atRisk: Int
        public var events: Int
        /// The share free of the event just after `time`.
        public var survival: Double
        /// Greenwood's standard error of it.
        public var standardError: Double
    }
    /// At each time with an event, in order.
    public let steps: [Step]
    public let total: Int
    /// The end of the longest follow-up.
    public let end: Double

    /// - Parameter subjects: the time to the event, or to the end of follow-up where there was none. One that ends at the time of an event
    ///   is still at risk then.
    public init(_ subjects: [(time: Double, isEvent: Bool)]) {
        total = subjects.count
        end = subjects.map(\.time).max() ?? 0
        var steps: [Step] = [], survival = 1.0, greenwood = 0.0
        for time in Set(subjects.filter(\.isEvent).map(\.time)).sorted() {
            let atRisk = subjects.count { $0.time >= time }, events = subjects.count { $0.time == time && $0.isEvent }
            survival *= 1 - Double(events) / Double(atRisk)
            greenwood += Double(events) / (Double(atRisk) * Double(atRisk - events))
            let error = survival > 0 ? survival * greenwood.squareRoot() : 0
            steps.append(Step(time: time, atRisk: atRisk, events: events, survival: survival, standardError: error))
        }
        self.steps = steps
    }

    /// The share free of the event at `time`, and its 95 % interval on the log-minus-log scale, which stays within 0 and 1; `nil` past the
    /// end of follow-up. The interval is `nil` where nothing tells it: before the first event and where nobody is left.
    public func at(_ time: Double) -> (survival: Double, interval95: ClosedRange<Double>?)? {
        guard total > 0, time <= end else { return nil }
        guard let step = steps.last(where: { $0.time <= time }) else { return (1, nil) }
        guard step.survival > 0 else { return (0, nil) }
        let half = normal975 * step.standardError / (step.survival * abs(log(step.survival)))
        return (step.survival, pow(step.survival, exp(half))...pow(step.survival, exp(-half)))
    }
}

/// Control limits for single values in their order in time: the mean ± 3 standard deviations, these judged from the mean difference of
/// neighbours (individuals chart; NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2).
public struct ControlLimits: Sendable, Hashable {
    public let mean, low, high: Double

    /// The fewest values that limits are drawn from.
    public static let fewest = 8

    /// `nil` for fewer than `fewest` values.
    public init?(_ values: [Double]) {
        guard values.count >= Self.fewest else { return nil }
        mean = values.reduce(0, +) / Double(values.count)
        let range = zip(values, values.dropFirst()).map { abs($0 - $1) }.reduce(0, +) / Double(values.count - 1)
        // The expected range of two values is 1.128 standard deviations.
        (low, high) = (mean - 3 * range / 1.128, mean + 3 * range / 1.128)
    }
}

/// Quartiles, and what lies far from them.
public struct Spread: Sendable, Hashable {
    public let count: Int
    public let lowest, lowerQuartile, median, upperQuartile, highest: Double

    /// `nil` without values.
    public init?(_ values: [Double]) {
        let sorted = values.filter(\.isFinite).sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        func quantile(_ p: Double) -> Double {
            let place = p * Double(sorted.count - 1), below = Int(place)
            return sorted[below] + (place - Double(below)) * (sorted[min(below + 1, sorted.count - 1)] - sorted[below])
        }
        (count, lowest, highest) = (sorted.count, first, last)
        (lowerQuartile, median, upperQuartile) = (quantile(0.25), quantile(0.5), quantile(0.75))
    }

    /// Further than one and a half times the distance of the quartiles from them (Tukey 1977). With fewer than eight values nothing is.
    public func isOutlying(_ value: Double) -> Bool {
        let reach = 1.5 * (upperQuartile - lowerQuartile)
        return count >= 8 && (value < lowerQuartile - reach || value > upperQuartile + reach)
    }
}
