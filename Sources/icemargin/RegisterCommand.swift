import ArgumentParser
import Foundation
import ImageFilters
import ImageRegistration
import ImageSegmentation
import ImagingCore
import NIfTIFormat
import Reporting
import VerificationPipeline

/// `icemargin register`: the planning scan brought onto the intraprocedural one.
struct RegisterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Bring one scan onto another, rigidly or smoothly, and tell the error to expect.",
        discussion: """
            icemargin register --moving planning --fixed intraop --seed 12.5,-80,431 --diameter 24 --output registration

            Tissue around the tumour decides, and the tumour itself stays rigid; without --seed the middle of the fixed scan counts. Scans \
            that share a frame of reference stay in it unless the images show, beyond chance, that the patient moved. Ice that \
            is found around probes on CT, and metal, are not compared. The output folder gets rigid.tfm (ITK, fixed to moving frame), \
            displacement.nii.gz (the whole motion as ITK reads it), resampled.nii.gz (the moving scan on the fixed one's grid), pictures as \
            PNG that show whether to believe it, and register.json.
            """)

    @Option(
        help: ArgumentHelp("The scan that is brought over (planning): the folder of a DICOM series, or a NIfTI file.", valueName: "series")
    ) var moving: String
    @Option(help: ArgumentHelp("The scan that stays (intraprocedural).", valueName: "series")) var fixed: String
    @Option(
        parsing: .unconditional, help: ArgumentHelp("A point in the tumour, LPS millimetres of the moving scan.", valueName: "L,P,S"),
        transform: PatientPoint.flag)
    var seed: PatientPoint?
    @Option(help: ArgumentHelp("The tumour's approximate longest diameter in mm.", valueName: "mm")) var diameter: Double?
    @Option(
        name: .customLong("exclude-mask"),
        help: ArgumentHelp("NIfTI mask of what not to compare in the fixed scan, instead of the ice that is found.", valueName: "file"))
    var excludeMask: String?
    @Option(
        name: .customLong("initial-transform"),
        help: ArgumentHelp("ITK transform file, fixed to moving frame, to start from.", valueName: "tfm"))
    var initialTransform: String?
    @Option(
        name: .customLong("landmark"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "The same place in both scans, first in the moving one, LPS millimetres: a start (a turn needs three), and evidence; may be repeated.",
            valueName: "L,P,S:L,P,S"), transform: LandmarkPair.flag)
    var landmarks: [LandmarkPair] = []
    @Flag(name: .customLong("rigid"), help: "Rigid only.") var rigidOnly = false
    @Option(
        name: .customLong("moving-modality"), help: ArgumentHelp("What a NIfTI file holds: CT (HU) or MR.", valueName: "CT|MR")
    ) var movingModality: Modality?
    @Option(
        name: .customLong("fixed-modality"), help: ArgumentHelp("What a NIfTI file holds: CT (HU) or MR.", valueName: "CT|MR")
    ) var fixedModality: Modality?
    @Option(name: .shortAndLong, help: ArgumentHelp("Where the results go; a new or empty folder.", valueName: "dir")) var output: String?
    @Flag(help: "Replace an earlier result in the output folder.") var overwrite = false
    @Flag(help: "Print one JSON document.") var json = false

    func validate() throws {
        guard (seed == nil) == (diameter == nil) else { throw ValidationError("Give --seed and --diameter together.") }
        if let diameter, !(diameter > 0 && diameter < 300) { throw ValidationError("--diameter must lie between 0 and 300 mm.") }
    }

    func run() async throws {
        try await OpenedResults.removedUnlessComplete { opened in
            let results = try output.map { path in
                try opened.open {
                    try ResultsFolder(
                        destination: URL(filePath: path), overwrite: overwrite, marker: "register.json",
                        inputs: [moving, fixed].map { URL(filePath: $0) })
                }
            }
            let scans = (
                moving: try StageScan.read(URL(filePath: moving), modality: movingModality, role: "moving"),
                fixed: try StageScan.read(URL(filePath: fixed), modality: fixedModality, role: "fixed"))
            let (excluded, exclusion) = try excludedPart(of: scans.fixed)
            let focus = seed.map { RegistrationFocus(center: $0, radiusMM: diameter! / 2) }
            var guidance = RegistrationGuidance()
            (guidance.initial, guidance.landmarks, guidance.isRigidOnly) = (
                try initialTransform.map { try RigidTransformFile.read(URL(filePath: $0)) }, landmarks, rigidOnly)
            let clock = ContinuousClock()
            var last = clock.now, seconds: [ScanRegistration.Step: Double] = [:]
            let found = try ScanRegistration(
                fixed: RegistrationScan(scans.fixed.volume, modality: scans.fixed.modality, excluded: excluded),
                moving: RegistrationScan(scans.moving.volume, modality: scans.moving.modality), focus: focus, guidance: guidance
            ) { step in
                seconds[step, default: 0] += (clock.now - last) / .seconds(1)
                last = clock.now
            }
            let hints = [
                exclusion, Self.patientDiffers(scans.moving, scans.fixed), focus == nil ? Self.noTumour : nil,
                found.quality.status == .pass ? nil : Self.exchanged(scans.moving, scans.fixed)
            ]
            let document = RegisterDocument(
                found, scans: scans, seconds: seconds, findings: scans.moving.findings + scans.fixed.findings + hints.compactMap { $0 })
            if let results { try write(found, document, scans: scans, focus: focus, to: results) }
            try StandardOutput.write(json ? try ReportEncoder().encode(document) : Data((document.text + "\n").utf8))
        }
    }

    private static func patientDiffers(_ moving: StageScan, _ fixed: StageScan) -> Finding? {
        let conflicts = moving.patient.conflicts(with: fixed.patient).map(\.title)
        return conflicts.isEmpty ? nil : Finding(
            .warning, "patient-differs",
            "The moving and the fixed scan differ in \(conflicts.joined(separator: ", ")): they may be of two patients.",
            remedy: "Check that both scans are of one patient.")
    }

    private static let noTumour = Finding(
        .info, "no-tumour-given", "No tumour is given: the middle of the fixed scan counts, and the expected error is told for it.",
        remedy: "Give --seed and --diameter.")

    /// Ice is looked for in the fixed scan alone.
    private static func exchanged(_ moving: StageScan, _ fixed: StageScan) -> Finding? {
        func hasProbes(_ scan: StageScan) -> Bool { !ProbeDetection.find(in: scan.volume, modality: scan.modality).probes.isEmpty }
        guard hasProbes(moving), !hasProbes(fixed) else { return nil }
        return Finding(
            .warning, "scans-exchanged", "The moving scan shows probes and the fixed one none, as if they were exchanged.",
            remedy: "Give the planning scan by --moving and the one with probes by --fixed.")
    }

    /// What is not compared in the fixed scan: what the user gives, or ice around probes.
    private func excludedPart(of scan: StageScan) throws -> (Mask?, Finding?) {
        if let excludeMask { return (Mask(try NIfTIFile.read(URL(filePath: excludeMask)).volume) { $0 > 0.5 }, nil) }
        let probes = ProbeDetection.find(in: scan.volume, modality: scan.modality).probes
        guard !probes.isEmpty else { return (nil, nil) }
        do {
            return (try IceSegmentation.segment(scan: scan.volume, modality: scan.modality, probes: probes).mask(on: scan.volume.geometry), nil)
        } catch {
            return (nil, Finding(
                .warning, "ice-not-excluded", "Probes were found, but no ice around them: what is frozen is compared too.",
                remedy: "Give the ice by --exclude-mask if the scan shows some."))
        }
    }

    private func write(
        _ found: ScanRegistration, _ document: RegisterDocument, scans: (moving: StageScan, fixed: StageScan), focus: RegistrationFocus?,
        to folder: ResultsFolder
    ) throws {
        let grid = scans.fixed.volume.geometry
        try folder.write(Data(RigidTransformFile.text(found.rigid).utf8), to: "rigid.tfm")
        let field = found.displacements(over: grid)
        try NIfTIFile.write(displacements: field.vectors, on: field.grid, to: try folder.url("displacement.nii.gz"))
        let resampled = scans.moving.volume.resampled(
            onto: grid, through: field, interpolation: .linear, outside: RegistrationFigures.outside(scans.moving.modality))
        try NIfTIFile.write(resampled.mapped { Int16(max(-32768, min(32767, $0.rounded()))) }, to: try folder.url("resampled.nii.gz"))
        let figures = RegistrationFigures(
            fixed: scans.fixed.volume, modality: scans.fixed.modality, resampled: resampled, movingModality: scans.moving.modality,
            quality: found.quality,
            focus: focus.map { .init(center: found.fixedPoint(of: $0.center), radiusMM: $0.radiusMM) })
        try folder.write(try figures.checker().pngData(), to: "checker.png")
        try folder.write(try figures.edges().pngData(), to: "edges.png")
        try folder.write(try ReportEncoder().encode(document), to: "register.json")
        try folder.commit()
    }
}
