import ImagingCore

/// Something thin that takes heat out of the tissue: a probe, or an ideal line or point.
public struct HeatSink: Sendable {
    public enum Shape: Hashable, Sendable {
        case point(PatientPoint)
        /// Endless in both directions, which are along an axis of the grid that ends at insulated sides.
        case line(through: PatientPoint, direction: PatientVector)
        /// From a probe's active end nearest the tip, towards the tail.
        case segment(from: PatientPoint, direction: PatientVector, lengthMM: Double)
    }

    /// What it does during one phase.
    public enum Action: Hashable, Sendable {
        /// Takes no heat.
        case idle
        /// W, or W/m along a line or segment.
        case power(Double)
        /// Power that grows with the root of the time since the phase began: W/√s, or W/(m √s).
        case powerGrowingWithRootTime(Double)
        /// A surface of temperature T = coolant + resistance · (power per metre); °C and K·m/W.
        ///
        /// `largestPower` (W/m) bounds what is taken; `duty` is the share of time for which the coolant flows; over the first `rampS`
        /// seconds of the phase the coolant's temperature goes linearly from that of the tissue at the beginning to its own.
        case surface(coolantC: Double, resistance: Double, largestPower: Double?, duty: Double, rampS: Double)

        /// The lowest temperature that the surface may have; `nil` where power is given.
        var coolantC: Double? { if case .surface(let coolantC, _, _, _, _) = self { coolantC } else { nil } }
    }

    public struct Phase: Hashable, Sendable {
        public var startS, endS: Double
        public var action: Action
        /// How far it is drawn back towards its tail from the phase's start to its end, in addition to earlier phases.
        public var withdrawalMM: Double

        public init(startS: Double, endS: Double, action: Action, withdrawalMM: Double = 0) {
            (self.startS, self.endS, self.action, self.withdrawalMM) = (startS, endS, action, withdrawalMM)
        }
    }

    /// For messages.
    public var name: String
    public var shape: Shape
    /// Of the surface; matters only where a surface temperature is given.
    public var radiusMM: Double
    /// In order of time, without overlap; idle between and after.
    public var phases: [Phase]

    public init(name: String, shape: Shape, radiusMM: Double = 0, phases: [Phase]) {
        (self.name, self.shape, self.radiusMM, self.phases) = (name, shape, radiusMM, phases)
    }

    /// The phase that `seconds` belongs to.
    func phase(atSeconds seconds: Double) -> Phase? { phases.last { $0.startS <= seconds && seconds < $0.endS } }

    /// Whether it takes heat out of tissue then.
    func cools(atSeconds seconds: Double) -> Bool {
        switch phase(atSeconds: seconds)?.action {
        case .power, .powerGrowingWithRootTime: true
        case .surface(let coolantC, _, _, _, _): coolantC < 0
        case .idle, nil: false
        }
    }

    /// How far it has been drawn back.
    func withdrawalMM(atSeconds seconds: Double) -> Double {
        phases.reduce(0) { sum, phase in
            guard seconds > phase.startS, phase.endS > phase.startS else { return sum }
            return sum + phase.withdrawalMM * min(1, (seconds - phase.startS) / (phase.endS - phase.startS))
        }
    }

    /// Whether its place changes.
    var moves: Bool { phases.contains { $0.withdrawalMM != 0 } }
}
