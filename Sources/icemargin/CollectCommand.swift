import ArgumentParser
import BatchVerification
import Foundation
import ImagingCore

struct CollectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collect",
        abstract: "Enter finished cases into the database of a batch.",
        discussion: """
            Enters every folder of results under DIR that the database does not have: those of `icemargin batch --task`, and all of them \
            where the database was lost. With more folders, copies from each what is newer there first. May be repeated.
            """)

    @Argument(help: ArgumentHelp("The output folder of the batch.", valueName: "dir"))
    var output: String

    @Argument(help: ArgumentHelp("Output folders of other machines, to copy from.", valueName: "other"))
    var others: [String] = []

    func run() async throws {
        let outcome = try RunCollection(try BatchOutput(existing: URL(filePath: output))).run(copyingFrom: others.map { URL(filePath: $0) })
        for finding in outcome.findings { StandardError.write("\(finding.severity.rawValue): \(finding.message) \(finding.remedy)") }
        let copied = others.isEmpty ? "" : ", \(outcome.copied) copied"
        try StandardOutput.write("\(outcome.entered) runs entered\(copied)\n")
        if !outcome.findings.isEmpty { throw ExitCode(2) }
    }
}
