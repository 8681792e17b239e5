import Foundation
import IceballSimulation
import ImagingCore
import MarginAnalysis
import Reporting

/// The margins of a case if its probes go on freezing after the scan.
///
/// The simulation tells how much a margin changes; that is added to the margin that was measured on the scan.
struct IceForecast {
    let simulation: CaseSimulation
    let margins: [CaseMeasurements.TumourMargin]
    let profile: SiteProfile

    /// So many points of a tumour's surface are looked at.
    private static let pointCount = 400
    /// Two-sided 95 % of a normal distribution.
    private static let coverageFactor = 1.96
    private static let mostSteps = 12

    func run(minutes horizon: Double) throws -> CaseReport.Forecast {
        let step = max(1, (horizon / Double(Self.mostSteps)).rounded(.up)),
            ahead = [0] + Array(stride(from: step, to: horizon, by: step)) + [horizon]
        let measured = margins.filter { $0.result != nil }
        let queries = measured.map { margin -> (points: [PatientPoint], temperatureC: Double, isLowest: Bool) in
            let surface = margin.result!.map.surface.vertices, every = max(1, surface.count / Self.pointCount)
            let lethal = CaseSimulation.isotherms.first { $0.zone == margin.zone.name }
            return (
                stride(from: 0, to: surface.count, by: every).map { surface[$0] }, lethal?.temperatureC ?? simulation.edgeTemperatureC,
                lethal != nil
            )
        }
        let edgeTemperatureC = simulation.edgeTemperatureC
        let readings = try IceContinuation(simulation.fit).readings(atMinutes: ahead) { state in
            Self.volumes(state, edgeTemperatureC)
                + queries.map { query in
                    (query.isLowest ? state.lowest : state.temperature).misfit(
                        of: query.points, to: query.temperatureC, shiftedBy: state.shift)
                        .distancesMM.min() ?? 0
                }
        }
        let count = Self.volumeCount
        return CaseReport.Forecast(
            minutes: horizon, ice: readings.map(CaseReport.Forecast.Ice.init),
            margins: measured.enumerated().map { number, margin in entry(margin, readings, count + number) })
    }

    /// Volumes from the beginning to the scan.
    static func growth(_ simulation: CaseSimulation) throws -> [CaseReport.Forecast.Ice] {
        let scanMinutes = simulation.fit.seconds / 60, edgeTemperatureC = simulation.edgeTemperatureC
        let times = stride(from: 1, to: scanMinutes - 0.5, by: max(1, (scanMinutes / 10).rounded(.up))).map { $0 - scanMinutes } + [0]
        return try IceContinuation(simulation.fit).readings(atMinutes: times, withDeviations: false) { volumes($0, edgeTemperatureC) }
            .map(CaseReport.Forecast.Ice.init)
    }

    private static let volumeCount = 3
    /// Of the ice that a scan would show, and of what was below −20 and −40 °C.
    private static func volumes(_ state: IceContinuation.State, _ edgeTemperatureC: Double) -> [Double] {
        [state.temperature.volumeML(below: edgeTemperatureC)] + CaseSimulation.isotherms.map {
            state.lowest.volumeML(below: $0.temperatureC)
        }
    }

    private func entry(
        _ margin: CaseMeasurements.TumourMargin, _ readings: [IceContinuation.Reading], _ number: Int
    ) -> CaseReport.Forecast.Margin {
        let result = margin.result!, interval = result.minimumMarginIntervalMM, now = readings[0].values[number]
        let steps = readings.map { reading -> CaseReport.Forecast.Step in
            let change = reading.values[number] - now, spread = Self.coverageFactor * reading.changeDeviations[number]
            func widened(_ half: Double) -> Double { (half * half + spread * spread).squareRoot() }
            let value = result.minimumMarginMM + change
            return .init(
                minutes: reading.minutes, minimumMarginMM: value,
                minimumMarginIntervalMM: (
                    value - widened(result.minimumMarginMM - interval.lowerBound)
                )...(value + widened(interval.upperBound - result.minimumMarginMM)))
        }
        // The criterion is for the zone that decides.
        guard margin.verdict != nil else {
            return .init(
                tumour: margin.tumour.name, zone: margin.zone.name.rawValue, steps: steps, requiredMM: nil, reachedAfterMinutes: nil,
                reachedAfterIntervalMinutes: nil)
        }
        let required = profile.requiredMarginMM
        func reached(_ value: (CaseReport.Forecast.Step) -> Double?) -> Double? {
            Self.crossing(steps.map { ($0.minutes, value($0) ?? .infinity) }, required)
        }
        return .init(
            tumour: margin.tumour.name, zone: margin.zone.name.rawValue, steps: steps, requiredMM: required, reachedAfterMinutes: reached {
                $0.minimumMarginMM
            },
            reachedAfterIntervalMinutes: .init(
                low: reached { $0.minimumMarginIntervalMM.high }, high: reached { $0.minimumMarginIntervalMM.low }))
    }

    /// When a line through points first reaches a level; `nil` when it does not.
    static func crossing(_ points: [(minutes: Double, value: Double)], _ level: Double) -> Double? {
        guard let first = points.first else { return nil }
        if first.value >= level { return first.minutes }
        for (a, b) in zip(points, points.dropFirst()) where b.value >= level {
            return a.minutes + (level - a.value) / (b.value - a.value) * (b.minutes - a.minutes)
        }
        return nil
    }
}

extension CaseReport.Forecast.Ice {
    fileprivate init(_ reading: IceContinuation.Reading) {
        self.init(minutes: reading.minutes, visibleML: reading.values[0], below20ML: reading.values[1], below40ML: reading.values[2])
    }
}
