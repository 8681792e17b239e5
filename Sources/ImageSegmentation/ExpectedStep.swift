/// The step that an edge is known to have, for outsides of some levels.
struct ExpectedStep {
    let step: Float
    /// The levels outside of which it is known.
    let outsides: ClosedRange<Float>

    /// As shares of the step: by how much tissue varies anyway, and more than what above that is an edge of another kind.
    private static let usualExcess: Float = 0.12, largestExcess: Float = 0.5
    /// How much of an excess is left out, at most.
    private static let share: Float = 0.8

    /// A step that was read, or where it is too large one nearer to the expected one: what lies behind the edge is of another level.
    /// Too small a step stays: the change may be incomplete.
    func believed(_ read: Float, outside: Float) -> Float {
        let excess = read - (1 + Self.usualExcess) * step
        guard outsides.contains(outside), excess > 0 else { return read }
        let away = excess / (Self.largestExcess * step)
        return read - Self.share * max(0, 1 - away * away) * excess
    }
}
