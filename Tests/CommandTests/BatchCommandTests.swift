import Foundation
import Testing
import VerificationPipeline

/// Batches as processes, which can be killed.
@Suite struct BatchCommandTests {
    /// The liver study under several names, and a case whose planning scan is no DICOM.
    static func archive(in folder: URL, copies: Int) throws {
        let manager = FileManager.default
        let text = try String(contentsOf: VerifyCommandTests.liver.appending(path: "case.yaml"), encoding: .utf8)
        for index in 0..<copies {
            let study = folder.appending(path: "archive/\(index)")
            try manager.createDirectory(at: study, withIntermediateDirectories: true)
            for name in ["planning", "intraprocedural", "masks"] {
                try manager.createSymbolicLink(
                    at: study.appending(path: name), withDestinationURL: VerifyCommandTests.liver.appending(path: name))
            }
            try Data(text.replacing("id: liver-ct-12", with: "id: copy-\(index)").utf8).write(to: study.appending(path: "case.yaml"))
        }
        let broken = folder.appending(path: "archive/broken")
        try manager.createDirectory(at: broken.appending(path: "planning"), withIntermediateDirectories: true)
        try Data("not DICOM".utf8).write(to: broken.appending(path: "planning/1"))
        try Data(text.replacing("id: liver-ct-12", with: "id: broken").utf8).write(to: broken.appending(path: "case.yaml"))
    }

    /// Whether a process whose arguments name `folder` is alive.
    private static func isRunning(under folder: URL) -> Bool {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.contains { name in
            FileManager.default.contents(atPath: "/proc/\(name)/cmdline").map { String(decoding: $0, as: UTF8.self).contains(folder.path) }
                ?? false
        }
    }

    private static func endsWithinThreeSeconds(_ lasts: () -> Bool) -> Bool {
        for _ in 0..<30 {
            guard lasts() else { return true }
            usleep(100_000)
        }
        return false
    }

    /// Killed as soon as its first case has ended, the batch leaves no process behind, and goes on where it was.
    @Test func aKilledBatchIsTakenUpAgain() throws {
        let folder = try TemporaryFolder()
        try Self.archive(in: folder.url, copies: 2)
        let arguments = [
            "batch", folder.url.appending(path: "archive").path, "--output", folder.url.appending(path: "out").path, "--jobs", "1",
            "--progress", "json",
        ]
        let process = Process(), events = Pipe()
        process.executableURL = CommandRunner.binary
        process.arguments = arguments
        (process.standardError, process.standardOutput, process.standardInput) = (events, FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
        var text = ""
        while !text.contains("\"event\":\"ended\"") {
            let more = events.fileHandleForReading.availableData
            try #require(!more.isEmpty)
            text += String(decoding: more, as: UTF8.self)
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(Self.endsWithinThreeSeconds { Self.isRunning(under: folder.url) })

        let again = try CommandRunner.run(arguments + ["--json"])
        #expect(again.status == 2, "\(again.errors)")
        struct Summary: Decodable {
            struct Case: Decodable { var key, state: String, failure: Failure? }
            struct Failure: Decodable { var code, remedy: String }
            var runCount: Int
            var cases: [Case]
        }
        let summary = try JSONDecoder().decode(Summary.self, from: Data(again.output.utf8))
        #expect(summary.runCount == 2)
        #expect(summary.cases.map(\.key) == ["copy-0", "copy-1", "broken"])
        #expect(summary.cases.map(\.state) == ["done", "done", "failed"])
        #expect(summary.cases[2].failure?.remedy.isEmpty == false)
        let report = try Data(contentsOf: folder.url.appending(path: "out/cases/copy-1/report.json"))
        #expect(try VerifyCommandTests.Report(report).verdict.status == "met")

        #expect(try CommandRunner.run("group-report", folder.url.appending(path: "out").path).status == 0)
        let page = try String(contentsOf: folder.url.appending(path: "out/group-report.html"), encoding: .utf8)
        #expect(page.contains("href=\"cases/copy-1/report.html\"") && page.contains("broken"))
    }

    /// A case whose batch is gone ends by itself, whatever it is doing, and leaves nothing.
    @Test func aCaseEndsWithItsBatch() throws {
        let folder = try TemporaryFolder(), process = Process(), input = Pipe(), output = Pipe()
        process.executableURL = CommandRunner.binary
        process.arguments = ["verify", VerifyCommandTests.liver.path, "--output", folder.url.appending(path: "result").path, "--supervised"]
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, FileHandle.nullDevice)
        try process.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).hasPrefix("{\"stage\""))
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        #expect(process.terminationStatus == 75)
        #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: "result").path))
    }

    /// An archive of DICOM alone: the planning scan's segmentation, as this program writes it, and the scans of the two studies.
    @Test func casesArePairedFromDICOM() throws {
        let folder = try TemporaryFolder(), images = folder.url.appending(path: "images"), result = folder.url.appending(path: "result")
        try #require(CommandRunner.run("verify", "--no-simulation", VerifyCommandTests.liver.path, "--output", result.path).status == 0)
        try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
        for name in ["planning", "intraprocedural"] {
            try FileManager.default.copyItem(at: VerifyCommandTests.liver.appending(path: name), to: images.appending(path: name))
        }
        try FileManager.default.copyItem(at: result.appending(path: "dicom/segmentation-planning.dcm"), to: images.appending(path: "x"))

        let output = folder.url.appending(path: "out")
        let run = try CommandRunner.run("batch", images.path, "--output", output.path, "--dry-run")
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            run.output.contains("which it names; ice: CT “Ice, 10 min”, 21 days later, called so") && run.output.contains("1 case, 1 due"))
        let key = try #require(FileManager.default.contentsOfDirectory(atPath: output.appending(path: "descriptions").path).first)
        let description = try CaseDescription.read(output.appending(path: "descriptions/\(key)"))
        #expect(description.site == "liver" && description.planning.seriesUID != description.treated.seriesUID)
        let links = try FileManager.default.contentsOfDirectory(atPath: description.planning.folder.path)
        #expect(links.count == (try FileManager.default.contentsOfDirectory(atPath: images.appending(path: "planning").path).count))
        guard case .mask(let mask) = description.tumours[0].source, case .segmentation(let file, let segment) = mask.source else {
            Issue.record("no segmentation")
            return
        }
        #expect(file.lastPathComponent == "x" && segment == .number(1))
    }
}
