import ArgumentParser
import DICOMObjects
import Foundation
import ImageRegistration
import ImageSegmentation
import ImagingCore
import MarginAnalysis
import NIfTIFormat
import VerificationPipeline

/// A case description in flags: the keys of `case.yaml`, for one tumour and masks in NIfTI.
struct CaseFlags: ParsableArguments {
    @Option(help: ArgumentHelp("A name for the case.", valueName: "name"))
    var id: String?

    @Option(
        help: ArgumentHelp(
            "A built-in site profile (\(SiteProfile.builtInNames.joined(separator: ", "))) or the path of a profile file.",
            valueName: "site"))
    var site: String?

    @Option(help: ArgumentHelp(
        "What the treatment is for (\(TreatmentIntent.allCases.map(\.rawValue).joined(separator: ", "))); unless it is curative, the share of the tumour decides.",
        valueName: "intent"))
    var intent: TreatmentIntent?

    @Option(
        name: .customLong("accept-identity-difference"),
        help: ArgumentHelp(
            "A difference between the scans' patients that is known and explained (\(PatientIdentity.Attribute.allCases.map(\.rawValue).joined(separator: ", ")));"
                + " may be repeated.", valueName: "attribute"))
    var acceptedIdentityDifferences: [PatientIdentity.Attribute] = []

    @Option(help: ArgumentHelp("The folder of the planning scan, in which the tumour shows.", valueName: "dir"))
    var planning: String?

    @Option(
        name: .customLong("planning-series"),
        help: ArgumentHelp("Its Series Instance UID, where the folder has several.", valueName: "uid"))
    var planningSeries: String?

    @Option(help: ArgumentHelp("The folder of the scan before freezing, in the same session.", valueName: "dir"))
    var prefreeze: String?

    @Option(
        name: .customLong("prefreeze-series"),
        help: ArgumentHelp("Its Series Instance UID, where the folder has several.", valueName: "uid"))
    var prefreezeSeries: String?

    @Option(
        help: ArgumentHelp(
            "The folder of the scan that shows the ice; without it, and without --followup, the treatment is planned.", valueName: "dir"))
    var intraprocedural: String?

    @Option(
        name: .customLong("intraprocedural-series"),
        help: ArgumentHelp("Its Series Instance UID, where the folder has several.", valueName: "uid"))
    var intraproceduralSeries: String?

    @Option(
        help: ArgumentHelp(
            "For an audit, instead of --intraprocedural: the folder of the scan that shows the ablation zone.", valueName: "dir"))
    var followup: String?

