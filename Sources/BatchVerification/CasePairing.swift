import DICOMObjects
import Foundation
import StudyArchive
import VerificationPipeline

/// Cases put together from an archive that has no case files: for each patient a scan with a segmented tumour, and a later scan with ice.
///
/// What belongs together is judged by headers alone. Whether a later scan really shows ice is for the verification to find out; where no
/// description names ice, the reason says so.
struct CasePairing {
    /// Two scans that make a case.
    struct Pair {
        var id: String
        /// What is unique to it and stays: the UIDs of what holds the tumour and of the scan with ice.
        var source: String
        var reason: String
        var site: String
        var planning, treated: HeaderIndex.Series
        var tumours: [Tumour]
    }
    struct Tumour {
        var file: String
        var segment: Int?
        var region: String?
    }
    /// A tumour that no case came of.
    struct Unpaired { var what, reason: String }

    private(set) var pairs: [Pair] = []
    private(set) var unpaired: [Unpaired] = []
    /// Patients with scans and nothing that outlines a tumour.
    private(set) var patientsWithoutObjects = 0

    private let index: HeaderIndex
    private let site: String?

    /// - Parameter site: of every case; where `nil` it is told from descriptions.
    init(_ index: HeaderIndex, site: String?) throws {
        (self.index, self.site) = (index, site)
        for (_, entries) in Dictionary(grouping: try index.series(), by: \.series.patient).sorted(by: { $0.key < $1.key }) {
            let scans = entries.filter { ["CT", "MR"].contains($0.series.modality) && ($0.fileCount >= 3 || $0.series.frameCount >= 3) }
                .map(\.series)
            if !scans.isEmpty, !entries.contains(where: { ["SEG", "RTSTRUCT"].contains($0.series.modality) }) {
                patientsWithoutObjects += 1
            }
            for (object, _) in entries where ["SEG", "RTSTRUCT"].contains(object.modality) {
                for file in try index.files(of: object) { pair(file, object, scans) }
            }
        }
        // The same person's cases are numbered in order of time.
        pairs.sort { ($0.planning.patient, $0.treated.when, $0.source) < ($1.planning.patient, $1.treated.when, $1.source) }
        var counts: [String: Int] = [:]
        for index in pairs.indices {
            let patient = pairs[index].planning.patient.prefix(8)
            counts[String(patient), default: 0] += 1
            pairs[index].id = "patient-\(patient)-\(counts[String(patient)]!)"
        }
    }

    private mutating func pair(_ file: String, _ object: HeaderIndex.Series, _ scans: [HeaderIndex.Series]) {
        func refuse(_ reason: String) { unpaired.append(Unpaired(what: file, reason: reason)) }
        let contents: Contents
        do { contents = try Contents(file, isSegmentation: object.modality == "SEG") } catch { return refuse(error.finding.message) }
        guard !contents.tumours.isEmpty else {
            return refuse(
                "no part is named like a tumour: \(contents.names.isEmpty ? "it has none" : contents.names.joined(separator: ", "))")
        }
        let named = scans.first { $0.seriesInstanceUID == contents.seriesUID }
        let sameFrame = scans.filter { $0.frameOfReferenceUID != nil && contents.frames.contains($0.frameOfReferenceUID!) }
        guard let planning = named ?? sameFrame.first(where: { $0.studyInstanceUID == object.studyInstanceUID }) ?? sameFrame.first else {
            return refuse("the scan that it was drawn on is not in the archive")
        }
        let later = scans.filter { $0.when > planning.when && $0.seriesInstanceUID != planning.seriesInstanceUID }
        guard let (treated, why) = Self.treated(after: planning, among: later) else {
            return refuse(
                later.isEmpty
                    ? "no later CT or MR of this patient" : "no later \(planning.modality) of this patient, and none that is called ice")
        }
        guard let site = site ?? Self.site(of: [object, planning, treated], names: contents.names) else {
            return refuse("nothing tells the site: give --site")
        }
        let parts = contents.tumours.map(\.name).joined(separator: ", ")
        pairs.append(
            Pair(
                id: "", source: "\(file) \(treated.seriesInstanceUID)",
                reason:
                    "\(object.modality) “\(parts)” on \(planning.words), \(named == nil ? "by its frame of reference" : "which it names"); ice: \(treated.words), \(treated.time(after: planning).map { $0 + ", " } ?? "")\(why)",
                site: site, planning: planning, treated: treated, tumours: contents.tumours.map(\.tumour)))
    }

