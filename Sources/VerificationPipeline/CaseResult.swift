import ImageSegmentation
import ImagingCore
import Reporting

/// What a run found out about a case, before any of it is written: the source of the report, of pictures, and of results in every format.
struct CaseResult {
    var scans: CaseScans
    /// As found on, or given for, the scan that each lies in. Where they lie in the treated scan: `placement`.
    var tumours: [CaseObject]
    var structures: [CaseObject]
    var organ: CaseObject?
    /// On the treated scan.
    var probes: [Probe]
    /// Everything in the treated scan's frame of reference.
    var placement: CasePlacement
    /// What margins are measured in, as level sets in the treated scan's frame of reference: the visible ice, then the −20 and −40 °C
    /// isotherms inside it; in an audit the ablation zone alone. Each says where it comes from. Empty, with a finding, when none was found.
    ///
    /// Level sets have grids of their own; `LevelSet.resampled(onto:)` brings them onto the scan's.
    var zones: [MeasuredZone] = []
    /// Fitted to the visible ice, or rejected; `nil` when nothing could be simulated.
    var simulation: CaseSimulation?
    /// What the ice would be, where the scan shows none; nothing that was seen.
    var plan: CasePlan?
    /// Volumes of the simulated ice over time, and margins to come where they were asked for.
    var growth: [CaseReport.Forecast.Ice] = []
    var forecast: CaseReport.Forecast?
    /// `nil` without zones.
    var measurements: CaseMeasurements?
    var findings: [Finding]

    /// Each tumour in each zone.
    var margins: [CaseMeasurements.TumourMargin] { measurements?.margins ?? [] }

    /// How the simulated ice grew, and how margins would.
    var charts: [ReportChart] {
        if let plan { return plan.charts(forecast) }
        guard let simulation else { return [] }
        return [GrowthCharts.growth(growth, scanMinutes: simulation.fit.seconds / 60)].compactMap { $0 }
            + (forecast.map { GrowthCharts.margins($0) } ?? [])
    }
}
