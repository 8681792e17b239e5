/// A table as text: comma, semicolon or tab separated, as spreadsheets write it (RFC 4180).
///
/// Fields may be quoted, with doubled quotes and line breaks inside. Lines end in LF, CRLF or CR; a byte order mark and empty lines are
/// passed over.
struct DelimitedText {
    /// The rows and the lines that they begin on, from 1.
    private(set) var rows: [(line: Int, fields: [String])] = []
    /// The line of a quote that is never closed.
    private(set) var unclosedQuoteLine: Int?

    /// - Parameter separator: tab for files that say so; otherwise whichever of comma and semicolon the first line has more of.
    init(_ text: String, separator given: UnicodeScalar? = nil) {
        let scalars = Array(text.unicodeScalars.drop { $0 == "\u{feff}" })
        let firstLine = scalars.prefix { $0 != "\n" && $0 != "\r" }
        let separator = given ?? (firstLine.filter { $0 == ";" }.count > firstLine.filter { $0 == "," }.count ? ";" : ",")
        var field = String.UnicodeScalarView(), fields: [String] = [], line = 1, start = 1, quoteLine: Int?
        func trimmed(_ field: String.UnicodeScalarView) -> String {
            String(String(field).trimmingPrefix { $0 == " " }.reversed().trimmingPrefix { $0 == " " }.reversed())
        }
        func endRow(_ rows: inout [(line: Int, fields: [String])]) {
            fields.append(trimmed(field))
            field = .init()
            if fields.contains(where: { !$0.isEmpty }) { rows.append((start, fields)) }
            fields = []
        }
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            if let begun = quoteLine {
                if scalar == "\n" { line += 1 }
                if scalar != "\"" {
                    field.append(scalar)
                } else if index < scalars.count, scalars[index] == "\"" {
                    field.append("\"")
                    index += 1
                } else {
                    quoteLine = nil
                }
                if index == scalars.count, quoteLine != nil { unclosedQuoteLine = begun }
            } else if scalar == "\"", String(field).allSatisfy({ $0 == " " }) {
                field = .init()
                quoteLine = line
            } else if scalar == separator {
                fields.append(trimmed(field))
                field = .init()
            } else if scalar == "\n" || scalar == "\r" {
                if scalar == "\r", index < scalars.count, scalars[index] == "\n" { index += 1 }
                endRow(&rows)
                line += 1
                start = line
            } else {
                field.append(scalar)
            }
        }
        endRow(&rows)
    }
}
