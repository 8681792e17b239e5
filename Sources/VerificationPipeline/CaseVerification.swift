import DICOMObjects
import Foundation
import IceballSimulation
import ImageFilters
import ImageRegistration
import ImageSegmentation
import ImagingCore
import MarginAnalysis
import Reporting

/// The main job: one case, from its description to its folder of results.
public struct CaseVerification {
    public let description: CaseDescription
    public let profile: SiteProfile
    public let options: Options

    /// What a run writes beside report, pictures and masks.
    public struct Options: Sendable, Hashable {
        /// Whether DICOM objects are written into `dicom`.
        public var writesDICOM = true
        /// Whether the ice is simulated; without that isotherms are taken at fixed set-backs, some seconds sooner.
        public var simulates = true
        /// Whether the report says who the patient is, and when the study was made. The DICOM objects, which belong to it, always do.
        public var isIdentified = false
        /// How far ahead margins are forecast, minutes; `nil` for none.
        public var forecastMinutes: Double?

        public init() {}
    }

    public init(description: CaseDescription, profile: SiteProfile, options: Options = Options()) {
        (self.description, self.profile, self.options) = (description, profile, options)
    }

    /// Runs every stage and writes the results, which appear under their final name together at the end.
    ///
    /// - Parameter progress: gets the name of each stage as it begins and `nil` as it ends.
    /// - Returns: the report; a case that cannot be decided has one too. Throws when an input cannot be used or the results not be written.
    public func run(into folder: ResultsFolder, progress: @escaping (String?) -> Void = { _ in }) throws -> CaseReport {
        let started = Date()
        let clock = StageClock(progress: progress)
        let result = try measure(clock)
        let inputs = try clock.measure("hash", as: "hashing the inputs") { try self.inputs(result) }
        let figures = try clock.measure("figures", as: "drawing") {
            try CaseFigures(profile: profile, result: result, intent: description.intent).draw()
        }
        let scenes = try clock.measure("scenes", as: "preparing the viewer") {
            try CaseScenes(description: description, profile: profile, result: result).scenes()
        }
        try clock.measure("masks", as: "writing masks") {
            try CaseImages(result: result, isFollowup: description.isFollowup).write(to: folder)
        }

        var report = CaseReport(
            case: .init(id: description.id, site: description.site, profile: profile.name, intent: description.intent), inputs: inputs,
            tumours: try result.tumours.map(CaseReport.Tumour.init), probes: result.probes.enumerated().map(CaseReport.Probe.init),
            ice: .init(
                volumeML: result.placement.zone.map { $0.surface.enclosedVolume / 1000 }, source: result.placement.zone?.source ?? "none",
                inOrgan: result.measurements?.zoneInOrgan),
            registration: result.placement.registration, simulation: result.simulation.map(CaseReport.Simulation.init),
            forecast: result.forecast, plan: result.plan?.reported(),
            margins: result.margins.map { .init($0, requiredMM: profile.requiredMarginMM) },
            structures: result.measurements?.structures ?? [], verdict: verdict(result), findings: result.findings.uniqued(),
            timingsS: clock.timingsS,
            provenance: try CaseProvenance(description: description, profile: profile).record(inputs, started: started))
        if writesDICOM(result) {
            try clock.measure("dicom", as: "writing DICOM objects") {
                try CaseDICOMResults(result, report: report, figures: figures, created: started).write(to: folder)
            }
        }
        report.timingsS = clock.timingsS
        if options.isIdentified { report.patient = try SourceSeries(result.scans.treated).patient }
        if let plan = result.plan { try CaseImages(result: result, isFollowup: false).write(plan, to: folder) }
        if let simulation = result.simulation {
            try clock.measure("simulationFiles", as: "writing temperatures") {
                try SimulationFiles(simulation: simulation, scan: result.scans.treated.geometry).write(to: folder)
                try CaseImages(result: result, isFollowup: description.isFollowup).describeSimulation(to: folder)
            }
        }
        let charts = result.charts
        for chart in charts { try folder.write(Data(chart.plot.document.utf8), to: "simulation/\(chart.name).svg") }
        for figure in figures { try folder.write(figure.png, to: figure.name + ".png") }
        try folder.write(Data(try HTMLReport.render(report, figures: figures, charts: charts, scenes: scenes).utf8), to: "report.html")
        try folder.write(try report.jsonData(), to: ResultsFolder.marker)
        try folder.commit()
        return report
    }

