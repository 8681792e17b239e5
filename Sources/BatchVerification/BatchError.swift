import Foundation
import ImagingCore

/// Why a batch cannot begin or go on. A case that fails is none of these.
public enum BatchError: ReportableError {
    case archiveMissing(URL)
    case noCases(URL)
    case outputInsideArchive(URL, archive: URL)
    case notWritable(URL, reason: String)
    case full(URL)
    case busy(URL, holder: String)
    case badTable(URL, line: Int, problem: String, remedy: String)
    case noArchive(URL)
    case noPlan(URL)
    case noSuchTask(Int, count: Int)

    public var category: FailureCategory {
        switch self {
        case .archiveMissing, .noCases, .noArchive, .noPlan: .inputMissing
        case .noSuchTask: .usage
        case .badTable: .badData
        case .outputInsideArchive, .notWritable, .full, .busy: .cannotWrite
        }
    }

    public var finding: Finding {
        switch self {
        case .archiveMissing(let archive):
            Finding(.error, "archive-missing", "\(archive.path) is not there.", remedy: "Check the path.")
        case .noCases(let archive):
            Finding(
                .error, "no-cases", "No case was found in \(archive.path).",
                remedy:
                    "Give a folder that holds case.yaml files, or DICOM with a segmented tumour and a later scan, or a table of cases (.csv, .tsv)."
            )
        case .outputInsideArchive(let output, let archive):
            Finding(
                .error, "output-inside-archive",
                "The output folder \(output.path) lies inside the archive \(archive.path), which is only read.",
                remedy: "Choose an --output elsewhere.")
        case .notWritable(let folder, let reason):
            Finding(
                .error, "output-not-writable", "\(folder.path) cannot be written: \(reason).",
                remedy: "Check the permissions, or choose another --output.")
        case .full(let folder):
            Finding(
                .error, "output-full", "The disk that holds \(folder.path) is full.",
                remedy: "Make room and start the same command again: what is done is kept.")
        case .busy(let folder, let holder):
            Finding(
                .error, "output-busy", "Another batch writes to \(folder.path) (\(holder)).",
                remedy: "Wait for it, or choose another --output.")
        case .badTable(let file, let line, let problem, let remedy):
            Finding(.error, "case-table", "\(file.path), line \(line): \(problem).", remedy: remedy)
        case .noArchive(let folder):
            Finding(
                .error, "no-archive", "\(folder.path) has no database of cases.",
                remedy: "Give the output folder of `icemargin batch`; `icemargin collect` makes the database anew where it was lost.")
        case .noPlan(let file):
            Finding(
                .error, "no-plan", "There is no work list \(file.path) that can be read.",
                remedy: "Write it with: icemargin batch ARCHIVE --output DIR --plan")
        case .noSuchTask(let task, let count):
            Finding(
                .error, "no-such-task", "The work list has no entry \(task).",
                remedy: count == 0 ? "Nothing is due." : "Give a number from 1 to \(count).")
        }
    }
}
