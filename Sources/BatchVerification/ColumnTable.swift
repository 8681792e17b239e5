import Foundation

/// A table that says something about cases beside their images: a column `case` with their keys, and others.
public struct ColumnTable {
    /// The values that are given, by key and column.
    public let byCase: [String: [String: String]]

    public init(_ file: URL) throws(BatchError) {
        let table = try NamedColumns(file)
        guard table.names.contains("case") else {
            throw .badTable(
                file, line: table.headerLine, problem: "the table has no column “case”", remedy: "Name the cases there as the batch does.")
        }
        var byCase: [String: [String: String]] = [:]
        for (line, values) in table.rows {
            guard let key = values["case"] else { continue }
            guard byCase.updateValue(values.filter { $0.key != "case" }, forKey: key) == nil else {
                throw .badTable(file, line: line, problem: "the case \(key) stands here again", remedy: "Keep one of the rows.")
            }
        }
        self.byCase = byCase
    }
}

/// The rows of a table by the names of its columns: lower case, with underscores for blanks and hyphens. Empty fields are left out.
struct NamedColumns {
    let names: [String]
    let headerLine: Int
    let rows: [(line: Int, values: [String: String])]

    init(_ file: URL) throws(BatchError) {
        guard let data = FileManager.default.contents(atPath: file.path) else { throw .archiveMissing(file) }
        guard let text = String(data: data, encoding: .utf8) else {
            throw .badTable(file, line: 1, problem: "the table is not UTF-8 text", remedy: "Save it as CSV UTF-8.")
        }
        try self.init(text, file: file)
    }

    init(_ text: String, file: URL) throws(BatchError) {
        let table = DelimitedText(text, separator: ["tsv", "tab"].contains(file.pathExtension.lowercased()) ? "\t" : nil)
        if let line = table.unclosedQuoteLine { throw .badTable(file, line: line, problem: "a quote is never closed", remedy: "Close it.") }
        guard let header = table.rows.first else { throw .noCases(file) }
        let names = header.fields.map { $0.lowercased().replacing(" ", with: "_").replacing("-", with: "_") }
        for name in Set(names) where !name.isEmpty && names.count(where: { $0 == name }) > 1 {
            throw .badTable(file, line: header.line, problem: "the column “\(name)” stands twice", remedy: "Keep one of them.")
        }
        var rows: [(line: Int, values: [String: String])] = []
        for (line, fields) in table.rows.dropFirst() {
            guard fields.count <= names.count else {
                throw .badTable(
                    file, line: line, problem: "the row has \(fields.count) fields, the header \(names.count)",
                    remedy: "Quote fields that hold a separator.")
            }
            rows.append((line, Dictionary(uniqueKeysWithValues: zip(names, fields).filter { !$0.isEmpty && !$1.isEmpty })))
        }
        (self.names, headerLine, self.rows) = (names, header.line, rows)
    }
}
