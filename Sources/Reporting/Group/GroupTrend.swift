import FigureRendering
import Foundation

/// Margins over time: a control chart for each stratum.
extension GroupCharts {
    var trends: [GroupChart] {
        let strata = GroupStratum.strata(of: cases)
        return strata.compactMap {
            Self.trend(of: GroupStratum.inTime($0.cases), named: $0.name, isOneOfSeveral: strata.count > 1, charts: self)
        }
    }

    /// The smallest margin of each case in order of its date, with the limits within which it varies by itself.
    private static func trend(of dated: [GroupCase], named name: String, isOneOfSeveral: Bool, charts: GroupCharts) -> GroupChart? {
        guard dated.count >= 2 else { return nil }
        let values = dated.map { $0.worstMargin!.minimumMarginMM! }, limits = ControlLimits(values)
        let title = "Smallest margin over time" + (name.isEmpty ? "" : ": \(name)")
        let dates = dated.map { $0.date!.formatted(.iso8601.year().month().day()) }
        let ends = dated.flatMap { [$0.worstMargin!.lowMM, $0.worstMargin!.highMM].compactMap { $0 } }
        let every = max(1, (dated.count + 5) / 6)
        var plot = SVGPlot(
            x: .init(
                "cases in order of their date", -0.5...Double(dated.count) - 0.5,
                named: dates.enumerated().filter { $0.offset % every == 0 }.map { (Double($0.offset), $0.element) }),
            y: .init("smallest margin, mm", holding: values + ends + [0] + (limits.map { [$0.low, $0.high] } ?? [])),
            title: title, description: "\(dated.count) cases in order of their date", width: 720, height: 320,
            rightMargin: limits == nil ? 14 : 104)
        plot.addHorizontalLine(at: 0, "", .init(SVGPlot.soft, width: 1.2))
        if let limits {
            let lines = [(limits.low, "lower limit"), (limits.mean, "mean"), (limits.high, "upper limit")]
            for (value, _) in lines { plot.addHorizontalLine(at: value, "", .init(colour("info"), width: 1.2, dash: "5 4")) }
            plot.addNames(lines.map { (at: $0.0, name: "\($0.1) \(text($0.0))") })
        }
        plot.addLine(values.enumerated().map { (Double($0.offset), $0.element) }, .init(SVGPlot.soft, width: 1))
        for (index, entry) in dated.enumerated() {
            let margin = entry.worstMargin!
            let mark = charts.mark(
                entry, values[index], unit: "mm", of: "\(dates[index]) \(margin.tumour)", low: margin.lowMM, high: margin.highMM)
            if let low = margin.lowMM, let high = margin.highMM {
                plot.addLine(
                    [(Double(index), max(low, plot.y.range.lowerBound)), (Double(index), min(high, plot.y.range.upperBound))],
                    .init(colour(entry.style), width: 1))
            }
            plot.addPoint(x: Double(index), y: values[index], colour: colour(entry.style), title: mark.title, link: entry.page)
        }
        return GroupChart(title: title, svg: plot.svg, note: note(limits, isOneOfSeveral: isOneOfSeveral))
    }

    private static func note(_ limits: ControlLimits?, isOneOfSeveral: Bool) -> String {
        (limits == nil
            ? "Limits are drawn from \(ControlLimits.fewest) cases on."
            : "Limits: mean ± 3 standard deviations judged from neighbours (individuals chart). A case outside them is hardly chance.")
            + (isOneOfSeveral ? " Sites, and zones that decide, are charted apart: their margins are not to be compared." : "")
    }
}
