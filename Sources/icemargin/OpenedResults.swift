import Synchronization
import VerificationPipeline

/// The results that a command is writing, for whoever has to remove them.
final class OpenedResults: Sendable {
    private let folder = Mutex<ResultsFolder?>(nil)

    /// Runs `body`; where it fails, or the program is told to end meanwhile, the folder that it opened is removed.
    static func removedUnlessComplete<Result>(_ body: (OpenedResults) async throws -> Result) async throws -> Result {
        let opened = OpenedResults()
        return try await Interruption.handled(cleanUp: opened.discard) {
            do { return try await body(opened) } catch {
                opened.discard()
                throw error
            }
        }
    }

    /// Makes the folder; nobody comes between its making and its being known here.
    func open(_ make: () throws -> ResultsFolder) throws -> ResultsFolder {
        try folder.withLock { folder in
            let made = try make()
            folder = made
            return made
        }
    }

    private func discard() { folder.withLock { $0?.discard() } }
}
