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
            ARCHIVE is a folder, however nested, with a case.yaml for each case, or a table (.csv, .tsv) with a row for each. It is only read. \
            A folder of DICOM without any case.yaml is searched for cases: a scan with a segmented tumour (SEG, RTSTRUCT), and a later scan of \
            the same patient that should show the ice; --dry-run lists what was paired and why.

            A table names case files in a column `case`, or describes cases: id, site, planning, intraprocedural (or followup), tumour_seed and \
            tumour_diameter (or tumour_mask, …); paths are relative to the table. Its other columns (operator, probe, date, recurrence, …) are kept \
            for `icemargin group-report`.

            Each case is an `icemargin verify` of its own, whose results go to DIR/cases/NAME and into the database DIR/archive.sqlite. A batch \
            that was stopped, however that happened, goes on where it was when it is started again. A case is run again when its \
            inputs, its description, its profile, the options or the version of IceMargin changed; --dry-run lists which and why.

            A case that fails, crashes or hangs (--case-timeout) does not stop the others; it is listed with its remedy in the end, and the exit \
            code is 2. It is tried again when its inputs change, at once where the machine was to blame, and with --retry-failures.

            On several machines that share DIR: --plan writes the list of what is due, --task K runs its entry K wherever you like (a job array), \
            `icemargin collect DIR` enters what they made.

            Example: icemargin batch /archive/2025 --output qa-2025 && icemargin group-report qa-2025
            """)

    @Argument(help: ArgumentHelp("The archive: a folder of cases, or a table of them.", valueName: "archive"))
    var archive: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the results and the database go; outside the archive.", valueName: "dir"))
    var output: String

    @Option(
        help: ArgumentHelp("The most cases to run side by side, by default one for each core; fewer where memory is short.", valueName: "n")
    )
    var jobs: Int?

    @Flag(help: "List the cases, whether each is due and why; run nothing.")
    var dryRun = false

    @Flag(help: "Write what is due to DIR/plan.json, print how many entries it has, and run nothing.")
    var plan = false

    @Option(help: ArgumentHelp("Run one entry of DIR/plan.json, from 1, and leave the database to `icemargin collect`.", valueName: "k"))
    var task: Int?

    @Option(
        name: .customLong("case-timeout"),
        help: ArgumentHelp(
            "The longest that a case may take, minutes; what takes longer is ended and counts as failed. 0 for no limit.",
            valueName: "min"))
    var caseTimeout = 60.0

    @Flag(help: "Try cases again that failed for their inputs' sake, or took too long.")
    var retryFailures = false

    @Option(help: ArgumentHelp("The site of cases that are paired from DICOM; told from descriptions where left out.", valueName: "site"))
    var site: String?

    @Flag(help: "Bring the index of a folder of DICOM up to date and stop.")
    var index = false

    @OptionGroup(title: "Options for every case") var resultFlags: ResultFlags

    @Option(help: ArgumentHelp("Site profiles of your own, as for verify.", valueName: "dir"))
    var profiles: String?

    @Option(
        help:
            "How progress is shown on standard error: auto (live on a terminal, else a line for each case) or json (a document for each event)."
    )
    var progress = ProgressStyle.auto

    @Flag(help: "Print the summary as JSON.")
    var json = false

    enum ProgressStyle: String, ExpressibleByArgument { case auto, json }

    func validate() throws {
        if !(caseTimeout >= 0) { throw ValidationError("--case-timeout must not be negative.") }
        if task != nil, resultFlags.options != CaseOptions() {
            throw ValidationError("--task runs cases as --plan was told to: give the options there.")
        }
        if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1.") }
        if [dryRun, plan, index, task != nil].count(where: { $0 }) > 1 {
            throw ValidationError("Give one of --dry-run, --plan, --index and --task.")
        }
        if archive == nil && task == nil { throw ValidationError("Give an archive.") }
        if archive != nil && task != nil { throw ValidationError("--task takes its cases from DIR/plan.json: leave out the archive.") }
    }

    func run() async throws {
        // Cases run in processes of their own, which look there, too.
        if let profiles { setenv("ICEMARGIN_PROFILES", URL(filePath: profiles).standardizedFileURL.path, 1) }
        guard let archive else { return try await runTask(task!) }
        let source = ArchiveSource(URL(filePath: archive), site: site)
        let output = try BatchOutput(URL(filePath: output), archive: source.folder)
        if index {
            try StandardOutput.write(try source.index(in: output))
            return
        }
        let (cases, reasons) = try source.cases(for: output)
        if dryRun {
            try StandardOutput.write(reasons.map { $0 + "\n" }.joined())
            let planned = try Batch.preview(cases, output: output, options: resultFlags.options, retriesFailures: retryFailures)
            try StandardOutput.write(BatchTables.plan(planned))
        } else if plan {
            let list = try BatchPlan.make(cases, output: output, options: resultFlags.options, retriesFailures: retryFailures)
            try StandardOutput.write("\(list.entries.count)\n")
        } else {
            try await runBatch(cases, output: output)
        }
    }

    private func runBatch(_ cases: ([String: String]) throws -> [BatchCase], output: BatchOutput) async throws {
        let cores = KernelThreads.count, jobs = jobs ?? cores
        var batch = Batch(output: output, runner: runner(threads: max(1, cores / jobs), resultFlags.options), jobs: jobs)
        batch.retriesFailures = retryFailures
        let progress = BatchProgress(style: progress)
        let summary = try await Interruption.handled {
            progress.finish()
            StandardError.write("Stopped. What is done is kept; the same command goes on from there.")
        } _: {
            try await batch.run(cases) { progress.show($0) }
        }
        progress.finish()
        try StandardOutput.write(json ? BatchTables.json(summary, output: output) : BatchTables.summary(summary, output: output))
        if !summary.failures.isEmpty { throw ExitCode(2) }
    }

    private func runner(threads: Int, _ options: CaseOptions) -> CaseProcess {
        CaseProcess(threads: threads, options: options, limit: caseTimeout > 0 ? .seconds(60 * caseTimeout) : nil)
    }

    private func runTask(_ number: Int) async throws {
        let output = try BatchOutput(URL(filePath: output))
        let list = try BatchPlan.read(output)
        let (entry, record) = try await list.run(
            number, output: output, runner: runner(threads: KernelThreads.count, list.options ?? CaseOptions()))
        guard let record else {
            StandardError.write("\(entry.batchCase.key): done already")
            return
        }
        guard let failure = record.failure else {
            StandardError.write("\(entry.batchCase.key): done in \(String(format: "%.1f", record.seconds)) s")
            return
        }
        StandardError.write("\(entry.batchCase.key): FAILED (\(failure.message))\n  \(failure.remedy)")
        throw ExitCode(2)
    }
}
