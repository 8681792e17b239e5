import Foundation
import Testing

@testable import StudyArchive

@Suite struct HeaderIndexTests {
    /// A file is read once, and again when it changed.
    @Test func onlyWhatChangedIsReadAgain() throws {
        let manager = FileManager.default, root = manager.temporaryDirectory.appending(path: "icemargin-index-\(UUID().uuidString)")
        defer { try? manager.removeItem(at: root) }
        let samples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../SampleStudies/liver-ct")
            .standardizedFileURL
        let images = root.appending(path: "images"), database = root.appending(path: "out")
        try manager.createDirectory(at: database, withIntermediateDirectories: true)
        try manager.createDirectory(at: images, withIntermediateDirectories: true)
        for name in ["planning", "intraprocedural", "case.yaml"] {
            try manager.copyItem(at: samples.appending(path: name), to: images.appending(path: name))
        }
        let slices = try manager.contentsOfDirectory(atPath: images.appending(path: "planning").path).sorted()
        let count = slices.count + (try manager.contentsOfDirectory(atPath: images.appending(path: "intraprocedural").path).count) + 1

        let index = HeaderIndex(try StudyArchive(folder: database), of: images)
        #expect(try index.update().readCount == count)
        #expect(try index.update().readCount == 0)
        let series = try index.series()
        #expect(series.count == 2 && series.map(\.fileCount).reduce(0, +) == count - 1)
        #expect(Set(series.map(\.series.patient)).count == 1 && Set(series.map(\.series.modality)) == ["CT"])

        try manager.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1000)], ofItemAtPath: images.appending(path: "planning/\(slices[0])").path)
        try manager.removeItem(at: images.appending(path: "planning/\(slices[1])"))
        let update = try index.update()
        #expect(update.readCount == 1 && update.fileCount == count - 1)
        try manager.removeItem(at: images.appending(path: "planning"))
        _ = try index.update()
        #expect(try index.series().count == 1)
    }

    /// 12 February to 4 March 2024 are 21 days; neither date is kept.
    @Test func intervalsAreKeptAndDatesAreNot() throws {
        let strategy = Date.ISO8601FormatStyle(dateSeparator: .omitted).year().month().day()
        for patient in ["00000000000005a1", "fedcba9876543210", "0000000000000000"] {
            let moved = ["20240212", "20240304"].map { HeaderIndex.moved($0, patient) }
            let days = try moved.map { try Date($0, strategy: strategy) }
            #expect(days[1].timeIntervalSince(days[0]) == 21 * 86400)
            #expect(moved[0] < "20240212" && moved[0] > "20140201")
        }
        #expect(HeaderIndex.moved("20240230", "1") == "" && HeaderIndex.moved("", "1") == "")
    }
}
