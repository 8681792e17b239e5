import Foundation
import StudyArchive
import Testing

@testable import BatchVerification

@Suite struct PlanTests {
    private func plan(_ disk: ArchiveOnDisk) throws -> BatchPlan {
        try BatchPlan.make({ try CaseTree.cases(under: disk.archive, earlier: $0) }, output: try disk.output())
    }

    @Test func entriesRunOneByOneAndAreCollected() async throws {
        let disk = try ArchiveOnDisk(ids: ["a", "b", "c"]), runner = RecordingRunner(), output = try disk.output()
        #expect(try plan(disk).entries.map(\.batchCase.key) == ["a", "b", "c"])
        let list = try BatchPlan.read(output)
        for number in [3, 1, 3] { _ = try await list.run(number, output: output, runner: runner) }
        #expect(runner.ran == ["2", "0"])
        #expect(try StudyArchive(folder: disk.outputFolder).latestRuns().isEmpty)
        #expect(try RunCollection(output).run().entered == 2)
        #expect(try RunCollection(output).run().entered == 0)
        // What is left is a new list.
        #expect(try plan(disk).entries.map(\.batchCase.key) == ["b"])
    }

    @Test func anEntryWhoseInputsChangedSinceIsRunAgain() async throws {
        let disk = try ArchiveOnDisk(ids: ["a"]), runner = RecordingRunner(), output = try disk.output()
        let list = try plan(disk)
        _ = try await list.run(1, output: output, runner: runner)
        try disk.write("other ice", to: "0/ice/1.dcm")
        _ = try await list.run(1, output: output, runner: runner)
        #expect(runner.ran.count == 2)
    }

    @Test func aCaseThatAnotherProcessHasIsRefused() async throws {
        let disk = try ArchiveOnDisk(ids: ["a", "b"]), output = try disk.output(), runner = RecordingRunner()
        let list = try plan(disk), lock = try output.lock(case: "a")
        await #expect { try await list.run(1, output: output, runner: runner) } throws: {
            ($0 as? BatchError)?.finding.code == "output-busy"
        }
        #expect(try await disk.batch(runner).runCount == 1)
        withExtendedLifetime(lock) {}
        #expect(runner.ran == ["1"])
    }

    @Test func anEntryThatIsNotThereIsRefused() async throws {
        let disk = try ArchiveOnDisk(ids: ["a"]), list = try plan(disk), output = try disk.output()
        await #expect { try await list.run(2, output: output, runner: RecordingRunner()) } throws: {
            ($0 as? BatchError)?.finding.code == "no-such-task"
        }
    }

    /// Output folders of two machines over one archive.
    @Test func newerResultsAreCopiedFromOtherFolders() async throws {
        let disk = try ArchiveOnDisk(ids: ["a", "b"]), other = disk.root.appending(path: "other")
        try await disk.batch(RecordingRunner())
        try FileManager.default.copyItem(at: disk.outputFolder, to: other)
        try disk.write("new ice", to: "1/ice/1.dcm")
        var batch = Batch(output: try BatchOutput(other), runner: RecordingRunner(), jobs: 1)
        batch.retriesFailures = false
        _ = try await batch.run({ try CaseTree.cases(under: disk.archive, earlier: $0) }, events: { _ in })

        let outcome = try RunCollection(try disk.output()).run(copyingFrom: [other])
        #expect(outcome.copied == 1 && outcome.entered == 1)
        #expect(try StudyArchive(folder: disk.outputFolder).latestRuns()["b"]?.due == "input 1.dcm changed")
    }
}
