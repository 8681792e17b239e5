import Foundation
import GRDB
import ImagingCore
import Reporting

/// The database of a folder of many cases: what was run, on what, and what it found.
///
/// SQLite in WAL mode. One run is stored in one transaction, together with its metrics; the folder of results is there before
/// its row, so that a row never points to nothing. One process writes at a time (see `FolderLock`).
public struct StudyArchive: Sendable {
    public static let fileName = "archive.sqlite"

    let database: DatabasePool
    private let file: URL

    /// Opens the database in `folder`, and makes it where there is none.
    public init(folder: URL) throws(ArchiveError) {
        file = folder.appending(path: Self.fileName)
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        do {
            database = try DatabasePool(path: file.path, configuration: configuration)
            let migrator = ArchiveSchema.migrator
            guard try database.read({ try !migrator.hasBeenSuperseded($0) }) else { throw ArchiveError.newer(file) }
            try migrator.migrate(database)
        } catch {
            throw ArchiveError(error, file: file)
        }
    }

    /// Whether `folder` has a database.
    public static func exists(in folder: URL) -> Bool { FileManager.default.fileExists(atPath: folder.appending(path: fileName).path) }

    /// Stores a run and, when it gave one, its report. A run that is there already is left as it is.
    ///
    /// - Returns: whether it was new.
    @discardableResult
    public func store(_ record: RunRecord, report: CaseReport?) throws(ArchiveError) -> Bool {
        do {
            return try database.write { db in
                guard try !RunRow.exists(db, key: record.id) else { return false }
                try StudyRow(record, site: report?.case.site).upsertKeepingSite(db)
                try RunRow(record, report: report).insert(db)
                if let report { try Self.storeMetrics(of: report, run: record.id, in: db) }
                return true
            }
        } catch {
            throw ArchiveError(error, file: file)
        }
    }

    private static func storeMetrics(of report: CaseReport, run: String, in db: Database) throws {
        let tumours = Dictionary(report.tumours.map { ($0.id, $0) }) { first, _ in first }
        for margin in report.margins { try MarginRow(margin, of: tumours[margin.tumour], run: run).insert(db) }
        for structure in report.structures { try StructureRow(structure, run: run).insert(db) }
        for finding in report.findings { try FindingRow(finding, run: run).insert(db) }
        for (stage, seconds) in report.timingsS { try TimingRow(run: run, stage: stage, seconds: seconds).insert(db) }
    }

    /// The latest run of each case, by its key.
    public func latestRuns() throws(ArchiveError) -> [String: RunRecord] {
        try reading { db in
            var latest: [String: RunRecord] = [:]
            for row in try RunRow.order(Column("finished"), Column.rowID).fetchCursor(db).map({ try $0.decoded() }).array() {
                latest[row.key] = row
            }
            return latest
        }
    }

    /// Brings what tables say about cases up to date; cases that the archive does not know are passed over.
    public func update(columns: [String: [String: String]]) throws(ArchiveError) {
        do {
            try database.write { db in
                for var row in try StudyRow.fetchAll(db) {
                    guard let new = columns[row.key], new != row.columns else { continue }
                    row.columns = new
                    try row.update(db)
                }
            }
        } catch {
            throw ArchiveError(error, file: file)
        }
    }

    /// The identifiers of all runs.
    public func runIDs() throws(ArchiveError) -> Set<String> {
        try reading { try String.fetchSet($0, sql: "SELECT id FROM run") }
    }

    /// The key that a source was given earlier.
    public func keysBySource() throws(ArchiveError) -> [String: String] {
        try reading { db in Dictionary(try StudyRow.fetchAll(db).map { ($0.source, $0.key) }) { first, _ in first } }
    }

    func reading<Result>(_ body: (Database) throws -> Result) throws(ArchiveError) -> Result {
        do { return try database.read(body) } catch { throw ArchiveError(error, file: file) }
    }
}

extension Cursor {
    fileprivate func array() throws -> [Element] { try Array(self) }
}

/// Why the database of an archive cannot be used.
public enum ArchiveError: ReportableError {
    case newer(URL)
    case full(URL)
    case damaged(URL, reason: String)
    case notUsable(URL, reason: String)

    init(_ error: any Error, file: URL) {
        if let error = error as? ArchiveError {
            self = error
            return
        }
        let reason = (error as? DatabaseError)?.message ?? "\(error)"
        self =
            switch (error as? DatabaseError)?.resultCode {
            case .SQLITE_FULL?, .SQLITE_IOERR?: .full(file)
            case .SQLITE_CORRUPT?, .SQLITE_NOTADB?: .damaged(file, reason: reason)
            default: .notUsable(file, reason: reason)
            }
    }

    public var category: FailureCategory {
        switch self {
        case .newer, .damaged: .badData
        case .full, .notUsable: .cannotWrite
        }
    }

    public var finding: Finding {
        switch self {
        case .newer(let file):
            Finding(
                .error, "archive-newer", "\(file.path) was made by a newer version of IceMargin.",
                remedy: "Use that version, or another output folder.")
        case .full(let file):
            Finding(
                .error, "archive-full", "\(file.path) cannot be written: the disk is full or failing.",
                remedy: "Make room and start the same command again: what is done is kept.")
        case .damaged(let file, let reason):
            Finding(
                .error, "archive-damaged", "\(file.path) is damaged: \(reason).",
                remedy: "Move it away and run `icemargin collect` on the folder: it makes the database anew from the results.")
        case .notUsable(let file, let reason):
            Finding(.error, "archive-not-usable", "\(file.path) cannot be used: \(reason).", remedy: "Check the permissions of the folder.")
        }
    }
}
