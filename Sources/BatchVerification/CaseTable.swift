import Foundation
import VerificationPipeline

/// Cases as rows of a table (.csv or .tsv): a row names a case file, or describes a case in columns.
///
/// Paths are relative to the table. Columns that this type does not know are kept for the group report.
public struct CaseTable {
    /// A row: what it says about the case beside its inputs, and its case file or the text of one.
    struct Row {
        var id: String
        var source: String
        var file: URL?
        var text: String
        var columns: [String: String]
    }

    /// The columns that describe a case, and what they become in its case file: a key, or a key in a mapping.
    public static let columns = [
        "id", "site", "planning", "planning_series", "prefreeze", "prefreeze_series", "intraprocedural", "intraprocedural_series",
        "followup",
        "followup_series", "tumour_seed", "tumour_diameter", "tumour_mask", "tumour_segmentation", "tumour_segment", "tumour_structure_set",
        "tumour_roi", "ice_mask", "ablation_zone_mask", "organ_mask", "elapsed",
    ]

    let rows: [Row]

    /// Reads a table. A row whose case is not complete is a case, too: running it says what is missing.
    public init(_ file: URL) throws(BatchError) {
        let file = file.standardizedFileURL
        try self.init(NamedColumns(file), file: file)
    }

    init(_ table: NamedColumns, file: URL) throws(BatchError) {
        guard table.names.contains("case") || table.names.contains("planning") else {
            throw .badTable(
                file, line: table.headerLine, problem: "the table has neither a column “case” nor a column “planning”",
                remedy: "Name case files under “case”, or describe cases under \(Self.columns.joined(separator: ", ")).")
        }
        var rows: [Row] = [], lines: [String: Int] = [:]
        for (line, values) in table.rows {
            let row = Self.row(values, line: line, of: file)
            if let earlier = lines.updateValue(line, forKey: row.source) {
                throw .badTable(
                    file, line: line, problem: "the case of line \(earlier) stands here again",
                    remedy: "Keep one of the rows, or give them different ids.")
            }
            rows.append(row)
        }
        self.rows = rows
    }

    private static func row(_ values: [String: String], line: Int, of table: URL) -> Row {
        let folder = table.deletingLastPathComponent()
        let free = values.filter { $0.key != "case" && (values["case"] != nil ? $0.key != "id" : !columns.contains($0.key)) }
        if let path = values["case"] {
            var file = URL(filePath: path, relativeTo: folder).standardizedFileURL
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), isFolder.boolValue {
                file.append(path: CaseTree.fileName)
            }
            let id =
                values["id"].flatMap { CaseDescription.isIdentifier($0) ? $0 : nil } ?? (try? CaseDescription.read(file))?.id
                ?? "row-\(line)"
            return Row(id: id, source: file.path, file: file, text: "", columns: free)
        }
        let id = values["id"] ?? "row-\(line)"
        return Row(
            id: CaseDescription.isIdentifier(id) ? id : "row-\(line)", source: "\(table.path)#\(id)",
            text: text(values, id: id, folder: folder), columns: free)
    }

    /// The case file of a row.
    private static func text(_ values: [String: String], id: String, folder: URL) -> String {
        func path(_ column: String) -> String? {
            values[column].map { quoted(URL(filePath: $0, relativeTo: folder).standardizedFileURL.path) }
        }
        func mapping(_ entries: KeyValuePairs<String, String?>) -> String? {
            let given = entries.compactMap { key, value in value.map { "\(key): \($0)" } }
            return given.isEmpty ? nil : "{\(given.joined(separator: ", "))}"
        }
        func point(_ text: String) -> String { "[\(text.split { " ,;[]".contains($0) }.joined(separator: ", "))]" }
        var lines = ["schema: \(CaseDescription.schema)", "id: \(quoted(id))"]
        func add(_ key: String, _ value: String?) { if let value { lines.append("\(key): \(value)") } }
        add(
            "site",
            values["site"].map { $0.contains("/") ? quoted(URL(filePath: $0, relativeTo: folder).standardizedFileURL.path) : quoted($0) })
        for scan in ["planning", "prefreeze", "intraprocedural", "followup"] {
            add(scan, mapping(["series": path(scan), "seriesUID": values["\(scan)_series"].map(quoted)]))
        }
        let tumour = mapping([
            "seed": values["tumour_seed"].map(point), "diameter": values["tumour_diameter"], "mask": path("tumour_mask"),
            "segmentation": path("tumour_segmentation"), "segment": values["tumour_segment"].map { Int($0) == nil ? quoted($0) : $0 },
            "structureSet": path("tumour_structure_set"), "roi": values["tumour_roi"].map(quoted),
        ])
        add("tumours", tumour.map { "[{id: T1, \($0.dropFirst())]" })
        add("ice", mapping(["mask": path("ice_mask")]))
        add("ablationZone", mapping(["mask": path("ablation_zone_mask")]))
        add("organ", mapping(["mask": path("organ_mask")]))
        add("elapsed", values["elapsed"])
        return lines.joined(separator: "\n") + "\n"
    }

    /// A YAML text, in double quotes.
    static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: " ") + "\""
    }

    /// The cases of the table. The case files of those that the table describes are written to `output`.
    public func cases(writingTo output: BatchOutput, earlier: [String: String] = [:]) throws -> [BatchCase] {
        var keys = CaseKeys(earlier: earlier)
        return try zip(keys.assign(rows.map { ($0.id, $0.source) }), rows).map { key, row in
            var file = row.file
            if file == nil {
                let description = output.descriptions.appending(path: "\(key).yaml")
                try output.make(description.deletingLastPathComponent())
                if FileManager.default.contents(atPath: description.path) != Data(row.text.utf8) {
                    try output.write(Data(row.text.utf8), to: description)
                }
                file = description
            }
            return BatchCase(key: key, source: row.source, description: file!.path, columns: row.columns)
        }
    }
}
