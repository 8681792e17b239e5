import Foundation
import StudyArchive
import Testing

@testable import BatchVerification

@Suite struct BatchTests {
    struct Killed: Error {}

    @Test func everyCaseIsRunOnceAndEntered() async throws {
        let disk = try ArchiveOnDisk(ids: ["a", "b", "c"]), runner = RecordingRunner()
        let summary = try await disk.batch(runner, jobs: 2)
        #expect(summary.runCount == 3 && summary.failures.isEmpty)
        #expect(try await disk.batch(runner).runCount == 0)
        #expect(runner.ran.sorted() == ["0", "1", "2"])
        #expect(Set(try StudyArchive(folder: disk.outputFolder).latestRuns().keys) == ["a", "b", "c"])
    }

    /// Wherever a batch is killed, the next one ends the work: each case has its results and one row, and what was recorded is not run
    /// again.
    @Test(arguments: CaseTask.Checkpoint.allCases) func aKilledBatchGoesOn(at moment: CaseTask.Checkpoint) async throws {
        let disk = try ArchiveOnDisk(ids: ["a", "b", "c"]), runner = RecordingRunner()
        await #expect(throws: Killed.self) {
            try await disk.batch(runner) { if $0 == moment { throw Killed() } }
        }
        let ranBefore = runner.ran.count
        try await disk.batch(runner)
        let archive = try StudyArchive(folder: disk.outputFolder)
        #expect(Set(try archive.latestRuns().keys) == ["a", "b", "c"])
        #expect(try archive.runIDs().count == 3)
        for key in ["a", "b", "c"] {
            #expect(RunRecord.read(folder: try disk.output().results(of: key)) == (try archive.latestRuns()[key]))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.outputFolder.appending(path: ".running").path) == ["locks"])
        if moment == .published { #expect(runner.ran.count == ranBefore + 2) }
    }

    /// Killed between the two renames: the old results are aside, the new ones complete but without their name.
    @Test func resultsThatWereCompleteAreKept() async throws {
        let disk = try ArchiveOnDisk(ids: ["a"]), runner = RecordingRunner()
        try await disk.batch(runner)
        let staging = disk.outputFolder.appending(path: ".running/a.12345678")
        try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: true)
        try FileManager.default.moveItem(at: try disk.output().results(of: "a"), to: staging.appending(path: "complete"))
        #expect(try await disk.batch(runner).runCount == 0)
        #expect(RunRecord.read(folder: try disk.output().results(of: "a")) != nil)
    }

    @Test func aDatabaseThatIsGoneIsMadeAnewFromTheResults() async throws {
        let disk = try ArchiveOnDisk(ids: ["a", "b"]), runner = RecordingRunner()
        try await disk.batch(runner)
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(at: disk.outputFolder.appending(path: StudyArchive.fileName + suffix))
        }
        #expect(try await disk.batch(runner).runCount == 0)
        #expect(runner.ran.count == 2)
    }

    static let lasting = RunRecord.Failure(code: "broken-file", message: "It is broken.", remedy: "Export it again.", isLasting: true)
    static let passing = RunRecord.Failure(code: "killed", message: "It was ended.", remedy: "", isLasting: false)

    @Test(arguments: [(lasting, 0), (passing, 1)]) func aFailureStopsNothingAndIsTriedAgainOnlyWhereThatHelps(
        failure: RunRecord.Failure, again: Int
    ) async throws {
        let disk = try ArchiveOnDisk(ids: ["a", "b", "c"]), runner = RecordingRunner(failing: ["1": failure])
        let summary = try await disk.batch(runner)
        #expect(summary.failures.map(\.batchCase.key) == ["b"] && summary.failures.map(\.failure) == [failure])
        #expect(RunRecord.read(folder: try disk.output().failure(of: "b"))?.failure == failure)
        let next = try await disk.batch(runner)
        #expect(next.runCount == again && next.failures.count == 1)

        try disk.write("mended", to: "1/ice/1.dcm")
        #expect(try await disk.batch(RecordingRunner()).failures.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: try disk.output().failure(of: "b").path))
    }

    /// What the run had written was removed, so that there may be room again when the batch looks.
    @Test func aRunThatFilledTheDiskEndsTheBatch() async throws {
        let disk = try ArchiveOnDisk(ids: ["a", "b"])
        let full = RunRecord.Failure(
            code: "not-written", message: "x.dcm cannot be written: No space left on device.", remedy: "", isLasting: false)
        await #expect { try await disk.batch(RecordingRunner(failing: ["0": full, "1": full])) } throws: {
            ($0 as? BatchError)?.finding.code == "output-full"
        }
        #expect(try await disk.batch(RecordingRunner()).runCount == 2)
    }

    @Test func aFailureLeavesEarlierResultsInPlace() async throws {
        let disk = try ArchiveOnDisk(ids: ["a"])
        try await disk.batch(RecordingRunner())
        try disk.write("broken", to: "0/ice/1.dcm")
        #expect(try await disk.batch(RecordingRunner(failing: ["0": Self.lasting])).failures.count == 1)
        #expect(CaseTask.report(in: try disk.output().results(of: "a")) != nil)
        #expect(try StudyArchive(folder: disk.outputFolder).latestRuns()["a"]?.state == .failed)
    }

    @Test func aSecondBatchOnOneOutputIsRefused() async throws {
        let disk = try ArchiveOnDisk(ids: ["a"]), runner = RecordingRunner()
        let lock = try disk.output().lock()
        await #expect { try await disk.batch(runner) } throws: { ($0 as? BatchError)?.finding.code == "output-busy" }
        withExtendedLifetime(lock) {}
        #expect(runner.ran.isEmpty)
    }

    @Test func nothingIsWrittenIntoTheArchive() throws {
        let disk = try ArchiveOnDisk(ids: ["a"])
        #expect { try BatchOutput(disk.archive.appending(path: "results"), archive: disk.archive) } throws: {
            ($0 as? BatchError)?.finding.code == "output-inside-archive"
        }
    }

    @Test(arguments: [(totalMB: 1e6, most: 3), (totalMB: 1.0, most: 1)]) func memoryBoundsHowManyRunSideBySide(totalMB: Double, most: Int)
        async throws
    {
        let disk = try ArchiveOnDisk(ids: (0..<12).map { "c\($0)" }), runner = RecordingRunner()
        try await disk.batch(runner, jobs: 3, budget: MemoryBudget(totalMB: totalMB))
        #expect(runner.mostRunning <= most)
        #expect(runner.ran.count == 12)
    }
}
