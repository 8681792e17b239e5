import Foundation
import ImagingCore
import StudyArchive

/// Runs each case as a process of its own, `icemargin verify --supervised`: a case that crashes or takes all memory takes nothing else with it.
///
/// Foundation's `Process` suffices, and lets no descriptor but the three standard ones pass to the child: neither the lock of the
/// folder nor the pipe that keeps another case alive.
public struct CaseProcess: CaseRunner {
    private let executable: URL
    private let threads: Int

    /// - Parameter threads: how many threads the kernels of a case may use.
    public init(executable: URL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath(), threads: Int) {
        (self.executable, self.threads) = (executable, threads)
    }

    public func run(_ description: URL, into folder: URL, messages: URL, progress: @escaping @Sendable (String) -> Void) async -> CaseEnding
    {
        await withCheckedContinuation { continuation in
            // A thread of its own: it waits most of the time.
            Thread.detachNewThread {
                continuation.resume(returning: runBlocking(description, into: folder, messages: messages, progress: progress))
            }
        }
    }

    private func runBlocking(_ description: URL, into folder: URL, messages: URL, progress: (String) -> Void) -> CaseEnding {
        let process = Process(), input = Pipe(), output = Pipe()
        process.executableURL = executable
        process.arguments = ["verify", description.path, "--output", folder.path, "--supervised", "--threads", "\(threads)"]
        (process.standardInput, process.standardOutput) = (input, output)
        _ = FileManager.default.createFile(atPath: messages.path, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: messages.path) ?? FileHandle.nullDevice
        do { try process.run() } catch {
            return CaseEnding(
                failure: .init(
                    code: "cannot-start", message: "The run could not be started: \(error.localizedDescription).",
                    remedy: "Check how many processes and how much memory are allowed.", isLasting: false))
        }
        var finding: Finding?
        var peakMemoryMB: Double?
        for line in Lines(of: output.fileHandleForReading) {
            switch SupervisionMessage(line: line) {
            case .stage(let stage)?: progress(stage)
            case .failed(let reason)?: finding = reason
            case .ended(let peak)?: peakMemoryMB = peak
            case nil: break
            }
        }
        process.waitUntilExit()
        try? input.fileHandleForWriting.close()
        return CaseEnding(failure: failure(process, finding: finding), peakMemoryMB: peakMemoryMB)
    }

    private func failure(_ process: Process, finding: Finding?) -> RunRecord.Failure? {
        let status = process.terminationStatus
        if process.terminationReason == .uncaughtSignal {
            // Someone, or the kernel for want of memory, ended it; any other signal is its own doing.
            guard ![SIGKILL, SIGTERM, SIGINT, SIGHUP].contains(status) else {
                return .init(
                    code: "killed",
                    message: "The run was ended by signal \(status)\(status == SIGKILL ? ", perhaps for want of memory" : "").",
                    remedy: "Start the batch again, with fewer --jobs where memory is short.", isLasting: false)
            }
            return .init(
                code: "crashed", message: "The run crashed (signal \(status)).",
                remedy: "Report this with the version and the case; messages.txt has what it said last.", isLasting: true)
        }
        guard status != 0 else { return nil }
        return .init(
            code: finding?.code ?? "exit-\(status)", message: finding?.message ?? "The run ended with exit code \(status).",
            remedy: finding?.remedy ?? "messages.txt has what it said.", isLasting: [64, 65, 66, 70].contains(status))
    }
}

/// The lines of a stream, as they come.
private struct Lines: Sequence, IteratorProtocol {
    private let handle: FileHandle
    private var buffer = Data()

    init(of handle: FileHandle) { self.handle = handle }

    mutating func next() -> Data? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                defer { buffer = Data(buffer[(end + 1)...]) }
                return Data(buffer[..<end])
            }
            let more = handle.availableData
            guard !more.isEmpty else { return nil }
            buffer += more
        }
    }
}
