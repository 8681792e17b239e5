import Foundation
import ImagingCore
import StudyArchive
import VerificationPipeline

/// What happens in a batch, in the order in which it happens.
public enum BatchEvent: Sendable {
    /// Before the first case: how many there are, and which are due.
    case planned(cases: Int, due: Int)
    case started(BatchCase, due: String)
    case stage(BatchCase, String)
    case ended(BatchCase, RunRecord, verdict: String?)
    /// Another process has the case.
    case skipped(BatchCase)
}

/// A case and whether it has to be run.
public struct PlannedCase: Sendable {
    public var batchCase: BatchCase
    /// Why it has to be run; `nil` when its latest run still holds.
    public var due: String?
    /// The latest run.
    public var last: RunRecord?
    var inputBytes: Int64
}

/// How a batch ended.
public struct BatchSummary: Sendable {
    /// Every case of the batch with its latest run; `nil` for one that another process has.
    public var cases: [(batchCase: BatchCase, record: RunRecord?)]
    /// The number of cases that were run, rather than found to be up to date.
    public var runCount: Int

    public var failures: [(batchCase: BatchCase, failure: RunRecord.Failure)] {
        cases.compactMap { entry in entry.record?.failure.map { (entry.batchCase, $0) } }
    }
}

/// Runs the cases that are due, several side by side, and enters each into the database as it ends.
///
/// It may be killed at any moment. A run is entered after its folder has its name, and the next batch begins by entering what is missing.
public struct Batch: Sendable {
    public let output: BatchOutput
    public var runner: any CaseRunner
    /// The most cases to run side by side.
    public var jobs: Int
    public var retriesFailures = false
    var budget = MemoryBudget.available
    var checkpoint: @Sendable (CaseTask.Checkpoint) throws -> Void = { _ in }

    public init(output: BatchOutput, runner: any CaseRunner, jobs: Int) { (self.output, self.runner, self.jobs) = (output, runner, jobs) }

    /// What there is to do, of `cases`. Reads inputs only where their dates changed.
    public static func plan(
        _ cases: [BatchCase], output: BatchOutput, latest: [String: RunRecord], options: CaseOptions = CaseOptions(),
        retriesFailures: Bool = false
    ) -> [PlannedCase] {
        cases.map { batchCase in
            let inputs = CaseInputs(of: batchCase, options: options), last = latest[batchCase.key]
            let hasResults = FileManager.default.fileExists(
                atPath: output.results(of: batchCase.key).appending(path: ResultsFolder.marker).path)
            return PlannedCase(
                batchCase: batchCase, due: inputs.dueReason(after: last, hasResults: hasResults, retryingFailures: retriesFailures),
                last: last,
                inputBytes: inputs.totalBytes)
        }
    }

    /// What a batch would do now; the output folder is only read.
    public static func preview(
        _ findCases: ([String: String]) throws -> [BatchCase], output: BatchOutput, options: CaseOptions = CaseOptions(),
        retriesFailures: Bool = false
    ) throws -> [PlannedCase] {
        guard StudyArchive.exists(in: output.folder) else { return plan(try findCases([:]), output: output, latest: [:], options: options) }
        let archive = try StudyArchive(folder: output.folder)
        return plan(
            try findCases(try archive.keysBySource()), output: output, latest: try archive.latestRuns(), options: options,
            retriesFailures: retriesFailures)
    }

    /// Enters what earlier runs left, and tells what there is to do. Only while this process holds the folder's lock.
    static func prepare(
        _ findCases: ([String: String]) throws -> [BatchCase], output: BatchOutput, archive: StudyArchive, options: CaseOptions,
        retriesFailures: Bool
    ) throws -> [PlannedCase] {
        try output.recover()
        _ = try RunCollection(output).run(into: archive)
        let cases = try findCases(try archive.keysBySource())
        try archive.update(columns: Dictionary(uniqueKeysWithValues: cases.map { ($0.key, $0.columns) }))
        return plan(cases, output: output, latest: try archive.latestRuns(), options: options, retriesFailures: retriesFailures)
    }

    /// Runs what is due.
    ///
    /// - Parameters:
    ///   - findCases: the cases, given the keys that sources had in earlier batches.
    ///   - events: gets what happens, on one thread at a time.
    /// - Throws: when the output cannot be written or belongs to another batch. A case that fails does not throw.
    public func run(_ findCases: ([String: String]) throws -> [BatchCase], events: @escaping @Sendable (BatchEvent) -> Void) async throws
        -> BatchSummary
    {
        let lock = try output.lock()
        defer { withExtendedLifetime(lock) {} }
        let archive = try StudyArchive(folder: output.folder)
        let planned = try Self.prepare(
            findCases, output: output, archive: archive, options: runner.options, retriesFailures: retriesFailures)
        let due = planned.filter { $0.due != nil }
        events(.planned(cases: planned.count, due: due.count))
        let records = try await run(due, archive: archive, learningFrom: planned.compactMap(\.last), events: SerialEvents(events))
        return BatchSummary(
            cases: planned.map { ($0.batchCase, $0.due == nil ? $0.last : records[$0.batchCase.key]) }, runCount: records.count)
    }

    private func run(
        _ due: [PlannedCase], archive: StudyArchive, learningFrom earlier: [RunRecord], events: SerialEvents
    ) async throws -> [String: RunRecord] {
        var budget = budget
        earlier.forEach { budget.learn(from: $0) }
        return try await withThrowingTaskGroup(of: (key: String, record: RunRecord?).self) { group in
            var records: [String: RunRecord] = [:]
            var waiting = due[...], running = 0
            while !waiting.isEmpty || running > 0 {
                while let next = waiting.first, running < jobs, budget.reserve(next.batchCase.key, inputBytes: next.inputBytes) {
                    waiting.removeFirst()
                    running += 1
                    group.addTask { (next.batchCase.key, try await run(next, archive: archive, events: events)) }
                }
                guard let (key, record) = try await group.next() else { break }
                running -= 1
                budget.release(key)
                if let record { budget.learn(from: record) }
                records[key] = record
            }
            return records
        }
    }

    private func run(_ planned: PlannedCase, archive: StudyArchive, events: SerialEvents) async throws -> RunRecord? {
        let batchCase = planned.batchCase
        events.send(.started(batchCase, due: planned.due!))
        let task = CaseTask(batchCase: batchCase, due: planned.due!, output: output, runner: runner, checkpoint: checkpoint)
        let record: RunRecord
        do {
            record = try await task.run { events.send(.stage(batchCase, $0)) }
        } catch BatchError.busy {
            events.send(.skipped(batchCase))
            return nil
        }
        let report = record.state == .done ? CaseTask.report(in: output.results(of: batchCase.key)) : nil
        try archive.store(record, report: report)
        events.send(.ended(batchCase, record, verdict: report?.verdict.status.rawValue))
        return record
    }
}

/// Passes events on one at a time.
private final class SerialEvents: Sendable {
    private let queue = DispatchQueue(label: "batch events")
    private let handler: @Sendable (BatchEvent) -> Void

    init(_ handler: @escaping @Sendable (BatchEvent) -> Void) { self.handler = handler }

    func send(_ event: BatchEvent) { queue.sync { handler(event) } }
}
