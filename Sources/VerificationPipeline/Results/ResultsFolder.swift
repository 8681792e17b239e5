import Foundation
import ImagingCore

/// Why results cannot be written.
public enum ResultsError: ReportableError {
    case exists(URL)
    case notOurs(URL)
    case holdsOthers(URL, files: [String])
    case notWritable(URL, reason: String)
    case insideInput(URL, input: URL)

    public var category: FailureCategory { .cannotWrite }

    public var finding: Finding {
        switch self {
        case .exists(let folder):
            Finding(.error, "output-exists", "The output folder \(folder.path) exists already.",
                    remedy: "Choose another --output, or replace the result with --overwrite.")
        case .notOurs(let folder):
            Finding(.error, "output-not-ours", "The output folder \(folder.path) holds something other than an IceMargin result; it is not replaced.",
                    remedy: "Choose another --output.")
        case .holdsOthers(let folder, let files):
            Finding(.error, "output-holds-others", "The output folder \(folder.path) holds what IceMargin did not write there"
                    + " (\(files.prefix(3).joined(separator: ", "))\(files.count > 3 ? " and \(files.count - 3) more" : "")); it is not replaced.",
                    remedy: "Move \(files.count == 1 ? "it" : "them") elsewhere, or choose another --output.")
        case .notWritable(let folder, let reason):
            Finding(.error, "output-not-writable", "The results cannot be written to \(folder.path): \(reason)",
                    remedy: "Check the permissions and the free space, or choose another --output.")
        case .insideInput(let folder, let input):
            Finding(.error, "output-inside-input", "The output folder \(folder.path) lies inside \(input.path), which holds a scan; scans are only read.",
                    remedy: "Choose an --output elsewhere.")
        }
    }
}

/// A folder of results that appears under its name only when it is complete.
///
/// Files go to a hidden folder beside it, which is renamed at the end; whatever goes wrong before, nothing half-written has the final name.
public struct ResultsFolder: Sendable {
    /// The file whose presence says that a folder is a result of this program.
    public static let marker = "report.json"
    /// Names every other file of a result, a line each: what else lies there is someone else's.
    static let list = ".icemargin-files"
    /// What file managers leave.
    private static let litter: Set<String> = [".DS_Store", "Thumbs.db", "desktop.ini"]

    public let destination: URL
    private let staging: URL
    private let overwrite: Bool
    private let marker: String

