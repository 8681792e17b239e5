import Foundation
import ImagingCore

/// What is kept of one run of one case beside its results: what it was run on, with what, and how it ended.
///
/// It lies as `run.json` in the folder of the results, so that a folder is complete in itself, and in the archive's database.
/// Comparing it with the inputs of today tells whether the case is due again.
public struct RunRecord: Codable, Hashable, Sendable {
    public static let currentSchema = "icemargin.run/1"
    public static let fileName = "run.json"

    public enum State: String, Codable, Sendable { case done, failed }

    /// A file that the case reads.
    public struct InputFile: Codable, Hashable, Sendable {
        public var path: String
        public var size: Int64
        /// When it was last changed, nanoseconds since 1970.
        public var modifiedNS: Int64
        /// In hexadecimal; `nil` when the file could not be read or changed during the run.
        public var sha256: String?

        public init(path: String, size: Int64, modifiedNS: Int64, sha256: String? = nil) {
            (self.path, self.size, self.modifiedNS, self.sha256) = (path, size, modifiedNS, sha256)
        }
    }

    /// Why a run gave no result.
    public struct Failure: Codable, Hashable, Sendable {
        public var code: String
        public var message: String
        public var remedy: String
        /// Whether the same inputs would fail again; what the machine lacked (space, memory) may be there the next time.
        public var isLasting: Bool

        public init(code: String, message: String, remedy: String, isLasting: Bool) {
            (self.code, self.message, self.remedy, self.isLasting) = (code, message, remedy, isLasting)
        }
    }

    public var schema = RunRecord.currentSchema
    /// Differs between any two runs.
    public var id: String
    /// The name of the case's folder of results; unique in an archive.
    public var key: String
    /// Where the case comes from: the path of its case file or the row of a table.
    public var source: String
    /// What a table says about the case beside its inputs, for example the operator.
    public var columns: [String: String]
    public var state: State
    public var failure: Failure?
    /// Why it was run.
    public var due: String
    /// The version of IceMargin.
    public var version: String
    /// The options of `icemargin verify` that change results; `nil` where none were given.
    public var options: [String]?
    /// `nil` where the case description could not be read.
    public var profile: String?
    public var profileSHA256: String?
    /// Over the text of the case description; `nil` where it could not be read.
    public var descriptionSHA256: String?
    /// Sorted by path.
    public var inputs: [InputFile]
    /// ISO 8601 in UTC.
    public var started: String
    public var finished: String
    public var seconds: Double
    /// The largest memory that the run held; `nil` where not known.
    public var peakMemoryMB: Double?

    public init(
        id: String = UUID().uuidString, key: String, source: String, columns: [String: String] = [:], state: State, failure: Failure? = nil,
        due: String,
        version: String, options: [String] = [], profile: String?, profileSHA256: String?, descriptionSHA256: String?, inputs: [InputFile],
        started: Date,
        finished: Date,
        peakMemoryMB: Double?
    ) {
        (self.id, self.key, self.source, self.columns, self.state, self.failure, self.due) = (id, key, source, columns, state, failure, due)
        (self.version, self.profile, self.profileSHA256, self.descriptionSHA256) = (version, profile, profileSHA256, descriptionSHA256)
        self.options = options.isEmpty ? nil : options
        (self.inputs, self.peakMemoryMB) = (inputs, peakMemoryMB)
        (self.started, self.finished) = (Self.text(started), Self.text(finished))
        seconds = finished.timeIntervalSince(started)
    }

    private static func text(_ date: Date) -> String { date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }

    public func jsonData() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    /// Reads the record of a folder of results; `nil` where the folder has none that can be read.
    public static func read(folder: URL) -> RunRecord? {
        guard let data = FileManager.default.contents(atPath: folder.appending(path: fileName).path),
            let record = try? JSONDecoder().decode(RunRecord.self, from: data), record.schema == currentSchema
        else { return nil }
        return record
    }
}
