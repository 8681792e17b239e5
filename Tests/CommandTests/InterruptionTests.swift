import Foundation
import Testing

/// Commands that a person or a scheduler ends.
@Suite struct InterruptionTests {
    private static let plan = """
        schema: icemargin.simulation/1
        tissue: liver
        probes: [{model: reference-17g, tip: [0, 0, 0], tail: [0, 0, 120]}]
        protocol: {freeze: 10}
        outputTimes: [600]

        """

    @Test(arguments: [
        ["verify", "--no-simulation", "STUDY"], ["segment", "--ice", "STUDY/intraprocedural"],
        ["register", "--moving", "STUDY/planning", "--fixed", "STUDY/intraprocedural"], ["simulate", "PLAN"],
        ["phantom", "--site", "liver", "--size", "full"],
    ])
    func anInterruptedRunLeavesNothingBehind(command: [String]) throws {
        // On a busy machine the run may end before the signal reaches it: then once more.
        for _ in 0..<6 {
            let folder = try TemporaryFolder(), parent = folder.url.appending(path: "results")
            let plan = folder.url.appending(path: "run.yaml")
            try Data(Self.plan.utf8).write(to: plan)
            let process = Process()
            // Behind everything else on the machine, so that whoever watches it is in time.
            process.executableURL = URL(filePath: "/usr/bin/nice")
            process.arguments = ["-n", "19", CommandRunner.binary.path]
                + command.map { $0.replacing("STUDY", with: VerifyCommandTests.liver.path).replacing("PLAN", with: plan.path) }
                + ["--output", parent.appending(path: "r").path]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            while process.isRunning, try Self.files(in: parent).isEmpty { usleep(2000) }
            process.terminate()
            process.waitUntilExit()
            if process.terminationReason == .exit, process.terminationStatus == 0 { continue }
            #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGTERM)
            #expect(try Self.files(in: parent) == [])
            return
        }
        Issue.record("each run ended before it was interrupted")
    }

    /// `nohup` ignores the end of the terminal, and so does what it runs.
    @Test func aRunThatIsToOutliveItsTerminalDoes() throws {
        let folder = try TemporaryFolder(), parent = folder.url.appending(path: "results")
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c", "trap '' HUP; exec \"$@\"", "sh", CommandRunner.binary.path, "phantom", "--site", "liver",
            "--output", parent.appending(path: "r").path,
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        while process.isRunning, try Self.files(in: parent).isEmpty { usleep(2000) }
        kill(process.processIdentifier, SIGHUP)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
        #expect(try Self.files(in: parent) == ["r"])
    }

    /// None where there is no such folder yet.
    private static func files(in folder: URL) throws -> [String] {
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder.path)
    }
}
