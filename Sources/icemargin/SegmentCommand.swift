import ArgumentParser
import Foundation
import ImageSegmentation
import ImagingCore
import NIfTIFormat
import Reporting
import VerificationPipeline

/// `icemargin segment`: one object of one scan.
struct SegmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segment",
        abstract: "Find the tumour, the ice, the ablation zone or the probes in one scan.",
        discussion: """
            icemargin segment planning --tumour --seed 12.5,-80,431 --diameter 24
            icemargin segment planning --tumour --axis 2,-80,431:26,-78,430
            icemargin segment intraop --ice --reference prefreeze --output ice
            icemargin segment followup --ablation-zone --seed 12.5,-80,431
            icemargin segment intraop --probes

            Points are LPS millimetres of the scan. The output folder gets the mask (on the scan's whole grid) and the level set \
            (positive inside, around the object) as NIfTI, pictures as PNG, and segment.json.
            """)

    /// What can be looked for.
    enum Object: String, EnumerableFlag {
        case tumour, ice, probes
        case ablationZone = "ablation-zone"

        static func help(for value: Object) -> ArgumentHelp? {
            switch value {
            case .tumour: "Find the tumour at --seed, of about --diameter, or along --axis."
            case .ice: "Find the visible ice around the probes (found in the scan, or given by --probe), or around --seed."
            case .ablationZone: "Find the ablation zone of a follow-up scan at --seed, of about --diameter if known."
            case .probes: "Find the probes; with --probe, compare the given ones with the scan."
            }
        }
    }

    @Argument(
        help: ArgumentHelp("The folder of the DICOM series, or a NIfTI file (then with --modality).", valueName: "series")
    ) var series: String
    @Flag(help: "What to find.") var object: Object
    @Option(
        name: .customLong("seed"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A point in the tumour; in the ablation zone, or where ice is expected (then it may be repeated).", valueName: "L,P,S"),
        transform: PatientPoint.flag)
    var seeds: [PatientPoint] = []
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The approximate longest diameter of tumour or ablation zone in mm.", valueName: "mm")
    ) var diameter: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The two ends of the tumour's longest axis, instead of --seed and --diameter.", valueName: "L,P,S:L,P,S"),
        transform: TumourPrompt.LongestAxis.flag)
    var axis: TumourPrompt.LongestAxis?
    @Option(
        name: .customLong("include"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A further point that belongs to the tumour; may be repeated.", valueName: "L,P,S"),
        transform: PatientPoint.flag)
    var includes: [PatientPoint] = []
    @Option(
        name: .customLong("exclude"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A point of a neighbour that does not belong to the tumour; may be repeated.", valueName: "L,P,S"),
        transform: PatientPoint.flag)
    var excludes: [PatientPoint] = []
    @Option(
        name: .customLong("probe"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A probe's tip and tail, instead of finding the probes; may be repeated.", valueName: "L,P,S:L,P,S"),
        transform: Probe.flag)
    var givenProbes: [Probe] = []
    @Option(
        help: ArgumentHelp("For ice: a scan before freezing, in the same frame of reference.", valueName: "series")
    ) var reference: String?
    @Flag(help: "The tumour or ablation zone lies in bone.") var inBone = false
    @Option(help: ArgumentHelp("What a NIfTI file holds: CT (HU) or MR.", valueName: "CT|MR")) var modality: Modality?
    @Option(
        name: .customLong("series-uid"), help: ArgumentHelp("Which series, when the folder holds several.", valueName: "uid")
    ) var seriesUID: String?
    @Option(name: .shortAndLong, help: ArgumentHelp("Where the results go; a new or empty folder.", valueName: "dir")) var output: String?
    @Flag(help: "Replace an earlier result in the output folder.") var overwrite = false
    @Flag(help: "Print one JSON document.") var json = false

    func validate() throws {
        let strays = [
            ("--diameter", object == .tumour || object == .ablationZone, diameter != nil), ("--axis", object == .tumour, axis != nil),
            ("--include", object == .tumour, !includes.isEmpty), ("--exclude", object == .tumour, !excludes.isEmpty),
            ("--in-bone", object == .tumour || object == .ablationZone, inBone), ("--reference", object == .ice, reference != nil),
            ("--seed", object != .probes, !seeds.isEmpty), ("--probe", object != .tumour, !givenProbes.isEmpty),
        ]
        if let stray = strays.first(where: { !$0.1 && $0.2 }) { throw ValidationError("\(stray.0) does not go with --\(object.rawValue).") }
        if let diameter, !(diameter > 0 && diameter.isFinite) {
            throw ValidationError("--diameter must be millimetres greater than 0, not “\(diameter)”.")
        }
        if object == .tumour { _ = try prompt }
        if object == .ablationZone, seeds.isEmpty { throw ValidationError("--ablation-zone needs --seed, a point inside the zone.") }
    }

    private var prompt: TumourPrompt {
        get throws {
            guard seeds.count < 2 else {
                throw ValidationError("Give one --seed; further points that belong to the tumour go with --include.")
            }
            return try TumourPrompt(
                seed: seeds.first, diameterMM: diameter, axis: axis, include: includes, exclude: excludes, flagPrefix: "--")
        }
    }

    func run() async throws {
        let inputs = [series, reference].compactMap { $0.map { URL(filePath: $0) } }
        try await OpenedResults.removedUnlessComplete { opened in
            let results = try output.map { path in
                try opened.open {
                    try ResultsFolder(destination: URL(filePath: path), overwrite: overwrite, marker: "segment.json", inputs: inputs)
                }
            }
            async let before = reference.map { try StageScan.read(URL(filePath: $0), modality: modality, role: "reference") }
            let scan = try StageScan.read(URL(filePath: series), seriesUID: seriesUID, modality: modality, role: "given")
            let found: Found
            do { found = try await segment(scan, reference: before) } catch {
                // What is wrong with the scan may be why.
                for finding in scan.findings where finding.severity != .info { StandardError.write(finding.line) }
                throw error
            }
            let surface = found.result?.levelSet.surface()
            let document = SegmentDocument(object: object.rawValue, scan: scan, found, surface: surface)
            if let results { try write(document, found.result, surface: surface, scan: scan, to: results) }
            if json {
                try StandardOutput.write(try ReportEncoder().encode(document))
            } else {
                try StandardOutput.write(document.text + "\n")
            }
            // A list of probes that the scan cannot bear out is bad data, though it was compared and written.
            if object == .probes, found.findings.contains(where: { $0.severity == .error }) { throw FailureCategory.badData.exitCode }
        }
    }

    /// What was found; nothing but probes where those were asked for.
    struct Found {
        var result: SegmentationResult?
        var probes: [Probe] = []
        var findings: [Finding] = []
    }

    private func segment(_ scan: StageScan, reference before: StageScan?) throws -> Found {
        switch object {
        case .tumour:
            return Found(result: try TumourSegmentation.segment(
                scan: scan.volume, modality: scan.modality, prompt: try prompt, parameters: .init(mayLieInBone: inBone)))
        case .ice:
            try before?.requireComparable(with: scan, role: "reference")
            if let seed = seeds.first(where: { !scan.volume.geometry.contains($0) }) {
                throw SegmentationError.seedOutsideScan(PlaceOutsideScan(seed, scan: scan.volume.geometry))
            }
            let probes = probes(in: scan)
            do {
                return Found(
                    result: try IceSegmentation.segment(
                        scan: scan.volume, modality: scan.modality, probes: probes.probes, seeds: seeds, reference: before?.volume),
                    probes: probes.probes, findings: probes.findings)
            } catch {
                // Why nothing was found: there is no metal where a probe is said to lie, say.
                for finding in probes.findings where finding.severity != .info { StandardError.write(finding.line) }
                throw error
            }
        case .ablationZone:
            return Found(result: try AblationZoneSegmentation.segment(
                scan: scan.volume, modality: scan.modality, seeds: seeds, approximateDiameterMM: diameter,
                parameters: .init(mayLieInBone: inBone)))
        case .probes:
            let probes = probes(in: scan)
            return Found(probes: probes.probes, findings: probes.findings)
        }
    }

    /// Those given, with what contradicts the scan in them, or those that the scan shows.
    private func probes(in scan: StageScan) -> ProbeDetection.Result {
        givenProbes.isEmpty
            ? ProbeDetection.find(in: scan.volume, modality: scan.modality)
            : .init(probes: givenProbes, findings: ProbeDetection.check(given: givenProbes, in: scan.volume, modality: scan.modality))
    }

    private func write(
        _ document: SegmentDocument, _ result: SegmentationResult?, surface: TriangleMesh?, scan: StageScan, to folder: ResultsFolder
    ) throws {
        if let result, let surface {
            let name = document.object, figures = SegmentFigures(scan: scan, object: name, result: result, surface: surface)
            let files: [@Sendable () throws -> Void] = [
                { try folder.write(try figures.montage().pngData(.fast), to: "\(name)-montage.png") },
                { try folder.write(try figures.planes().pngData(.fast), to: "\(name).png") },
                { try NIfTIFile.write(result.levelSet, to: try folder.url("\(name)-level-set.nii.gz")) },
                { try NIfTIFile.write(result.mask(on: scan.volume.geometry), to: try folder.url("\(name).nii.gz")) },
            ]
            for written in mapSlabs(of: files.count, slab: 1, { file in Result { try files[file.lowerBound]() } }) { try written.get() }
        }
        try folder.write(try ReportEncoder().encode(document), to: "segment.json")
        try folder.commit()
    }
}

extension Modality: ExpressibleByArgument {
    public init?(argument: String) { self.init(rawValue: argument.uppercased()) }
}
