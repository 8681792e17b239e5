/// What the ice would be, by simulation alone.
extension CaseReport {
    /// Where no scan shows ice yet: what probes and protocol would freeze. Nothing in it has been seen, and no verdict rests on it.
    public struct Plan: Hashable, Sendable, Codable {
        /// At one time.
        public struct Step: Hashable, Sendable, Codable {
            /// From the beginning of the first freeze.
            public var minutes: Double
            /// Smallest; negative where the tumour lies outside.
            public var plannedMarginMM: Double
            /// 95 %.
            public var plannedMarginIntervalMM: Interval
            /// The share of the tumour inside.
            public var plannedCoverage: Double

            public init(minutes: Double, plannedMarginMM: Double, plannedMarginIntervalMM: Interval, plannedCoverage: Double) {
                (self.minutes, self.plannedMarginMM) = (minutes, plannedMarginMM)
                (self.plannedMarginIntervalMM, self.plannedCoverage) = (plannedMarginIntervalMM, plannedCoverage)
            }
        }
        /// Of one tumour in one zone that would be there.
        public struct Margin: Hashable, Sendable, Codable {
            public var tumour, zone: String
            /// From when the zone is there; the last at the end of the protocol.
            public var steps: [Step]
            /// The margin that is required in this zone; `null` where none is.
            public var requiredMM: Double?
            /// When the required margin would be reached first; `null` when it would not, or none is required.
            public var reachedAfterMinutes: Double?
            /// When the interval's high and low end reach it; an end is `null` when it does not.
            public var reachedAfterIntervalMinutes: Interval?

            public init(
                tumour: String, zone: String, steps: [Step], requiredMM: Double?, reachedAfterMinutes: Double?,
                reachedAfterIntervalMinutes: Interval?
            ) {
                (self.tumour, self.zone, self.steps, self.requiredMM) = (tumour, zone, steps, requiredMM)
                (self.reachedAfterMinutes, self.reachedAfterIntervalMinutes) = (reachedAfterMinutes, reachedAfterIntervalMinutes)
            }
        }
        /// What must not freeze, at the end of the protocol.
        public struct Structure: Hashable, Sendable, Codable {
            public var name, zone: String
            /// From the zone; negative where that would reach in, `null` where it would not be there.
            public var plannedDistanceMM: Double?
            /// 95 %.
            public var plannedDistanceIntervalMM: Interval?
            public var limitMM: Double?
            /// Anywhere in it.
            public var plannedLowestTemperatureC: Double?

            public init(
                name: String, zone: String, plannedDistanceMM: Double?, plannedDistanceIntervalMM: Interval?, limitMM: Double?,
                plannedLowestTemperatureC: Double?
            ) {
                (self.name, self.zone, self.plannedDistanceMM) = (name, zone, plannedDistanceMM?.finite)
                (self.plannedDistanceIntervalMM, self.limitMM) = (plannedDistanceIntervalMM, limitMM)
                self.plannedLowestTemperatureC = plannedLowestTemperatureC?.finite
            }
        }
        /// Why there is no ice to measure.
        public var reason: String
        public var model: String
        public var parameters: JSONValue
        /// Of the protocol that is simulated.
        public var minutes: Double
        public var ice: [Forecast.Ice]
        public var margins: [Margin]
        public var structures: [Structure]

        public init(
            reason: String, model: String, parameters: JSONValue, minutes: Double, ice: [Forecast.Ice], margins: [Margin],
            structures: [Structure]
        ) {
            (self.reason, self.model, self.parameters, self.minutes) = (reason, model, parameters, minutes)
            (self.ice, self.margins, self.structures) = (ice, margins, structures)
        }
    }
}
