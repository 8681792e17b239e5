import Foundation
import Testing

@testable import Reporting

@Suite struct GroupReportTests {
    static func entry(_ key: String, margin: Double?, verdict: String = "met", columns: [String: String] = [:]) -> GroupCase {
        var entry = GroupCase(
            key: key, source: "/archive/\(key)", page: "cases/\(key)/report.html", columns: columns, version: "1",
            finished: "2026-01-01T00:00:00Z", seconds: 10)
        (entry.site, entry.verdict, entry.decidingZone, entry.requiredMarginMM) = ("liver", verdict, "visible-ice", 5)
        entry.margins = ["visible-ice", "isotherm-20"].map { zone in
            .init(
                tumour: "T1", zone: zone, zoneSource: nil, minimumMarginMM: margin, lowMM: margin.map { $0 - 1 },
                highMM: margin.map { $0 + 1 },
                probabilityMet: nil, tumourCoverage: 1, residualVolumeML: 0, tumourVolumeML: 4, tumourDiameterMM: 20)
        }
        return entry
    }

    /// Ten ordinary cases, one far from them, one indeterminate, one that failed.
    static var cases: [GroupCase] {
        var cases = (0..<10).map { index in
            let columns = ["date": "2026-01-\(10 + index)", "recurrence": index == 0 ? "yes" : "no", "months": "\(6 + index)"]
            return entry("c\(index)", margin: 6 + Double(index * 7 % 10) / 10, columns: columns)
        }
        cases.append(entry("far", margin: -9, verdict: "not-met"))
        cases.append(entry("open", margin: 5, verdict: "indeterminate"))
        var failed = entry("broken <1>", margin: nil)
        (failed.failure, failed.page, failed.margins, failed.verdict) = (
            .init(message: "It is no DICOM.", remedy: "Export it again."), nil, [], nil
        )
        return cases + [failed]
    }

    @Test func whatToLookAtComesFirst() throws {
        #expect(GroupAttention(Self.cases).entries.map(\.entry.key) == ["open", "far"])
        let page = try GroupReport.render(Self.cases, title: "Year", table: "t.csv")
        let first = try #require(page.range(of: "cases/open/report.html")).lowerBound,
            charts = try #require(page.range(of: "<svg")).lowerBound
        #expect(first < charts)
        let failed = try #require(page.range(of: "broken &lt;1&gt;")).lowerBound
        #expect(first < failed && failed < charts)
        #expect(page.contains("Export it again.") && !page.contains("broken <1>"))
    }

    @Test func eachPointOpensItsCase() throws {
        let page = try GroupReport.render(Self.cases, title: "Year", table: "t.csv")
        for key in ["c0", "far", "open"] { #expect(page.contains("<a href=\"cases/\(key)/report.html\"><circle")) }
    }

    @Test func thePageNeedsNothingElse() throws {
        // The name of a vocabulary is no address that is fetched.
        let page = try GroupReport.render(Self.cases, title: "Year", table: "t.csv").replacing(
            "xmlns=\"http://www.w3.org/2000/svg\"", with: "")
        for outside in ["http://", "https://", "<script", "<img", "@import", "url("] { #expect(!page.contains(outside), "\(outside)") }
    }

    @Test func chartsAppearWhereTheTableGivesWhatTheyNeed() {
        let titles = GroupCharts(cases: Self.cases).all.map(\.title)
        #expect(titles.contains("Smallest margin over time") && titles.contains("Recurrence by smallest margin"))
        #expect(titles.contains("Time without recurrence by smallest margin"))
        let plain = GroupCharts(
            cases: Self.cases.map { entry in
                var entry = entry; entry.columns = [:]; return entry
            }
        ).all.map(\.title)
        #expect(plain.contains("Smallest margin by site") && !plain.contains { $0.contains("ecurrence") || $0.contains("time") })
    }

    /// Kidneys with margins of about 2 mm and livers with about 9 mm in turn: together, every second step is a great one.
    @Test func marginsOfDifferentSitesAreNotPooled() throws {
        let mixed = (0..<24).map { index in
            var entry = Self.entry(
                "c\(index)", margin: (index % 2 == 0 ? 2 : 9) + Double(index * 7 % 10) / 20,
                columns: ["date": "2026-01-\(index + 1 < 10 ? "0" : "")\(index + 1)"])
            entry.site = index % 2 == 0 ? "kidney" : "liver"
            return entry
        }
        let charts = GroupCharts(cases: mixed).all.filter { $0.title.hasPrefix("Smallest margin over time") }
        #expect(charts.map(\.title) == ["Smallest margin over time: kidney", "Smallest margin over time: liver"])
        #expect(charts.allSatisfy { $0.note.contains("charted apart") })
        // A liver case with a kidney's margin stands out among livers.
        var low = mixed
        low[11] = Self.entry("low", margin: 2, columns: ["date": "2026-01-12"])
        #expect(GroupAttention(low).entries.map(\.entry.key) == ["low"])
        // So do zones that differ.
        for index in mixed.indices { low[index].site = "liver"; low[index].decidingZone = index < 12 ? "visible-ice" : "isotherm-20" }
        #expect(GroupCharts(cases: low).trends.map(\.title).count == 2)
    }

    @Test func aCaseThatFailsAfterAResultLinksToBoth() throws {
        var failed = Self.entry("a", margin: nil)
        (failed.failure, failed.page, failed.margins, failed.verdict) = (
            .init(message: "It is no DICOM.", remedy: "Export it again."), nil, [], nil)
        (failed.earlierPage, failed.messages) = ("cases/a/report.html", "failures/a/messages.txt")
        let page = try GroupReport.render([failed], title: "Year", table: "t.csv")
        #expect(
            page.contains("<a href=\"cases/a/report.html\">earlier result</a>") && page.contains("<a href=\"failures/a/messages.txt\">"))
    }

    @Test func anEmptyGroupHasAPage() throws {
        #expect(try GroupReport.render([], title: "None", table: "t.csv").contains("Nothing stands out"))
    }

    @Test func theTableHasARowForEachTumourAndZone() {
        let lines = GroupTable.csv(Self.cases).split(separator: "\n")
        #expect(lines.count == 1 + 12 * 2 + 1)
        #expect(Set(lines.map { $0.count { $0 == "," } }).count == 1)
        #expect(lines.last?.contains("It is no DICOM.") == true)
    }

    /// A table is opened with a spreadsheet, which runs what begins like a formula.
    @Test(arguments: [("=1+1", "'=1+1"), ("-5", "-5"), ("-cmd", "'-cmd"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\"")])
    func fieldsAreQuotedAndNoFormulas(value: String, field: String) {
        #expect(GroupTable.csv([Self.entry("a", margin: 1, columns: ["note": value])]).contains(",\(field)\n"))
    }
}
