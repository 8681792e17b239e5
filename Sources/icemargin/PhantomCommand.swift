import ArgumentParser
import DICOMObjects
import Foundation
import ImagingCore
import NIfTIFormat
import SyntheticStudies
import VerificationPipeline

struct PhantomCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phantom",
        abstract: "Make a synthetic cryoablation study whose margins are known.",
        discussion: """
            Writes a planning scan and a scan with probes and ice as DICOM series, the case description (case.yaml) and what is true of \
            the study (truth.json). Truth comes from the geometry, not from the voxels. The same options give the same files.

            Example: icemargin phantom --site kidney --seed 7 --margin-mm 3 --output kidney-7
            """)

    @Option(help: "Where the tumour is: \(StudySite.allCases.map(\.rawValue).joined(separator: ", ")).") var site: StudySite
    @Option(help: "ct or mr.", transform: { text in
        guard let modality = Modality(rawValue: text.uppercased()) else { throw ValidationError("Give ct or mr.") }
        return modality
    }) var modality: Modality = .ct
    @Option(help: "What everything random follows from.") var seed: UInt64 = 1
    @Option(help: "small (a region around the tumour) or full (the whole trunk).") var size: StudySize = .small
    @Option(
        name: .customLong("margin-mm"), parsing: .unconditional,
        help: "Grow the ice to this true minimum margin; negative leaves tumour outside."
    ) var marginMM: Double?
    @Option(help: "How the patient moved between the scans: none (one frame of reference), rigid, smooth.") var motion: MotionKind = .none
    @Option(name: .customLong("motion-degrees"), help: "Largest turn between the scans.") var motionDegrees = 8.0
    @Option(name: .customLong("motion-mm"), help: "Largest shift between the scans.") var motionMM = 25.0
    @Option(name: .customLong("breathing-mm"), help: "Largest smooth displacement of organs.") var breathingMM = 10.0
    @Option(help: "Standard deviation of the noise, HU or MR signal units (liver 520).") var noise: Double?
    @Option(parsing: .unconditional, help: "Tumour less surrounding tissue on the planning scan, HU or signal units.") var contrast: Double?
    @Option(name: .customLong("diameter-mm"), help: "Diameter of the tumour.") var diameterMM: Double?
    @Option(help: "0 for an ellipsoid as tumour, 1 for a lobulated one.") var irregularity = 1.0
    @Option(help: "Number of probes, 1 to 4.") var probes = 2
    @Option(
        name: .customLong("edge-band-mm"), help: "Depth over which the ice's edge fades in, below the 0 °C front."
    ) var edgeBandMM: Double?
    @Option(help: "Strength of the streaks around probes on CT.") var streaks = 1.0
    @Flag(name: .customLong("no-ice"), help: "Leave the ice out of the intraprocedural scan.") var noIce = false
    @Flag(help: "Add a scan of the same session before freezing.") var prefreeze = false
    @Flag(name: .customLong("follow-up"), help: "Add a scan a month later that shows the ablation zone.") var followUp = false
    @Flag(help: "Put cracks into the ice.") var cracks = false
    @Flag(help: "Write tumour, ice and structures as NIfTI masks, and name the structures' masks in case.yaml.") var masks = false
    @Option(help: "How pixels are written: explicit, implicit, rle, jpeg-lossless, jpeg-ls.", transform: Self.transferSyntax)
    var compression: WritableTransferSyntax = .explicitLittleEndian
    @Option(name: .shortAndLong, help: "The folder to write; it must be new or empty.") var output: String
    @Flag(help: "Replace an earlier study in the output folder.") var overwrite = false
    @Flag(help: "Print the truth as JSON instead of a summary.") var json = false

    func run() async throws {
        var options = StudyOptions(site: site, modality: modality, seed: seed)
        (options.size, options.marginMM, options.motion, options.noise, options.contrast) = (size, marginMM, motion, noise, contrast)
        (options.motionDegrees, options.motionMM, options.breathingMM) = (motionDegrees, motionMM, breathingMM)
        (options.tumourDiameterMM, options.irregularity, options.probeCount) = (diameterMM, irregularity, probes)
        (options.hasIce, options.hasPrefreezeScan, options.hasFollowUpScan, options.hasCracks) = (!noIce, prefreeze, followUp, cracks)
        (options.edgeBandMM, options.streaks) = (edgeBandMM, streaks)
        try options.validate()

        try await OpenedResults.removedUnlessComplete { opened in
            let results = try opened.open {
                try ResultsFolder(destination: URL(filePath: output), overwrite: overwrite, marker: "truth.json")
            }
            let study = try SyntheticStudy(options)
            let folder = try results.url("case.yaml").deletingLastPathComponent()
            try study.write(to: folder, transferSyntax: compression, structureMasks: masks ? try writeMasks(of: study, results) : [:])
            try results.commit()
            try StandardOutput.write(json ? try study.truthDocument() : summary(study) + "\n")
        }
    }

    /// Writes the masks, and returns the files of the structures by name.
    private func writeMasks(of study: SyntheticStudy, _ results: ResultsFolder) throws -> [String: String] {
        var files: [(SyntheticStudy.MaskSubject, scan: String, name: String)] = [
            (.tumour, "planning", "masks/tumour-planning.nii.gz"), (.tumour, "intraprocedural", "masks/tumour-intraprocedural.nii.gz"),
            (.ice, "intraprocedural", "masks/ice.nii.gz"), (.ablationZone, "followup", "masks/ablation-zone.nii.gz"),
        ]
        var structures: [String: String] = [:]
        for name in study.structureNames {
            let file = "masks/\(name.replacing(" ", with: "-")).nii.gz"
            structures[name] = file
            files.append((.structure(name: name), "planning", file))
        }
        for file in files {
            guard let mask = study.mask(of: file.0, inScan: file.scan), !mask.isEmpty else {
                if case .structure(let name) = file.0 { structures[name] = nil }
                continue
            }
            try NIfTIFile.write(mask, to: try results.url(file.name))
        }
        return structures
    }

    private func summary(_ study: SyntheticStudy) -> String {
        let truth = study.truth, tumour = truth.tumours[0]
        func number(_ value: Double, _ digits: Int = 1) -> String { String(format: "%.\(digits)f", value) }
        var lines = ["Synthetic \(site.rawValue) study, \(modality.rawValue), seed \(seed): \(output)"]
        for scan in truth.scans {
            lines.append(
                "  \(scan.role): \(scan.size.map(String.init).joined(separator: " × ")) voxels of \(scan.spacingMM.map { number($0, 2) }.joined(separator: " × ")) mm")
        }
        lines.append("  tumour: \(number(tumour.volumeML)) mL, \(number(tumour.longestDiameterMM)) mm across; \(truth.probes.count) probes")
        if let ice = truth.ice { lines.append("  ice: \(number(ice.volumeML)) mL") }
        for margin in truth.margins {
            lines.append(
                "  true minimum margin (\(margin.zone)): \(number(margin.minimumMarginMM, 2)) mm; \(number(100 * margin.tumourCoverage)) % of the tumour covered")
        }
        for structure in truth.structures { lines.append("  \(structure.name): \(number(structure.minimumDistanceMM)) mm from the ice") }
        return lines.joined(separator: "\n")
    }

    @Sendable private static func transferSyntax(_ text: String) throws -> WritableTransferSyntax {
        let known: KeyValuePairs<String, WritableTransferSyntax> = [
            "explicit": .explicitLittleEndian, "implicit": .implicitLittleEndian, "rle": .rle, "jpeg-lossless": .jpegLossless,
            "jpeg-ls": .jpegLS,
        ]
        guard let syntax = known.first(where: { $0.key == text })?.value else {
            throw ValidationError("Give one of \(known.map(\.key).joined(separator: ", ")).")
        }
        return syntax
    }
}

extension StudySite: ExpressibleByArgument {}
extension StudySize: ExpressibleByArgument {}
extension MotionKind: ExpressibleByArgument {}
