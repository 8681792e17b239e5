import Dispatch
import Foundation

/// What is done when a person or a scheduler ends the program.
enum Interruption {
    /// Runs `body`; where the program is told to end meanwhile, `cleanUp` runs first.
    static func handled<Result>(cleanUp: @escaping @Sendable () -> Void, _ body: () throws -> Result) rethrows -> Result {
        let signals = [SIGINT, SIGTERM, SIGHUP]
        let sources = signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: DispatchQueue(label: "interruption"))
            source.setEventHandler {
                cleanUp()
                signal(number, SIG_DFL)
                kill(getpid(), number)
            }
            source.resume()
            return source
        }
        defer {
            sources.forEach { $0.cancel() }
            signals.forEach { signal($0, SIG_DFL) }
        }
        return try body()
    }
}
