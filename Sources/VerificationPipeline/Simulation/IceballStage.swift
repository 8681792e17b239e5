import Foundation
import IceballSimulation
import ImageSegmentation
import ImagingCore
import MarginAnalysis

/// Simulates the ice of a case and fits it to what the scan shows.
struct IceballStage {
    let description: CaseDescription
    let profile: SiteProfile
    let scans: CaseScans
    let placement: CasePlacement
    let probes: [Probe]
    let library: ProbeLibrary

    struct Outcome {
        /// `nil` when nothing could be simulated.
        var simulation: CaseSimulation?
        var findings: [Finding]
        /// Where it can be used.
        var accepted: CaseSimulation? { simulation.flatMap { $0.fit.isRejected ? nil : $0 } }

        /// The visible ice, and its isotherms: simulated, or at fixed set-backs.
        func zones(ice: CaseObject) -> [MeasuredZone] {
            accepted.map { [MeasuredZone(.visibleIce, ice)] + $0.zones(ice: ice) } ?? MeasuredZone.withSetBacks(ice)
        }

        /// What visible ice means, and where its isotherms come from.
        var lethalityFinding: Finding {
            let setBacks = MeasuredZone.setBacksMM.map { "\($0.zone.phrase.prefix(6)) \(String(format: "%g", $0.mm)) mm" }.joined(separator: ", ")
            let source = accepted.map {
                String(format: "those of a simulation fitted to the visible edge (root mean square distance %.1f mm)", $0.after.rmsMM)
            } ?? "taken at fixed set-backs (\(setBacks)), not simulated"
            return Finding(
                .info, "visible-ice-is-not-lethal",
                "The visible ice ends near 0 °C. Tumour cells die reliably below about −40 °C, millimetres inside that edge; the isotherms are \(source).")
        }
    }

    /// Cells of the fit and of the field that is reported, mm.
    private static let fitSpacingMM = 2.0, fieldSpacingMM = 1.0
    /// How far the fine cells go beyond visible ice and probes, mm.
    private static let coreMarginMM = 7.0
    /// Fewer points of an edge decide nothing.
    private static let fewestPoints = 60
    private static let thresholdsC = [0.0, -20, -40]

    func run(progress: @Sendable (Double) -> Void) throws -> Outcome {
        guard let ice = placement.zone, !probes.isEmpty else { return Outcome(findings: []) }
        do {
            let setup = try IceballSetup(description, probes: probes, ice: ice, library: library)
            guard !setup.probes.isEmpty else { return Outcome(findings: [Self.impossible("no ice lies around any of the probes")]) }
            try PlacedProbe.requireApart(setup.probes)
            if let place = setup.firstProbe(outside: scans.treated.geometry) {
                return Outcome(findings: [Self.impossible("\(place) lies outside the ice scan")])
            }
            return try simulate(setup, ice, progress)
        } catch let error as SimulationError {
            if case .unknownProbeModel = error { throw error }
            return Outcome(
                findings: [Finding(
                    .warning, error.finding.code, "The ice was not simulated. \(error.finding.message)", remedy: error.finding.remedy)])
        }
    }

    private static func impossible(_ reason: String) -> Finding {
        Finding(
            .warning, "simulation-not-possible", "The ice was not simulated: \(reason). The isotherms are taken at fixed set-backs.",
            remedy: "Check the probes' positions and models, and that the scan shows the whole ice.")
    }

    private func simulate(_ setup: IceballSetup, _ ice: CaseObject, _ progress: @Sendable (Double) -> Void) throws -> Outcome {
        let edge = ObservedEdge(of: ice, probes: setup.probes, scan: scans.treated.volume)
        guard edge.points.count >= Self.fewestPoints else {
            return Outcome(findings: [Self.impossible("too little of the visible edge can be compared (\(edge.points.count) points)")])
        }
        let tissues = CaseTissues(description: description, profile: profile, scans: scans, placement: placement)
        let slackMM = 1.5 * (setup.priors.activeLengthMM + setup.priors.depthMM)
        let coarse = try tissues.model(
            on: try grid(setup.probes, edge, spacingMM: Self.fitSpacingMM, slackMM: slackMM), probes: setup.probes)
        let edgeTemperatureC = edgeTemperature(ice, coarse)
        var fitting = EdgeFit(
            model: coarse, probes: setup.probes, seconds: setup.scanSeconds, edge: edge.points, edgeTemperatureC: edgeTemperatureC)
        fitting.priors = setup.priors
        let fit = try fitting.run { progress(0.7 * $0) }
        let core = try grid(fit.probes, edge, spacingMM: Self.fieldSpacingMM)
        var result = CaseSimulation(
            setup: setup, edge: edge, edgeTemperatureC: edgeTemperatureC, fit: fit, lowest: fit.lowest, temperature: fit.temperature,
            before: fit.before,
            after: fit.after, grid: core.core)
        if !fit.isRejected { try refine(&result, on: core, tissues, edge) { progress(0.7 + 0.3 * $0) } }
        result.dice = CaseSimulation.dice(result.temperature, edgeTemperatureC, shift: fit.shift, ice.levelSet)
        return Outcome(simulation: result, findings: findings(result))
    }

