import Dispatch
import Foundation

/// What is done when a person or a scheduler ends the program.
enum Interruption {
    /// Runs `body`; where the program is told to end meanwhile, `cleanUp` runs first.
    static func handled<Result>(cleanUp: @escaping @Sendable () -> Void, _ body: () async throws -> Result) async rethrows -> Result {
        let sources = listen(cleanUp)
        defer { end(sources) }
        return try await body()
    }

    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// A signal that was ignored when the program began, as `nohup` has it, stays so.
    private static func listen(_ cleanUp: @escaping @Sendable () -> Void) -> [any DispatchSourceSignal] {
        signals.filter { !isIgnored($0) }.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: DispatchQueue(label: "interruption"))
            source.setEventHandler {
                cleanUp()
                signal(number, SIG_DFL)
                // Threads of queues have signals blocked; sent to the process, it would only come here again.
                var own = sigset_t()
                sigemptyset(&own)
                sigaddset(&own, number)
                pthread_sigmask(SIG_UNBLOCK, &own, nil)
                raise(number)
            }
            source.resume()
            return source
        }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private static func end(_ sources: [any DispatchSourceSignal]) {
        sources.forEach {
            $0.cancel()
            signal(Int32($0.handle), SIG_DFL)
        }
    }
}
