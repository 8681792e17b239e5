import Crypto
import DescriptionFiles
import Foundation
import ImagingCore

/// The SHA-256 of a series: of its files' SHA-256 digests (32 bytes each), in the order of `files`.
///
/// A series keeps its hash when its files are renamed or moved, and loses it when one byte changes.
func sha256(ofFiles files: [URL]) throws -> String {
    let digests = mapSlabs(of: files.count, slab: 1) { range -> SHA256.Digest? in
        guard let data = try? Data(contentsOf: files[range.lowerBound], options: .alwaysMapped) else { return nil }
        return SHA256.hash(data: data)
    }
    var whole = SHA256()
    for (file, digest) in zip(files, digests) {
        guard let digest else { throw DescriptionError.unreadable(file: file.path, reason: "the file can no longer be read.") }
        digest.withUnsafeBytes { whole.update(bufferPointer: $0) }
    }
    return whole.finalize().hexadecimal
}

/// The SHA-256 of a file's bytes, in hexadecimal.
public func sha256(ofFile file: URL) throws -> String { sha256(of: try Data(contentsOf: file, options: .alwaysMapped)) }

/// The SHA-256 of `data`, in hexadecimal.
public func sha256(of data: Data) -> String { SHA256.hash(data: data).hexadecimal }

extension SHA256.Digest {
    /// Two lower-case digits for each byte.
    fileprivate var hexadecimal: String { map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
}
