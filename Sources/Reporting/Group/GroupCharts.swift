import FigureRendering
import Foundation

/// A chart of the group report.
struct GroupChart {
    var title: String
    var svg: String
    var note: String
}

/// The charts of a group of cases. Each point is a case or a tumour and opens the page of its case.
struct GroupCharts {
    let cases: [GroupCase]

    struct Mark {
        var value: Double
        var low, high: Double?
        var style, title: String
        var page: String?
    }

    func mark(_ entry: GroupCase, _ value: Double, unit: String, of what: String = "", low: Double? = nil, high: Double? = nil)
        -> Mark
    {
        let interval = low.map { low in high.map { " (95 %: \(Self.text(low)) to \(Self.text($0)))" } ?? "" } ?? ""
        return Mark(
            value: value, low: low, high: high, style: entry.style,
            title:
                "\(entry.key)\(what.isEmpty ? "" : " \(what)"): \(Self.text(value)) \(unit)\(interval), \(entry.verdict ?? "no verdict")",
            page: entry.page)
    }

    /// The page's colour for a verdict.
    static func colour(_ style: String) -> String { "var(--\(style))" }

    static func text(_ value: Double) -> String { String(format: "%.1f", value == 0 ? 0 : value).replacing("-", with: "−") }

    /// All charts that the cases have something for.
    var all: [GroupChart] {
        var charts = [margins(by: "site", named: "site") { $0.site }].compactMap { $0 }
        charts += trends + [coverage, structures, registration, timings].compactMap { $0 }
        for column in groupingColumns { charts += [margins(by: column, named: column) { $0.columns[column] }].compactMap { $0 } }
        return charts + recurrence
    }

    /// Columns of tables that put cases into a few groups.
    private var groupingColumns: [String] {
        GroupTable.tableColumns(cases).filter { column in
            guard !["date", "recurrence", "months", "recurrence_months", "follow_up_months"].contains(column) else { return false }
            let values = cases.compactMap { $0.columns[column] }
            return (2...15).contains(Set(values).count) && Set(values).count < values.count
        }
    }

    // MARK: Strips

    private static let barNote = "Bar below each row: middle half of its points, with the median."

    /// A row of points for each group, those that would hide one another side by side.
    private func strip(
        _ title: String, axis: String, groups: [(name: String, marks: [Mark])], including: [Double] = [],
        within limits: ClosedRange<Double> = -.infinity ... .infinity,
        rules: [(Double, String)] = [], note: String = barNote
    ) -> GroupChart? {
        let groups = groups.filter { !$0.marks.isEmpty }
        guard !groups.isEmpty else { return nil }
        var plot = SVGPlot(
            x: .init(axis, holding: groups.flatMap { $0.marks.map(\.value) } + including, within: limits),
            y: .init("", names: groups.map { "\($0.name) (\($0.marks.count))" }), title: title,
            description: "\(axis); \(groups.reduce(0) { $0 + $1.marks.count }) points in \(groups.count) rows", width: 720,
            height: 80 + 64 * Double(groups.count))
        for (value, label) in rules { plot.addVerticalLine(at: value, label, .init(SVGPlot.soft, width: 1.2, dash: "5 4")) }
        for (row, group) in groups.enumerated() {
            if let spread = Spread(group.marks.map(\.value)), spread.count >= 4 {
                plot.addInterval(spread.lowerQuartile...spread.upperQuartile, at: Double(row) - 0.36, .init(SVGPlot.soft, width: 1.5))
                plot.addPoint(x: spread.median, y: Double(row) - 0.36, colour: SVGPlot.ink, title: "median \(Self.text(spread.median))")
            }
            for (mark, offset) in zip(group.marks, Self.offsets(group.marks.map(\.value), width: plot.xDistance(ofPixels: 8))) {
                plot.addPoint(x: mark.value, y: Double(row) + offset, colour: Self.colour(mark.style), title: mark.title, link: mark.page)
            }
        }
        return GroupChart(
            title: title, svg: plot.svg, note: note)
    }

