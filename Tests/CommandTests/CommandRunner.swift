import Foundation

/// Runs the built `icemargin` as a person would, and keeps what it said.
struct CommandRunner {
    var status: Int32
    var output: String
    var errors: String

    /// The binary lies beside the test bundle that this code runs in.
    static let binary = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "icemargin")
    /// The root of the package.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func run(_ arguments: String..., in folder: URL? = nil) throws -> CommandRunner { try run(arguments, in: folder) }

    /// - Parameter output: takes what is printed, which is then not kept.
    static func run(_ arguments: [String], in folder: URL? = nil, output: FileHandle? = nil) throws -> CommandRunner {
        let process = Process()
        process.executableURL = binary
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        let files = ["out", "err"].map { FileManager.default.temporaryDirectory.appending(path: "icemargin-\(UUID().uuidString).\($0)") }
        defer { files.forEach { try? FileManager.default.removeItem(at: $0) } }
        for file in files { try Data().write(to: file) }
        process.standardOutput = try output ?? FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        process.waitUntilExit()
        return CommandRunner(
            status: process.terminationStatus, output: try String(contentsOf: files[0], encoding: .utf8),
            errors: try String(contentsOf: files[1], encoding: .utf8))
    }

    func json() throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
    }
}

/// A folder that is removed when the value goes.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "icemargin-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: url) }
}
