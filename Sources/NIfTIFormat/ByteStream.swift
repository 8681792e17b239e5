import CZlib
import Foundation

/// Reads a file that may be gzip-compressed (told by its content, not its name).
final class ByteReader {
    /// Deflate cannot shrink data by more than this (zlib's documentation: 1032:1).
    private static let largestCompression = 1032

    private let url: URL
    private let file: gzFile
    /// The most bytes that the file can yield; what a header asks for beyond this is not allocated.
    let largestByteCount: Int
    private(set) var position = 0

    init(_ url: URL) throws(NIfTIError) {
        var status = stat()
        guard stat(url.path, &status) == 0 else { throw .missing(url) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notNIfTI(url, found: "it is not a regular file") }
        guard let file = gzopen(url.path, "rb") else {
            throw .notNIfTI(url, found: "it cannot be opened (\(String(cString: strerror(errno))))")
        }
        gzbuffer(file, 1 << 17)
        self.url = url
        self.file = file
        let size = Int(status.st_size)
        largestByteCount = gzdirect(file) != 0 ? size : size.multipliedReportingOverflow(by: Self.largestCompression).partialValue
    }

    deinit { gzclose(file) }

    /// Fills `buffer`, or reads to the end of the file; gives the number of bytes read.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(NIfTIError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = gzread(file, buffer.baseAddress! + done, UInt32(min(buffer.count - done, 1 << 30)))
            guard count >= 0 else { throw failure() }
            if count == 0 { break }
            done += Int(count)
        }
        position += done
        var code: Int32 = 0
        gzerror(file, &code)
        // A compressed file that was cut off ends like a whole one, but for this code.
        if done < buffer.count, code == Z_BUF_ERROR { throw .corruptCompression(url, reason: "the compressed data ends too early") }
        return done
    }

    func skip(to offset: Int) throws(NIfTIError) {
        while position < offset {
            let wanted = min(1 << 12, offset - position)
            guard try bytes(wanted).count == wanted else { throw .truncated(url, expectedBytes: offset, foundBytes: position) }
        }
    }

    /// Reads up to `count` bytes.
    func bytes(_ count: Int) throws(NIfTIError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { buffer.deallocate() }
        return try Array(buffer.prefix(read(into: buffer)))
    }

    private func failure() -> NIfTIError {
        var code: Int32 = 0
        let text = String(cString: gzerror(file, &code))
        return .corruptCompression(url, reason: code == Z_ERRNO ? String(cString: strerror(errno)) : text)
    }
}

/// Writes a file under a temporary name in the same folder and gives it its own name when it is complete.
final class ByteWriter {
    private let url: URL
    private let temporary: URL
    private var file: UnsafeMutablePointer<FILE>?
    private var gzip: ParallelGzip?

    /// The file is compressed when its name ends in `.gz`. Nothing that depends on time or machine goes into it.
    init(_ url: URL) throws(NIfTIError) {
        self.url = url
        temporary = url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(UUID().uuidString).partial")
        file = fopen(temporary.path, "wb")
        guard file != nil else { throw .cannotWrite(url, reason: String(cString: strerror(errno))) }
        guard url.pathExtension.lowercased() == "gz" else { return }
        gzip = ParallelGzip()
        try store(ParallelGzip.header)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(NIfTIError) {
        guard let pieces = gzip?.compress(bytes) else { return try store(bytes) }
        for piece in pieces { try store(piece) }
    }

    func write(_ bytes: [UInt8]) throws(NIfTIError) {
        // Typed throws do not pass through the standard library's closures.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        try write(UnsafeRawBufferPointer(buffer))
    }

    private func store(_ bytes: [UInt8]) throws(NIfTIError) {
        guard fwrite(bytes, 1, bytes.count, file!) == bytes.count else { throw .cannotWrite(url, reason: String(cString: strerror(errno))) }
    }

    private func store(_ bytes: UnsafeRawBufferPointer) throws(NIfTIError) {
        guard fwrite(bytes.baseAddress, 1, bytes.count, file!) == bytes.count else {
            throw .cannotWrite(url, reason: String(cString: strerror(errno)))
        }
    }

    func finish() throws(NIfTIError) {
        if let gzip { try store(gzip.trailer) }
        let status = fclose(file!)
        file = nil
        guard status == 0, rename(temporary.path, url.path) == 0 else { throw .cannotWrite(url, reason: String(cString: strerror(errno))) }
    }

    deinit {
        guard let file else { return }
        fclose(file)
        unlink(temporary.path)
    }
}
