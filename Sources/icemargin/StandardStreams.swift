import Foundation
import ImagingCore

/// Standard output: results only. What cannot be written is an error, not a crash.
enum StandardOutput {
    static func write(_ text: String) throws(StreamError) { try write(Data(text.utf8)) }

    static func write(_ data: Data) throws(StreamError) {
        if let cause = POSIXStream.write(data, to: STDOUT_FILENO) { throw StreamError(reason: String(cString: strerror(cause))) }
    }
}

/// Standard error, line by line: everything that is not a result.
enum StandardError {
    static func write(_ line: String) { writeRaw(line + "\n") }

    /// Nobody is left to tell when this fails.
    static func writeRaw(_ text: String) { _ = POSIXStream.write(Data(text.utf8), to: STDERR_FILENO) }
}

/// Standard output takes no more.
struct StreamError: ReportableError {
    let reason: String

    var category: FailureCategory { .cannotWrite }
    var finding: Finding {
        Finding(.error, "standard-output", "The result cannot be written to standard output: \(reason).", remedy: "Check where it is sent.")
    }
}

private enum POSIXStream {
    /// Writes all of `data`. Returns the `errno` of what failed.
    static func write(_ data: Data, to descriptor: Int32) -> Int32? {
        data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 { rest = rest.dropFirst(count) } else if count < 0, errno != EINTR { return errno }
            }
            return nil
        }
    }
}
