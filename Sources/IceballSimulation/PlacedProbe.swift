import ImagingCore

/// What a probe does for a while.
public struct ProbePhase: Hashable, Sendable {
    public enum Activity: String, Hashable, Sendable, CaseIterable {
        case freeze
        /// Left to itself.
        case thaw
        /// Warmed.
        case activeThaw = "active-thaw"
        /// Freezes while it is drawn back.
        case tractFreeze = "tract-freeze"
        /// Not yet, or no more, in use.
        case wait
    }
    public var activity: Activity
    public var minutes: Double
    /// The share of time for which the coolant flows, 0 to 1.
    public var duty: Double
    /// Replaces the model's temperature.
    public var temperatureC: Double?
    /// How far it is drawn back meanwhile.
    public var withdrawalMM: Double

    public init(_ activity: Activity, minutes: Double, duty: Double = 1, temperatureC: Double? = nil, withdrawalMM: Double = 0) {
        (self.activity, self.minutes, self.duty) = (activity, minutes, duty)
        (self.temperatureC, self.withdrawalMM) = (temperatureC, withdrawalMM)
    }
}

/// A probe in the patient, and what it does when.
public struct PlacedProbe: Hashable, Sendable {
    public var name: String
    /// Of the shaft.
    public var tip: PatientPoint
    /// From tip to tail, of length 1.
    public var direction: PatientVector
    public var model: ProbeModel
    public var phases: [ProbePhase]

    public init(name: String, tip: PatientPoint, direction: PatientVector, model: ProbeModel, phases: [ProbePhase]) {
        (self.name, self.tip, self.direction, self.model, self.phases) = (name, tip, direction, model, phases)
    }

    /// The ends of the part that freezes, nearest the tip first.
    public var activeEnds: (PatientPoint, PatientPoint) {
        let start = tip + model.activeStartMM * direction
        return (start, start + (model.activeLengthMM ?? 0) * direction)
    }

    public var durationS: Double { phases.reduce(0) { $0 + 60 * $1.minutes } }

    /// The probe as a sink of heat. Throws when its model lacks a figure, or its phases ask for what it cannot do.
    public func sink() throws(SimulationError) -> HeatSink {
        guard model.missing.isEmpty else { throw .incompleteProbeModel(model.name, missing: model.missing) }
        guard phases.contains(where: { $0.activity == .freeze || $0.activity == .tractFreeze }) else {
            throw .protocolContradicts(name, reason: "it never freezes")
        }
        var seconds = 0.0, sinkPhases: [HeatSink.Phase] = []
        for phase in phases {
            let end = seconds + 60 * phase.minutes
            sinkPhases.append(.init(startS: seconds, endS: end, action: try action(phase), withdrawalMM: phase.withdrawalMM))
            seconds = end
        }
        return HeatSink(
            name: name, shape: .segment(from: activeEnds.0, direction: direction, lengthMM: model.activeLengthMM!),
            radiusMM: model.diameterMM! / 2,
            phases: sinkPhases)
    }

    private func action(_ phase: ProbePhase) throws(SimulationError) -> HeatSink.Action {
        guard phase.minutes > 0 else {
            throw .protocolContradicts(name, reason: "a phase lasts \(phase.minutes) min; it must last longer than 0")
        }
        guard phase.withdrawalMM == 0 || phase.activity == .tractFreeze else {
            throw .protocolContradicts(name, reason: "it is drawn back while it does something other than tract-freeze")
        }
        switch phase.activity {
        case .wait, .thaw: return .idle
        case .freeze, .tractFreeze:
            guard phase.duty > 0, phase.duty <= 1 else {
                throw .protocolContradicts(name, reason: "a duty of \(100 * phase.duty) % is not between 0 and 100 %")
            }
            return .surface(
                coolantC: phase.temperatureC ?? model.coolantC!, resistance: model.resistance, largestPower: model.largestPower,
                duty: phase.duty,
                rampS: model.rampS)
        case .activeThaw:
            guard let warm = phase.temperatureC ?? model.thawC else {
                throw .protocolContradicts(name, reason: "it is to be warmed, but “\(model.name)” has no thawTemperature")
            }
            return .surface(coolantC: warm, resistance: 0, largestPower: nil, duty: 1, rampS: 0)
        }
    }

    /// Throws when active parts of two probes come nearer than their radii together.
    public static func requireApart(_ probes: [PlacedProbe]) throws(SimulationError) {
        for (index, probe) in probes.enumerated() {
            for other in probes.prefix(index) {
                let distance = segmentDistance(probe.activeEnds, other.activeEnds)
                guard distance >= ((probe.model.diameterMM ?? 0) + (other.model.diameterMM ?? 0)) / 2 else {
                    throw .probesOverlap(other.name, probe.name, distanceMM: distance)
                }
            }
        }
    }

    private static func segmentDistance(_ a: (PatientPoint, PatientPoint), _ b: (PatientPoint, PatientPoint)) -> Double {
        // The distance from a point to a segment is convex along a line, so thirds close in on the least.
        var low = 0.0, high = 1.0
        func distance(_ share: Double) -> Double { (a.0 + share * (a.1 - a.0)).distance(toSegment: b.0, b.1) }
        for _ in 0..<60 {
            let first = low + (high - low) / 3, second = high - (high - low) / 3
            if distance(first) <= distance(second) { high = second } else { low = first }
        }
        return distance((low + high) / 2)
    }
}

extension PatientPoint {
    /// The distance in millimetres to the nearest point of a segment.
    public func distance(toSegment start: PatientPoint, _ end: PatientPoint) -> Double {
        let along = end - start, length = along.dot(along)
        let share = length > 0 ? max(0, min(1, (self - start).dot(along) / length)) : 0
        return distance(to: start + share * along)
    }
}
