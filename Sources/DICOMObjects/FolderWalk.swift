import Foundation
import ImagingCore

#if canImport(Glibc)
import Glibc
#endif

/// Lists every regular file under a folder once, in an order that does not depend on the file system.
///
/// Symbolic links are followed; a folder or file that was met already (loops, hard links) is not met again.
/// Hidden files and folders are passed over.
struct FolderWalk {
    private(set) var files: [URL] = []
    private(set) var findings: [Finding] = []

    private struct Identity: Hashable { let device, inode: UInt64 }
    private var met: Set<Identity> = []

    /// Throws when there is nothing at `root`. A file as root is a listing of that one file.
    init(_ root: URL) throws(DICOMError) {
        guard Self.identity(of: root.path) != nil else {
            throw DICOMError(
                Finding(.error, "input-missing", "\(root.path) is not there.", remedy: "Check the path."), category: .inputMissing)
        }
        visit(root)
    }

    private mutating func visit(_ url: URL) {
        guard let (identity, isDirectory, isFile) = Self.identity(of: url.path), met.insert(identity).inserted else { return }
        if isFile { files.append(url) }
        guard isDirectory else { return }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: url.path) else {
            findings.append(Finding(.warning, "cannot-open", "The folder \(url.path) cannot be read.", remedy: "Check its permissions."))
            return
        }
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) where !name.hasPrefix(".") {
            visit(url.appendingPathComponent(name))
        }
    }

    private static func identity(of path: String) -> (Identity, isDirectory: Bool, isFile: Bool)? {
        var info = stat()
        guard stat(path, &info) == 0 else { return nil }
        let kind = info.st_mode & S_IFMT
        return (Identity(device: UInt64(info.st_dev), inode: UInt64(info.st_ino)), kind == S_IFDIR, kind == S_IFREG)
    }
}
