import Crypto
import DICOMObjects
import Foundation
import GRDB

/// The DICOM files of an archive by their headers, kept in the database: a file is read again only when its size or its date changed.
public struct HeaderIndex {
    /// How an update went.
    public struct Update: Sendable {
        public var fileCount = 0
        /// The files whose headers were read.
        public var readCount = 0
        public var seconds = 0.0
    }

    /// A series, or the objects of one SOP class in it.
    public struct Series: Codable, FetchableRecord, PersistableRecord, Sendable, Hashable {
        public static let databaseTableName = "indexedSeries"

        var id: Int64
        public var seriesInstanceUID: String
        public var studyInstanceUID: String
        public var frameOfReferenceUID: String?
        public var sopClassUID: String
        public var modality: String
        public var seriesDescription: String
        public var studyDescription: String
        public var bodyPart: String
        /// Of the first file: YYYYMMDD and HHMMSS…. All dates of a patient are moved by as many days: order and intervals are true, dates
        /// are not.
        public var date: String
        public var time: String
        /// Tells patients apart without saying who they are.
        public var patient: String
        public var frameCount: Int
    }

    private let archive: StudyArchive
    private let root: String

    /// - Parameter folder: the archive of images; it is only read.
    public init(_ archive: StudyArchive, of folder: URL) { (self.archive, root) = (archive, folder.standardizedFileURL.path) }

    private struct Stamp { var size, modifiedNS: Int64 }

    /// Brings the index up to date with the folder.
    public func update() throws -> Update {
        let began = Date()
        let files = try FolderWalk(URL(filePath: root)).files
        do {
            var known: [String: Stamp] = [:]
            try archive.database.read { db in
                let rows = try Row.fetchCursor(db, sql: "SELECT path, size, modifiedNS FROM indexedFile WHERE root = ?", arguments: [root])
                while let row = try rows.next() { known[row[0]] = Stamp(size: row[1], modifiedNS: row[2]) }
            }
            var changed: [FolderWalk.File] = []
            for file in files {
                guard let stamp = known.removeValue(forKey: file.url.path), stamp.size == file.size, stamp.modifiedNS == file.modifiedNS
                else {
                    changed.append(file)
                    continue
                }
            }
            let headers = DICOMHeader.read(changed), gone = Array(known.keys)
            if !changed.isEmpty || !gone.isEmpty {
                try archive.database.write { db in
                    for path in gone { try db.execute(sql: "DELETE FROM indexedFile WHERE path = ?", arguments: [path]) }
                    try enter(zip(changed, headers), in: db)
                    try db.execute(
                        sql: "DELETE FROM indexedSeries WHERE id NOT IN (SELECT series FROM indexedFile WHERE series IS NOT NULL)")
                }
            }
            return Update(fileCount: files.count, readCount: changed.count, seconds: Date().timeIntervalSince(began))
        } catch {
            throw ArchiveError(error, file: URL(filePath: root))
        }
    }

    private struct Key: Hashable { var series, sopClass, root: String }

    private func enter(_ entries: some Sequence<(FolderWalk.File, DICOMHeader?)>, in db: Database) throws {
        let addSeries = try db.makeStatement(
            sql: """
                INSERT INTO indexedSeries (root, seriesInstanceUID, studyInstanceUID, frameOfReferenceUID, sopClassUID, modality, seriesDescription,
                  studyDescription, bodyPart, date, time, patient, frameCount) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        let addFile = try db.makeStatement(
            sql: "INSERT OR REPLACE INTO indexedFile (path, root, size, modifiedNS, series) VALUES (?, ?, ?, ?, ?)")
        var ids: [Key: Int64] = [:]
        let rows = try Row.fetchCursor(
            db, sql: "SELECT seriesInstanceUID, sopClassUID, root, id FROM indexedSeries WHERE root = ?", arguments: [root])
        while let row = try rows.next() { ids[Key(series: row[0], sopClass: row[1], root: row[2])] = row[3] }
        for (file, header) in entries {
            var series: Int64?
            if let header, !header.seriesInstanceUID.isEmpty {
                let patient = Self.pseudonym(header)
                let key = Key(series: header.seriesInstanceUID, sopClass: header.sopClassUID, root: root)
                if ids[key] == nil {
                    try addSeries.execute(arguments: [
                        root, header.seriesInstanceUID, header.studyInstanceUID, header.frameOfReferenceUID, header.sopClassUID,
                        header.modality,
                        header.seriesDescription, header.studyDescription, header.bodyPart, Self.moved(header.date, patient), header.time,
                        patient, header.frames,
                    ])
                    ids[key] = db.lastInsertedRowID
                }
                series = ids[key]
            }
            try addFile.execute(arguments: [file.url.path, root, file.size, file.modifiedNS, series])
        }
    }

    private static func pseudonym(_ header: DICOMHeader) -> String {
        SHA256.hash(data: Data("\(header.patientID)\n\(header.patientBirthDate)".utf8)).prefix(8).map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }.joined()
    }

    /// A date (YYYYMMDD) up to ten years earlier, by as many days for all dates of a patient; empty for what is no date.
    static func moved(_ date: String, _ patient: String) -> String {
        guard date.count == 8, let number = Int(date), let days = UInt64(patient, radix: 16) else { return "" }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = DateComponents(year: number / 10000, month: number / 100 % 100, day: number % 100)
        guard parts.isValidDate(in: calendar), let day = calendar.date(from: parts),
            let earlier = calendar.date(byAdding: .day, value: -1 - Int(days % 3650), to: day)
        else { return "" }
        let moved = calendar.dateComponents([.year, .month, .day], from: earlier)
        return String(format: "%04d%02d%02d", moved.year!, moved.month!, moved.day!)
    }

    /// Every series of the folder with its number of files, in order of patients and time.
    public func series() throws(ArchiveError) -> [(series: Series, fileCount: Int)] {
        try archive.reading { db in
            let counts = try Row.fetchAll(
                db, sql: "SELECT series, count(*) FROM indexedFile WHERE root = ? AND series IS NOT NULL GROUP BY series", arguments: [root]
            )
            let countByID = Dictionary(uniqueKeysWithValues: counts.map { ($0[0] as Int64, $0[1] as Int) })
            return try Series.filter(Column("root") == root).order(sql: "patient, date, time, seriesInstanceUID, sopClassUID").fetchAll(db)
                .map { ($0, countByID[$0.id] ?? 0) }
        }
    }

    /// The files of a series, sorted by path.
    public func files(of series: Series) throws(ArchiveError) -> [String] {
        try archive.reading {
            try String.fetchAll($0, sql: "SELECT path FROM indexedFile WHERE series = ? ORDER BY path", arguments: [series.id])
        }
    }
}
