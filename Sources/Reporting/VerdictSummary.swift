import Foundation
import MarginAnalysis

/// The report in a few lines, for a terminal.
public struct VerdictSummary: Sendable {
    public let report: CaseReport

    public init(report: CaseReport) { self.report = report }

    /// Verdict, margins, structures by the outermost zone, reasons and findings above `info`, a line each; no newline at the end.
    public var text: String {
        var lines = ["\(headline) — case \(report.case.id), \(report.case.site)"]
        for margin in report.margins {
            lines.append("  " + Self.line(of: margin))
            lines += (margin.shortfalls ?? []).prefix(3).map { "    " + $0.phrase }
        }
        let outermost = report.structures.first?.zone
        lines += report.structures.filter { $0.minimumDistanceMM != nil && $0.zone == outermost }.map { "  " + Self.line(of: $0) }
        lines += zoneVolume.map { ["  " + $0] } ?? []
        lines += (report.forecast?.margins ?? []).filter { $0.requiredMM != nil }.map {
            "  " + line(of: $0, within: report.forecast!.minutes)
        }
        lines += report.verdict.reasons.map { "  • " + $0 }
        for finding in report.findings where finding.severity > .info {
            lines.append("  \(finding.severity.rawValue): \(finding.message)\(finding.remedy.isEmpty ? "" : " " + finding.remedy)")
        }
        return lines.joined(separator: "\n")
    }

    private var headline: String {
        switch report.verdict.status {
        case .met: "MARGIN MET"
        case .notMet: "MARGIN NOT MET"
        case .indeterminate: report.plan == nil ? "INDETERMINATE" : "PLAN ONLY, NO ICE SEEN (INDETERMINATE)"
        }
    }

    private static func line(of margin: CaseReport.Margin) -> String {
        let zone = zoneName(margin.zone)
        guard let minimum = margin.minimumMarginMM else { return "\(margin.tumour): margin to the \(zone) not evaluable" }
        let interval = margin.minimumMarginIntervalMM.map { " (95 %: \(text($0.low)) to \(text($0.high)))" } ?? ""
        let coverage = margin.tumourCoverage.map { ", \(String(format: "%.1f", 100 * $0)) % of the tumour covered" } ?? ""
        let sure = margin.surfaceCertainty.map { sure in
            let (enough, short) = (String(format: "%.0f", 100 * sure.enough), String(format: "%.0f", 100 * sure.short))
            return "\n    surely enough on \(enough) % of the surface, surely too small on \(short) %"
        } ?? ""
        return "\(margin.tumour): smallest margin to the \(zone) \(text(minimum)) mm\(interval)\(coverage)\(sure)"
    }

    private var zoneVolume: String? {
        guard let volume = report.ice.volumeML, let zone = report.margins.first?.zone else { return nil }
        let share = report.ice.organShare.map { ", \(String(format: "%.1f", 100 * $0)) % of the organ" } ?? ""
        return "\(Self.zoneName(zone)): \(String(format: "%.1f", volume)) mL\(share)"
    }

    private static func line(of structure: CaseReport.Structure) -> String {
        let interval = structure.minimumDistanceIntervalMM.map { " (95 %: \(text($0.low)) to \(text($0.high)))" } ?? ""
        let limit = structure.limitMM.map { ", at least \(text($0)) mm wanted" } ?? ""
        return "\(structure.name): \(text(structure.minimumDistanceMM!)) mm from the \(zoneName(structure.zone))\(interval)\(limit)"
    }

    private func line(of forecast: CaseReport.Forecast.Margin, within minutes: Double) -> String {
        func text(_ value: Double?) -> String { Self.text(value) }
        let isPlan = report.plan != nil, when = isPlan ? "after" : "in"
        func time(_ value: Double?) -> String {
            value.map { $0 == 0 ? "now" : "\(when) \(text($0)) min" } ?? "later than \(text(minutes)) min"
        }
        let required = "\(text(forecast.requiredMM)) mm in the \(Self.zoneName(forecast.zone))",
            interval = forecast.reachedAfterIntervalMinutes
        let last = forecast.steps.last.map { "; after \(text($0.minutes)) min \(text($0.minimumMarginMM)) mm (95 %: \(text($0.minimumMarginIntervalMM.low)) to \(text($0.minimumMarginIntervalMM.high)))" } ?? ""
        let isSure = forecast.reachedAfterMinutes == 0 && interval?.low == 0 && interval?.high == 0
        let reached = isSure ? "reached already"
            : "expected \(time(forecast.reachedAfterMinutes)) (95 %: \(time(interval?.low)) to \(time(interval?.high)))"
        return "\(forecast.tumour): \(isPlan ? "planned, one freeze without a pause" : "if freezing goes on"), \(required) \(reached)\(last)"
    }

    /// How a zone is called in a sentence; a name that is not a `MarginZone` stays as it is.
    public static func zoneName(_ zone: String) -> String { MarginZone(rawValue: zone)?.phrase ?? zone }

    fileprivate static func text(_ millimetres: Double?) -> String {
        guard let millimetres else { return "unknown" }
        let rounded = (millimetres * 10).rounded() / 10
        return rounded < 0 ? "−\(String(format: "%.1f", -rounded))" : String(format: "%.1f", rounded == 0 ? 0 : rounded)
    }
}

extension CaseReport.Margin.Shortfall {
    /// What is missing, in which direction and where.
    public var phrase: String {
        func text(_ value: Double) -> String { VerdictSummary.text(value) }
        let towards = direction.map { "towards \($0)" } ?? "all around", place = worstPointLPS.lps
        let ahead = ahead.map { " (the \($0.structure) lies that way, \(text($0.distanceMM)) mm from there)" } ?? ""
        return "\(text(missingMM)) mm missing \(towards)\(ahead), over \(String(format: "%.1f", areaMM2 / 100)) cm² of the surface, "
            + "worst at \(text(place.x)), \(text(place.y)), \(text(place.z))"
    }
}
