import ArgumentParser
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

            The output folder gets report.html, report.json, pictures (PNG) and masks (NIfTI). Scans are only read.
            """)

    @Argument(help: ArgumentHelp("The case: a case.yaml, or the folder that holds it.", valueName: "case"))
    var casePath: String?

    @OptionGroup(title: "Case by flags (instead of a case file)")
    var flags: CaseFlags

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the results go; by default icemargin-<case id> in the current folder.", valueName: "dir"))
    var output: String?

    @Flag(help: "Replace an earlier result in the output folder.")
    var overwrite = false

    @Flag(help: "Print report.json instead of the summary.")
    var json = false

    @Flag(help: "Exit with 1 when the criterion is not met or cannot be decided.")
    var failOnInsufficientMargin = false

    @Option(help: ArgumentHelp("Print a built-in site profile and stop (\(SiteProfile.builtInNames.joined(separator: ", "))).", valueName: "name"))
    var printProfile: String?

    func validate() throws {
        guard printProfile == nil else { return }
        if casePath == nil && flags.planning == nil {
            throw ValidationError("Give a case file, or --planning, --intraprocedural and a tumour.")
        }
        if casePath != nil, let given = flags.firstGiven {
            throw ValidationError("Give a case file or \(given), not both.")
        }
    }

    func run() async throws {
        if let printProfile {
            print(try SiteProfile.builtInText(printProfile), terminator: "")
            return
        }
        let description = try casePath.map { try CaseDescription.read(URL(filePath: $0)) } ?? flags.description()
        let profileFolder = casePath.map { Self.folder(ofCase: URL(filePath: $0)) } ?? URL(filePath: FileManager.default.currentDirectoryPath)
        let profile = try SiteProfile.load(description.site, relativeTo: profileFolder)
        let folder = try ResultsFolder(destination: URL(filePath: output ?? "icemargin-\(description.id)"), overwrite: overwrite)

        let report: CaseReport
        do {
            report = try CaseVerification(description: description, profile: profile).run(into: folder, progress: Self.progress)
        } catch {
            folder.discard()
            throw error
        }
        if json {
            FileHandle.standardOutput.write(try report.jsonData())
        } else {
            print(VerdictSummary(report: report).text)
            print("Report: \(folder.destination.appending(path: "report.html").path)")
        }
        if failOnInsufficientMargin && report.verdict.status != .met { throw ExitCode(1) }
    }

    private static func folder(ofCase path: URL) -> URL {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder)
        return isFolder.boolValue ? path : path.deletingLastPathComponent()
    }

    /// Names the stage on a terminal, on one line that is overwritten.
    private static func progress(_ stage: String?) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        FileHandle.standardError.write(Data("\r\u{1b}[K\(stage.map { $0 + " …" } ?? "")".utf8))
    }
}

/// A case description in flags: the same keys as `case.yaml` for one tumour.
struct CaseFlags: ParsableArguments {
    @Option(help: ArgumentHelp("A name for the case.", valueName: "name"))
    var id: String?

    @Option(help: ArgumentHelp("A built-in site profile (\(SiteProfile.builtInNames.joined(separator: ", "))) or the path of a profile file.", valueName: "site"))
    var site: String?

    @Option(help: ArgumentHelp("The folder of the planning scan, in which the tumour shows.", valueName: "dir"))
    var planning: String?

    @Option(name: .customLong("planning-series"), help: ArgumentHelp("Its Series Instance UID, where the folder has several.", valueName: "uid"))
    var planningSeries: String?

    @Option(help: ArgumentHelp("The folder of the scan before freezing, in the same session.", valueName: "dir"))
    var prefreeze: String?

    @Option(help: ArgumentHelp("The folder of the scan that shows the ice.", valueName: "dir"))
    var intraprocedural: String?

    @Option(name: .customLong("intraprocedural-series"), help: ArgumentHelp("Its Series Instance UID, where the folder has several.", valueName: "uid"))
    var intraproceduralSeries: String?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("A point inside the tumour on the planning scan, LPS millimetres.", valueName: "L,P,S"),
        transform: PatientPoint.flag)
    var tumourSeed: PatientPoint?

    @Option(help: ArgumentHelp("The tumour's approximate diameter, millimetres.", valueName: "mm"))
    var tumourDiameter: Double?

    @Option(help: ArgumentHelp("The tumour as a NIfTI mask in the planning scan's frame, instead of a seed.", valueName: "file"))
    var tumourMask: String?

    @Option(help: ArgumentHelp("The ice as a NIfTI mask in the ice scan's frame, instead of segmenting it.", valueName: "file"))
    var iceMask: String?

    /// The first of these flags that was given; `nil` when none was.
    var firstGiven: String? {
        let given: [(String, Bool)] = [
            ("--id", id != nil), ("--site", site != nil), ("--planning", planning != nil), ("--planning-series", planningSeries != nil),
            ("--prefreeze", prefreeze != nil), ("--intraprocedural", intraprocedural != nil), ("--intraprocedural-series", intraproceduralSeries != nil),
            ("--tumour-seed", tumourSeed != nil), ("--tumour-diameter", tumourDiameter != nil), ("--tumour-mask", tumourMask != nil), ("--ice-mask", iceMask != nil),
        ]
        return given.first { $0.1 }?.0
    }

    func description() throws -> CaseDescription {
        guard let planning, let intraprocedural else { throw ValidationError("--planning and --intraprocedural are both needed.") }
        guard let site else { throw ValidationError("--site is needed: \(SiteProfile.builtInNames.joined(separator: ", ")), or the path of a profile file.") }
        guard CaseDescription.isIdentifier(id ?? "case") else {
            throw ValidationError("--id must be 1 to 64 letters, digits, “-”, “_” or “.”, not starting with “.”.")
        }
        var description = CaseDescription(
            id: id ?? "case", site: site, planning: .init(folder: URL(filePath: planning), seriesUID: planningSeries),
            prefreeze: prefreeze.map { .init(folder: URL(filePath: $0)) },
            treated: .init(folder: URL(filePath: intraprocedural), seriesUID: intraproceduralSeries),
            tumours: [.init(id: "T1", source: try tumour())])
        description.zone = iceMask.map { .init(source: .nifti(URL(filePath: $0)), frame: .intraprocedural) }
        return description
    }

    private func tumour() throws -> CaseDescription.Tumour.Source {
        switch (tumourSeed, tumourMask) {
        case (nil, nil), (_?, _?): throw ValidationError("Give the tumour by --tumour-seed and --tumour-diameter, or by --tumour-mask.")
        case (nil, let mask?): return .mask(.init(source: .nifti(URL(filePath: mask)), frame: .planning))
        case (let seed?, nil):
            guard let tumourDiameter, tumourDiameter > 0, tumourDiameter.isFinite else {
                throw ValidationError("--tumour-seed needs --tumour-diameter, in millimetres and greater than 0.")
            }
            return .seed(seed, diameterMM: tumourDiameter)
        }
    }
}
