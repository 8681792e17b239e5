import ArgumentParser
import DICOMObjects
import Foundation
import ImageFilters
import ImageSegmentation
import ImagingCore
import NIfTIFormat
import Reporting
import VerificationPipeline

/// `icemargin segment`: one object of one scan.
struct SegmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segment",
        abstract: "Find the tumour, the ice or the probes in one scan.",
        discussion: """
            Examples: icemargin segment planning --tumour --seed 12.5,-80,431 --diameter 24 --output tumour
                      icemargin segment intraop --ice --reference prefreeze --output ice
            """)

    @Argument(help: ArgumentHelp("The folder of the DICOM series.", valueName: "series")) var series: String
    @Flag(help: "Find the tumour at --seed, of about --diameter.") var tumour = false
    @Flag(help: "Find the visible ice around the probes (found on CT), or around --seed.") var ice = false
    @Flag(help: "Find the probes (CT).") var probes = false
    @Option(
        parsing: .unconditional, help: ArgumentHelp("A point in the tumour, or where ice is expected, LPS millimetres.", valueName: "L,P,S"),
        transform: PatientPoint.flag)
    var seed: PatientPoint?
    @Option(help: "The tumour's approximate longest diameter in mm.") var diameter: Double?
    @Option(help: "The folder of a scan before freezing, in the same frame of reference.") var reference: String?
    @Flag(help: "The tumour lies in bone.") var inBone = false
    @Option(name: .customLong("series-uid"), help: "Which series, when the folder holds several.") var seriesUID: String?
    @Option(name: .shortAndLong, help: "The folder to write NIfTI files and segment.json into; it must be new or empty.") var output: String?
    @Flag(help: "Replace an earlier result in the output folder.") var overwrite = false
    @Flag(help: "Print one JSON document.") var json = false

    func validate() throws {
        guard [tumour, ice, probes].count(where: { $0 }) == 1 else { throw ValidationError("Give one of --tumour, --ice, --probes.") }
        if tumour, seed == nil || diameter == nil { throw ValidationError("--tumour needs --seed and --diameter.") }
    }

    func run() async throws {
        let results = try output.map { try ResultsFolder(destination: URL(filePath: $0), overwrite: overwrite, marker: "segment.json", inputs: [URL(filePath: series)]) }
        do {
            let (document, result) = try segment()
            if let results { try write(document, result, to: results) }
            if json {
                try StandardOutput.write(try ReportEncoder().encode(document))
            } else {
                try StandardOutput.write(document.text + "\n")
            }
        } catch {
            results?.discard()
            throw error
        }
    }

    private func segment() throws -> (SegmentDocument, SegmentationResult?) {
        let scan = try Self.load(series, uid: seriesUID)
        let found = ice || probes ? ProbeDetection.probes(in: scan.volume, modality: scan.modality) : []
        var result: SegmentationResult?
        if tumour {
            result = try TumourSegmentation.segment(
                scan: scan.volume, modality: scan.modality, seed: seed!, diameterMM: diameter!, parameters: .init(mayLieInBone: inBone))
        } else if ice {
            let before = try reference.map { try Self.load($0, uid: nil).volume }
            result = try IceSegmentation.segment(
                scan: scan.volume, modality: scan.modality, probes: found, seeds: seed.map { [$0] } ?? [], reference: before)
        }
        return (SegmentDocument(object: tumour ? "tumour" : ice ? "ice" : "probes", scan: scan, result: result, probes: found), result)
    }

    private func write(_ document: SegmentDocument, _ result: SegmentationResult?, to folder: ResultsFolder) throws {
        if let result {
            try NIfTIFile.write(result.levelSet.mask, to: try folder.url("\(document.object).nii.gz"))
            try NIfTIFile.write(result.levelSet, to: try folder.url("\(document.object)-level-set.nii.gz"))
        }
        try folder.write(try ReportEncoder().encode(document), to: "segment.json")
        try folder.commit()
    }

    private static func load(_ folder: String, uid: String?) throws -> Scan {
        let usable = try SeriesCatalog.scan(URL(fileURLWithPath: folder)).series.filter { $0.usable && (uid == nil || $0.seriesInstanceUID == uid) }
        guard let entry = usable.first else {
            throw DICOMError(
                Finding(.error, "input-missing", "There is no usable series in \(folder).", remedy: "See what icemargin inspect says about it."),
                category: .inputMissing)
        }
        guard usable.count == 1 else {
            throw DICOMError(
                Finding(
                    .error, "several-series", "There are \(usable.count) usable series in \(folder).",
                    remedy: "Choose one with --series-uid; icemargin inspect lists them."),
                category: .usage)
        }
        return try entry.load()
    }
}

/// What `segment --json` prints and `segment.json` holds.
struct SegmentDocument: Encodable {
    let schema = "icemargin.segment/1"
    let object, seriesInstanceUID: String
    let volumeML, edgeUncertaintyMM: Double?
    let method: String?
    let probes: [ProbeEntry]
    let findings: [Finding]

    struct ProbeEntry: Encodable {
        let tipLPS, tailLPS: PatientPoint
        let source: String
    }

    init(object: String, scan: Scan, result: SegmentationResult?, probes: [Probe]) {
        (self.object, seriesInstanceUID) = (object, scan.seriesInstanceUID)
        (volumeML, edgeUncertaintyMM, method) = (result.map { $0.levelSet.surface().enclosedVolume / 1000 }, result?.edgeUncertaintyMM, result?.method)
        self.probes = probes.map { ProbeEntry(tipLPS: $0.tip, tailLPS: $0.tail, source: $0.source.rawValue) }
        findings = scan.findings + (result?.findings ?? [])
    }

    var text: String {
        var lines: [String] = []
        if let volumeML, let edgeUncertaintyMM {
            lines.append("\(object): \(String(format: "%.1f", volumeML)) mL, edge ± \(String(format: "%.1f", edgeUncertaintyMM)) mm")
        }
        func point(_ p: PatientPoint) -> String { String(format: "%.1f, %.1f, %.1f", p.lps.x, p.lps.y, p.lps.z) }
        lines += probes.enumerated().map { "probe \($0.offset + 1): tip \(point($0.element.tipLPS)), tail \(point($0.element.tailLPS))" }
        if object == "probes", probes.isEmpty { lines.append("no probes found") }
        lines += findings.map { "\($0.severity.rawValue): \($0.message)\($0.remedy.isEmpty ? "" : " \($0.remedy)")" }
        return lines.joined(separator: "\n")
    }
}