    /// The fitted model on fine cells.
    private func refine(
        _ result: inout CaseSimulation, on grid: SimulationGrid, _ tissues: CaseTissues, _ edge: ObservedEdge, _ progress: (Double) -> Void
    ) throws {
        let fit = result.fit, base = try tissues.model(on: grid, probes: result.setup.probes)
        let run = try fit.simulation(on: base, thresholdsC: Self.thresholdsC).run(progress: progress), snapshot = run.snapshots[0]
        (result.lowest.field, result.temperature, result.secondsBelow) = (snapshot.lowest, snapshot.temperature, run.secondsBelow)
        result.after = snapshot.temperature.misfit(of: edge.points.map(\.position), to: result.edgeTemperatureC, shiftedBy: fit.shift)
    }

    /// Where freezing begins for a segmented surface, which is put at the 0 °C front; the middle of the freezing range for one that was
    /// drawn at the change of grey levels on CT (Sandison, Rewcastle & Hahn 1998). On MR ice has no signal from where freezing begins.
    private func edgeTemperature(_ ice: CaseObject, _ model: ThermalModel) -> Double {
        let table = model.mainTissue.table
        return ice.input == nil || scans.treated.modality != .ct ? table.liquidusC : (table.liquidusC + table.solidusC) / 2
    }

    /// - Parameter slackMM: by which probes may be moved along their lines.
    private func grid(_ probes: [PlacedProbe], _ edge: ObservedEdge, spacingMM: Double, slackMM: Double = 0) throws -> SimulationGrid {
        let places = edge.points.map(\.position) + probes.flatMap { probe -> [PatientPoint] in
            let (near, far) = probe.activeEnds
            return [near - slackMM * probe.direction, far + slackMM * probe.direction]
        }
        return try SimulationGrid(
            around: places, marginMM: Self.coreMarginMM, spacingMM: spacingMM, tissue: try TissueLibrary.builtIn().tissue(profile.tissue),
            frameOfReferenceUID: scans.treated.geometry.frameOfReferenceUID)
    }

    private func findings(_ simulation: CaseSimulation) -> [Finding] {
        // Where nothing of a simulation is used, it does not matter where it is doubtful.
        let fit = simulation.fit, points = simulation.edge.points.map(\.position.lps)
        let middle = PatientPoint(points.reduce(.zero, +) / Double(points.count))
        return [fit.rejection ?? fit.doubt(from: middle)].compactMap { $0 } + simulation.setup.findings
    }
}

extension SimulationGrid {
    /// Even cells around places of a case, which widen as far as its tissue asks for.
    init(around places: [PatientPoint], marginMM: Double, spacingMM: Double, tissue: Tissue, frameOfReferenceUID: String?) throws {
        let low = places.reduce(places[0].lps) { pointwiseMin($0, $1.lps) } - marginMM
        let counts = ((places.reduce(places[0].lps) { pointwiseMax($0, $1.lps) } + marginMM - low) / spacingMM).rounded(.up)
        let core = try GridGeometry(
            size: GridSize(Int(counts.x), Int(counts.y), Int(counts.z)), spacing: SIMD3(repeating: spacingMM),
            origin: PatientPoint(low + spacingMM / 2), frameOfReferenceUID: frameOfReferenceUID)
        let reach = SimulationMedium.reachMM(in: tissue)
        try self.init(core: core, reachMM: Dictionary(uniqueKeysWithValues: Side.allCases.map { ($0, reach) }))
    }
}
