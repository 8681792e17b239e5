import Foundation
import ImagingCore

/// How `icemargin verify --supervised` tells the batch that started it how it goes: a line of JSON on standard output for each message.
public enum SupervisionMessage: Codable, Sendable, Hashable {
    case stage(String)
    case failed(Finding)
    case ended(peakMemoryMB: Double)

    /// The line, with its newline.
    public var line: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try! encoder.encode(self)) + Data("\n".utf8)
    }

    init?(line: some DataProtocol) {
        guard let message = try? JSONDecoder().decode(Self.self, from: Data(line)) else { return nil }
        self = message
    }
}

/// The part of the protocol that runs in the supervised process.
public enum Supervision {
    /// The exit code of a run whose batch is gone.
    public static let orphanExitCode: Int32 = 75

    /// Ends this process as soon as standard input does, which the batch holds open: nothing goes on writing when the batch was killed.
    public static func endWithSupervisor() {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { _exit(orphanExitCode) }
            }
        }
    }

    /// The largest memory that this process held so far.
    public static var peakMemoryMB: Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return Double(usage.ru_maxrss) / 1024
    }
}
