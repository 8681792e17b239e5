import Foundation
import StudyArchive
import Testing
import VerificationPipeline

@testable import BatchVerification

@Suite struct CaseTableTests {
    private func table(_ text: String, _ file: String) throws -> CaseTable {
        let file = URL(filePath: file)
        return try CaseTable(NamedColumns(text, file: file), file: file)
    }

    /// Text as a spreadsheet writes it, and the rows that a person sees in it.
    @Test(arguments: [
        ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        ("\u{feff}a;b\r\n1,5;2\r\n", [["a", "b"], ["1,5", "2"]]),
        ("a,b\n\n\"x, \"\"y\"\"\",\"two\nlines\"\n", [["a", "b"], ["x, \"y\"", "two\nlines"]]),
        ("a,b\r1, 2 \r", [["a", "b"], ["1", "2"]]),
        ("a,b\n1,", [["a", "b"], ["1", ""]]),
    ]) func fieldsAreThoseOfTheSpreadsheet(text: String, rows: [[String]]) {
        #expect(DelimitedText(text).rows.map(\.fields) == rows)
    }

    @Test func aRowBecomesACaseFile() throws {
        let disk = try ArchiveOnDisk(ids: []), output = try disk.output()
        let table = try table(
            "ID\tSite\tPlanning\tIntraprocedural\tTumour seed\tTumour diameter\tOperator\nlung 7\tlung\tct/plan\tct/ice\t1, -2.5 3\t18\tAB\n",
            "/data/cases.tsv")
        let cases = try table.cases(writingTo: output)
        #expect(cases.map(\.columns) == [["operator": "AB"]])
        let text = try String(contentsOfFile: cases[0].description, encoding: .utf8)
        #expect(text.contains("id: \"lung 7\""), "what cannot be an id is left for verify to refuse")

        let good = try self.table(
            "id,site,planning,intraprocedural,tumour_seed,tumour_diameter\nx,lung,p,/i,\"1, -2.5, 3\",18\n", "/data/t.csv")
        let description = try CaseDescription.read(URL(filePath: try good.cases(writingTo: output)[0].description))
        #expect(description.id == "x" && description.site == "lung")
        #expect(description.planning.folder.path == "/data/p" && description.treated.folder.path == "/i")
        guard case .prompt(let prompt) = description.tumours[0].source else { Issue.record("no seed"); return }
        #expect(prompt.seed.lps == SIMD3(1, -2.5, 3) && prompt.diameterMM == 18)
    }

    @Test func aRowMayNameACaseFile() throws {
        let disk = try ArchiveOnDisk(ids: ["a"])
        let cases = try table("case,recurrence\n0,no\n", disk.archive.path + "/t.csv").cases(writingTo: try disk.output())
        #expect(cases.map(\.key) == ["a"] && cases[0].columns == ["recurrence": "no"])
        #expect(cases[0].description == disk.archive.appending(path: "0/case.yaml").standardizedFileURL.path)
    }

    @Test(arguments: [
        ("id,site\n", "neither"), ("case,case\na,b\n", "stands twice"), ("case\na,b\n", "2 fields"), ("case\nx\nx\n", "line 2"),
        ("case\n\"x", "never closed"),
    ]) func aTableThatMakesNoSenseIsRefusedWithItsLine(text: String, part: String) {
        #expect { try table(text, "/t.csv") } throws: { error in
            let finding = (error as? BatchError)?.finding
            return finding?.message.contains(part) == true && finding?.message.contains("line") == true && finding?.remedy.isEmpty == false
        }
    }

    /// An outcome that is entered later must not cost a run.
    @Test func otherColumnsAreKeptUpToDateWithoutARun() async throws {
        let disk = try ArchiveOnDisk(ids: ["a"]), runner = RecordingRunner()
        for outcome in ["", "yes"] {
            let table = try table("case,site_id,recurrence\n0,7,\(outcome)\n", disk.archive.path + "/t.csv"), output = try disk.output()
            _ = try await Batch(output: output, runner: runner, jobs: 1).run(
                { try table.cases(writingTo: output, earlier: $0) }, events: { _ in })
        }
        #expect(runner.ran == ["0"])
        #expect(
            try StudyArchive(folder: disk.outputFolder).groupCases(page: { $0 }, messages: { $0 }).map(\.columns) == [
                ["site_id": "7", "recurrence": "yes"]
            ])
    }
}
