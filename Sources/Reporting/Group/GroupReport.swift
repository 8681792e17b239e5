import Foundation
import Mustache

/// The page of many cases: which to look at first, then how margins, structures, registration and durations are spread over the group.
///
/// One file without scripts that needs nothing but the pages of the cases that it links to. The table of `GroupTable` goes beside it.
public enum GroupReport {
    /// The page as UTF-8 text.
    ///
    /// - Parameters:
    ///   - title: what the group is called.
    ///   - table: the file name of the table, relative to the page.
    /// - Throws: `ReportError.template`.
    public static func render(_ cases: [GroupCase], title: String, table: String) throws -> String {
        let attention = GroupAttention(cases).entries, failed = cases.filter { $0.failure != nil }
        let content: [String: Any] = [
            "style": String(decoding: PackageResources.report_css, as: UTF8.self)
                + String(decoding: PackageResources.group_css, as: UTF8.self),
            "title": title, "table": table, "count": cases.count, "tiles": tiles(cases),
            "attention": attention.map(self.attention), "hasAttention": !attention.isEmpty, "failures": failed.map(row),
            "failureCount": failed.count,
            "charts": GroupCharts(cases: cases).all.map { ["title": $0.title, "svg": $0.svg, "note": $0.note] },
            "cases": cases.map(row), "stages": stages(cases), "hasStages": cases.contains { !$0.stageSeconds.isEmpty },
            "columns": GroupTable.columns.map { ["name": $0.name, "meaning": $0.meaning] }
                + GroupTable.tableColumns(cases).map { ["name": $0, "meaning": "as the table of cases gives it"] },
        ]
        return try template.get().render(content)
    }

    private static func tiles(_ cases: [GroupCase]) -> [[String: Any]] {
        func tile(_ label: String, _ style: String, _ holds: (GroupCase) -> Bool) -> [String: Any] {
            let count = cases.count(where: holds)
            let share = cases.isEmpty ? "" : "\(Int((100 * Double(count) / Double(cases.count)).rounded())) %"
            return ["label": label, "style": style, "count": count, "share": share]
        }
        return [
            tile("margin met", "met") { $0.failure == nil && $0.verdict == "met" },
            tile("margin not met", "not-met") { $0.failure == nil && $0.verdict == "not-met" },
            tile("indeterminate", "indeterminate") { $0.failure == nil && $0.verdict == "indeterminate" },
            tile("without a result", "error") { $0.failure != nil },
        ]
    }

    private static func attention(_ entry: GroupAttention.Entry) -> [String: Any] {
        var content = row(entry.entry)
        content["reasons"] = entry.reasons
        return content
    }

    private static func row(_ entry: GroupCase) -> [String: Any] {
        let margin = entry.worstMargin
        let interval = margin.flatMap { margin in
            margin.lowMM.flatMap { low in margin.highMM.map { "\(GroupCharts.text(low)) to \(GroupCharts.text($0))" } }
        }
        var content: [String: Any] = [
            "key": entry.key, "site": entry.site ?? "", "date": entry.columns["date"] ?? "",
            "verdict": entry.failure != nil ? "failed" : entry.verdict ?? "", "badge": entry.failure != nil ? "error" : entry.verdict ?? "",
            "margin": margin?.minimumMarginMM.map(GroupCharts.text) ?? "–", "interval": interval ?? "",
            "coverage": margin?.tumourCoverage.map { GroupCharts.text(100 * $0) } ?? "–",
            "registration": entry.registrationErrorMM.map(GroupCharts.text) ?? "–", "seconds": GroupCharts.text(entry.seconds),
        ]
        content["page"] = entry.page
        (content["failure"], content["remedy"]) = (entry.failure?.message, entry.failure?.remedy)
        content["earlierPage"] = entry.earlierPage
        content["messages"] = entry.messages
        return content
    }

    /// The stages of a run by how long they take.
    private static func stages(_ cases: [GroupCase]) -> [[String: Any]] {
        var seconds: [String: [Double]] = [:]
        for entry in cases { for (stage, time) in entry.stageSeconds { seconds[stage, default: []].append(time) } }
        return seconds.compactMap { stage, times in Spread(times).map { (stage, $0) } }.sorted { ($1.1.median, $0.0) < ($0.1.median, $1.0) }
            .map { stage, spread in
                ["stage": stage, "median": String(format: "%.2f", spread.median), "highest": String(format: "%.2f", spread.highest)]
            }
    }

    private static let template: Result<MustacheTemplate, ReportError> = {
        MustacheContentTypes.register(HTMLEscaping(), named: "HTML-BY-SCALAR")
        do {
            return .success(try MustacheTemplate(string: String(decoding: PackageResources.group_html_mustache, as: UTF8.self)))
        } catch {
            return .failure(.template("\(error)"))
        }
    }()
}
