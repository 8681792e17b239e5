import Foundation
import IceballSimulation
import ImageFilters
import ImagingCore
import MarginAnalysis
import Reporting

/// How ice would grow around a case's probes, and what margins it would give, by simulation alone.
struct PlannedCourse {
    struct Margin {
        var tumour: String
        var zone: MarginZone
        /// `nil` while the zone is not there.
        var steps: [(minutes: Double, marginMM: Double, halfWidthMM: Double, coverage: Double)]
        /// Where the margin is smallest in the end.
        var worst: PatientPoint?
    }
    var ice: [CaseReport.Forecast.Ice]
    var margins: [Margin]
    var structures: [CaseReport.Plan.Structure]
    /// In the end.
    var last: IceContinuation.State
    var findings: [Finding]

    /// What ends at a temperature: what a scan would show then, and what was once colder than −20 and −40 °C.
    struct Zone {
        var name: MarginZone
        var temperatureC: Double
        func field(_ state: IceContinuation.State) -> TemperatureField { name == .visibleIce ? state.temperature : state.lowest }
    }

    /// So many points of a surface are looked at.
    private static let pointCount = 1500
    private static let mostSteps = 12

    /// A tumour or a structure with the further uncertainty of its own edge and place.
    private struct Object {
        var points: [PatientPoint]
        var deviationMM: Double

        init(_ object: CaseObject) {
            let surface = object.surface.vertices, every = max(1, surface.count / PlannedCourse.pointCount)
            points = stride(from: 0, to: surface.count, by: every).map { surface[$0] }
            let edge = object.edgeUncertaintyMM, place = object.alignment?.expectedErrorMM ?? 0
            deviationMM = (edge * edge + place * place).squareRoot()
        }
    }

    /// - Parameters:
    ///   - fine: of the values; `coarse`: of their spreads.
    ///   - setup: with each probe's phases, as both media's sinks have them.
    init(
        fine: ThermalModel, coarse: ThermalModel, setup: IceballSetup, placement: CasePlacement, zones: [Zone],
        progress: @Sendable (Double) -> Void
    ) throws {
        let minutes = Self.times(of: setup.probes)
        func simulation(_ model: ThermalModel) throws -> IceballSimulation {
            IceballSimulation(model: model, sinks: try setup.probes.map { try $0.sink() }, outputTimesS: minutes.map { 60 * $0 })
        }
        let tumours = placement.tumours.map(Object.init), structures = placement.structures.map { Object($0.object) }
        @Sendable func margins(_ state: IceContinuation.State) -> [(marginMM: Double, point: PatientPoint?)] {
            zones.flatMap { zone in
                let isotherm = IsothermSurface(zone.field(state), zone.temperatureC)
                return tumours.map { isotherm.least(of: $0.points, shiftedBy: state.shift) }
            }
        }
        @Sendable func distances(_ state: IceContinuation.State) -> [Double] {
            zones.flatMap { zone in
                let isotherm = IsothermSurface(zone.field(state), zone.temperatureC)
                return structures.map { isotherm.distanceMM(to: $0.points, shiftedBy: state.shift) }
            }
        }
        let result = try simulation(fine).run { progress(0.5 * $0) }, states = result.snapshots.map { IceContinuation.State($0) }
        var rough = try simulation(coarse)
        rough.stepGrowth = 2
        let deviations = try IcePlan(rough, probes: setup.probes, priors: setup.priors).deviations(try rough.run()) { state in
            margins(state).map(\.marginMM) + distances(state)
        }
        progress(1)
        let read = states.map(margins), ends = distances(states.last!)
        ice = zip(minutes, states).map { minutes, state in
            let volumes = zones.map { $0.field(state).volumeML(below: $0.temperatureC) }
            return .init(minutes: minutes, visibleML: volumes[0], below20ML: volumes[1], below40ML: volumes[2])
        }
        self.margins = zones.enumerated().flatMap { zoneNumber, zone in
            placement.tumours.enumerated().map { number, tumour in
                let index = zoneNumber * tumours.count + number
                let steps = states.indices.compactMap { time -> (Double, Double, Double, Double)? in
                    let margin = read[time][index].marginMM
                    guard margin.isFinite, let deviation = deviations[time][index] else { return nil }
                    let half = PlannedMargins.halfWidthMM(deviation, tumours[number].deviationMM)
                    return (minutes[time], margin, half, tumour.levelSet.share(below: zone.temperatureC, in: zone.field(states[time])))
                }
                return Margin(tumour: tumour.name, zone: zone.name, steps: steps, worst: read.last![index].point)
            }
        }
        self.structures = zones.enumerated().flatMap { zoneNumber, zone in
            placement.structures.enumerated().map { number, structure in
                let index = zoneNumber * structures.count + number, distance = ends[index]
                let half = deviations.last![read[0].count + index].map { PlannedMargins.halfWidthMM($0, structures[number].deviationMM) }
                return .init(
                    name: structure.object.name, zone: zone.name.rawValue, plannedDistanceMM: distance,
                    plannedDistanceIntervalMM: distance.isFinite ? half.map { .init(distance - $0...distance + $0) } : nil,
                    limitMM: zoneNumber == 0 ? structure.limitMM : nil,
                    plannedLowestTemperatureC: structure.object.levelSet.lowestTemperatureC(in: states.last!.lowest))
            }
        }
        (last, findings) = (states.last!, result.findings)
    }

    /// Minutes at which something is read: evenly over each phase, and at its end.
    static func times(of probes: [PlacedProbe]) -> [Double] {
        guard let longest = probes.max(by: { $0.durationS < $1.durationS }) else { return [] }
        let step = max(1, (longest.durationS / 60 / Double(mostSteps)).rounded(.up))
        var start = 0.0, times: [Double] = []
        for phase in longest.phases {
            times += stride(from: start + step, to: start + phase.minutes - 0.25, by: step)
            start += phase.minutes
            times.append(start)
        }
        return times
    }
}

extension LevelSet {
    /// Anywhere in an object, °C.
    fileprivate func lowestTemperatureC(in field: TemperatureField) -> Double {
        let inside = mask
        return (0..<geometry.size.voxelCount).map { geometry.size.index(atOffset: $0) }.filter { inside[$0] }
            .map { field.temperatureC(at: geometry.point($0)) }.min() ?? .infinity
    }
}
