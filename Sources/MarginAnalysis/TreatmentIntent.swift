import Foundation
import ImagingCore

/// What a treatment is for. The same is measured for all; what is asked of it differs.
public enum TreatmentIntent: String, Sendable, Hashable, Codable, CaseIterable {
    /// All of the tumour and a margin of healthy tissue are to be frozen.
    case curative
    /// Most of the tumour is to be frozen, against pain or mass; what remains is the result, not a failure.
    case debulking
    /// A viable rim is left on purpose, for contact with antigen.
    case immunePriming = "immune-priming"
}

/// What is asked of the tumour's volume where its margin is not what counts.
public struct VolumeCriterion: Sendable, Hashable {
    public var intent: TreatmentIntent
    public var zone: MarginZone
    /// The share of the tumour's volume that is to lie in the zone, in 0 … 1.
    public var coverage: ClosedRange<Double>

    public init(intent: TreatmentIntent, zone: MarginZone, coverage: ClosedRange<Double>) {
        (self.intent, self.zone, self.coverage) = (intent, zone, coverage)
    }
}

extension Verdict {
    /// Judges how much of one tumour was frozen.
    ///
    /// Met only when the whole interval of the coverage lies in what is asked for, not met only when none of it does.
    /// - Parameter doubts: as for a margin.
    public init(tumour: String, _ margin: MarginResult, criterion: VolumeCriterion, doubts: [String] = []) {
        precondition(margin.zone == criterion.zone, "a criterion for \(criterion.zone) judged on \(margin.zone)")
        let interval = margin.tumourCoverageInterval, asked = criterion.coverage
        let measured = "\(tumour): \(Self.percent(margin.tumourCoverage)) % of the tumour (95 % \(Self.percent(interval.lowerBound)) to"
            + " \(Self.percent(interval.upperBound))) lies in the \(criterion.zone.phrase), \(Self.asked(asked)) is asked for with the intent"
            + " \(criterion.intent.rawValue); \(String(format: "%.1f", margin.residualVolumeML)) mL remain outside"
        let incomplete = margin.findings.filter { $0.severity != .info && MarginFinding.cutCodes.contains($0.code) }.map(\.message)
        if !doubts.isEmpty || !incomplete.isEmpty || !margin.isComplete {
            self.init(status: .indeterminate, reasons: doubts + incomplete + [measured + "."])
        } else if !interval.overlaps(asked) {
            self.init(status: .notMet, reasons: [measured + "."])
        } else if asked.contains(interval.lowerBound), asked.contains(interval.upperBound) {
            self.init(status: .met, reasons: [measured + "."])
        } else {
            self.init(status: .indeterminate, reasons: [measured + ": too close to call."])
        }
    }

    private static func asked(_ range: ClosedRange<Double>) -> String {
        range.upperBound >= 1 ? "at least \(percent(range.lowerBound)) %" : "\(percent(range.lowerBound)) to \(percent(range.upperBound)) %"
    }

    private static func percent(_ share: Double) -> String {
        // 99.96 % is not all of it.
        let tenths = share < 1 ? min(999, (share * 1000).rounded()) : 1000
        return String(format: tenths.truncatingRemainder(dividingBy: 10) == 0 ? "%.0f" : "%.1f", tenths / 10)
    }
}
