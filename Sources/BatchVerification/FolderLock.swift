import Foundation

/// Keeps others from writing to a folder, or to one case in it, for as long as the value lives.
///
/// The lock is the kernel's (`flock`): it ends with the process however that ends, and is never left behind.
final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `BatchError.busy` when another process holds the lock.
    init(_ file: URL, of folder: URL) throws(BatchError) {
        descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .notWritable(folder, reason: String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let cause = errno
            let holder = String(decoding: FileManager.default.contents(atPath: file.path) ?? Data(), as: UTF8.self)
            close(descriptor)
            throw cause == EWOULDBLOCK
                ? .busy(folder, holder: holder.isEmpty ? "another process" : holder)
                : .notWritable(folder, reason: String(cString: strerror(cause)))
        }
        // Only for people: what is written does not matter to the lock, and a full disk may refuse it.
        let note = "process \(getpid()) on \(ProcessInfo.processInfo.hostName)"
        if ftruncate(descriptor, 0) == 0 { _ = note.withCString { write(descriptor, $0, strlen($0)) } }
    }

    deinit { close(descriptor) }
}
