import Foundation
import ImagingCore
import StudyArchive
import VerificationPipeline

/// The work list of an output folder: what is due, one entry for each case, to be run one by one wherever the folder can be reached.
///
/// An entry touches no database. `RunCollection` enters what the entries made.
public struct BatchPlan: Codable, Sendable {
    public static let currentSchema = "icemargin.plan/1"
    public static let fileName = "plan.json"

    public struct Entry: Codable, Sendable {
        public var batchCase: BatchCase
        /// Why it is to be run.
        public var due: String
        /// The run that no longer holds; a later one means that the entry was run already.
        var lastRun: String?
    }

    public var schema = BatchPlan.currentSchema
    /// How the entries are run; `nil` for what verify does unasked.
    public var options: CaseOptions?
    public var entries: [Entry]

    /// Writes the work list of what is due in `output`.
    ///
    /// - Parameter findCases: as for `Batch.run`.
    public static func make(
        _ findCases: ([String: String]) throws -> [BatchCase], output: BatchOutput, options: CaseOptions = CaseOptions(),
        retriesFailures: Bool = false
    ) throws -> BatchPlan {
        let lock = try output.lock()
        defer { withExtendedLifetime(lock) {} }
        let archive = try StudyArchive(folder: output.folder)
        let planned = try Batch.prepare(
            findCases, output: output, archive: archive, options: options, retriesFailures: retriesFailures)
        let plan = BatchPlan(
            options: options,
            entries: planned.compactMap { entry in
                entry.due.map { Entry(batchCase: entry.batchCase, due: $0, lastRun: entry.last?.id) }
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try output.write(try encoder.encode(plan), to: output.folder.appending(path: fileName))
        return plan
    }

    /// Reads the work list of `output`.
    public static func read(_ output: BatchOutput) throws(BatchError) -> BatchPlan {
        let file = output.folder.appending(path: fileName)
        guard let data = FileManager.default.contents(atPath: file.path), let plan = try? JSONDecoder().decode(BatchPlan.self, from: data),
            plan.schema == currentSchema
        else { throw .noPlan(file) }
        return plan
    }

    /// Runs one entry, unless it was run since the list was written and its inputs are still the same.
    ///
    /// - Parameter number: of the entry, from 1.
    /// - Returns: the entry and its run; `nil` when there was nothing left to do.
    public func run(
        _ number: Int, output: BatchOutput, runner: any CaseRunner, progress: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> (entry: Entry, record: RunRecord?) {
        guard entries.indices.contains(number - 1) else { throw BatchError.noSuchTask(number, count: entries.count) }
        let entry = entries[number - 1]
        if let latest = output.latestRecord(of: entry.batchCase.key), latest.id != entry.lastRun,
            CaseInputs(of: entry.batchCase, options: runner.options).dueReason(after: latest, hasResults: true) == nil
        {
            return (entry, nil)
        }
        return (
            entry, try await CaseTask(batchCase: entry.batchCase, due: entry.due, output: output, runner: runner).run(progress: progress)
        )
    }
}
