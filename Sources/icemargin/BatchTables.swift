import BatchVerification
import Foundation
import Reporting

/// What `batch` prints on standard output.
enum BatchTables {
    /// The cases and why each is due.
    static func plan(_ planned: [PlannedCase]) -> String {
        let width = planned.map(\.batchCase.key.count).max() ?? 0
        let lines = planned.map { entry in
            "\(entry.batchCase.key.padding(toLength: width, withPad: " ", startingAt: 0))  \(entry.due.map { "due: \($0)" } ?? "up to date")  \(entry.batchCase.source)"
        }
        return (lines + ["\(cases(planned.count)), \(planned.count { $0.due != nil }) due"]).map { $0 + "\n" }.joined()
    }

    static func cases(_ count: Int) -> String { count == 1 ? "1 case" : "\(count) cases" }

    /// Counts, and the failures with their remedies.
    static func summary(_ summary: BatchSummary, output: BatchOutput) -> String {
        let failures = summary.failures
        let done = summary.cases.count { $0.record?.state == .done }, skipped = summary.cases.count { $0.record == nil }
        var text =
            "\(cases(summary.cases.count)): \(done) with results, \(failures.count) failed\(skipped == 0 ? "" : ", \(skipped) with another process"); "
            + "\(summary.runCount) run now, \(summary.cases.count - summary.runCount - skipped) up to date.\n"
        if !failures.isEmpty {
            text += "\nFailed:\n"
            for (batchCase, failure) in failures {
                text += "  \(batchCase.key)  [\(failure.code)]  \(batchCase.source)\n    \(failure.message)\n"
                if !failure.remedy.isEmpty { text += "    → \(failure.remedy)\n" }
            }
            text += "\n"
        }
        return text + "Results: \(output.folder.path)\n"
    }

    private struct Document: Encodable {
        struct Case: Encodable {
            struct Failure: Encodable { var code, message, remedy: String }
            var key, source, state, results: String
            var failure: Failure?
        }
        var schema = "icemargin.batch/1"
        var runCount: Int
        var cases: [Case]
    }

    static func json(_ summary: BatchSummary, output: BatchOutput) throws -> String {
        let cases = summary.cases.map { batchCase, record in
            Document.Case(
                key: batchCase.key, source: batchCase.source, state: record?.state.rawValue ?? "not run",
                results: (record?.state == .failed ? output.failure(of: batchCase.key) : output.results(of: batchCase.key)).path,
                failure: record?.failure.map { .init(code: $0.code, message: $0.message, remedy: $0.remedy) })
        }
        return String(decoding: try ReportEncoder().encode(Document(runCount: summary.runCount, cases: cases)), as: UTF8.self)
    }
}