    /// How far each point goes up or down so that points nearer than `width` do not lie on one another.
    private static func offsets(_ values: [Double], width: Double) -> [Double] {
        var last: [Double] = []
        var offsets = [Double](repeating: 0, count: values.count)
        for index in values.indices.sorted(by: { values[$0] < values[$1] }) {
            let lane = last.firstIndex { values[index] - $0 >= width } ?? last.count
            if lane == last.count { last.append(values[index]) } else { last[lane] = values[index] }
            let step = min(0.13, 0.6 / Double(max(1, values.count / 4)))
            offsets[index] = max(-0.25, min(0.45, Double((lane + 1) / 2) * (lane % 2 == 1 ? step : -step) + 0.05))
        }
        return offsets
    }

    private func grouped(_ name: (GroupCase) -> String?, _ marks: (GroupCase) -> [Mark]) -> [(name: String, marks: [Mark])] {
        var groups: [String: [Mark]] = [:]
        for entry in cases { if let name = name(entry) { groups[name, default: []] += marks(entry) } }
        return groups.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private func margins(by column: String, named name: String, _ group: (GroupCase) -> String?) -> GroupChart? {
        let required = Set(cases.compactMap(\.requiredMarginMM))
        return strip(
            "Smallest margin by \(name)", axis: "smallest margin in the zone that decides, mm",
            groups: grouped(group) { entry in
                entry.decidingMargins.compactMap { margin in
                    margin.minimumMarginMM.map { mark(entry, $0, unit: "mm", of: margin.tumour, low: margin.lowMM, high: margin.highMM) }
                }
            },
            including: [0] + required, rules: [(0, "")] + (required.count == 1 ? [(required.first!, "required")] : []),
            note: Self.barNote
                + (column != "site" && Set(cases.map(\.site)).count > 1
                    ? " Cases of several sites: groups differ by what they treat, too." : ""))
    }

    private var coverage: GroupChart? {
        strip(
            "Tumour covered by the zone that decides", axis: "covered part of the tumour's volume, %",
            groups: grouped(\.site) { entry in
                entry.decidingMargins.compactMap { margin in
                    margin.tumourCoverage.map { mark(entry, 100 * $0, unit: "%", of: margin.tumour) }
                }
            }, including: [100], within: 0...100.5)
    }

    private var structures: GroupChart? {
        var groups: [String: [Mark]] = [:]
        for entry in cases {
            for structure in entry.structures where structure.zone == entry.decidingZone {
                guard let distance = structure.minimumDistanceMM else { continue }
                var mark = mark(entry, distance, unit: "mm", of: structure.name, low: structure.lowMM, high: structure.highMM)
                mark.style = ["met": "met", "not-met": "not-met", "indeterminate": "open"][structure.status] ?? "info"
                groups[structure.name, default: []].append(mark)
            }
        }
        return strip(
            "Distance to structures", axis: "smallest distance from the zone that decides, mm",
            groups: groups.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
            including: [0], rules: [(0, "")], note: "Coloured by the structure's own limit. Negative or 0: ice in the structure.")
    }

    private var registration: GroupChart? {
        strip(
            "Expected registration error", axis: "expected error at the tumour, mm (one standard deviation)",
            groups: grouped(\.registrationMethod) { entry in
                entry.registrationErrorMM.map { [mark(entry, $0, unit: "mm")] } ?? []
            }, including: [0], within: 0 ... .infinity)
    }

    private var timings: GroupChart? {
        strip(
            "Duration of a run", axis: "seconds", groups: grouped(\.site) { [mark($0, $0.seconds, unit: "s")] }, including: [0],
            within: 0 ... .infinity)
    }

    // MARK: Outcome

    /// Bands of the smallest margin of a case.
    static let bands: [(name: String, holds: @Sendable (Double) -> Bool)] = [
        ("below 0 mm", { $0 < 0 }), ("0 to 5 mm", { $0 >= 0 && $0 < 5 }), ("5 to 10 mm", { $0 >= 5 && $0 < 10 }),
        ("10 mm and more", { $0 >= 10 }),
    ]

    private var recurrence: [GroupChart] {
        let known = cases.compactMap { entry in
            entry.hasRecurred.flatMap { recurred in entry.worstMargin.map { (entry, $0.minimumMarginMM!, recurred) } }
        }
        guard !known.isEmpty else { return [] }
        let groups = Self.bands.map { band in (band.name, known.filter { band.holds($0.1) }) }.filter { !$0.1.isEmpty }
        return [rates(groups.map { ($0.0, Proportion($0.1.count(where: \.2), of: $0.1.count)) })] + [curves(groups)].compactMap { $0 }
    }

    private func rates(_ groups: [(name: String, rate: Proportion)]) -> GroupChart {
        var plot = SVGPlot(
            x: .init("recurrence, %", 0...100), y: .init("", names: groups.map { "\($0.name) (\($0.rate.total))" }),
            title: "Recurrence by smallest margin",
            description: "share of cases with recurrence in bands of the smallest margin", width: 720,
            height: 80 + 44 * Double(groups.count))
        for (row, group) in groups.enumerated() {
            let interval = group.rate.interval95
            plot.addInterval(100 * interval.lowerBound...100 * interval.upperBound, at: Double(row), .init(Self.colour("info"), width: 1.5))
            plot.addPoint(
                x: 100 * group.rate.value, y: Double(row), colour: Self.colour("info"),
                title: "\(group.name): \(group.rate.count) of \(group.rate.total), "
                    + "95 %: \(Self.text(100 * interval.lowerBound)) to \(Self.text(100 * interval.upperBound)) %")
            plot.addText("\(group.rate.count) of \(group.rate.total)", x: 100 * group.rate.value + 1, y: Double(row) + 0.22)
        }
        return GroupChart(
            title: "Recurrence by smallest margin", svg: plot.svg,
            note: "Share of cases that recurred, whatever their follow-up, with Wilson's 95 % interval.")
    }

    private func curves(_ groups: [(name: String, members: [(GroupCase, Double, Bool)])]) -> GroupChart? {
        let curves = groups.map { group in
            (group.name, SurvivalCurve(group.members.compactMap { entry, _, recurred in entry.followUpMonths.map { ($0, recurred) } }))
        }.filter { $0.1.total > 0 }
        guard let end = curves.map(\.1.end).max(), end > 0 else { return nil }
        var plot = SVGPlot(
            x: .init("months", holding: [0, end], within: 0 ... .infinity), y: .init("without recurrence, %", 0...100),
            title: "Time without recurrence by smallest margin",
            description: "Kaplan–Meier curves of \(curves.count) bands", width: 720, height: 340)
        let looks = [("not-met", "2 3"), ("open", "7 4"), ("info", "10 3 2 3"), ("met", "")]
        var notes: [String] = []
        for (name, curve) in curves {
            let (style, dash) = looks[Self.bands.firstIndex { $0.name == name }!]
            let points =
                [(0.0, 100.0)] + curve.steps.map { ($0.time, 100 * $0.survival) } + [(curve.end, 100 * (curve.steps.last?.survival ?? 1))]
            plot.addSteps(points.map { (x: $0.0, y: $0.1) }, .init(Self.colour(style), dash: dash))
            let place = curve.end * (0.55 + 0.1 * Double(notes.count))
            plot.addText(name, x: place, y: 100 * (curve.at(place)?.survival ?? 1) - 5, anchor: "middle", colour: Self.colour(style))
            let survivals = [12.0, 24, 36].compactMap { months in
                curve.at(months).map { value in
                    "\(Int(months)) months \(Self.text(100 * value.survival)) %"
                        + (value.interval95.map { " (95 %: \(Self.text(100 * $0.lowerBound)) to \(Self.text(100 * $0.upperBound)))" } ?? "")
                }
            }
            notes.append(
                "\(name), \(curve.total) cases, \(curve.steps.reduce(0) { $0 + $1.events }) recurrences\(survivals.isEmpty ? "" : ": " + survivals.joined(separator: ", "))."
            )
        }
        return GroupChart(
            title: "Time without recurrence by smallest margin", svg: plot.svg, note: "Kaplan–Meier. " + notes.joined(separator: " "))
    }
}
