import Foundation

/// Measures how long the stages of a run take, and says which one is running.
final class StageClock {
    private let progress: (String?) -> Void
    private let started = ContinuousClock.now
    /// Wall-clock seconds by stage.
    private(set) var secondsByStage: [String: Double] = [:]

    init(progress: @escaping (String?) -> Void) { self.progress = progress }

    /// Runs a stage; one that runs again adds up.
    func measure<Result>(_ stage: String, as description: String, _ body: () throws -> Result) rethrows -> Result {
        progress(description)
        let start = ContinuousClock.now
        defer {
            secondsByStage[stage, default: 0] += Self.seconds(since: start)
            progress(nil)
        }
        return try body()
    }

    /// The same for a long stage that says how far it is, as a share from 0 to 1.
    func measure<Result>(
        _ stage: String, as description: String, _ body: (@Sendable (Double) -> Void) throws -> Result
    ) rethrows -> Result {
        let report = LockedProgress(progress)
        return try measure(stage, as: description) { try body { share in report.show("\(description) \(Int(100 * share)) %") } }
    }

    /// The stages and the whole run so far.
    var timingsS: [String: Double] { secondsByStage.merging(["total": Self.seconds(since: started)]) { $1 } }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let duration = ContinuousClock.now - start
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}

/// Passes progress on from any thread.
private final class LockedProgress: @unchecked Sendable {
    private let lock = NSLock()
    private let progress: (String?) -> Void
    init(_ progress: @escaping (String?) -> Void) { self.progress = progress }
    func show(_ text: String) { lock.withLock { progress(text) } }
}
