import Foundation
import IceballSimulation
import ImagingCore
import MarginAnalysis
import Reporting

extension CasePlan {
    func reported() -> CaseReport.Plan {
        let models = setup.probes.map { probe -> JSONValue in .object(["id": .string(probe.name), "model": .string(probe.model.name)]) }
        let phases = setup.probes[0].phases.map { phase -> JSONValue in
            .object(["do": .string(phase.activity.rawValue), "minutes": .number(phase.minutes)])
        }
        return CaseReport.Plan(
            reason: reason, model: CaseReport.Simulation.modelName,
            parameters: .object([
                "probes": .array(models), "phases": .array(phases), "tissues": .array(tissues.map(JSONValue.string)),
                "assumed": .array(setup.assumptions.map(JSONValue.string)), "edgeTemperatureC": .number(edgeTemperatureC),
                "modelErrorMM": .number(IcePlan.modelErrorMM),
            ]),
            minutes: course.ice.last?.minutes ?? 0, ice: course.ice,
            margins: course.margins.map { $0.planned(requiredMM: requiredMM[$0.zone]) },
            structures: course.structures)
    }

    /// If freezing goes on without a pause.
    var forecasted: CaseReport.Forecast? {
        forecast.map { minutes, course in
            CaseReport.Forecast(
                minutes: minutes, ice: course.ice, margins: course.margins.map { $0.forecast(requiredMM: requiredMM[$0.zone]) })
        }
    }

    /// Growth and margins over the protocol, and over freezing without a pause.
    func charts(_ ahead: CaseReport.Forecast?) -> [ReportChart] {
        let overProtocol = CaseReport.Forecast(
            minutes: course.ice.last?.minutes ?? 0, ice: course.ice,
            margins: course.margins.map { $0.forecast(requiredMM: requiredMM[$0.zone]) })
        return [GrowthCharts.growth(course.ice, scanMinutes: nil)].compactMap { $0 }
            + GrowthCharts.margins(overProtocol, of: .plannedProtocol)
            + (ahead.map { GrowthCharts.margins($0, of: .plannedFreeze) } ?? [])
    }

    /// The margins that would decide, in sentences.
    var reasons: [String] {
        [reason + " Nothing has been measured: the margins that follow are planned, by simulation alone."]
            + course.margins.compactMap { margin in
                requiredMM[margin.zone].map { margin.sentence(requiredMM: $0, minutes: course.ice.last?.minutes ?? 0) }
            }
    }
}

extension PlannedCourse.Margin {
    /// When value and the interval's ends first reach a margin.
    private func reached(_ required: Double?) -> (minutes: Double?, interval: CaseReport.Interval?) {
        guard let required else { return (nil, nil) }
        func first(_ ends: Double) -> Double? {
            IceForecast.crossing(steps.map { ($0.minutes, $0.marginMM + ends * $0.halfWidthMM) }, required)
        }
        return (first(0), .init(low: first(1), high: first(-1)))
    }

    fileprivate func planned(requiredMM: Double?) -> CaseReport.Plan.Margin {
        let reached = reached(requiredMM)
        return .init(
            tumour: tumour, zone: zone.rawValue,
            steps: steps.map {
                .init(
                    minutes: $0.minutes, plannedMarginMM: $0.marginMM,
                    plannedMarginIntervalMM: .init($0.marginMM - $0.halfWidthMM...$0.marginMM + $0.halfWidthMM),
                    plannedCoverage: $0.coverage)
            }, requiredMM: requiredMM, reachedAfterMinutes: reached.minutes, reachedAfterIntervalMinutes: reached.interval)
    }

    fileprivate func forecast(requiredMM: Double?) -> CaseReport.Forecast.Margin {
        let reached = reached(requiredMM)
        return .init(
            tumour: tumour, zone: zone.rawValue,
            steps: steps.map {
                .init(
                    minutes: $0.minutes, minimumMarginMM: $0.marginMM,
                    minimumMarginIntervalMM: $0.marginMM - $0.halfWidthMM...$0.marginMM + $0.halfWidthMM)
            }, requiredMM: requiredMM, reachedAfterMinutes: reached.minutes, reachedAfterIntervalMinutes: reached.interval)
    }

    fileprivate func sentence(requiredMM: Double, minutes: Double) -> String {
        func mm(_ value: Double) -> String { String(format: "%.1f", abs(value) < 0.05 ? 0 : value).replacing("-", with: "−") }
        guard let last = steps.last else { return "\(tumour): the plan gives no \(zone.phrase) within \(mm(minutes)) min." }
        let reached = reached(requiredMM)
        let when = reached.minutes.map { "would be reached after \(mm($0)) min" } ?? "would not be reached"
        let sure = reached.interval?.high.map { ", surely after \(mm($0)) min" } ?? (reached.minutes == nil ? "" : ", but not surely")
        let interval = "\(mm(last.marginMM - last.halfWidthMM)) to \(mm(last.marginMM + last.halfWidthMM))"
        return "\(tumour): planned margin to the \(zone.phrase), simulated, \(mm(last.marginMM)) mm (95 %: \(interval)) "
            + "after \(mm(last.minutes)) min of the protocol; the required \(mm(requiredMM)) mm \(when)\(sure)."
    }
}
