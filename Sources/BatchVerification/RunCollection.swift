import Foundation
import ImagingCore
import StudyArchive

/// Brings folders of results into the database: what tasks on other machines made, and what a batch was killed too early to enter.
public struct RunCollection {
    public let output: BatchOutput

    public init(_ output: BatchOutput) { self.output = output }

    public struct Outcome {
        /// The number of runs that the database did not have.
        public var entered = 0
        /// The number of folders that were copied from other output folders.
        public var copied = 0
        /// What could not be entered, and why.
        public var findings: [Finding] = []
    }

    /// Takes the folder, copies what `others` have that is newer, and enters every run that the database does not have yet.
    public func run(copyingFrom others: [URL] = []) throws -> Outcome {
        let lock = try output.lock()
        defer { withExtendedLifetime(lock) {} }
        let archive = try StudyArchive(folder: output.folder)
        try output.recover()
        var copies = Outcome()
        for other in others { try copy(from: BatchOutput(existing: other), &copies) }
        var outcome = try run(into: archive)
        outcome.copied = copies.copied
        outcome.findings += copies.findings
        return outcome
    }

    func run(into archive: StudyArchive) throws -> Outcome {
        let known = try archive.runIDs()
        var outcome = Outcome()
        for (record, folder) in output.records() where !known.contains(record.id) {
            let report = record.state == .done ? CaseTask.report(in: folder) : nil
            guard record.state == .failed || report != nil else {
                outcome.findings.append(
                    Finding(
                        .warning, "no-report", "\(folder.path) has no report that can be read; it is passed over.",
                        remedy: "Remove it and run the case again."))
                continue
            }
            if try archive.store(record, report: report) { outcome.entered += 1 }
        }
        return outcome
    }

    private func copy(from other: BatchOutput, _ outcome: inout Outcome) throws {
        for (record, folder) in other.records() {
            if let own = output.latestRecord(of: record.key) {
                guard own.source == record.source else {
                    outcome.findings.append(
                        Finding(
                            .warning, "key-taken",
                            "\(folder.path) is of another case (\(record.source)) than the one of that name here (\(own.source)).",
                            remedy: "Collect it into a folder of its own."))
                    continue
                }
                guard own.finished < record.finished else { continue }
            }
            let lock = try output.lock(case: record.key)
            defer { withExtendedLifetime(lock) {} }
            let staging = try output.staging(for: record.key), copy = staging.appending(path: "copy")
            do {
                try FileManager.default.copyItem(at: folder, to: copy)
            } catch {
                throw output.isFull
                    ? BatchError.full(output.folder) : .notWritable(output.folder, reason: "\(folder.path) cannot be copied")
            }
            try output.publish(copy, record: record, staging: staging)
            outcome.copied += 1
        }
    }
}
