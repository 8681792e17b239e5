import ArgumentParser
import BatchVerification
import Foundation
import ImagingCore
import Reporting
import StudyArchive

struct GroupReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group-report",
        abstract: "Make the page of a batch: which cases to look at, and how margins are spread.",
        discussion: """
            Writes DIR/group-report.html, which needs no network and links to the page of each case, and DIR/group-report.csv with a row for each \
            tumour and zone.

            A table (--table, .csv or .tsv) adds what is known of the cases beside their images: a column `case` with their names, and columns of \
            your own. `date` (YYYY-MM-DD) gives the trend with control limits, `recurrence` (yes or no) the recurrence by margin, with \
            `months` (to the recurrence or the last look) Kaplan–Meier curves; any other column with a few values groups the margins.
            """)

    @Argument(help: ArgumentHelp("The output folder of a batch.", valueName: "dir"))
    var folder: String

    @Option(help: ArgumentHelp("What is known of the cases beside their images.", valueName: "file"))
    var table: String?

    @Option(help: ArgumentHelp("What the group is called; by default the folder's name.", valueName: "text"))
    var title: String?

    func run() async throws {
        let output = try BatchOutput(existing: URL(filePath: folder))
        guard StudyArchive.exists(in: output.folder) else { throw BatchError.noArchive(output.folder) }
        var cases = try StudyArchive(folder: output.folder).groupCases(
            page: { "cases/\(Self.escaped($0))/report.html" }, messages: { "failures/\(Self.escaped($0))/messages.txt" })
        if let table {
            let columns = try ColumnTable(URL(filePath: table))
            for index in cases.indices { cases[index].columns.merge(columns.byCase[cases[index].key] ?? [:]) { $1 } }
            for name in columns.byCase.keys.sorted() where !cases.contains(where: { $0.key == name }) {
                StandardError.write("warning: the table names a case \(name), which the archive does not have.")
            }
        }
        let page = output.folder.appending(path: "group-report.html"), csv = output.folder.appending(path: "group-report.csv")
        try output.write(Data(GroupTable.csv(cases).utf8), to: csv)
        try output.write(
            Data(try GroupReport.render(cases, title: title ?? output.folder.lastPathComponent, table: csv.lastPathComponent).utf8),
            to: page)
        try StandardOutput.write("\(BatchTables.cases(cases.count)): \(page.path)\n")
    }

    /// A part of a link.
    private static func escaped(_ key: String) -> String {
        key.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-_.")))!
    }
}
