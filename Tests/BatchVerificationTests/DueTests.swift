import Foundation
import StudyArchive
import Testing

@testable import BatchVerification

@Suite struct DueTests {
    /// What was done to the archive after a batch, and why the case is then due.
    static let changes: [(name: String, change: @Sendable (ArchiveOnDisk) throws -> Void, reason: String?)] = [
        ("nothing", { _ in }, nil),
        (
            "a new date",
            {
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: 5)], ofItemAtPath: $0.archive.appending(path: "0/ice/1.dcm").path)
            }, nil
        ),
        ("other contents", { try $0.write("ICE of a", to: "0/ice/1.dcm") }, "input 1.dcm changed"),
        ("one image more", { try $0.write("more", to: "0/ice/2.dcm") }, "input 2.dcm added"),
        ("one image less", { try FileManager.default.removeItem(at: $0.archive.appending(path: "0/ice/1.dcm")) }, "input 1.dcm gone"),
        ("another description", { try $0.addCase("0", id: "a", site: "kidney") }, "the case description changed"),
        ("no results", { try FileManager.default.removeItem(at: $0.outputFolder.appending(path: "cases/a")) }, "its results are gone"),
    ]

    @Test(arguments: changes.indices) func aCaseIsDueForWhatChanged(index: Int) async throws {
        let disk = try ArchiveOnDisk(ids: ["a"]), (_, change, reason) = Self.changes[index]
        try await disk.batch(RecordingRunner())
        try change(disk)
        let planned = try Batch.preview({ try CaseTree.cases(under: disk.archive, earlier: $0) }, output: try disk.output())
        #expect(planned.map(\.due) == [reason])
    }

    @Test func aCaseIsDueWhenItsProfileChanged() async throws {
        let disk = try ArchiveOnDisk(ids: [])
        try disk.addCase("0", id: "a", site: "./own.yaml")
        try disk.write("one", to: "0/own.yaml")
        try await disk.batch(RecordingRunner())
        try disk.write("two", to: "0/own.yaml")
        #expect(
            try Batch.preview({ try CaseTree.cases(under: disk.archive, earlier: $0) }, output: try disk.output()).map(\.due) == [
                "the profile ./own.yaml changed"
            ])
    }

    @Test func aCaseIsDueWhenTheVersionChanged() async throws {
        let disk = try ArchiveOnDisk(ids: ["a"])
        try await disk.batch(RecordingRunner())
        var record = try #require(try StudyArchive(folder: disk.outputFolder).latestRuns()["a"])
        record.version = "0.0.1"
        let inputs = CaseInputs(of: try CaseTree.cases(under: disk.archive)[0], options: CaseOptions())
        #expect(inputs.dueReason(after: record, hasResults: true)?.hasPrefix("made by version 0.0.1, this is ") == true)
    }

    /// What a case names beside its scans: a change of any of them changes the result.
    @Test(arguments: [
        "organ: {mask: other.nii.gz}", "structures: [{name: duct, mask: other.nii.gz, limit: 5}]", "earlierZones: [{mask: other.nii.gz}]",
        "probeModels: [other.nii.gz]", "registration: {transform: other.nii.gz}", "ice: {mask: other.nii.gz}",
    ]) func aCaseIsDueWhenAFileThatItNamesChanged(line: String) async throws {
        let disk = try ArchiveOnDisk(ids: ["a"])
        let text = try String(contentsOf: disk.archive.appending(path: "0/case.yaml"), encoding: .utf8)
        try disk.write(text + "\n" + line, to: "0/case.yaml")
        try disk.write("one", to: "0/other.nii.gz")
        try await disk.batch(RecordingRunner())
        try disk.write("another", to: "0/other.nii.gz")
        let planned = try Batch.preview({ try CaseTree.cases(under: disk.archive, earlier: $0) }, output: try disk.output())
        #expect(planned.map(\.due) == ["input other.nii.gz changed"])
    }

    @Test func aCaseIsDueWhenItIsToBeRunWithOtherOptions() async throws {
        let disk = try ArchiveOnDisk(ids: ["a"])
        var quick = CaseOptions()
        quick.simulates = false
        try await disk.batch(RecordingRunner(options: quick))
        func due(_ options: CaseOptions) throws -> [String?] {
            try Batch.preview(
                { try CaseTree.cases(under: disk.archive, earlier: $0) }, output: try disk.output(), options: options
            ).map(\.due)
        }
        #expect(try due(quick) == [nil])
        #expect(try due(CaseOptions()) == ["run with --no-simulation before, now with no options"])
    }

    @Test func anInputThatChangedWhileItWasReadHasNoHash() throws {
        let disk = try ArchiveOnDisk(ids: ["a"])
        let inputs = CaseInputs(of: try CaseTree.cases(under: disk.archive)[0], options: CaseOptions())
        try disk.write("longer than before", to: "0/ice/1.dcm")
        #expect(
            inputs.hashedFiles().filter { $0.sha256 == nil }.map(\.path) == [
                disk.archive.appending(path: "0/ice/1.dcm").standardizedFileURL.path
            ])
    }
}

@Suite struct CaseKeyTests {
    @Test func casesThatShareAnIDAreToldApartWhateverTheirOrder() {
        let cases = [(id: "a", source: "/1"), (id: "a", source: "/2"), (id: "b", source: "/3")]
        var forward = CaseKeys(), backward = CaseKeys()
        let keys = forward.assign(cases)
        #expect(keys[2] == "b" && keys[0] != keys[1] && keys[0].hasPrefix("a-"))
        #expect(backward.assign(cases.reversed()) == keys.reversed())
    }

    @Test func keysDoNotDependOnHowFarAnEarlierBatchCame() {
        let cases = [(id: "a", source: "/1"), (id: "a", source: "/2")]
        var atOnce = CaseKeys()
        let keys = atOnce.assign(cases)
        var later = CaseKeys(earlier: ["/1": keys[0]])
        #expect(later.assign(cases) == keys)
    }

    @Test func aCaseKeepsItsKeyWhenAnotherTakesItsID() {
        var keys = CaseKeys(earlier: ["/1": "a"])
        #expect(keys.assign([(id: "a", source: "/0"), (id: "a", source: "/1")])[1] == "a")
    }

    @Test func aCaseThatCannotBeReadIsACase() throws {
        let disk = try ArchiveOnDisk(ids: ["a"])
        try disk.write("schema: [", to: "bad one/case.yaml")
        #expect(try CaseTree.cases(under: disk.archive).map(\.key) == ["a", "badone"])
    }
}
