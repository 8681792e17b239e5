import Foundation
import IceballSimulation
import ImageSegmentation
import ImagingCore
import MarginAnalysis
import Reporting

/// What probes and protocol would freeze, where no scan shows ice yet.
struct CasePlan {
    /// Why there is no ice to measure.
    var reason: String
    var setup: IceballSetup
    /// Of the whole protocol.
    var course: PlannedCourse
    /// Of one freeze that goes on for as long as a forecast looks ahead; `nil` where none is wanted.
    var forecast: (minutes: Double, course: PlannedCourse)?
    /// In the end, in the order of `PlannedCourse.ice`, on a grid of the treated scan's frame of reference.
    var zones: [(name: MarginZone, levelSet: LevelSet)]
    /// By zone; the criterion is for the one that decides.
    var requiredMM: [MarginZone: Double]
    var tissues: [String]
    var edgeTemperatureC: Double
}

/// Simulates the plan of a case.
struct PlanStage {
    let description: CaseDescription
    let profile: SiteProfile
    let scans: CaseScans
    let placement: CasePlacement
    let probes: [Probe]
    let library: ProbeLibrary
    /// How far ahead a forecast looks, minutes.
    let forecastMinutes: Double?

    struct Outcome {
        /// `nil` when nothing could be simulated.
        var plan: CasePlan?
        var findings: [Finding]
    }

    /// Cells of the fields that are reported, and of what tells how uncertain they are, mm.
    private static let fieldSpacingMM = 1.0, spreadSpacingMM = 2.0

    func run(progress: @Sendable (Double) -> Void) throws -> Outcome {
        guard !probes.isEmpty else {
            return impossible("no probes are known", remedy: "List the probes with tip and tail, model and protocol, in the case.")
        }
        guard !placement.tumours.isEmpty else {
            return impossible(
                "it is not known where the tumours lie in relation to the probes", remedy: "See the findings on the registration.")
        }
        do {
            let setup = try IceballSetup(description, probes: probes, ice: nil, library: library)
            try PlacedProbe.requireApart(setup.probes)
            if let name = setup.firstProbe(outside: scans.treated.geometry) {
                return impossible("\(name) lies outside the scan", remedy: "Correct its tip and tail (LPS millimetres).")
            }
            return try plan(setup, progress)
        } catch let error as SimulationError {
            if case .unknownProbeModel = error { throw error }
            return Outcome(findings: [
                Finding(.error, error.finding.code, "There is no plan. \(error.finding.message)", remedy: error.finding.remedy)
            ])
        }
    }

    private func impossible(_ reason: String, remedy: String) -> Outcome {
        Outcome(findings: [
            // With ice missing, too, that has been said already.
            description.isPlan
                ? Finding(.error, "plan-not-possible", "There is no plan: \(reason).", remedy: remedy)
                : Finding(.warning, "plan-not-possible", "There is no plan either: \(reason).", remedy: remedy)
        ])
    }

    private func plan(_ setup: IceballSetup, _ progress: @Sendable (Double) -> Void) throws -> Outcome {
        let tissues = CaseTissues(description: description, profile: profile, scans: scans, placement: placement)
        let fine = try tissues.model(on: grid(setup, Self.fieldSpacingMM), probes: setup.probes)
        let coarse = try tissues.model(on: grid(setup, Self.spreadSpacingMM), probes: setup.probes),
            edgeTemperatureC = fine.mainTissue.table.liquidusC
        let zones =
            [PlannedCourse.Zone(name: .visibleIce, temperatureC: edgeTemperatureC)]
            + CaseSimulation.isotherms.map { .init(name: $0.zone, temperatureC: $0.temperatureC) }
        func course(_ setup: IceballSetup, _ progress: @Sendable (Double) -> Void) throws -> PlannedCourse {
            try PlannedCourse(fine: fine, coarse: coarse, setup: setup, placement: placement, zones: zones, progress: progress)
        }
        let share = forecastMinutes == nil ? 1 : 0.6, planned = try course(setup) { progress(share * $0) }
        let ahead = try forecastMinutes.map { minutes in
            var setup = setup
            for index in setup.probes.indices { setup.probes[index].phases = [ProbePhase(.freeze, minutes: minutes)] }
            return (minutes: minutes, course: try course(setup) { progress(share + (1 - share) * $0) })
        }
        let plan = CasePlan(
            reason: reason, setup: setup, course: planned, forecast: ahead,
            zones: zones.map { zone in
                (
                    zone.name,
                    LevelSet(
                        colderThan: zone.temperatureC, excess: zone.field(planned.last).excess(over: zone.temperatureC, on: fine.grid.core))
                )
            }, requiredMM: [profile.zone: profile.requiredMarginMM], tissues: fine.tissues.map(\.name), edgeTemperatureC: edgeTemperatureC)
        return Outcome(plan: plan, findings: [Self.finding(reason)] + setup.findings + planned.findings)
    }

    private func grid(_ setup: IceballSetup, _ spacingMM: Double) throws -> SimulationGrid {
        let tissue = try TissueLibrary.builtIn().tissue(profile.tissue)
        return try SimulationGrid(
            around: setup.probes.flatMap { [$0.activeEnds.0, $0.activeEnds.1] }, marginMM: SimulationMedium.coreMarginMM(in: tissue),
            spacingMM: spacingMM,
            tissue: tissue, frameOfReferenceUID: scans.treated.geometry.frameOfReferenceUID)
    }

    private var reason: String {
        description.isPlan
            ? "The case has no scan of the ice."
            : description.isBeforeFreezing
                ? "The scan was taken before freezing." : "No ice was found on the ice scan."
    }

    private static func finding(_ reason: String) -> Finding {
        Finding(
            .warning, "planned-margins",
            "\(reason) The margins given are planned: simulated from probes and protocol alone. Nothing of them has been seen.",
            remedy: "Verify the treatment on a scan that shows the ice.")
    }
}
