import Foundation
import ImagingCore
import MarginAnalysis
import Reporting
import StudyArchive
import Synchronization

@testable import BatchVerification

/// A folder of cases whose scans are a few bytes, and an output folder beside it; both go with the value.
final class ArchiveOnDisk: Sendable {
    let root = FileManager.default.temporaryDirectory.appending(path: "icemargin-batch-\(UUID().uuidString)")
    var archive: URL { root.appending(path: "archive") }
    var outputFolder: URL { root.appending(path: "output") }

    /// - Parameter ids: of the cases, which lie in the folders `0`, `1`, …
    init(ids: [String]) throws {
        for (index, id) in ids.enumerated() { try addCase("\(index)", id: id) }
    }
    deinit { try? FileManager.default.removeItem(at: root) }

    func addCase(_ folder: String, id: String, site: String = "liver") throws {
        let text = """
            schema: icemargin.case/1
            id: \(id)
            site: \(site)
            planning: {series: planning}
            intraprocedural: {series: ice}
            tumours: [{id: T1, seed: [1, 2, 3], diameter: 20}]
            """
        try write(text, to: "\(folder)/case.yaml")
        try write("planning of \(id)", to: "\(folder)/planning/1.dcm")
        try write("ice of \(id)", to: "\(folder)/ice/1.dcm")
    }

    func write(_ text: String, to path: String) throws {
        let file = archive.appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func output() throws -> BatchOutput { try BatchOutput(outputFolder, archive: archive) }

    /// Runs a batch over the archive. `checkpoint` may throw where a process could be killed.
    @discardableResult
    func batch(
        _ runner: RecordingRunner, jobs: Int = 1, budget: MemoryBudget = .available,
        checkpoint: @escaping @Sendable (CaseTask.Checkpoint) throws -> Void = { _ in }
    ) async throws -> BatchSummary {
        var batch = Batch(output: try output(), runner: runner, jobs: jobs)
        (batch.checkpoint, batch.budget) = (checkpoint, budget)
        return try await batch.run({ try CaseTree.cases(under: archive, earlier: $0) }, events: { _ in })
    }
}

/// Stands in for the process of a case: writes a report at once, or fails as it is told, and remembers what it ran.
final class RecordingRunner: CaseRunner {
    let options: CaseOptions
    private struct State { var ran: [String] = [], running = 0, mostRunning = 0 }
    private let state = Mutex(State())
    private let failures: [String: RunRecord.Failure]

    init(failing failures: [String: RunRecord.Failure] = [:], options: CaseOptions = CaseOptions()) {
        (self.failures, self.options) = (failures, options)
    }

    /// The folders of the cases, in order.
    var ran: [String] { state.withLock(\.ran) }
    var mostRunning: Int { state.withLock(\.mostRunning) }

    func run(_ description: URL, into folder: URL, messages: URL, progress: @escaping @Sendable (String) -> Void) async -> CaseEnding {
        let name = description.deletingLastPathComponent().lastPathComponent
        state.withLock {
            $0.ran.append(name)
            $0.running += 1
            $0.mostRunning = max($0.mostRunning, $0.running)
        }
        await Task.yield()
        defer { state.withLock { $0.running -= 1 } }
        if let failure = failures[name] { return CaseEnding(failure: failure) }
        try! FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try! Self.report(name).jsonData().write(to: folder.appending(path: "report.json"))
        return CaseEnding(peakMemoryMB: 100)
    }

    static func report(_ id: String) -> CaseReport {
        CaseReport(
            case: .init(id: id, site: "liver", profile: "liver"), ice: .init(volumeML: 30, source: "segmented"),
            registration: .init(
                rigid: .init(.identity), quality: .init(method: "shared-frame-of-reference", trusted: true, expectedErrorMM: 1)),
            margins: [
                .init(
                    tumour: "T1", zone: "visible-ice", minimumMarginMM: 6, minimumMarginIntervalMM: 5...7, worstPointLPS: nil,
                    surfaceFraction: nil,
                    tumourCoverage: 1, residualVolumeML: 0, shellCoverage: [])
            ],
            verdict: .init(status: .met, reasons: []), timingsS: ["total": 1],
            provenance: .init(version: "1", dcmtk: "3", runID: "x", created: "2026-01-01T00:00:00Z", parameters: .null, inputSHA256: [:]))
    }
}
