import BatchVerification
import Foundation
import StudyArchive
import Synchronization

/// Shows how a batch goes, on standard error.
final class BatchProgress: Sendable {
    private struct State {
        var total = 0, due = 0, done = 0, failed = 0
        var running: [(key: String, stage: String)] = []
        var began = Date()
        var linesOnScreen = 0
    }

    private enum Style { case live, lines, json }
    private let style: Style
    private let state = Mutex(State())

    init(style: BatchCommand.ProgressStyle) {
        self.style = style == .json ? .json : isatty(STDERR_FILENO) == 1 ? .live : .lines
    }

    func show(_ event: BatchEvent) {
        state.withLock { state in
            Self.update(&state, event)
            switch style {
            case .json: StandardError.write(Self.json(event))
            case .lines: if let line = Self.line(event, state) { StandardError.write(line) }
            case .live: redraw(&state, above: Self.line(event, state))
            }
        }
    }

    /// Clears what is live.
    func finish() { state.withLock { Self.clear(&$0) } }

    private static func update(_ state: inout State, _ event: BatchEvent) {
        switch event {
        case .planned(let cases, let due): (state.total, state.due, state.began) = (cases, due, Date())
        case .started(let batchCase, _): state.running.append((batchCase.key, "starting"))
        case .stage(let batchCase, let stage):
            if let index = state.running.firstIndex(where: { $0.key == batchCase.key }) { state.running[index].stage = stage }
        case .ended(let batchCase, let record, _):
            state.running.removeAll { $0.key == batchCase.key }
            state.done += 1
            if record.state == .failed { state.failed += 1 }
        case .skipped(let batchCase):
            state.running.removeAll { $0.key == batchCase.key }
            state.done += 1
        }
    }

    /// A line that stays; `nil` for what only matters while it lasts.
    private static func line(_ event: BatchEvent, _ state: State) -> String? {
        switch event {
        case .planned(let cases, let due): "\(BatchTables.cases(cases)), \(due) due"
        case .started, .stage: nil
        case .skipped(let batchCase): "\(state.done)/\(state.due) \(batchCase.key): another process has it"
        case .ended(let batchCase, let record, let verdict):
            "\(state.done)/\(state.due) \(batchCase.key): \(record.failure.map { "FAILED (\($0.message))" } ?? verdict ?? "done") "
                + "in \(String(format: "%.1f", record.seconds)) s (\(record.due))"
        }
    }

    private func redraw(_ state: inout State, above line: String?) {
        Self.clear(&state)
        if let line { StandardError.write(line) }
        guard state.done < state.due else { return }
        var lines = state.running.map { "  \($0.key): \($0.stage) …" }
        lines.append("\(state.done) of \(state.due) done, \(state.running.count) running, \(state.failed) failed\(Self.timeLeft(state))")
        StandardError.writeRaw(lines.map { String($0.prefix(200)) + "\n" }.joined())
        state.linesOnScreen = lines.count
    }

    private static func timeLeft(_ state: State) -> String {
        guard state.done > 0 else { return "" }
        let seconds = Date().timeIntervalSince(state.began) / Double(state.done) * Double(state.due - state.done)
        return ", about "
            + (seconds < 90
                ? "\(Int(seconds.rounded(.up))) s" : seconds < 5400 ? "\(Int(seconds / 60)) min" : String(format: "%.1f h", seconds / 3600))
            + " left"
    }

    private static func clear(_ state: inout State) {
        guard state.linesOnScreen > 0 else { return }
        StandardError.writeRaw("\u{1b}[\(state.linesOnScreen)A\u{1b}[J")
        state.linesOnScreen = 0
    }

    private struct Document: Encodable {
        var event: String
        var key, stage, due, state, verdict, message, remedy: String?
        var cases, dueCount: Int?
        var seconds: Double?
    }

    private static func json(_ event: BatchEvent) -> String {
        var document: Document
        switch event {
        case .planned(let cases, let due): document = Document(event: "planned", cases: cases, dueCount: due)
        case .started(let batchCase, let due): document = Document(event: "started", key: batchCase.key, due: due)
        case .stage(let batchCase, let stage): document = Document(event: "stage", key: batchCase.key, stage: stage)
        case .skipped(let batchCase): document = Document(event: "skipped", key: batchCase.key)
        case .ended(let batchCase, let record, let verdict):
            document = Document(
                event: "ended", key: batchCase.key, due: record.due, state: record.state.rawValue, verdict: verdict,
                message: record.failure?.message,
                remedy: record.failure?.remedy, seconds: record.seconds)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: (try? encoder.encode(document)) ?? Data(), as: UTF8.self)
    }
}
