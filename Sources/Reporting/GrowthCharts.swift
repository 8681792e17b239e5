import FigureRendering
import MarginAnalysis

/// A plot of the page that is written as a file, too.
public struct ReportChart: Sendable {
    /// The file's name, without its ending.
    public var name: String
    public var title: String
    /// What is to be read from it.
    public var caption: String
    public var plot: SVGPlot
}

/// The growth of the simulated ice, and of the margins if freezing goes on.
public enum GrowthCharts {
    private static let names: [(zone: MarginZone, name: String, volume: @Sendable (CaseReport.Forecast.Ice) -> Double)] = [
        (.visibleIce, "visible ice", { $0.visibleML }), (.isotherm20, "below −20 °C", { $0.below20ML }),
        (.isotherm40, "below −40 °C", { $0.below40ML }),
    ]

    /// What margins over time are of.
    public enum Course: Sendable {
        /// Freezing that goes on after a scan of the ice, planned freezing without a pause, and a planned protocol.
        case afterScan, plannedFreeze, plannedProtocol

        fileprivate var name: String { self == .plannedProtocol ? "plan" : "forecast" }
        fileprivate var title: String {
            switch self {
            case .afterScan: "Margins if freezing goes on"
            case .plannedFreeze: "Planned margins if freezing goes on without a pause"
            case .plannedProtocol: "Planned margins over the protocol"
            }
        }
        fileprivate var axis: String {
            switch self {
            case .afterScan: "minutes after the scan"
            case .plannedFreeze: "minutes of freezing"
            case .plannedProtocol: "minutes of the protocol"
            }
        }
        fileprivate var caption: String {
            switch self {
            case .afterScan: "What the simulation expects if all probes go on freezing; shaded: 95 % intervals."
            case .plannedFreeze, .plannedProtocol: "Simulated alone: no ice has been seen; shaded: 95 % intervals."
            }
        }
    }

    /// Volumes since the beginning, and beyond the scan where a forecast looks ahead.
    ///
    /// - Parameters:
    ///   - ice: volumes by minutes from the scan, in order; the beginning is added.
    ///   - scanMinutes: minutes of the protocol at the scan; `nil` for a plan, whose minutes are those of the protocol.
    public static func growth(_ ice: [CaseReport.Forecast.Ice], scanMinutes scan: Double?) -> ReportChart? {
        guard let last = ice.last else { return nil }
        let title = scan == nil ? "Planned growth of the ice" : "Growth of the simulated ice", scanMinutes = scan ?? 0
        var plot = SVGPlot(
            x: .init("minutes of the protocol", 0...max(1, last.minutes + scanMinutes)),
            y: .init("volume, mL", holding: [0] + ice.flatMap { entry in names.map { $0.volume(entry) } }, within: 0 ... .infinity),
            title: title,
            description: names.map { "\($0.name): \(HTMLNumber.text($0.volume(last), decimals: 1)) mL" }.joined(separator: ", ")
                + " at the end.",
            rightMargin: 104)
        if let scan { plot.addVerticalLine(at: scan, "scan", .init(SVGPlot.ink, width: 1.2, dash: "3 3")) }
        for entry in names {
            plot.addLine([(0, 0)] + ice.map { (x: $0.minutes + scanMinutes, y: entry.volume($0)) }, .of(entry.zone))
        }
        plot.addNames(names.map { (at: $0.volume(last), name: $0.name) })
        return ReportChart(
            name: "growth", title: title,
            caption: "Volume of the ice that a scan would show, and of the tissue that was once colder than −20 and −40 °C.", plot: plot)
    }

    /// The margins of a forecast with their intervals, a chart for each tumour.
    public static func margins(_ forecast: CaseReport.Forecast, of course: Course = .afterScan) -> [ReportChart] {
        var tumours: [String] = []
        for margin in forecast.margins where !tumours.contains(margin.tumour) { tumours.append(margin.tumour) }
        return tumours.compactMap { tumour in
            chart(forecast.margins.filter { $0.tumour == tumour }, course, of: tumour, isOnly: tumours.count == 1)
        }
    }

    private static func chart(_ margins: [CaseReport.Forecast.Margin], _ course: Course, of tumour: String, isOnly: Bool) -> ReportChart? {
        let required = Set(margins.compactMap(\.requiredMM)).sorted()
        let ends = margins.flatMap { margin in
            margin.steps.flatMap { [$0.minimumMarginMM, $0.minimumMarginIntervalMM.low, $0.minimumMarginIntervalMM.high].compactMap { $0 } }
        }
        guard let end = margins.compactMap({ $0.steps.last?.minutes }).max() else { return nil }
        let title = course.title + (isOnly ? "" : ": tumour \(tumour)"), reached = margins.compactMap(Self.reached).joined(separator: " ")
        var plot = SVGPlot(
            x: .init(course.axis, 0...max(1, end)), y: .init("smallest margin, mm", holding: ends + required),
            title: title, description: reached, rightMargin: 124)
        for value in required {
            plot.addHorizontalLine(at: value, "required \(HTMLNumber.text(value, decimals: 1)) mm", .init(SVGPlot.ink, width: 1.4))
        }
        for margin in margins {
            guard let zone = MarginZone(rawValue: margin.zone) else { continue }
            plot.addBand(
                margin.steps.compactMap { step in
                    step.minimumMarginIntervalMM.low.flatMap { low in
                        step.minimumMarginIntervalMM.high.map { (x: step.minutes, low: low, high: $0) }
                    }
                }, colour: SVGPlot.Stroke.of(zone).colour)
            plot.addLine(margin.steps.map { (x: $0.minutes, y: $0.minimumMarginMM) }, .of(zone))
        }
        plot.addNames(
            margins.compactMap { margin in margin.steps.last.map { (at: $0.minimumMarginMM, name: VerdictSummary.zoneName(margin.zone)) } })
        return ReportChart(
            name: isOnly ? course.name : "\(course.name)-\(tumour)", title: title, caption: "\(course.caption) \(reached)", plot: plot)
    }

    /// When a required margin is reached, in words; `nil` where none is required.
    private static func reached(_ margin: CaseReport.Forecast.Margin) -> String? {
        guard let required = margin.requiredMM, let end = margin.steps.last?.minutes else { return nil }
        func minutes(_ value: Double) -> String { HTMLNumber.text(value, decimals: 1) }
        let what = "The required \(minutes(required)) mm (\(VerdictSummary.zoneName(margin.zone)))"
        guard let after = margin.reachedAfterMinutes else { return "\(what) are not reached within \(minutes(end)) min." }
        guard after > 0 else { return "\(what) are there already." }
        let interval = margin.reachedAfterIntervalMinutes
        let latest = interval?.high.map { "at the latest \(minutes($0))" } ?? "not sure within \(minutes(end))"
        return "\(what) are reached after \(minutes(after)) min (at the earliest \(interval?.low.map(minutes) ?? "–"), \(latest))."
    }
}

extension SVGPlot.Stroke {
    /// The look of a zone in every plot of the page.
    static func of(_ zone: MarginZone) -> SVGPlot.Stroke {
        switch zone {
        case .visibleIce, .ablationZone: .init("var(--ice, #2b7fb8)", width: 2.4)
        case .isotherm20: .init("var(--isotherm20, #00805e)", width: 2.2, dash: "8 4")
        case .isotherm40: .init("var(--isotherm40, #a8487f)", width: 2.2, dash: "2 3")
        }
    }
}
