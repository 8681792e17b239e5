/// How the ice goes on if the probes go on freezing from the time of the scan; of a plan, from the beginning of freezing.
extension CaseReport {
    public struct Forecast: Hashable, Sendable, Codable {
        /// At one time.
        public struct Ice: Hashable, Sendable, Codable {
            /// From the scan.
            public var minutes: Double
            /// What a scan would then show, and what will have been below −20 and −40 °C.
            public var visibleML, below20ML, below40ML: Double

            public init(minutes: Double, visibleML: Double, below20ML: Double, below40ML: Double) {
                (self.minutes, self.visibleML, self.below20ML, self.below40ML) = (minutes, visibleML, below20ML, below40ML)
            }
        }
        public struct Step: Hashable, Sendable, Codable {
            public var minutes: Double
            public var minimumMarginMM: Double
            /// 95 %.
            public var minimumMarginIntervalMM: Interval

            public init(minutes: Double, minimumMarginMM: Double, minimumMarginIntervalMM: ClosedRange<Double>) {
                (self.minutes, self.minimumMarginMM) = (minutes, minimumMarginMM)
                self.minimumMarginIntervalMM = Interval(minimumMarginIntervalMM)
            }
        }
        /// Of one tumour in one zone.
        public struct Margin: Hashable, Sendable, Codable {
            public var tumour, zone: String
            public var steps: [Step]
            /// The margin that is required in this zone; `null` where none is.
            public var requiredMM: Double?
            /// When the required margin is expected to be reached, minutes from the scan; `null` when not within the forecast, or none is
            /// required.
            public var reachedAfterMinutes: Double?
            /// When the interval's high and low end reach it; an end is `null` when it does not within the forecast.
            public var reachedAfterIntervalMinutes: Interval?

            public init(
                tumour: String, zone: String, steps: [Step], requiredMM: Double?, reachedAfterMinutes: Double?,
                reachedAfterIntervalMinutes: Interval?
            ) {
                (self.tumour, self.zone, self.steps, self.requiredMM) = (tumour, zone, steps, requiredMM)
                (self.reachedAfterMinutes, self.reachedAfterIntervalMinutes) = (reachedAfterMinutes, reachedAfterIntervalMinutes)
            }
        }
        /// How far it looks.
        public var minutes: Double
        public var ice: [Ice]
        public var margins: [Margin]

        public init(minutes: Double, ice: [Ice], margins: [Margin]) { (self.minutes, self.ice, self.margins) = (minutes, ice, margins) }
    }
}
