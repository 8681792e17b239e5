import ArgumentParser
import Foundation
import ImagingCore

@main
enum Main {
    /// Runs the command; an error that can be shown to a person becomes its message, its remedy and its exit code.
    static func main() async {
        do {
            var command = try IceMargin.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as any ReportableError {
            let finding = error.finding
            StandardError.write("icemargin: \(finding.message)")
            if !finding.remedy.isEmpty { StandardError.write("  \(finding.remedy)") }
            Foundation.exit(error.category.exitCode.rawValue)
        } catch where IceMargin.exitCode(for: error) == .failure && !(error is ExitCode) {
            // Not the user's mistake: nothing that was expected to go wrong.
            StandardError.write("icemargin: internal error: \(error)")
            Foundation.exit(FailureCategory.internalError.exitCode.rawValue)
        } catch {
            IceMargin.exit(withError: error)
        }
    }
}


extension FailureCategory {
    /// The process exit code: the numbers of BSD's `sysexits.h`.
    var exitCode: ExitCode {
        switch self {
        case .usage: ExitCode(64)
        case .badData: ExitCode(65)
        case .inputMissing: ExitCode(66)
        case .peerUnreachable: ExitCode(69)
        case .internalError: ExitCode(70)
        case .cannotWrite: ExitCode(73)
        }
    }
}
