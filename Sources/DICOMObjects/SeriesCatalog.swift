import Foundation
import ImagingCore

/// The DICOM series in a folder.
public struct SeriesCatalog: Sendable {
    /// Sorted by study, series number and UID; volumes of one series stand together.
    public let series: [SeriesEntry]
    /// What concerns no series: files that are broken or not DICOM, folders that cannot be read.
    public let findings: [Finding]

    /// Reads the headers of every file under a folder, however nested and named, or of one file.
    ///
    /// Broken and foreign files become findings. Throws only when `url` is not there.
    public static func scan(_ url: URL) throws(DICOMError) -> SeriesCatalog {
        let walk = try FolderWalk(url)
        let urls = walk.files.map(\.url)
        let headers = mapSlabs(of: urls.count, slab: 8) { range in
            range.map { index in Result { () throws(DICOMError) in try ImageFile(urls[index]) } }
        }.flatMap { $0 }
        return SeriesCatalog(headers, findings: walk.findings)
    }

    private init(_ headers: [Result<ImageFile, DICOMError>], findings: [Finding]) {
        var findings = findings
        var bySeries: [String: [ImageFile]] = [:]
        for header in headers {
            switch header {
            case .success(let file): bySeries[file.seriesInstanceUID, default: []].append(file)
            case .failure(let error): findings.append(error.finding)
            }
        }
        let groups = bySeries.values.sorted { a, b in
            (
                a[0].studyInstanceUID, a[0].seriesNumber, a[0].seriesInstanceUID
            ) < (b[0].studyInstanceUID, b[0].seriesNumber, b[0].seriesInstanceUID)
        }
        for file in groups.joined() where file.isBroken { findings.append(file.refusal!) }
        series = groups.flatMap(Self.entries)
        self.findings = Self.summarized(findings)
    }

    /// The entries of the files that carry one Series Instance UID.
    private static func entries(_ files: [ImageFile]) -> [SeriesEntry] {
        let images = files.filter { $0.refusal == nil }
        let slices = images.enumerated().flatMap { index, file in
            file.frames.map { Slice(file: index, frame: $0, plane: $0.plane!, sopInstanceUID: file.sopInstanceUID) }
        }
        let warnings = losses(files)
        let usable = images.isEmpty ? [] : SeriesPartition(files: images).parts(of: slices).map {
            SeriesEntry($0, of: images).adding(warnings)
        }
        return usable + refusedEntries(files)
    }

    private static func refusedEntries(_ files: [ImageFile]) -> [SeriesEntry] {
        struct Kind: Hashable { let code, sopClass, modality: String }
        var kinds: [Kind] = []
        var groups: [Kind: [ImageFile]] = [:]
        for file in files where file.refusal != nil && !file.isBroken {
            let kind = Kind(code: file.refusal!.code, sopClass: file.sopClassUID, modality: file.modality)
            if groups[kind] == nil { kinds.append(kind) }
            groups[kind, default: []].append(file)
        }
        return kinds.map { SeriesEntry(refused: groups[$0]!) }
    }

    /// What a volume lacks because files of its series could not be used.
    private static func losses(_ files: [ImageFile]) -> [Finding] {
        func count(_ number: Int) -> String { number == 1 ? "1 image" : "\(number) images" }
        let broken = files.filter(\.isBroken)
        let undecodable = files.filter {
            !$0.isBroken && ["jpeg-2000", "transfer-syntax", "no-geometry", "pixel-format"].contains($0.refusal?.code)
        }
        var findings: [Finding] = []
        if !broken.isEmpty {
            findings.append(Finding(.warning, "broken-images", "\(count(broken.count)) of this series could not be read (\(broken[0].url.lastPathComponent) is the first) and may be missing from the volume.",
                                    remedy: "Export the series again."))
        }
        if let first = undecodable.first {
            findings.append(Finding(.warning, "refused-images", "\(count(undecodable.count)) of this series cannot be used: \(first.refusal!.message)",
                                    remedy: first.refusal!.remedy))
        }
        return findings
    }

    /// How many findings of one minor kind are listed one by one.
    private static let listed = 20

    /// Folders may hold thousands of files that are not DICOM: after the first few they are counted.
    private static func summarized(_ findings: [Finding]) -> [Finding] {
        let foreign = findings.filter { $0.code == "not-dicom" }
        guard foreign.count > listed else { return findings }
        return findings.filter { $0.code != "not-dicom" } + foreign.prefix(listed)
            + [Finding(.info, "not-dicom", "\(foreign.count - listed) more files are not DICOM and were passed over.")]
    }
}
