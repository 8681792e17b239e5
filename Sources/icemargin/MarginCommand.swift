import ArgumentParser
import Foundation
import ImageFilters
import ImagingCore
import MarginAnalysis
import NIfTIFormat
import Reporting
import VerificationPipeline

/// `icemargin margin`: the margins of one tumour in one zone, both given as masks.
struct MarginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "margin",
        abstract: "Measure the margin of a tumour in a zone, both given as masks that lie in the same space.",
        discussion: """
            Masks are NIfTI files (.nii, .nii.gz), with 0 outside and one other value inside, with the share of each voxel that is inside \
            (0 to 1), or with signed distances to the surface in mm (level sets); or DICOM segmentations with one segment. Their grids may differ.

            The margin is the signed distance from the tumour's surface to the zone's: positive where the zone exceeds the tumour.
            """)

    @Option(help: ArgumentHelp("The tumour's mask.", valueName: "file"))
    var tumour: String

    @Option(help: ArgumentHelp("The zone's mask: ice, a cold isotherm, or the ablation zone.", valueName: "file"))
    var zone: String

    @Option(help: ArgumentHelp("What the zone is: \(MarginZone.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
    var zoneName: MarginZone = .visibleIce

    @Option(help: ArgumentHelp("The expected length of the registration's error at the tumour; widens the interval.", valueName: "mm"))
    var registrationErrorMM = 0.0

    @Option(help: ArgumentHelp(
        "The standard deviation of where the tumour's outline was drawn, beyond what its voxels say; widens the interval.",
        valueName: "mm"))
    var tumourEdgeMM = 0.0

    @Option(help: ArgumentHelp("The same for the zone's outline.", valueName: "mm"))
    var zoneEdgeMM = 0.0

    @Option(help: ArgumentHelp("The margin that is required: the probability that it is met, and where it is not.", valueName: "mm"))
    var requiredMM: Double?

    @Option(help: ArgumentHelp(
        "The mask of the tumour's organ: the smallest margin without the tumour's surface near its capsule, too.", valueName: "file"))
    var organ: String?

    @Option(help: ArgumentHelp("Surface nearer to the capsule is left out then.", valueName: "mm"))
    var capsuleDepthMM = 5.0

    @Flag(help: "Print one JSON document: an entry of the report's margins.")
    var json = false

    func validate() throws {
        let errors = [("registration-error", registrationErrorMM), ("tumour-edge", tumourEdgeMM), ("zone-edge", zoneEdgeMM)]
        for (name, errorMM) in errors where !(errorMM >= 0 && errorMM.isFinite) {
            throw ValidationError("--\(name)-mm must be 0 or more, not \(errorMM).")
        }
        guard requiredMM.map(\.isFinite) ?? true else { throw ValidationError("--required-mm must be a number.") }
        guard capsuleDepthMM > 0, capsuleDepthMM.isFinite else {
            throw ValidationError("--capsule-depth-mm must be more than 0, not \(capsuleDepthMM).")
        }
    }

    func run() async throws {
        let tumourMask = try MarginInput(tumour), zoneMask = try MarginInput(zone), organMask = try organ.map(MarginInput.init)
        try tumourMask.requireSameSpace(as: zoneMask)
        try organMask?.requireSameSpace(as: tumourMask)
        let uncertainty = MarginUncertainty(
            tumourSampling: tumourMask.mask.sampling, zoneSampling: zoneMask.mask.sampling,
            tumourEdgeMM: tumourEdgeMM, zoneEdgeMM: zoneEdgeMM, registrationErrorMM: registrationErrorMM)
        let result = try MarginAnalysis.margins(
            ofTumour: tumourMask.surface, in: zoneMask.surface, zone: zoneName, uncertainty: uncertainty,
            zoneFieldOfView: zoneMask.fieldOfView, organ: organMask.map { ($0.surface, capsuleDepthMM) })
        for finding in tumourMask.mask.findings + zoneMask.mask.findings + (organMask?.mask.findings ?? []) + result.findings {
            StandardError.write("\(finding.severity.rawValue): \(finding.message)")
            if !finding.remedy.isEmpty { StandardError.write("  \(finding.remedy)") }
        }
        if json {
            let entry = CaseReport.Margin(tumour: tumourMask.identifier, result, requiredMM: requiredMM)
            try StandardOutput.write(try ReportEncoder().encode(entry))
        } else {
            try StandardOutput.write(MarginSummary(result, registrationErrorMM: registrationErrorMM, requiredMM: requiredMM).text)
        }
    }
}

extension MarginZone: ExpressibleByArgument {}

/// A mask that a margin is measured from or to.
private struct MarginInput {
    let mask: ImportedMask
    let surface: LevelSet
    /// The file's name without its extensions.
    let identifier: String

    init(_ path: String) throws {
        let url = URL(fileURLWithPath: path), name = url.lastPathComponent
        mask = try ImportedMask.read(NIfTIFile.isNamed(url) ? .nifti(url) : .segmentation(url, segment: nil))
        surface = mask.levelSet
        identifier = name.split(separator: ".").first.map(String.init) ?? name
    }

    /// Where the image shows what is zone and what is not: the file's grid; `nil`, not limited, when frames without zone may be left out.
    var fieldOfView: GridGeometry? { mask.endsAtSlices.first ? nil : mask.geometry }

    private var hasOrientation: Bool { !mask.findings.contains { $0.code == "nifti-no-orientation" } }

    /// Checks the frame of reference, that both or neither say how they lie in the patient, and that the two grids overlap.
    func requireSameSpace(as other: MarginInput) throws {
        guard hasOrientation == other.hasOrientation else { throw MaskError.noOrientation(hasOrientation ? other.mask.name : mask.name) }
        try mask.geometry.requireSameFrame(as: other.mask.geometry)
        let a = mask.geometry.extent, b = other.mask.geometry.extent
        guard pointwiseMax(a.low, b.low).isAtMost(pointwiseMin(a.high, b.high)) else {
            throw MaskError.missesScan(mask.name, mask: mask.geometry.extentText, scan: other.mask.geometry.extentText)
        }
    }
}

extension SIMD3<Double> {
    fileprivate func isAtMost(_ other: SIMD3<Double>) -> Bool { (other - self).min() >= 0 }
}

/// A margin as text for a person.
private struct MarginSummary {
    let text: String

    init(_ result: MarginResult, registrationErrorMM: Double, requiredMM: Double?) {
        func mm(_ value: Double) -> String { Self.mm(value) }
        func percent(_ share: Double) -> String { String(format: "%5.1f %%", 100 * share) }
        let interval = result.minimumMarginIntervalMM, bands = result.surfaceFraction, worst = result.worstPoint.lps
        let registration = registrationErrorMM > 0
            ? "with a registration error of \(mm(registrationErrorMM)) mm" : "without any registration error"
        var lines = [
            "Smallest margin in the \(result.zone.phrase)  \(mm(result.minimumMarginMM)) mm"
                + "  (95 %: \(mm(interval.lowerBound)) to \(mm(interval.upperBound)) mm, \(registration))",
            "  at L \(mm(worst.x))  P \(mm(worst.y))  S \(mm(worst.z)) mm",
        ]
        if let requiredMM { lines += Self.lines(result, requiredMM: requiredMM) }
        if let capsule = result.capsule { lines += Self.lines(capsule) }
        lines += [
            "",
            "Tumour surface by margin",
            "  outside the zone   \(percent(bands.below0))",
            "  0 to 5 mm          \(percent(bands.from0to5))",
            "  5 to 10 mm         \(percent(bands.from5to10))",
            "  10 mm or more      \(percent(bands.atLeast10))",
            "",
            String(format: "Tumour %.2f mL, zone %.2f mL", result.tumourVolumeML, result.zoneVolumeML),
            String(format: "Tumour covered %.1f %%, residual %.2f mL", 100 * result.tumourCoverage, result.residualVolumeML),
            "",
            "Shell around the tumour (without the tumour) covered",
        ]
        lines += result.shellCoverage.map { String(format: "  %2.0f mm  ", $0.marginMM) + percent($0.fraction) }
        text = lines.joined(separator: "\n") + "\n"
    }

    private static func lines(_ result: MarginResult, requiredMM: Double) -> [String] {
        let probability = result.probability(ofAtLeast: requiredMM).map { String(format: "%.0f %%", 100 * $0) } ?? "unknown"
        return ["  \(mm(requiredMM)) mm required: met with a probability of \(probability)"]
            + result.map.shortfalls(below: requiredMM).map { "  " + CaseReport.Margin.Shortfall($0).phrase }
    }

    private static func lines(_ capsule: CapsuleMargin) -> [String] {
        let excluded = String(
            format: "%.1f %% of the surface within %.1f mm of the capsule left out", 100 * capsule.excludedSurfaceFraction, capsule.depthMM)
        guard let marginMM = capsule.minimumMarginMM, let interval = capsule.minimumMarginIntervalMM else {
            return ["Without the capsule: not evaluable (\(excluded))"]
        }
        return ["Without the capsule  \(mm(marginMM)) mm  (95 %: \(mm(interval.lowerBound)) to \(mm(interval.upperBound)) mm; \(excluded))"]
    }

    private static func mm(_ value: Double) -> String { value.isFinite ? String(format: "%.1f", value) : "unknown" }
}
