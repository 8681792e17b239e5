/// Something that a person should know about their data or a result: how grave, what, and what to do about it.
public struct Finding: Hashable, Sendable, Codable {
    /// `info`: worth knowing; `warning`: look before relying on the result; `error`: something cannot be used or trusted.
    public enum Severity: String, Sendable, Codable, Comparable {
        case info, warning, error

        private var rank: Int { [.info: 0, .warning: 1, .error: 2][self]! }
        public static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }
    }

    public var severity: Severity
    /// A stable name in kebab-case, for programs.
    public var code: String
    /// One or two sentences that name the value and the place.
    public var message: String
    /// What the user can do; empty when there is nothing to do.
    public var remedy: String

    public init(_ severity: Severity, _ code: String, _ message: String, remedy: String = "") {
        (self.severity, self.code, self.message, self.remedy) = (severity, code, message, remedy)
    }
}

/// What kind of failure an error is; the command turns it into its exit code.
public enum FailureCategory: Sendable, Hashable {
    case usage, badData, inputMissing, peerUnreachable, cannotWrite, internalError
}

/// An error that can be shown to a person: what, where, and a remedy.
public protocol ReportableError: Error, CustomStringConvertible {
    var finding: Finding { get }
    var category: FailureCategory { get }
}

extension ReportableError {
    public var description: String {
        let finding = finding
        return finding.remedy.isEmpty ? finding.message : "\(finding.message) \(finding.remedy)"
    }
}