    /// Checks that `destination` may be written, and makes the hidden folder.
    ///
    /// Only a folder that holds a file called `marker` with a schema of this program, and nothing that this program did not write, is
    /// replaced.
    /// - Parameter inputs: folders in which nothing may be written.
    public init(destination: URL, overwrite: Bool, marker: String = Self.marker, inputs: [URL] = []) throws(ResultsError) {
        self.destination = destination.standardizedFileURL.resolvingSymlinksInPath()
        self.overwrite = overwrite
        self.marker = marker
        try Self.check(self.destination, overwrite: overwrite, marker: marker)
        for input in inputs where Self.holds(input, self.destination) { throw .insideInput(self.destination, input: input) }
        let parent = self.destination.deletingLastPathComponent()
        staging = parent.appending(path: ".\(self.destination.lastPathComponent).partial-\(UUID().uuidString.prefix(8))")
        do {
            try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: true)
        } catch {
            throw .notWritable(self.destination, reason: Self.reason(error))
        }
    }

    private static func check(_ destination: URL, overwrite: Bool, marker: String) throws(ResultsError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: destination.path, isDirectory: &isFolder) else { return }
        guard isFolder.boolValue else { throw .notOurs(destination) }
        let contents: [String]
        do { contents = try FileManager.default.contentsOfDirectory(atPath: destination.path) } catch {
            throw .notWritable(destination, reason: reason(error))
        }
        guard !contents.isEmpty else { return }
        guard contents.contains(marker), isOurs(destination.appending(path: marker)) else { throw .notOurs(destination) }
        guard overwrite else { throw .exists(destination) }
        let others = others(in: destination)
        guard others.isEmpty else { throw .holdsOthers(destination, files: others) }
    }

    /// The files in a result that are not on its list.
    private static func others(in folder: URL) -> [String] {
        let text = FileManager.default.contents(atPath: folder.appending(path: list).path) ?? Data()
        let own = Set(String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init))
        return files(in: folder).filter { !own.contains($0) && $0 != list && !litter.contains(URL(filePath: $0).lastPathComponent) }
    }

    /// Paths of all files, links and the like below `folder`, sorted.
    private static func files(in folder: URL) -> [String] {
        (FileManager.default.subpaths(atPath: folder.path) ?? []).filter { path in
            let kind = try? FileManager.default.attributesOfItem(atPath: folder.appending(path: path).path)[.type] as? FileAttributeType
            return kind != .typeDirectory
        }.sorted()
    }

    /// Whether a JSON file begins with a schema of this program.
    private static func isOurs(_ file: URL) -> Bool {
        guard let handle = try? FileHandle(forReadingFrom: file), let start = try? handle.read(upToCount: 256) else { return false }
        return String(decoding: start, as: UTF8.self).contains(/^\s*\{\s*"schema"\s*:\s*"icemargin\./)
    }

    /// Whether `folder` is `other` or holds it, links resolved. What does not exist yet is judged by where it would be made.
    public static func holds(_ folder: URL, _ other: URL) -> Bool {
        var ancestor = other
        while !FileManager.default.fileExists(atPath: ancestor.path), ancestor.pathComponents.count > 1 {
            ancestor.deleteLastPathComponent()
        }
        let own = folder.resolvingSymlinksInPath().standardizedFileURL.pathComponents
        return ancestor.resolvingSymlinksInPath().standardizedFileURL.pathComponents.starts(with: own)
    }

    static func reason(_ error: any Error) -> String {
        let error = error as NSError
        if error.code == CocoaError.fileWriteOutOfSpace.rawValue { return String(cString: strerror(ENOSPC)) + "." }
        let cause = (error.userInfo[NSUnderlyingErrorKey] as? NSError) ?? error
        if cause.domain == NSPOSIXErrorDomain { return String(cString: strerror(Int32(cause.code))) + "." }
        return error.code == CocoaError.fileWriteUnknown.rawValue ? "it cannot be made there." : error.localizedDescription
    }

    /// Where a file called `name` (which may have folders in it) is to be written before `commit`.
    public func url(_ name: String) throws(ResultsError) -> URL {
        let url = staging.appending(path: name)
        // After `discard`, of which another thread need not know, nothing comes into being again.
        guard FileManager.default.fileExists(atPath: staging.path) else { throw .notWritable(destination, reason: "the run was ended.") }
        do {
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch {
            throw .notWritable(destination, reason: Self.reason(error))
        }
        return url
    }

    /// Writes a file under `name`, which may have folders in it.
    public func write(_ data: Data, to name: String) throws(ResultsError) {
        let url = try url(name)
        do { try data.write(to: url) } catch { throw .notWritable(destination, reason: Self.reason(error)) }
    }

    /// Gives the folder its name. An earlier result changes places with it in one step, where system and file system can do that, and is
    /// then removed.
    public func commit() throws(ResultsError) {
        try write(Data(Self.files(in: staging).map { $0 + "\n" }.joined().utf8), to: Self.list)
        try Self.check(destination, overwrite: overwrite, marker: marker)
        let manager = FileManager.default
        if Self.exchange(staging, destination) { return discard() }
        let old = staging.deletingLastPathComponent().appending(path: staging.lastPathComponent + "-replaced")
        do {
            let replaces = manager.fileExists(atPath: destination.path)
            if replaces { try manager.moveItem(at: destination, to: old) }
            do {
                try manager.moveItem(at: staging, to: destination)
            } catch {
                if replaces { try? manager.moveItem(at: old, to: destination) }
                throw error
            }
            if replaces { try? manager.removeItem(at: old) }
        } catch {
            throw .notWritable(destination, reason: Self.reason(error))
        }
    }

    /// Swaps two folders that exist; `false` where that cannot be done.
    private static func exchange(_ a: URL, _ b: URL) -> Bool {
        typealias Rename = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
        let exchangeFlag: UInt32 = 2  // RENAME_EXCHANGE of renameat2(2), which Swift's view of the C library leaves out.
        guard let symbol = dlsym(nil, "renameat2") else { return false }
        return unsafeBitCast(symbol, to: Rename.self)(AT_FDCWD, a.path, AT_FDCWD, b.path, exchangeFlag) == 0
    }

    /// Removes what was written; for when `commit` was not reached.
    public func discard() { try? FileManager.default.removeItem(at: staging) }
}
