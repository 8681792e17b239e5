import Foundation
import StudyArchive
import VerificationPipeline

/// The folder that a batch writes.
///
/// - `cases/KEY`: the results of `icemargin verify` and their `run.json`; each appears complete, by renaming.
/// - `failures/KEY`: why a case gave no result: `run.json`, and `messages.txt` with what the run said. Earlier results stay in `cases`.
/// - `descriptions`: the case files of cases that come from a table or were paired.
/// - `archive.sqlite`: the database; it can be made anew from the folders.
/// - `.running`: what is being written. Nothing in it is a result.
public struct BatchOutput: Sendable {
    public let folder: URL

    /// Makes the folder where it is not there.
    /// - Parameter archive: a folder in which nothing may be written.
    public init(_ folder: URL, archive: URL? = nil) throws(BatchError) {
        self.folder = folder.standardizedFileURL
        if let archive, ResultsFolder.holds(archive, self.folder) { throw .outputInsideArchive(self.folder, archive: archive) }
        try make(running)
    }

    /// The folder of an earlier batch, to be read.
    public init(existing folder: URL) throws(BatchError) {
        self.folder = folder.standardizedFileURL
        guard FileManager.default.fileExists(atPath: folder.path) else { throw .archiveMissing(folder) }
    }

    var running: URL { folder.appending(path: ".running") }
    var lockFile: URL { folder.appending(path: "batch.lock") }
    public func results(of key: String) -> URL { folder.appending(path: "cases/\(key)") }
    public func failure(of key: String) -> URL { folder.appending(path: "failures/\(key)") }
    /// Case files that this program writes.
    var descriptions: URL { folder.appending(path: "descriptions") }

    /// Takes the folder for this process; see `FolderLock`.
    func lock() throws(BatchError) -> FolderLock { try FolderLock(lockFile, of: folder) }
    /// Takes one case of the folder; the file stays, since removing a lock's file lets two processes have it.
    func lock(case key: String) throws(BatchError) -> FolderLock {
        try make(locks)
        return try FolderLock(locks.appending(path: key), of: results(of: key))
    }
    private var locks: URL { running.appending(path: "locks") }

    /// A new folder for what is being written.
    func staging(for key: String) throws(BatchError) -> URL {
        let folder = running.appending(path: "\(key).\(UUID().uuidString.prefix(Self.stagingSuffix - 1))")
        try make(folder)
        return folder
    }

    /// Gives `staged`, a folder in `staging`, the name that its record asks for. Whatever had that name goes.
    ///
    /// Killed before, the folder has no name; killed between the two renames, `recover` ends the work. A power failure finds all or nothing
    /// of it: the files are on the disk before the folder is called complete.
    func publish(_ staged: URL, record: RunRecord, staging: URL) throws(BatchError) {
        try flush(staged)
        let complete = staging.appending(path: Self.complete)
        try rename(staged, to: complete)
        try finish(complete, record: record, staging: staging)
    }

    private static let complete = "complete"
    /// The length of what follows a case's key in the name of its staging folder.
    private static let stagingSuffix = 9

    private func finish(_ complete: URL, record: RunRecord, staging: URL) throws(BatchError) {
        let destination = record.state == .done ? results(of: record.key) : failure(of: record.key)
        try make(destination.deletingLastPathComponent())
        if FileManager.default.fileExists(atPath: destination.path) { try rename(destination, to: staging.appending(path: "replaced")) }
        try rename(complete, to: destination)
        try flush(destination.deletingLastPathComponent(), contents: false)
        if record.state == .done { try? FileManager.default.removeItem(at: failure(of: record.key)) }
        try? FileManager.default.removeItem(at: staging)
    }

