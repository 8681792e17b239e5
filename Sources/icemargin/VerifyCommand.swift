import ArgumentParser
import BatchVerification
import Foundation
import ImagingCore
import Reporting
import VerificationPipeline

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check one case: does the ice cover the tumour with its margin?",
        discussion: """
            Give a case file (or the folder that holds its case.yaml), or describe the case by flags:

              icemargin verify --planning DIR --intraprocedural DIR --site liver \\
                --tumour-seed 12.5,-80,431 --tumour-diameter 24

            Without --intraprocedural (or --followup), with each --probe, the treatment is planned: what would freeze, and the margins that would \
            give, by simulation alone. The same is added where the ice scan shows no ice.

            The output folder gets report.html, report.json, pictures (PNG), masks and simulated temperatures (NIfTI) and, in dicom/, DICOM objects of \
            the scans' studies: segmentation, structured report, pictures. These say who the patient is; all else does only with --identified. Scans are only read.
            """)

    @Argument(help: ArgumentHelp("The case: a case.yaml, or the folder that holds it.", valueName: "case"))
    var casePath: String?

    @OptionGroup(title: "Case by flags (instead of a case file)")
    var flags: CaseFlags

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where the results go; by default icemargin-<case id> in the current folder.", valueName: "dir"))
    var output: String?

    @Flag(help: "Replace an earlier result in the output folder; one that holds files of yours is left alone.")
    var overwrite = false

    @OptionGroup var resultFlags: ResultFlags

    @Flag(help: "Print report.json instead of the summary.")
    var json = false

    @Flag(help: "Exit with 1 when the criterion is not met or cannot be decided.")
    var failOnInsufficientMargin = false

    @Option(help: ArgumentHelp(
        "Where NAME.yaml is a site profile of your own, before the built-in one of that name; by default $ICEMARGIN_PROFILES, else icemargin/profiles"
            + " in your configuration folder.", valueName: "dir"))
    var profiles: String?

    @Option(help: ArgumentHelp("How many threads to use, by default one for each core; results do not depend on it.", valueName: "n"))
    var threads: Int?

    @Flag(
        help: ArgumentHelp(
            "Run as part of a batch: say how it goes on standard output, and end when standard input does.", visibility: .private))
    var supervised = false

    @Option(help: ArgumentHelp("Print a site profile and stop (\(SiteProfile.builtInNames.joined(separator: ", "))).", valueName: "name"))
    var printProfile: String?

    func validate() throws {
        guard printProfile == nil else { return }
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
        if casePath == nil && flags.planning == nil {
            throw ValidationError("Give a case file, or --planning, --intraprocedural (for a plan, each --probe) and a tumour.")
        }
        if casePath == nil { _ = try flags.description() }
        if casePath != nil, let given = flags.firstGiven {
            throw ValidationError("Give a case file or \(given), not both.")
        }
    }

    func run() async throws {
        if let printProfile {
            try StandardOutput.write(try SiteProfile.text(printProfile, ownFolder: ownProfiles).text)
            return
        }
        guard supervised else {
            let (report, destination) = try await verify(progress: Self.progress)
            if json {
                try StandardOutput.write(try report.jsonData())
            } else {
                try StandardOutput.write(
                    "\(VerdictSummary(report: report).text)\nReport: \(destination.appending(path: "report.html").path)\n")
            }
            if failOnInsufficientMargin && report.verdict.status != .met { throw ExitCode(1) }
            return
        }
        Supervision.endWithSupervisor()
        do {
            _ = try await verify { stage in
                if let stage { try? StandardOutput.write(SupervisionMessage.stage(stage).line) }
            }
            try StandardOutput.write(SupervisionMessage.ended(peakMemoryMB: Supervision.peakMemoryMB).line)
        } catch let error as any ReportableError {
            try? StandardOutput.write(SupervisionMessage.failed(error.finding).line)
            throw error
        }
    }

    /// - Returns: the report and the folder that holds it.
    private func verify(progress: @escaping (String?) -> Void) async throws -> (CaseReport, URL) {
        let description = try casePath.map { try CaseDescription.read(URL(filePath: $0)) } ?? flags.description()
        let profileFolder = casePath.map { Self.folder(ofCase: URL(filePath: $0)) }
            ?? URL(filePath: FileManager.default.currentDirectoryPath)
        let profile = try SiteProfile.load(description.site, relativeTo: profileFolder, ownFolder: ownProfiles)
        var options = CaseVerification.Options()
        (options.writesDICOM, options.simulates) = (!resultFlags.noDICOM, !resultFlags.noSimulation)
        (options.isIdentified, options.forecastMinutes) = (resultFlags.identified, resultFlags.forecast)
        return try await OpenedResults.removedUnlessComplete { opened in
            let folder = try opened.open {
                try ResultsFolder(
                    destination: URL(filePath: output ?? "icemargin-\(description.id)"), overwrite: overwrite,
                    inputs: [description.planning, description.treated, description.prefreeze].compactMap { $0?.folder })
            }
            let report = try KernelThreads.with(threads ?? KernelThreads.count) {
                try CaseVerification(description: description, profile: profile, options: options).run(into: folder, progress: progress)
            }
            return (report, folder.destination)
        }
    }

    private var ownProfiles: URL? { SiteProfile.ownFolder(profiles.map { URL(filePath: $0) }) }

    private static func folder(ofCase path: URL) -> URL {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder)
        return isFolder.boolValue ? path : path.deletingLastPathComponent()
    }

    /// Names the stage on a terminal, on one line that is overwritten.
    private static func progress(_ stage: String?) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        StandardError.writeRaw("\r\u{1b}[K\(stage.map { $0 + " …" } ?? "")")
    }
}
