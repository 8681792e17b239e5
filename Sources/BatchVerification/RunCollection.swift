import Foundation
import ImagingCore
import StudyArchive

/// Brings folders of results into the database: what tasks on other machines made, and what a batch was killed too early to enter.
public struct RunCollection {
    public let output: BatchOutput

    public init(_ output: BatchOutput) { self.output = output }

    /// Takes the folder and enters every run that the database does not have yet.
    /// - Returns: the number of runs that were new, and what could not be entered.
    public func run() throws -> (entered: Int, findings: [Finding]) {
        let lock = try output.lock()
        defer { withExtendedLifetime(lock) {} }
        return try run(into: StudyArchive(folder: output.folder))
    }

    func run(into archive: StudyArchive) throws -> (entered: Int, findings: [Finding]) {
        let known = try archive.runIDs()
        var entered = 0
        var findings: [Finding] = []
        for (record, folder) in output.records() where !known.contains(record.id) {
            let report = record.state == .done ? CaseTask.report(in: folder) : nil
            guard record.state == .failed || report != nil else {
                findings.append(Finding(
                    .warning, "no-report", "\(folder.path) has no report that can be read; it is passed over.", remedy: "Remove it and run the case again."))
                continue
            }
            if try archive.store(record, report: report) { entered += 1 }
        }
        return (entered, findings)
    }
}
