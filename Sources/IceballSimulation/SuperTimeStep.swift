/// The coefficients of one Runge–Kutta–Legendre super time step of second order (Meyer, Balsara & Aslam 2014).
///
/// Stage j: Y_j = μ Y_{j−1} + ν Y_{j−2} + (1 − μ − ν) Y_0 + μ̃ τ M(Y_{j−1}) + γ̃ τ M(Y_0), and Y_1 = Y_0 + μ̃ τ M(Y_0).
struct SuperTimeStep {
    struct Stage {
        var mu = 0.0, nu = 0.0, muTilde = 0.0, gammaTilde = 0.0
        /// Y_{j−1} belongs to this share of the step.
        var time = 0.0
    }
    /// More stages than this lose more to rounding than they gain.
    static let mostStages = 61

    let stages: [Stage]
    /// By how much more than one that stays all the time a rate must be that only M(Y_0) has, for the same change over the step.
    let firstRateGain: Double

    /// The number of stages, odd and at least 3, for which a step of `seconds` is stable where `eulerLimit` is the longest stable step of
    /// Euler's method.
    static func stageCount(seconds: Double, eulerLimit: Double) -> Int {
        // τ ≤ Δt (s² + s − 2) / 4
        let needed = (-1 + (9 + 16 * seconds / eulerLimit).squareRoot()) / 2
        return max(3, Int(needed.rounded(.up)) | 1)
    }
    static func longestStep(eulerLimit: Double) -> Double { eulerLimit * Double(mostStages * mostStages + mostStages - 2) / 4 }

    init(stageCount s: Int) {
        precondition(s >= 3)
        func b(_ j: Int) -> Double { j < 3 ? 1.0 / 3 : Double(j * j + j - 2) / Double(2 * j * (j + 1)) }
        let w = 4 / Double(s * s + s - 2)
        func time(_ j: Int) -> Double { j == 0 ? 0 : j == 1 ? time(2) / 4 : Double(j * j + j - 2) / Double(s * s + s - 2) }
        stages =
            [Stage(muTilde: b(1) * w)]
            + (2...s).map { j in
                let mu = Double(2 * j - 1) / Double(j) * b(j) / b(j - 1)
                return Stage(
                    mu: mu, nu: -Double(j - 1) / Double(j) * b(j) / b(j - 2), muTilde: mu * w, gammaTilde: -(1 - b(j - 1)) * mu * w,
                    time: time(j - 1))
            }
        var change = stages[0].muTilde, before = 0.0
        for stage in stages.dropFirst() { (change, before) = (stage.mu * change + stage.nu * before + stage.gammaTilde, change) }
        firstRateGain = 1 / change
    }
}
