import Foundation
import ImagingCore

/// What a site asks of a margin.
public struct MarginCriterion: Sendable, Hashable {
    public var zone: MarginZone
    public var requiredMarginMM: Double
    /// Whether surface near the organ's capsule is left out, where the organ is known. Tumour that the zone surely leaves uncovered there
    /// still misses the criterion.
    public var leavesOutCapsule: Bool

    public init(zone: MarginZone, requiredMarginMM: Double, leavesOutCapsule: Bool = false) {
        (self.zone, self.requiredMarginMM, self.leavesOutCapsule) = (zone, requiredMarginMM, leavesOutCapsule)
    }
}

/// Whether a criterion is met, and why.
public struct Verdict: Sendable, Hashable, Codable {
    public enum Status: String, Sendable, Hashable, Codable {
        case met
        case notMet = "not-met"
        /// The interval straddles the criterion, or what the margin rests on cannot be trusted.
        case indeterminate
    }
    public var status: Status
    /// Sentences for a person, the decisive one first.
    public var reasons: [String]

    public init(status: Status, reasons: [String]) { (self.status, self.reasons) = (status, reasons) }

    /// Judges one tumour's margin.
    ///
    /// Met only when the whole interval reaches the criterion, not met only when the whole interval stays below it.
    /// - Parameter doubts: why the margin may be wrong by more than its interval says, in whole sentences (a registration that failed
    ///   its checks, patients that differ); with any of them the verdict is indeterminate.
    public init(tumour: String, _ margin: MarginResult, criterion: MarginCriterion, doubts: [String] = []) {
        precondition(margin.zone == criterion.zone, "a criterion for \(criterion.zone) judged on \(margin.zone)")
        let required = criterion.requiredMarginMM, whole = margin.minimumMarginIntervalMM
        let capsule = criterion.leavesOutCapsule && whole.upperBound >= 0 ? margin.capsule : nil
        let interval = capsule?.minimumMarginIntervalMM ?? whole
        let incomplete = margin.findings.filter { $0.severity != .info && MarginFinding.cutCodes.contains($0.code) }.map(\.message)
        let measured = Self.measured(tumour, margin, capsule: capsule, criterion)
        if let capsule, capsule.minimumMarginMM == nil {
            self.init(status: .indeterminate, reasons: doubts + [
                "\(tumour): all of its surface lies within \(Self.millimetres(capsule.depthMM)) mm of the organ's capsule, so that no margin can be judged there."
                    + " With the capsule the smallest margin in the \(criterion.zone.phrase) is \(Self.millimetres(margin.minimumMarginMM)) mm."])
        } else if !doubts.isEmpty {
            self.init(status: .indeterminate, reasons: doubts + [measured + "."])
        } else if interval.upperBound < required {
            self.init(status: .notMet, reasons: [measured + "."] + incomplete)
        } else if !incomplete.isEmpty || !margin.isComplete {
            self.init(status: .indeterminate, reasons: incomplete + [measured + "."])
        } else if interval.lowerBound >= required {
            self.init(status: .met, reasons: [measured + "."])
        } else {
            self.init(status: .indeterminate, reasons: [measured + ": too close to call."])
        }
    }

    /// What was measured and what is required, as a sentence without its full stop.
    private static func measured(
        _ tumour: String, _ margin: MarginResult, capsule: CapsuleMargin?, _ criterion: MarginCriterion
    ) -> String {
        let interval = capsule?.minimumMarginIntervalMM ?? margin.minimumMarginIntervalMM
        let measured = "\(tumour): the smallest margin in the \(criterion.zone.phrase) is \(millimetres(capsule?.minimumMarginMM ?? margin.minimumMarginMM)) mm"
            + " (95 % \(millimetres(interval.lowerBound)) to \(millimetres(interval.upperBound))), and \(millimetres(criterion.requiredMarginMM)) mm is required"
        guard let capsule, capsule.excludedSurfaceFraction > 0 else { return measured }
        return measured + " (without the \(Int((100 * capsule.excludedSurfaceFraction).rounded())) % of the surface within \(millimetres(capsule.depthMM)) mm"
            + " of the organ's capsule; with it \(millimetres(margin.minimumMarginMM)) mm)"
    }

    /// The verdict over several: not met if any is not, else indeterminate if any is, else met; the decisive reasons first.
    public init(combining verdicts: [Verdict]) {
        let order: [Status] = [.notMet, .indeterminate, .met]
        let status = order.first { status in verdicts.contains { $0.status == status } } ?? .indeterminate
        let reasons = order.flatMap { status in verdicts.filter { $0.status == status }.flatMap(\.reasons) }
        self.init(status: status, reasons: reasons.isEmpty ? ["No margin was measured."] : reasons)
    }

    private static func millimetres(_ value: Double) -> String {
        guard value.isFinite else { return "unknown" }
        let text = String(format: "%.1f", abs(value))
        return value < 0 && text != "0.0" ? "−" + text : text
    }
}

extension MarginZone {
    /// As part of a sentence.
    public var phrase: String {
        switch self {
        case .visibleIce: "visible ice"
        case .isotherm20: "−20 °C isotherm"
        case .isotherm40: "−40 °C isotherm"
        case .ablationZone: "ablation zone"
        }
    }
}
