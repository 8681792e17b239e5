import Foundation
import Testing

@testable import VerificationPipeline

@Suite final class ResultsFolderTests {
    let parent: URL

    init() throws {
        parent = FileManager.default.temporaryDirectory.appending(path: "results-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: parent) }

    private var destination: URL { parent.appending(path: "case") }
    private func names(_ folder: URL) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }

    private static func report(_ text: String) -> String { "{\n  \"schema\": \"icemargin.report/1\",\n  \"case\": \"\(text)\"\n}" }

    private func makeResult(_ text: String, overwrite: Bool = false) throws {
        let folder = try ResultsFolder(destination: destination, overwrite: overwrite)
        try folder.write(Data(Self.report(text).utf8), to: "report.json")
        try folder.write(Data(), to: "images/a.png")
        try folder.commit()
    }

    @Test func nothingHasTheFinalNameBeforeCommit() throws {
        let folder = try ResultsFolder(destination: destination, overwrite: false)
        try folder.write(Data("x".utf8), to: "report.json")
        #expect(!FileManager.default.fileExists(atPath: destination.path))
        folder.discard()
        #expect(try names(parent) == [])
    }

    @Test func resultsAppearWholeAndAreReplacedOnlyOnDemand() throws {
        try makeResult("first")
        #expect(try names(destination) == [ResultsFolder.list, "images", "report.json"])
        #expect(throws: ResultsError.self) { try makeResult("second") }
        try makeResult("second", overwrite: true)
        #expect(try String(contentsOf: destination.appending(path: "report.json"), encoding: .utf8) == Self.report("second"))
        #expect(try names(parent) == ["case"])
    }

    @Test func foldersOfOthersAreNeverReplaced() throws {
        try FileManager.default.createDirectory(at: destination, withIntermediateDirectories: true)
        try Data("precious".utf8).write(to: destination.appending(path: "scan.dcm"))
        #expect(throws: ResultsError.self) { try makeResult("result", overwrite: true) }
        #expect(try names(destination) == ["scan.dcm"])
    }

    @Test(arguments: ["notes.txt", "images/b.png", "new/c"]) func aResultThatHoldsSomeoneElsesFileIsNotReplaced(name: String) throws {
        try makeResult("first")
        let file = destination.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("precious".utf8).write(to: file)
        #expect { try makeResult("second", overwrite: true) } throws: {
            ($0 as? ResultsError)?.finding.message.contains("(\(name))") == true
        }
        #expect(try names(parent) == ["case"] && FileManager.default.contents(atPath: file.path) == Data("precious".utf8))
        try FileManager.default.removeItem(at: file)
        try makeResult("second", overwrite: true)
    }

    @Test func aReportOfAnotherProgramIsNotReplaced() throws {
        try FileManager.default.createDirectory(at: destination, withIntermediateDirectories: true)
        try Data("{\"results\": []}".utf8).write(to: destination.appending(path: "report.json"))
        #expect(throws: ResultsError.self) { try makeResult("result", overwrite: true) }
        #expect(try names(destination) == ["report.json"])
    }

    @Test func nothingIsWrittenIntoAFolderOfScans() throws {
        let scan = parent.appending(path: "scan"), link = parent.appending(path: "link")
        try FileManager.default.createDirectory(at: scan, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: scan)
        for folder in [scan, scan.appending(path: "new/result"), link.appending(path: "result")] {
            #expect(throws: ResultsError.self) { try ResultsFolder(destination: folder, overwrite: false, inputs: [scan]) }
        }
        #expect(try names(scan) == [])
        try ResultsFolder(destination: parent.appending(path: "scan-result"), overwrite: false, inputs: [scan, link]).discard()
    }

    @Test func aLinkToAResultStaysALink() throws {
        try makeResult("first")
        let link = parent.appending(path: "link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: destination)
        let folder = try ResultsFolder(destination: link, overwrite: true)
        try folder.write(Data(Self.report("second").utf8), to: "report.json")
        try folder.commit()
        #expect(try names(parent) == ["case", "link"] && names(destination) == [ResultsFolder.list, "report.json"])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == destination.path)
    }

    /// A batch tells a full disk by these words, whoever met it.
    @Test(arguments: [
        NSError(domain: NSCocoaErrorDomain, code: CocoaError.fileWriteOutOfSpace.rawValue),
        NSError(
            domain: NSCocoaErrorDomain, code: 512,
            userInfo: [NSUnderlyingErrorKey: NSError(domain: NSPOSIXErrorDomain, code: Int(ENOSPC))]),
    ]) func aFullDiskIsToldInTheSystemsWords(error: NSError) {
        #expect(ResultsFolder.reason(error) == "No space left on device.")
    }

    @Test func aFileInThePlaceOfAParentIsAClearError() throws {
        try Data().write(to: destination)
        #expect(throws: ResultsError.self) { try ResultsFolder(destination: destination.appending(path: "inner"), overwrite: false) }
    }
}