    /// Everything up to the margins; nothing is written.
    private func measure(_ clock: StageClock) throws -> CaseResult {
        let library = try ProbeLibrary.load(description.probeModels)
        for name in description.probeModelNames { _ = try library.model(name) }
        let scans = try clock.measure("load", as: "reading scans") { try CaseScans.load(description) }
        let finder = CaseObjectFinder(description: description, profile: profile, scans: scans)
        let tumours = try clock.measure("tumours", as: "finding tumours") { try finder.tumours() }
        let structures = try clock.measure("structures", as: "reading structures") {
            try description.structures.map {
                (object: try finder.structure($0), limitMM: $0.limitMM ?? profile.limitMM(forStructure: $0.name))
            }
        }
        let organ = try description.organ.map { try finder.organ($0) }
        let earlierZones = try finder.earlierZones()
        let (probes, probeFindings) = clock.measure("probes", as: "finding probes") {
            let result = finder.probes()
            return (result.probes, result.findings)
        }
        var findings = caseFindings(
            scans, tumours: tumours, structures: structures.map(\.object) + [organ].compactMap { $0 }, probes: probes
        ) + probeFindings
        var placement = try CasePlacer(description: description, profile: profile, scans: scans, finder: finder, clock: clock)
            .place(tumours: tumours, structures: structures, organ: organ, earlierZones: earlierZones, probes: probes)
        findings += placement.findings
        if let zone = placement.zone {
            let outlines = clock.measure("outline", as: "finding the patient's outline") { finder.bodyOutlines(around: zone) }
            placement.structures += outlines.structures
            findings += outlines.findings
        }
        var result = CaseResult(
            scans: scans, tumours: tumours, structures: structures.map(\.object), organ: organ, probes: probes, placement: placement,
            findings: findings)
        guard let zone = placement.zone else {
            if !description.isFollowup { try plan(&result, library, clock) }
            return result
        }
        var zones = [MeasuredZone(.ablationZone, zone)]
        if !description.isFollowup {
            let outcome = try !options.simulates || description.isBeforeFreezing
                ? IceballStage.Outcome(findings: []) : clock.measure("simulation", as: "simulating the ice") { progress in
                try IceballStage(
                    description: description, profile: profile, scans: scans, placement: placement, probes: probes, library: library
                ).run(progress: progress)
            }
            (result.simulation, zones) = (outcome.simulation, outcome.zones(ice: zone))
            findings += outcome.findings + [outcome.lethalityFinding]
            result.findings = findings
        }
        result.zones = zones.map { $0.united(with: placement.earlierZones) }
        let measurements = try clock.measure("margins", as: "measuring margins") {
            try CaseMeasurements(
                tumours: placement.tumours, zones: result.zones, deciding: zoneName, fieldOfView: scans.treated.geometry,
                structures: placement.structures, organ: placement.organ, ownZone: zone, profile: profile, intent: description.intent,
                exposure: result.simulation.flatMap { $0.fit.isRejected ? nil : $0 }?.exposure,
                doubts: findings.filter { $0.severity == .error }.map(\.message))
        }
        result.measurements = measurements
        result.findings += measurements.findings
        try lookAhead(&result, clock)
        return result
    }

    /// What probes and protocol would freeze, where the scan shows no ice.
    private func plan(_ result: inout CaseResult, _ library: ProbeLibrary, _ clock: StageClock) throws {
        guard options.simulates else { return }
        let outcome = try clock.measure("plan", as: "planning the ice") { progress in
            try PlanStage(
                description: description, profile: profile, scans: result.scans, placement: result.placement, probes: result.probes,
                library: library,
                forecastMinutes: options.forecastMinutes
            ).run(progress: progress)
        }
        (result.plan, result.forecast) = (outcome.plan, outcome.plan?.forecasted)
        result.findings += outcome.findings
        if outcome.plan == nil, options.forecastMinutes != nil {
            result.findings.append(Self.noForecast("there is neither ice nor a plan"))
        }
    }

    private static func noForecast(_ reason: String) -> Finding {
        Finding(.warning, "forecast-not-possible", "There is no forecast: \(reason).", remedy: "See the findings on the simulation.")
    }