    /// The scan that should show the ice: the last one called so of the first study that has one; else the last of the planning scan's
    /// modality in the next study.
    static func treated(after planning: HeaderIndex.Series, among later: [HeaderIndex.Series]) -> (HeaderIndex.Series, String)? {
        func lastOfFirstStudy(_ scans: [HeaderIndex.Series]) -> HeaderIndex.Series? {
            guard let first = scans.min(by: { $0.when < $1.when }) else { return nil }
            return scans.filter { $0.studyInstanceUID == first.studyInstanceUID }.max { $0.when < $1.when }
        }
        let called = later.filter { $0.seriesDescription.contains(iceWords) && !$0.seriesDescription.contains(beforeWords) }
        let sameModality = called.filter { $0.modality == planning.modality }
        if let scan = lastOfFirstStudy(sameModality.isEmpty ? called : sameModality) { return (scan, "called so") }
        let next = later.filter { $0.modality == planning.modality && $0.studyInstanceUID != planning.studyInstanceUID }
        return lastOfFirstStudy(next).map { ($0, "the last \($0.modality) of the next study, which does not say ice") }
    }

    nonisolated(unsafe) private static let iceWords = /(?i)\b(ice|iceball|cryo\w*|freez\w*|frozen|intra-?proc\w*|intraop\w*|ablation)\b/
    nonisolated(unsafe) private static let beforeWords = /(?i)\b(pre|before|plan\w*|prior)\b/
    nonisolated(unsafe) fileprivate static let tumourWords = /(?i)tumou?r|lesion|mass|gtv|metasta|neoplasm|carcinoma|cancer|hcc|rcc|nodule/
    private static let siteWords: [(String, [String])] = [
        ("liver", ["liver", "hepat", "hcc"]), ("kidney", ["kidney", "renal", "rcc"]), ("lung", ["lung", "pulmon", "chest", "thorax"]),
        ("breast", ["breast"]), ("spine", ["spine", "vertebra"]), ("pleura", ["pleura"]), ("bone", ["bone", "pelvis"]),
    ]

    private static func site(of series: [HeaderIndex.Series], names: [String]) -> String? {
        let text = (names + series.flatMap { [$0.bodyPart, $0.seriesDescription, $0.studyDescription] }).joined(separator: " ").lowercased()
        return siteWords.first { $0.1.contains { text.contains($0) } }?.0
    }

    /// What a SEG or RTSTRUCT holds.
    private struct Contents {
        var tumours: [(name: String, tumour: Tumour)] = []
        var names: [String]
        var seriesUID: String?
        var frames: Set<String> = []

        init(_ file: String, isSegmentation: Bool) throws(DICOMError) {
            if isSegmentation {
                let object = try DICOMSegmentation.read(URL(filePath: file))
                names = object.segments.map(\.label)
                seriesUID = object.referencedSeriesInstanceUID
                frames = Set([object.geometry.frameOfReferenceUID].compactMap { $0 })
                for segment in object.segments where "\(segment.label) \(segment.propertyType ?? "")".contains(tumourWords) {
                    tumours.append((segment.label, Tumour(file: file, segment: segment.number)))
                }
            } else {
                let object = try StructureSet.read(URL(filePath: file))
                names = object.regions.map(\.name)
                frames = Set(object.regions.compactMap(\.frameOfReferenceUID))
                for region in object.regions where region.name.contains(tumourWords) && !region.contours.isEmpty {
                    tumours.append((region.name, Tumour(file: file, region: region.name)))
                }
            }
        }
    }
}

