import DICOMObjects
import Foundation
import ImagingCore
import StudyArchive
import VerificationPipeline

/// Everything that a case's result depends on, as it stands now.
struct CaseInputs {
    /// `nil` where the description cannot be read.
    var descriptionSHA256: String?
    var profile: String?
    var profileSHA256: String?
    /// How the case is run.
    var options: CaseOptions
    /// Every file of the folders that the case names and its masks, sorted by path; hashes are not filled in.
    var files: [RunRecord.InputFile]

    /// Looks at the case's description, profile and files; reads no image. What is missing is left out: running the case says so.
    ///
    /// - Parameter profiles: where a site keeps profiles of its own.
    init(of batchCase: BatchCase, options: CaseOptions, profiles: URL? = SiteProfile.ownFolder()) {
        self.options = options
        let file = URL(filePath: batchCase.description)
        guard let content = FileManager.default.contents(atPath: file.path) else {
            files = []
            return
        }
        descriptionSHA256 = sha256(of: content)
        guard let description = try? CaseDescription.read(file) else {
            files = []
            return
        }
        profile = description.site
        let text = try? SiteProfile.text(of: description.site, relativeTo: file.deletingLastPathComponent(), ownFolder: profiles).text
        profileSHA256 = text.map { sha256(of: Data($0.utf8)) }
        var found: [String: RunRecord.InputFile] = [:]
        for path in description.inputPaths {
            for file in (try? FolderWalk(path).files) ?? [] {
                found[file.url.path] = RunRecord.InputFile(path: file.url.path, size: file.size, modifiedNS: file.modifiedNS)
            }
        }
        files = found.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    var totalBytes: Int64 { files.reduce(0) { $0 + $1.size } }

    /// The files with their hashes. One that is no longer as it was when `self` was made has none, so that the case is due again.
    func hashedFiles() -> [RunRecord.InputFile] {
        files.map { file in
            var file = file
            let hash = Self.contentSHA256(of: file.path)
            if Self.isUnchanged(file) { file.sha256 = hash }
            return file
        }
    }

    static func contentSHA256(of path: String) -> String? { try? sha256(ofFile: URL(filePath: path)) }

    private static func isUnchanged(_ file: RunRecord.InputFile) -> Bool {
        guard let now = try? FolderWalk(URL(filePath: file.path)).files.first else { return false }
        return now.size == file.size && now.modifiedNS == file.modifiedNS
    }
}

extension CaseInputs {
    /// Why the case has to be run (again); `nil` when `last` still holds.
    ///
    /// Files whose size and date are as they were are taken to be unchanged; the others are read and their contents compared.
    ///
    /// - Parameters:
    ///   - last: the latest run of the case.
    ///   - hasResults: whether the results of `last` are where they belong.
    ///   - retryingFailures: whether every failure is tried again.
    func dueReason(after last: RunRecord?, hasResults: Bool, retryingFailures: Bool = false) -> String? {
        guard let last else { return "new" }
        if let failure = last.failure {
            if !failure.isLasting { return "failed before: \(failure.code)" }
            if retryingFailures { return "failed before, to be tried again: \(failure.code)" }
        } else if !hasResults {
            return "its results are gone"
        }
        if last.version != iceMarginVersion { return "made by version \(last.version), this is \(iceMarginVersion)" }
        if last.descriptionSHA256 != descriptionSHA256 { return "the case description changed" }
        if last.profile != profile || last.profileSHA256 != profileSHA256 { return "the profile \(profile ?? "") changed" }
        let before = last.options ?? []
        if before != options.arguments { return "run with \(Self.phrase(before)) before, now with \(Self.phrase(options.arguments))" }
        return changedFiles(since: last)
    }

    private static func phrase(_ arguments: [String]) -> String { arguments.isEmpty ? "no options" : arguments.joined(separator: " ") }

    private func changedFiles(since last: RunRecord) -> String? {
        let before = Dictionary(last.inputs.map { ($0.path, $0) }) { first, _ in first }
        let now = Set(files.map(\.path))
        func phrase(_ paths: [String], _ what: String) -> String? {
            guard let first = paths.first else { return nil }
            let name = URL(filePath: first).lastPathComponent
            return paths.count == 1 ? "input \(name) \(what)" : "\(paths.count) inputs \(what) (\(name) is the first)"
        }
        if let reason = phrase(files.map(\.path).filter { before[$0] == nil }, "added") { return reason }
        if let reason = phrase(last.inputs.map(\.path).filter { !now.contains($0) }, "gone") { return reason }
        let changed = files.filter { file in
            guard let old = before[file.path], let hash = old.sha256 else { return true }
            return (old.size, old.modifiedNS) != (file.size, file.modifiedNS) && Self.contentSHA256(of: file.path) != hash
        }
        return phrase(changed.map(\.path), "changed")
    }
}

extension CaseDescription {
    /// The folders and files that the case reads.
    var inputPaths: [URL] {
        var masks = tumours.compactMap { tumour -> FramedMask? in if case .mask(let mask) = tumour.source { mask } else { nil } }
        masks += structures.map(\.mask) + [organ, zone].compactMap { $0 } + earlierZones
        return [planning, treated, prefreeze].compactMap { $0?.folder } + masks.map(\.source.file)
            + [registration.initialTransform, registration.transform, registration.displacement].compactMap { $0 } + probeModels
    }
}