    /// Ends what runs that were killed had all but published, and removes what else they left. Cases that another process has are left
    /// alone.
    func recover() throws(BatchError) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: running.path)) ?? [] where name != locks.lastPathComponent {
            guard let lock = try? lock(case: String(name.dropLast(Self.stagingSuffix))) else { continue }
            defer { withExtendedLifetime(lock) {} }
            let staging = running.appending(path: name), complete = staging.appending(path: Self.complete)
            if let record = RunRecord.read(folder: complete) { try finish(complete, record: record, staging: staging) }
            try? FileManager.default.removeItem(at: staging)
        }
    }

    /// The record that counts of a case: of its results or of a later failure; `nil` where there is none.
    func latestRecord(of key: String) -> RunRecord? {
        [results(of: key), failure(of: key)].compactMap { RunRecord.read(folder: $0) }.max { $0.finished < $1.finished }
    }

    /// The record of each folder under `cases` and `failures`.
    func records() -> [(record: RunRecord, folder: URL)] {
        ["cases", "failures"].flatMap { part in
            let parent = folder.appending(path: part)
            return ((try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []).sorted().compactMap { name in
                let folder = parent.appending(path: name)
                return RunRecord.read(folder: folder).map { ($0, folder) }
            }
        }
    }

    func make(_ folder: URL) throws(BatchError) {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw failure(error)
        }
    }

    /// Makes `folder` hold links to `files` and nothing else. A link's name is that of its place in the list.
    func link(_ files: [String], in folder: URL) throws(BatchError) {
        try make(folder)
        let manager = FileManager.default
        var wanted = Dictionary(uniqueKeysWithValues: files.enumerated().map { (String(format: "IM%06d", $0.offset), $0.element) })
        do {
            for name in try manager.contentsOfDirectory(atPath: folder.path) {
                let link = folder.appending(path: name).path
                if let file = wanted[name], (try? manager.destinationOfSymbolicLink(atPath: link)) == file {
                    wanted[name] = nil
                } else {
                    try manager.removeItem(atPath: link)
                }
            }
            for (name, file) in wanted {
                try manager.createSymbolicLink(atPath: folder.appending(path: name).path, withDestinationPath: file)
            }
        } catch {
            throw failure(error)
        }
    }

    /// Writes a file, which appears complete.
    public func write(_ data: Data, to file: URL) throws(BatchError) {
        do {
            try data.write(to: file, options: .atomic)
        } catch {
            throw failure(error)
        }
    }

    private func rename(_ old: URL, to new: URL) throws(BatchError) {
        guard Foundation.rename(old.path, new.path) == 0 else { throw .notWritable(new, reason: String(cString: strerror(errno))) }
    }

    /// Waits until a folder, and the files in it, are on the disk.
    private func flush(_ folder: URL, contents: Bool = true) throws(BatchError) {
        var paths = [folder.path]
        if contents { paths += (FileManager.default.subpaths(atPath: folder.path) ?? []).map { folder.appending(path: $0).path } }
        for path in paths {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            if fsync(descriptor) != 0, errno == ENOSPC || errno == EIO || errno == EDQUOT { throw .full(self.folder) }
        }
    }

    /// Whether there is no room left for results.
    var isFull: Bool {
        let probe = running.appending(path: ".room-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: probe) }
        // More than a report and less than what the smallest disk has to spare.
        do { try Data(count: 2 << 20).write(to: probe) } catch { return true }
        return false
    }

    private func failure(_ error: any Error) -> BatchError {
        var cause = error as NSError
        while let deeper = cause.userInfo[NSUnderlyingErrorKey] as? NSError { cause = deeper }
        let isFull =
            (error as NSError).code == CocoaError.fileWriteOutOfSpace.rawValue
            || cause.domain == NSPOSIXErrorDomain && [ENOSPC, EDQUOT].contains(Int32(cause.code))
        if isFull { return .full(folder) }
        return .notWritable(
            folder, reason: cause.domain == NSPOSIXErrorDomain ? String(cString: strerror(Int32(cause.code))) : "it cannot be made there")
    }
}