    /// Growth until the scan, and the forecast where one is wanted.
    private func lookAhead(_ result: inout CaseResult, _ clock: StageClock) throws {
        guard let simulation = result.simulation, !simulation.fit.isRejected else {
            guard options.forecastMinutes != nil else { return }
            result.findings.append(Self.noForecast(
                result.simulation == nil ? "nothing was simulated" : "the simulation does not fit the visible ice"))
            return
        }
        result.growth = try clock.measure("growth", as: "simulating the growth") { try IceForecast.growth(simulation) }
        guard let minutes = options.forecastMinutes else { return }
        let forecast = try clock.measure("forecast", as: "looking ahead") {
            try IceForecast(simulation: simulation, margins: result.margins, profile: profile).run(minutes: minutes)
        }
        result.growth += forecast.ice.dropFirst()
        result.forecast = forecast
    }

    private var zoneName: MarginZone { description.isFollowup ? .ablationZone : profile.zone }
}

/// The parts of a run.
extension CaseVerification {
    /// What is known about the case before anything is measured.
    private func caseFindings(_ scans: CaseScans, tumours: [CaseObject], structures: [CaseObject], probes: [Probe]) -> [Finding] {
        var findings = description.isPlan ? [] : scans.identityFindings(
            roles: (planning: "planning", treated: description.treatedRole), accepted: description.acceptedIdentityDifferences)
        if options.writesDICOM { findings += scans.reasonsAgainstDICOM(beside: findings) }
        findings += (tumours + structures).flatMap(\.findings)
        findings += profile.advice.map { Finding(.info, "site-advice", $0.text) }
        findings += LesionFindings(profile: profile).findings(for: tumours)
        if probes.isEmpty, !description.isFollowup {
            findings.append(Finding(
                .info, "no-probes", "No probe was found on the \(description.treatedRole) scan.",
                remedy: "List the probes in the case to guide the search for ice."))
        }
        return findings
    }

    private func writesDICOM(_ result: CaseResult) -> Bool {
        options.writesDICOM && !result.findings.contains { $0.code == CaseScans.noDICOMCode }
    }

    private func verdict(_ result: CaseResult) -> CaseReport.Verdict {
        guard !result.margins.isEmpty else {
            let errors = result.findings.filter { $0.severity == .error }.map(\.message)
            if let plan = result.plan { return .init(status: .indeterminate, reasons: errors + plan.reasons) }
            return .init(status: .indeterminate, reasons: errors.isEmpty ? ["No margin was measured."] : errors)
        }
        let combined = Verdict(combining: result.margins.compactMap(\.verdict))
        return Verdict(status: combined.status, reasons: combined.reasons.uniqued())
    }

    private func inputs(_ result: CaseResult) throws -> [CaseReport.Input] {
        let scans = result.scans, objects = [result.placement.zone, result.organ].compactMap { $0 } + result.tumours + result.structures
        let treated = description.isPlan ? [] : [(description.treatedRole, scans.treated)]
        let series = [("planning", scans.planning)] + treated + (scans.prefreeze.map { [("prefreeze", $0)] } ?? [])
        return try series.map { role, scan in
            CaseReport.Input(
                role: role, seriesInstanceUID: scan.seriesInstanceUID, modality: scan.modality.rawValue, geometry: scan.geometry,
                sha256: try sha256(ofFiles: scan.files), findings: scan.findings)
        } + objects.compactMap { object in
            try object.input.map { input in
                CaseReport.Input(
                    role: object.name, seriesInstanceUID: nil, modality: nil, geometry: input.geometry,
                    sha256: try sha256(ofFiles: [input.file]))
            }
        }
    }
}

extension Array where Element: Hashable {
    /// Each element once, where it came first.
    fileprivate func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

extension CaseReport.Tumour {
    init(_ tumour: CaseObject) throws {
        let surface = tumour.surface
        guard let centroid = surface.centroid else { throw MarginError.tumourEmpty }
        self.init(
            id: tumour.name, volumeML: surface.enclosedVolume / 1000, longestDiameterMM: surface.longestDiameterMM, centroidLPS: centroid)
    }
}

extension CaseReport.Margin {
    init(_ margin: CaseMeasurements.TumourMargin, requiredMM: Double) {
        if let result = margin.result {
            // What is missing is said for the zone that decides.
            self.init(tumour: margin.tumour.name, result, zoneSource: margin.zone.source, requiredMM: margin.verdict == nil ? nil : requiredMM,
                shortfalls: margin.shortfalls)
        } else {
            self.init(notEvaluable: margin.tumour.name, zone: margin.zone.name, zoneSource: margin.zone.source)
        }
    }
}

extension CaseReport.Probe {
    init(_ index: Int, _ probe: Probe) {
        self.init(id: "P\(index + 1)", tipLPS: probe.tip, tailLPS: probe.tail, source: probe.source.rawValue)
    }
}
