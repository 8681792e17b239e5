/// What was simulated, and how well it agrees with what was seen.
extension CaseReport {
    /// The simulated iceball and how well it fits the ice that was seen.
    public struct Simulation: Hashable, Sendable, Codable {
        public struct Fit: Hashable, Sendable, Codable {
            /// Distances of the visible ice surface from the simulated one, the mean positive where the simulated ice is the larger.
            public var meanMM, rmsMM, maxMM: Double?
            /// Of the simulated and the visible ice.
            public var dice: Double?

            public init(meanMM: Double? = nil, rmsMM: Double?, maxMM: Double?, dice: Double?) {
                (self.meanMM, self.rmsMM, self.maxMM, self.dice) = (meanMM?.finite, rmsMM?.finite, maxMM?.finite, dice?.finite)
            }
        }
        public var model: String
        /// Whether it fits well enough for the isotherms to be read from it; if not, they are taken at fixed set-backs.
        public var accepted: Bool
        /// The probability that a sound model fits as badly as this, or worse.
        public var probability: Double?
        public var parameters: JSONValue
        /// Before anything was fitted, and after.
        public var fitBefore: Fit?
        public var fit: Fit

        public init(model: String, accepted: Bool, probability: Double?, parameters: JSONValue, fitBefore: Fit?, fit: Fit) {
            (self.model, self.accepted, self.probability) = (model, accepted, probability?.finite)
            (self.parameters, self.fitBefore, self.fit) = (parameters, fitBefore, fit)
        }
    }
}
