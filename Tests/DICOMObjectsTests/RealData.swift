import Foundation

/// The collection of real DICOM that some tests compare with published or separately measured numbers.
enum RealData {
    static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["ICEMARGIN_REAL_DATA"] { return URL(fileURLWithPath: path) }
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return package.deletingLastPathComponent().appendingPathComponent("shared/data/real")
    }()
    static let isThere = FileManager.default.fileExists(atPath: folder.path)
    static let absence = "skipped where the real DICOM collection is not there (set ICEMARGIN_REAL_DATA to its folder)"

    static func url(_ path: String) -> URL { folder.appendingPathComponent(path) }
}
