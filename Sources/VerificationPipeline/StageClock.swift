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

    /// The stages and the whole run so far.
    var timingsS: [String: Double] { secondsByStage.merging(["total": Self.seconds(since: started)]) { $1 } }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let duration = ContinuousClock.now - start
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}
