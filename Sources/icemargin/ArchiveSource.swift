import BatchVerification
import Foundation
import StudyArchive

/// Where the cases of a batch come from: a tree of case files, a table, or DICOM to be paired.
struct ArchiveSource {
    private let url: URL
    private let site: String?
    private let isTable: Bool

    /// - Parameter site: of cases that are paired.
    init(_ url: URL, site: String?) {
        (self.url, self.site) = (url, site)
        var isFolder: ObjCBool = false
        isTable = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && !isFolder.boolValue
    }

    /// In which nothing may be written; what a table names is guarded case by case.
    var folder: URL? { isTable ? nil : url }

    /// - Returns: what finds the cases, given the keys that sources had in earlier batches; and how scans were paired, a line each.
    func cases(for output: BatchOutput) throws -> (find: ([String: String]) throws -> [BatchCase], reasons: [String]) {
        if isTable {
            let table = try CaseTable(url)
            return ({ try table.cases(writingTo: output, earlier: $0) }, [])
        }
        if try !CaseTree.cases(under: url).isEmpty { return ({ try CaseTree.cases(under: url, earlier: $0) }, []) }
        let paired = try PairedArchive(url, output: output, site: site) { StandardError.write(Self.line($0)) }
        if paired.isEmpty {
            paired.reasons.forEach { StandardError.write($0) }
            throw BatchError.noCases(url)
        }
        return ({ try paired.cases(writingTo: output, earlier: $0) }, paired.reasons)
    }

    /// Brings the index up to date, and says what is in it.
    func index(in output: BatchOutput) throws -> String {
        let index = HeaderIndex(try StudyArchive(folder: output.folder), of: url)
        let update = try index.update(), series = try index.series()
        let patients = Set(series.map(\.series.patient)).count
        return Self.line(update) + "\n\(series.count) series of \(patients == 1 ? "1 patient" : "\(patients) patients")\n"
    }

    private static func line(_ update: HeaderIndex.Update) -> String {
        "\(update.fileCount) files, \(update.readCount) headers read in \(String(format: "%.1f", update.seconds)) s"
    }
}
