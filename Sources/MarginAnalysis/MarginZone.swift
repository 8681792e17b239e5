/// The volume whose surface a margin is measured to.
public enum MarginZone: String, Sendable, Hashable, Codable, CaseIterable {
    /// What the scan shows as ice: its edge is near 0 °C, which does not kill.
    case visibleIce = "visible-ice"
    /// What was at some time below −20 °C.
    case isotherm20 = "isotherm-20"
    /// What was at some time below −40 °C.
    case isotherm40 = "isotherm-40"
    /// The treated tissue on a follow-up scan.
    case ablationZone = "ablation-zone"
}
