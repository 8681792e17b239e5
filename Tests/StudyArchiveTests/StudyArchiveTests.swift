import Foundation
import ImagingCore
import Reporting
import StudyArchive
import Testing

@Suite final class StudyArchiveTests {
    let folder = FileManager.default.temporaryDirectory.appending(path: "icemargin-archive-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: folder) }

    static func record(_ key: String, id: String = UUID().uuidString, finished: Double = 1000, due: String = "new") -> RunRecord {
        RunRecord(
            id: id, key: key, source: "/archive/\(key)/case.yaml", state: .done, due: due, version: "1", profile: "liver",
            profileSHA256: "b",
            descriptionSHA256: "a", inputs: [.init(path: "/archive/\(key)/1", size: 5, modifiedNS: 7, sha256: "c")],
            started: Date(timeIntervalSince1970: 900),
            finished: Date(timeIntervalSince1970: finished), peakMemoryMB: 90)
    }

    @Test func aRunComesBackAsItWasStored() throws {
        let record = Self.record("a")
        try StudyArchive(folder: folder).store(record, report: nil)
        #expect(try StudyArchive(folder: folder).latestRuns() == ["a": record])
    }

    @Test func aRunIsEnteredOnce() throws {
        let archive = try StudyArchive(folder: folder), record = Self.record("a")
        #expect(try archive.store(record, report: nil))
        #expect(try !archive.store(record, report: nil))
        #expect(try archive.runIDs() == [record.id])
    }

    /// Folders may be collected in any order.
    @Test(arguments: [[1000.0, 2000], [2000, 1000]]) func theRunThatEndedLastCounts(ends: [Double]) throws {
        let archive = try StudyArchive(folder: folder)
        for end in ends { try archive.store(Self.record("a", finished: end, due: "\(end)"), report: nil) }
        #expect(try archive.latestRuns()["a"]?.due == "2000.0")
    }

    @Test func whatIsNoDatabaseIsRefusedWithARemedy() throws {
        try Data("not a database, but long enough to have a header".utf8).write(to: folder.appending(path: StudyArchive.fileName))
        #expect { try StudyArchive(folder: folder) } throws: { error in
            (error as? ArchiveError)?.finding.code == "archive-damaged" && (error as? ArchiveError)?.finding.remedy.isEmpty == false
        }
    }
}
