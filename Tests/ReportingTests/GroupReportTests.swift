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
        #expect(GroupAttention(Self.cases).entries.map(\.entry.key) == ["broken <1>", "open", "far"])
        let page = try GroupReport.render(Self.cases, title: "Year", table: "t.csv")
        let first = try #require(page.range(of: "broken &lt;1&gt;")).lowerBound, charts = try #require(page.range(of: "<svg")).lowerBound
        #expect(first < charts)
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
