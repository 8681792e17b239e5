import Foundation
import ImagingCore
import Reporting
import StudyArchive
import VerificationPipeline

/// One case of a batch, from being due to its folder of results. It touches no other case and no database.
struct CaseTask: Sendable {
    let batchCase: BatchCase
    /// Why it is run.
    let due: String
    let output: BatchOutput
    let runner: any CaseRunner
    /// Called at named points; a test throws there what a killed process would leave undone.
    var checkpoint: @Sendable (Checkpoint) throws -> Void = { _ in }

    enum Checkpoint: Sendable, CaseIterable { case prepared, verified, recorded, published }

    /// Runs the case. Its folder of results, or that of its failure, appears at the end, complete.
    ///
    /// Throws only when the output cannot be written; nothing is left under a final name then.
    func run(progress: @escaping @Sendable (String) -> Void = { _ in }) async throws -> RunRecord {
        let lock = try output.lock(case: batchCase.key)
        defer { withExtendedLifetime(lock) {} }
        let inputs = CaseInputs(of: batchCase, options: runner.options)
        let staging = try output.staging(for: batchCase.key)
        let results = staging.appending(path: "results"), messages = staging.appending(path: "messages.txt")
        try checkpoint(.prepared)
        let started = Date()
        var ending = await runner.run(URL(filePath: batchCase.description), into: results, messages: messages, progress: progress)
        try checkpoint(.verified)
        if ending.failure == nil, Self.report(in: results) == nil {
            ending.failure = .init(
                code: "no-report", message: "The run left no report that can be read.", remedy: "Start the batch again.", isLasting: false)
        }
        let record = record(ending, inputs: inputs, started: started)
        if ending.failure == nil {
            try output.write(try record.jsonData(), to: results.appending(path: RunRecord.fileName))
            try checkpoint(.recorded)
            try output.publish(results, record: record, staging: staging)
        } else {
            if let failure = ending.failure, !failure.isLasting, Self.isForWantOfSpace(failure) || output.isFull {
                throw BatchError.full(output.folder)
            }
            let failure = staging.appending(path: "failure")
            try output.make(failure)
            try? FileManager.default.moveItem(at: messages, to: failure.appending(path: messages.lastPathComponent))
            try output.write(try record.jsonData(), to: failure.appending(path: RunRecord.fileName))
            try checkpoint(.recorded)
            try output.publish(failure, record: record, staging: staging)
        }
        try checkpoint(.published)
        return record
    }

    /// Whatever the run had written is gone by now, and its space free again: only its words tell.
    private static func isForWantOfSpace(_ failure: RunRecord.Failure) -> Bool {
        [ENOSPC, EDQUOT].contains { failure.message.contains(String(cString: strerror($0))) }
    }

    private func record(_ ending: CaseEnding, inputs: CaseInputs, started: Date) -> RunRecord {
        RunRecord(
            key: batchCase.key, source: batchCase.source, columns: batchCase.columns, state: ending.failure == nil ? .done : .failed,
            failure: ending.failure, due: due, version: iceMarginVersion, options: inputs.options.arguments, profile: inputs.profile,
            profileSHA256: inputs.profileSHA256,
            descriptionSHA256: inputs.descriptionSHA256, inputs: inputs.hashedFiles(), started: started, finished: Date(),
            peakMemoryMB: ending.peakMemoryMB)
    }

    /// The report of a folder of results; `nil` where there is none that can be read.
    static func report(in folder: URL) -> CaseReport? {
        FileManager.default.contents(atPath: folder.appending(path: ResultsFolder.marker).path).flatMap { try? CaseReport(jsonData: $0) }
    }
}