    @Option(
        name: .customLong("followup-series"),
        help: ArgumentHelp("Its Series Instance UID, where the folder has several.", valueName: "uid"))
    var followupSeries: String?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("A point inside the tumour on the planning scan, LPS millimetres.", valueName: "L,P,S"),
        transform: PatientPoint.flag)
    var tumourSeed: PatientPoint?

    @Option(help: ArgumentHelp("The tumour's approximate diameter, millimetres.", valueName: "mm"))
    var tumourDiameter: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The two ends of the tumour's longest axis, instead of seed and diameter.", valueName: "L,P,S:L,P,S"),
        transform: TumourPrompt.LongestAxis.flag)
    var tumourAxis: TumourPrompt.LongestAxis?

    @Option(
        name: .customLong("tumour-include"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A further point that belongs to the tumour; may be repeated.", valueName: "L,P,S"),
        transform: PatientPoint.flag)
    var tumourIncludes: [PatientPoint] = []

    @Option(
        name: .customLong("tumour-exclude"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A point of a neighbour that does not belong to the tumour; may be repeated.", valueName: "L,P,S"),
        transform: PatientPoint.flag)
    var tumourExcludes: [PatientPoint] = []

    @Option(help: ArgumentHelp("The tumour as a NIfTI mask in the planning scan's frame, instead of a seed.", valueName: "file"))
    var tumourMask: String?

    @Option(help: ArgumentHelp("The ice as a NIfTI mask in the ice scan's frame, instead of segmenting it.", valueName: "file"))
    var iceMask: String?

    @Option(
        help: ArgumentHelp("The ablation zone as a NIfTI mask in the follow-up scan's frame, instead of segmenting it.", valueName: "file"))
    var ablationZoneMask: String?

    @Option(
        help: ArgumentHelp(
            "The tumour's organ as a NIfTI mask in the planning scan's frame, for the margin without the surface at its capsule.",
            valueName: "file"))
    var organMask: String?

    @Option(
        name: .customLong("structure"),
        help: ArgumentHelp(
            "What must not freeze, as a NIfTI mask in the planning scan's frame, and how far the ice should stay from it in mm "
                + "(the profile's limit where left out); may be repeated.", valueName: "name[:mm]=file"))
    var structures: [String] = []

    @Option(
        name: .customLong("probe"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A probe's tip and tail on the ice scan (of a plan, on the planning scan), LPS millimetres, instead of finding the probes; may be repeated.",
            valueName: "L,P,S:L,P,S"),
        transform: Probe.flag)
    var probes: [Probe] = []

    @Option(help: ArgumentHelp("The model of all probes, for the simulation: a built-in one or one of --probe-models.", valueName: "name"))
    var probeModel: String?

    @Option(help: ArgumentHelp("A table of probe models of your own (icemargin.probes/1).", valueName: "file"))
    var probeModels: String?

    @Option(
        name: .customLong("protocol"),
        help: ArgumentHelp("Minutes of freeze, thaw and second freeze, or of one freeze.", valueName: "min[,min,min]"),
        transform: CaseDescription.FreezeProtocol.flag)
    var freezeProtocol: CaseDescription.FreezeProtocol?

    @Option(help: ArgumentHelp("Minutes into the protocol when the ice scan was taken; 0 for one from before freezing.", valueName: "min"))
    var elapsed: Double?

    @Option(
        name: .customLong("registration"),
        help: ArgumentHelp(
            "How scans in different frames of reference are registered; by default as the profile says.", valueName: "rigid|deformable"))
    var registrationKind: RegistrationKind?

    @Flag(name: .customLong("always-register"), help: "Register the scans although they share a frame of reference.")
    var alwaysRegister = false

    @Option(
        name: .customLong("initial-transform"),
        help: ArgumentHelp("ITK transform file, ice scan to planning scan, to start the registration from.", valueName: "tfm"))
    var initialTransform: String?

    @Option(
        help: ArgumentHelp(
            "The motion from ice scan to planning scan itself: an ITK transform file, or displacements as NIfTI.", valueName: "file"))
    var transform: String?

    @Option(
        name: .customLong("landmark"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "The same place in both scans, first in the planning one, LPS millimetres; may be repeated.", valueName: "L,P,S:L,P,S"),
        transform: LandmarkPair.flag)
    var landmarks: [LandmarkPair] = []

    enum RegistrationKind: String, ExpressibleByArgument { case rigid, deformable }

    /// The first of these flags that was given; `nil` when none was.
    var firstGiven: String? {
        let given: [(String, Bool)] = [
            ("--id", id != nil), ("--site", site != nil), ("--intent", intent != nil),
            ("--accept-identity-difference", !acceptedIdentityDifferences.isEmpty), ("--planning", planning != nil),
            ("--planning-series", planningSeries != nil),
            ("--prefreeze", prefreeze != nil), ("--prefreeze-series", prefreezeSeries != nil),
            ("--intraprocedural", intraprocedural != nil),
            ("--intraprocedural-series", intraproceduralSeries != nil), ("--followup", followup != nil),
            ("--followup-series", followupSeries != nil),
            ("--tumour-seed", tumourSeed != nil), ("--tumour-diameter", tumourDiameter != nil), ("--tumour-axis", tumourAxis != nil),
            ("--tumour-include", !tumourIncludes.isEmpty), ("--tumour-exclude", !tumourExcludes.isEmpty),
            ("--tumour-mask", tumourMask != nil),
            ("--ice-mask", iceMask != nil), ("--ablation-zone-mask", ablationZoneMask != nil), ("--organ-mask", organMask != nil),
            ("--structure", !structures.isEmpty),
            ("--probe", !probes.isEmpty), ("--probe-model", probeModel != nil), ("--probe-models", probeModels != nil),
            ("--protocol", freezeProtocol != nil), ("--elapsed", elapsed != nil), ("--registration", registrationKind != nil),
            ("--always-register", alwaysRegister),
            ("--initial-transform", initialTransform != nil), ("--transform", transform != nil), ("--landmark", !landmarks.isEmpty),
        ]
        return given.first { $0.1 }?.0
    }

    func description() throws -> CaseDescription {
        let isPlan = intraprocedural == nil && followup == nil
        guard let planning, !isPlan || !probes.isEmpty else {
            throw ValidationError("--planning is needed, and --intraprocedural, --followup or, for a plan, each --probe.")
        }
        let isFollowup = intraprocedural == nil && !isPlan, treated = intraprocedural ?? followup ?? planning
        if isPlan, iceMask != nil || elapsed != nil || prefreeze != nil {
            throw ValidationError("--ice-mask, --elapsed and --prefreeze go with --intraprocedural; a plan has no scan of the ice.")
        }
        guard intraprocedural == nil || followup == nil else { throw ValidationError("Give --intraprocedural or --followup, not both.") }
        for (scan, folder, series) in [
            ("prefreeze", prefreeze, prefreezeSeries), ("intraprocedural", intraprocedural, intraproceduralSeries),
            ("followup", followup, followupSeries)
        ] {
            guard folder != nil || series == nil else { throw ValidationError("--\(scan)-series needs --\(scan).") }
        }
        if isFollowup, iceMask != nil {
            throw ValidationError("--ice-mask goes with --intraprocedural; with --followup give --ablation-zone-mask.")
        }
        if !isFollowup, ablationZoneMask != nil {
            throw ValidationError("--ablation-zone-mask goes with --followup; with --intraprocedural give --ice-mask.")
        }
        guard let site else {
            throw ValidationError("--site is needed: \(SiteProfile.builtInNames.joined(separator: ", ")), or the path of a profile file.")
        }
        guard CaseDescription.isIdentifier(id ?? "case") else {
            throw ValidationError("--id must be 1 to 64 letters, digits, “-”, “_” or “.”, not starting with “.”.")
        }
        var description = CaseDescription(
            id: id ?? "case", site: site, planning: .init(folder: URL(filePath: planning), seriesUID: planningSeries),
            prefreeze: prefreeze.map { .init(folder: URL(filePath: $0), seriesUID: prefreezeSeries) },
            treated: .init(
                folder: URL(filePath: treated), seriesUID: isPlan ? planningSeries : isFollowup ? followupSeries : intraproceduralSeries),
            isFollowup: isFollowup,
            tumours: [.init(id: "T1", source: try tumour())])
        description.isPlan = isPlan
        description.intent = intent ?? .curative
        description.acceptedIdentityDifferences = Set(acceptedIdentityDifferences)
        description.zone = (iceMask ?? ablationZoneMask).map {
            .init(source: .nifti(URL(filePath: $0)), frame: isFollowup ? .followup : .intraprocedural)
        }
        description.organ = organMask.map { .init(source: .nifti(URL(filePath: $0)), frame: .planning) }
        description.structures = try structures.map(Self.structure)
        let names = description.structures.map(\.name)
        guard Set(names).count == names.count else { throw ValidationError("Each --structure needs a name of its own.") }
        if !probes.isEmpty { description.probes = .given(probes.map { .init(tip: $0.tip, tail: $0.tail, model: nil) }) }
        (description.probeModel, description.probeModels) = (probeModel, probeModels.map { [URL(filePath: $0)] } ?? [])
        if let elapsed, !(elapsed >= 0 && elapsed.isFinite) { throw ValidationError("--elapsed must be minutes, 0 or more.") }
        (description.freezeProtocol, description.elapsedMinutes) = (freezeProtocol, elapsed)
        description.registration = try registration()
        return description
    }

    private func registration() throws -> CaseDescription.RegistrationChoice {
        guard initialTransform == nil || transform == nil else {
            throw ValidationError("Give --initial-transform or --transform, not both.")
        }
        var choice = CaseDescription.RegistrationChoice()
        (choice.isAlways, choice.isRigid, choice.landmarks) = (alwaysRegister, registrationKind.map { $0 == .rigid }, landmarks)
        choice.initialTransform = initialTransform.map { URL(filePath: $0) }
        if let file = transform.map({ URL(filePath: $0) }) {
            if NIfTIFile.isNamed(file) { choice.displacement = file } else { choice.transform = file }
        }
        return choice
    }

    private func tumour() throws -> CaseDescription.Tumour.Source {
        guard [tumourSeed != nil, tumourAxis != nil, tumourMask != nil].count(where: { $0 }) == 1 else {
            throw ValidationError("Give the tumour by --tumour-seed and --tumour-diameter, by --tumour-axis, or by --tumour-mask.")
        }
        guard let tumourMask else {
            return .prompt(try TumourPrompt(
                seed: tumourSeed, diameterMM: tumourDiameter, axis: tumourAxis, include: tumourIncludes, exclude: tumourExcludes,
                flagPrefix: "--tumour-"))
        }
        return .mask(.init(source: .nifti(URL(filePath: tumourMask)), frame: .planning))
    }

    private static func structure(_ text: String) throws -> CaseDescription.Structure {
        guard let match = text.wholeMatch(of: /([^:=]+)(?::([^=]*))?=(.+)/) else {
            throw ValidationError("--structure needs NAME=FILE or NAME:LIMIT=FILE, not “\(text)”.")
        }
        let limitMM = try match.2.map { limit in
            guard let value = Double(limit), value > 0, value.isFinite else {
                throw ValidationError("The limit of --structure must be millimetres greater than 0, not “\(limit)”.")
            }
            return value
        }
        return .init(name: String(match.1), mask: .init(source: .nifti(URL(filePath: String(match.3))), frame: .planning), limitMM: limitMM)
    }

}

extension TreatmentIntent: ExpressibleByArgument {}
extension PatientIdentity.Attribute: ExpressibleByArgument {}

extension CaseDescription.FreezeProtocol {
    /// From `freeze` or `freeze,thaw,refreeze` in minutes.
    @Sendable static func flag(_ text: String) throws -> CaseDescription.FreezeProtocol {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0.trimmingCharacters(in: .whitespaces)) }
        guard parts.count == 1 || parts.count == 3, parts.allSatisfy({ $0.map { $0 > 0 && $0.isFinite } ?? false }) else {
            throw ValidationError("The protocol must be minutes greater than 0, “10” or “10,5,10”, not “\(text)”.")
        }
        return .init(
            freezeMinutes: parts[0]!, thawMinutes: parts.count > 1 ? parts[1]! : 0, refreezeMinutes: parts.count > 1 ? parts[2]! : 0)
    }
}
