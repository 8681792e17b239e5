import ArgumentParser
import BatchVerification
import Foundation
import ImagingCore
import StudyArchive
import VerificationPipeline

struct BatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch",
        abstract: "Check every case of an archive, side by side; again where something changed.",
        discussion: """
            ARCHIVE is a folder, however nested, with a case.yaml for each case. It is only read.

            Each case is an `icemargin verify` of its own, whose results go to DIR/cases/NAME and into the database DIR/archive.sqlite. A batch \
            that was stopped, however that happened, goes on where it was when it is started again. A case is run again when its \
            inputs, its description, its profile or the version of IceMargin changed; --dry-run lists which and why.

            A case that fails does not stop the others; it is listed with its remedy in the end, and the exit code is 2. It is tried again \
            when its inputs change, at once where the machine was to blame, and with --retry-failures.

            Example: icemargin batch /archive/2025 --output qa-2025 && icemargin group-report qa-2025
            """)

    @Argument(help: ArgumentHelp("The archive: a folder of cases.", valueName: "archive"))
    var archive: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the results and the database go; outside the archive.", valueName: "dir"))
    var output: String

    @Option(help: ArgumentHelp("The most cases to run side by side, by default one for each core; fewer where memory is short.", valueName: "n"))
    var jobs: Int?

    @Flag(help: "List the cases, whether each is due and why; run nothing.")
    var dryRun = false

    @Flag(help: "Try cases again that failed for their inputs' sake.")
    var retryFailures = false

    @Option(help: "How progress is shown on standard error: auto (live on a terminal, else a line for each case) or json (a document for each event).")
    var progress = ProgressStyle.auto

    @Flag(help: "Print the summary as JSON.")
    var json = false

    enum ProgressStyle: String, ExpressibleByArgument { case auto, json }

    func validate() throws {
        if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1.") }
    }

    func run() async throws {
        let folder = URL(filePath: archive), cores = KernelThreads.count
        let output = try BatchOutput(URL(filePath: output), archive: folder)
        func cases(_ earlier: [String: String]) throws -> [BatchCase] {
            let cases = try CaseTree.cases(under: folder, earlier: earlier)
            guard !cases.isEmpty else { throw BatchError.noCases(folder) }
            return cases
        }
        if dryRun {
            try StandardOutput.write(BatchTables.plan(try Batch.preview(cases, output: output, retriesFailures: retryFailures)))
            return
        }
        let jobs = jobs ?? cores
        var batch = Batch(output: output, runner: CaseProcess(threads: max(1, cores / jobs)), jobs: jobs)
        batch.retriesFailures = retryFailures
        let progress = BatchProgress(style: progress, jobs: jobs)
        let summary = try await batch.run(cases) { progress.show($0) }
        progress.finish()
        try StandardOutput.write(json ? BatchTables.json(summary, output: output) : BatchTables.summary(summary, output: output))
        if !summary.failures.isEmpty { throw ExitCode(2) }
    }
}
