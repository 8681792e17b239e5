import Foundation
import ImagingCore
import StudyArchive
import Synchronization

/// Runs each case as a process of its own, `icemargin verify --supervised`: a case that crashes, hangs or takes all memory takes nothing
/// else with it.
///
/// Foundation's `Process` suffices, and lets no descriptor but the three standard ones pass to the child: neither the lock of the
/// folder nor the pipe that keeps another case alive.
public struct CaseProcess: CaseRunner {
    private let executable: URL
    private let threads: Int
    public let options: CaseOptions
    private let limit: Duration?
    /// How long a process that was killed may take to go before it is left to itself: one that waits for a lost file server cannot be
    /// killed.
    private let grace: Duration

    /// - Parameters:
    ///   - threads: how many threads the kernels of a case may use.
    ///   - limit: how long a case may take before it is ended; `nil` for as long as it likes.
    public init(
        executable: URL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath(), threads: Int, options: CaseOptions = CaseOptions(),
        limit: Duration? = nil, grace: Duration = .seconds(20)
    ) {
        (self.executable, self.threads, self.options, self.limit, self.grace) = (executable, threads, options, limit, grace)
    }

    public func run(_ description: URL, into folder: URL, messages: URL, progress: @escaping @Sendable (String) -> Void) async -> CaseEnding
    {
        await withCheckedContinuation { continuation in
            let answer = FirstAnswer(continuation)
            // A thread of its own: it waits most of the time.
            Thread.detachNewThread {
                answer.give(runBlocking(description, into: folder, messages: messages, progress: progress, or: answer))
            }
        }
    }

    /// - Parameter answer: is given by the time limit when not even killing the process ends it.
    private func runBlocking(
        _ description: URL, into folder: URL, messages: URL, progress: (String) -> Void, or answer: FirstAnswer
    ) -> CaseEnding {
        let process = Process(), input = Pipe(), output = Pipe()
        process.executableURL = executable
        process.arguments =
            ["verify", description.path, "--output", folder.path, "--supervised", "--threads", "\(threads)"] + options.arguments
        (process.standardInput, process.standardOutput) = (input, output)
        _ = FileManager.default.createFile(atPath: messages.path, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: messages.path) ?? FileHandle.nullDevice
        do { try process.run() } catch {
            return CaseEnding(
                failure: .init(
                    code: "cannot-start", message: "The run could not be started: \(error.localizedDescription).",
                    remedy: "Check how many processes and how much memory are allowed.", isLasting: false))
        }
        let watch = limit.map { TimeLimit($0, grace: grace, of: process.processIdentifier, answer: answer) }
        var finding: Finding?
        var peakMemoryMB: Double?
        for line in Lines(of: output.fileHandleForReading) {
            switch SupervisionMessage(line: line) {
            case .stage(let stage)?:
                watch?.note(stage)
                progress(stage)
            case .failed(let reason)?: finding = reason
            case .ended(let peak)?: peakMemoryMB = peak
            case nil: break
            }
        }
        process.waitUntilExit()
        try? input.fileHandleForWriting.close()
        let failure = process.terminationReason == .uncaughtSignal ? watch?.failure : nil
        watch?.end()
        return CaseEnding(failure: failure ?? self.failure(process, finding: finding), peakMemoryMB: peakMemoryMB)
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

/// Resumes what waits for a case once, with the first ending that is given.
private final class FirstAnswer: Sendable {
    private let continuation: Mutex<CheckedContinuation<CaseEnding, Never>?>

    init(_ continuation: CheckedContinuation<CaseEnding, Never>) { self.continuation = Mutex(continuation) }

    func give(_ ending: CaseEnding) {
        continuation.withLock { waiting in
            waiting?.resume(returning: ending)
            waiting = nil
        }
    }
}

/// Kills a process that takes longer than it may, and answers for it if it does not even go then.
///
/// Time in which the machine sleeps does not count.
private final class TimeLimit: Sendable {
    private struct State {
        var stage = ""
        var failure: RunRecord.Failure?
        var hasEnded = false
    }
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "time limit of a case")

    init(_ limit: Duration, grace: Duration, of process: pid_t, answer: FirstAnswer) {
        queue.asyncAfter(deadline: .now() + limit.seconds) { [self] in
            guard let failure = fire(limit, process) else { return }
            queue.asyncAfter(deadline: .now() + grace.seconds) { answer.give(CaseEnding(failure: failure)) }
        }
    }

    func note(_ stage: String) { state.withLock { $0.stage = stage } }
    /// Why the process was killed; `nil` when it was not.
    var failure: RunRecord.Failure? { state.withLock(\.failure) }
    /// Once the process is gone: its number may become another's.
    func end() { state.withLock { $0.hasEnded = true } }

    private func fire(_ limit: Duration, _ process: pid_t) -> RunRecord.Failure? {
        state.withLock { state in
            guard !state.hasEnded else { return nil }
            let failure = RunRecord.Failure(
                code: "timed-out",
                message: "The run was ended after \(Self.text(limit))\(state.stage.isEmpty ? "" : ", during: \(state.stage)").",
                remedy:
                    "Run the case alone with icemargin verify to see where it stays. Where it only needs longer, start the batch with --retry-failures and a longer --case-timeout.",
                isLasting: true)
            state.failure = failure
            kill(process, SIGKILL)
            return failure
        }
    }

    private static func text(_ limit: Duration) -> String {
        limit.seconds < 120 ? "\(String(format: "%g", limit.seconds)) s" : "\(String(format: "%g", limit.seconds / 60)) minutes"
    }
}

extension Duration {
    fileprivate var seconds: Double { self / .seconds(1) }
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
