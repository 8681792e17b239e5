import Foundation

// simulation validate [COUNT] [--verbose]   fits to synthetic ice whose truth is known
let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "validate":
    let count = arguments.dropFirst().compactMap { Int($0) }
    try FitValidation.run((count.count > 1 ? count[1] : 0)..<(count.first ?? 24), isVerbose: arguments.contains("--verbose"))
default:
    FileHandle.standardError.write(Data("usage: simulation validate [COUNT] [--verbose]\n".utf8))
    exit(64)
}
