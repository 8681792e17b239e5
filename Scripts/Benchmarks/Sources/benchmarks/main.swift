import Foundation
import ImagingCore

// benchmarks data FOLDER               writes the inputs
// benchmarks run FOLDER [NAME …]       prints the median of five runs of each kernel
// benchmarks serve FOLDER              reads kernel names from standard input, answers each with seconds and a check value

/// Straight through, as a program waits for it.
func reply(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

let arguments = CommandLine.arguments.dropFirst()
guard let verb = arguments.first, arguments.count >= 2 else {
    FileHandle.standardError.write(Data("usage: benchmarks data|run|serve FOLDER [NAME …]\n".utf8))
    exit(64)
}
let folder = URL(filePath: Array(arguments)[1])
switch verb {
case "data": try BenchmarkInputs.write(to: folder)
case "serve":
    let kernels = Kernels(try BenchmarkInputs(readFrom: folder), folder: folder)
    reply("ready")
    while let name = readLine() {
        guard let result = try KernelThreads.with(2, { try kernels.time(name) }) else {
            reply("unknown")
            continue
        }
        reply("\(result.seconds) \(result.check)")
    }
default:
    let kernels = Kernels(try BenchmarkInputs(readFrom: folder), folder: folder)
    let chosen = arguments.count > 2 ? Array(arguments.dropFirst(2)) : Kernels.names
    for name in chosen {
        let results = try (0..<5).compactMap { _ in try KernelThreads.with(2) { try kernels.time(name) } }.sorted {
            $0.seconds < $1.seconds
        }
        guard results.count == 5 else {
            print(name, "unknown")
            continue
        }
        let processor = results.map(\.processorSeconds).min()!
        print(
            name, String(format: "median %.3f s, fastest %.3f s, processor %.3f s", results[2].seconds, results[0].seconds, processor),
            "check", results[2].check)
    }
}