extension HeaderIndex.Series {
    fileprivate var when: String { date + time }
    /// Without its date, which is the patient's.
    fileprivate var words: String { modality + (seriesDescription.isEmpty ? "" : " “\(seriesDescription)”") }

    /// How long after another series of the patient, in words; `nil` where one has no date.
    fileprivate func time(after other: HeaderIndex.Series) -> String? {
        func day(_ text: String) -> Date? {
            try? Date(text, strategy: Date.ISO8601FormatStyle(dateSeparator: .omitted).year().month().day())
        }
        guard let start = day(other.date), let end = day(date) else { return nil }
        let days = Int((end.timeIntervalSince(start) / 86400).rounded())
        return days == 0 ? "on the same day" : days == 1 ? "a day later" : "\(days) days later"
    }
}

/// An archive of DICOM without case files.
public struct PairedArchive {
    /// What was put together, and why; what was not, and why not.
    public let reasons: [String]
    private let pairing: CasePairing
    private let index: HeaderIndex

    /// Brings the index of `output` up to date and pairs the archive's scans.
    ///
    /// - Parameter site: of every case; told from descriptions where `nil`.
    public init(_ folder: URL, output: BatchOutput, site: String?, indexed: (HeaderIndex.Update) -> Void = { _ in }) throws {
        index = HeaderIndex(try StudyArchive(folder: output.folder), of: folder)
        indexed(try index.update())
        pairing = try CasePairing(index, site: site)
        reasons =
            pairing.pairs.map { "\($0.id) (\($0.site)): \($0.reason)" } + pairing.unpaired.map { "not paired: \($0.what): \($0.reason)" }
            + Self.phrase(patientsWithoutObjects: pairing.patientsWithoutObjects)
    }

    private static func phrase(patientsWithoutObjects count: Int) -> [String] {
        count == 0 ? [] : [
            "not paired: \(count == 1 ? "a patient has" : "\(count) patients have") scans, but no segmented tumour (SEG, RTSTRUCT)"
        ]
    }

    /// Whether no case came of the archive.
    public var isEmpty: Bool { pairing.pairs.isEmpty }

    /// The cases. Their case files, with links to the files of the two scans, are written to `output`.
    public func cases(writingTo output: BatchOutput, earlier: [String: String] = [:]) throws -> [BatchCase] {
        var keys = CaseKeys(earlier: earlier)
        return try zip(keys.assign(pairing.pairs.map { ($0.id, $0.source) }), pairing.pairs).map { key, pair in
            let folder = output.descriptions.appending(path: key)
            for (name, series) in [("planning", pair.planning), ("intraprocedural", pair.treated)] {
                try output.link(try index.files(of: series), in: folder.appending(path: name))
            }
            let file = folder.appending(path: CaseTree.fileName), text = Data(Self.text(of: pair, id: key).utf8)
            if FileManager.default.contents(atPath: file.path) != text { try output.write(text, to: file) }
            return BatchCase(key: key, source: pair.source, description: file.path)
        }
    }

    private static func text(of pair: CasePairing.Pair, id: String) -> String {
        let quoted = CaseTable.quoted
        let tumours = pair.tumours.enumerated().map { number, tumour in
            let part =
                tumour.segment.map { "segmentation: \(quoted(tumour.file)), segment: \($0)" }
                ?? "structureSet: \(quoted(tumour.file)), roi: \(quoted(tumour.region!))"
            return "  - {id: T\(number + 1), \(part)}\n"
        }
        return """
            # \(pair.reason.replacing("\n", with: " "))
            schema: \(CaseDescription.schema)
            id: \(id)
            site: \(quoted(pair.site))
            planning: {series: planning, seriesUID: \(quoted(pair.planning.seriesInstanceUID))}
            intraprocedural: {series: intraprocedural, seriesUID: \(quoted(pair.treated.seriesInstanceUID))}
            tumours:
            \(tumours.joined())
            """
    }
}
