import Foundation
import ImagingCore

#if canImport(Glibc)
import Glibc
#endif

/// Lists every regular file under a folder once, in an order that does not depend on the file system.
///
/// Symbolic links are followed; a folder or file that was met already (loops, hard links) is not met again.
/// Hidden files and folders are passed over.
public struct FolderWalk: Sendable {
    public struct File: Sendable {
        public let url: URL
        /// Bytes.
        public let size: Int64
        /// When it was last changed, nanoseconds since 1970.
        public let modifiedNS: Int64
    }

    public private(set) var files: [File] = []
    public private(set) var findings: [Finding] = []

    private struct Identity: Hashable { let device, inode: UInt64 }
    private var met: Set<Identity> = []

    /// Throws when there is nothing at `root`. A file as root is a listing of that one file.
    public init(_ root: URL) throws(DICOMError) {
        guard Self.status(of: root.path) != nil else {
            throw DICOMError(
                Finding(.error, "input-missing", "\(root.path) is not there.", remedy: "Check the path."), category: .inputMissing)
        }
        visit(root)
    }

    private mutating func visit(_ url: URL) {
        guard let status = Self.status(of: url.path), met.insert(Identity(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino)
        )).inserted else {
            return
        }
        let kind = status.st_mode & S_IFMT
        if kind == S_IFREG {
            let changed = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
            files.append(File(url: url, size: Int64(status.st_size), modifiedNS: changed))
        }
        guard kind == S_IFDIR else { return }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: url.path) else {
            findings.append(Finding(.warning, "cannot-open", "The folder \(url.path) cannot be read.", remedy: "Check its permissions."))
            return
        }
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) where !name.hasPrefix(".") {
            visit(url.appendingPathComponent(name))
        }
    }

    private static func status(of path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }
}
