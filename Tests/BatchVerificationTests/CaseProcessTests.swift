import Foundation
import Testing

@testable import BatchVerification

/// Programs in the place of `icemargin verify`, each a few lines of shell.
@Suite struct CaseProcessTests {
    private func run(
        _ script: String, options: CaseOptions = CaseOptions(), limit: Duration? = nil
    ) async throws -> (ending: CaseEnding, said: String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "icemargin-process-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = folder.appending(path: "program"), messages = folder.appending(path: "messages.txt")
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        let ending = await CaseProcess(executable: program, threads: 1, options: options, limit: limit, grace: .milliseconds(300))
            .run(folder.appending(path: "case.yaml"), into: folder.appending(path: "results"), messages: messages) { _ in }
        return (ending, (try? String(contentsOf: messages, encoding: .utf8)) ?? "")
    }

    @Test func aRunThatHangsIsEndedAndSaysWhere() async throws {
        let stage = String(decoding: SupervisionMessage.stage("registration").line, as: UTF8.self)
        let (ending, _) = try await run("echo '\(stage)'; exec sleep 600", limit: .seconds(1))
        #expect(ending.failure?.code == "timed-out")
        #expect(ending.failure?.message == "The run was ended after 1 s, during: registration.")
        #expect(ending.failure?.isLasting == true)
    }

    /// Killed, it still holds the batch's pipe through a child of its own.
    @Test func aRunThatCannotBeEndedIsLeftToItself() async throws {
        let (ending, _) = try await run("sleep 20 & wait", limit: .milliseconds(500))
        #expect(ending.failure?.code == "timed-out")
    }

    @Test func aRunWithinItsTimeIsNotEnded() async throws {
        #expect(try await run("sleep 0.2", limit: .seconds(60)).ending.failure == nil)
        #expect(try await run("kill -9 $$", limit: .seconds(60)).ending.failure?.code == "killed")
    }

    @Test func optionsAreHandedOn() async throws {
        var options = CaseOptions()
        (options.simulates, options.isIdentified) = (false, true)
        let said = try await run("echo \"$@\" >&2", options: options).said
        #expect(said.contains("--supervised") && said.contains("--no-simulation") && said.contains("--identified"))
        #expect(!said.contains("--no-dicom"))
    }
}
