import Foundation
import ImagingCore
import VerificationPipeline

/// The case files of an archive.
public enum CaseTree {
    public static let fileName = "case.yaml"

    /// Every `case.yaml` under `folder`, in order of their paths. A file that cannot be read is a case, too: running it says why.
    ///
    /// Links are followed, a folder that two of them lead to is met once; hidden folders are passed over.
    /// - Parameter earlier: the keys that sources had in earlier batches.
    public static func cases(under folder: URL, earlier: [String: String] = [:]) throws -> [BatchCase] {
        guard FileManager.default.fileExists(atPath: folder.path) else { throw BatchError.archiveMissing(folder) }
        var met: Set<String> = []
        let files = caseFiles(under: folder.standardizedFileURL, met: &met)
        let sources = files.map { (id: identifier(of: $0), source: $0.path) }
        var keys = CaseKeys(earlier: earlier)
        return zip(keys.assign(sources), sources).map { BatchCase(key: $0, source: $1.source, description: $1.source) }
    }

    private static func caseFiles(under folder: URL, met: inout Set<String>) -> [URL] {
        guard met.insert(folder.resolvingSymlinksInPath().path).inserted,
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        else { return [] }
        var files = names.contains(fileName) ? [folder.appending(path: fileName)] : []
        for name in names.sorted() where !name.hasPrefix(".") {
            var isFolder: ObjCBool = false
            let path = folder.appending(path: name)
            if FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder), isFolder.boolValue {
                files += caseFiles(under: path, met: &met)
            }
        }
        return files
    }

    /// The `id` of the case; where the file cannot be read, what of the folder's name can stand in a file name.
    private static func identifier(of file: URL) -> String {
        if let description = try? CaseDescription.read(file) { return description.id }
        let folder = file.deletingLastPathComponent().lastPathComponent.filter { CaseDescription.isIdentifier("x\($0)") }.prefix(48).drop {
            $0 == "."
        }
        return folder.isEmpty ? "case" : String(folder)
    }
}
