import Foundation

// simulation validate [COUNT] [FIRST] [--probes own|stated|unknown] [--verbose]   fits to synthetic ice whose truth is known
// simulation limit                                  the least errors that any fit could reach on such ice
// simulation littrup                                several probes in gel against measured isotherms
// simulation speed                                  seconds, and cell-stages per second against what memory allows
let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "validate":
    let count = arguments.dropFirst().compactMap { Int($0) }, first = count.count > 1 ? count[1] : 0
    let differing = IceCase.Probes.allCases.first { arguments.contains($0.rawValue) } ?? .own
    try FitValidation.run(first..<first + (count.first ?? 24), differing, isVerbose: arguments.contains("--verbose"))
case "limit": try LeastError.run()
case "littrup": try LittrupRows.run()
case "speed": try SpeedMeasurement.run()
default:
    FileHandle.standardError.write(Data(
        "usage: simulation validate [COUNT] [FIRST] [--probes own|stated|unknown] [--verbose] | limit | littrup | speed\n".utf8))
    exit(64)
}
