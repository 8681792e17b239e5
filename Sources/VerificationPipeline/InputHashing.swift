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
    return whole.finalize().map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }.joined()
}
