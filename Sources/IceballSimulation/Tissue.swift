/// One kind of tissue or material, with the constants that the temperature field needs.
public struct Tissue: Hashable, Sendable {
    /// What happens to heat in it.
    public enum Kind: Hashable, Sendable {
        /// Conducts, freezes, and is perfused until it freezes.
        case solid
        /// Large vessels: blood that stays at its temperature and takes heat through the wall with a coefficient in W/(m² K);
        /// `nil` holds the wall itself at the temperature of the blood.
        case vessel(exchange: Double?)
        /// Takes no heat at all.
        case gas
    }

    /// Density and specific heat of blood, kg/m³ and J/(kg K) (glossia-scratch-test-site 6e20eab, constants of the cryoablation model).
    public static let bloodHeatCapacity = 1060.0 * 3639.0

    public var name: String
    public var kind: Kind
    public var table: EnthalpyTable
    /// Volume of blood per volume of tissue and second, 1/s.
    public var perfusion: Double
    /// W/m³.
    public var metabolicHeat: Double

    public init(name: String, kind: Kind = .solid, table: EnthalpyTable, perfusion: Double = 0, metabolicHeat: Double = 0) {
        (self.name, self.kind, self.table, self.perfusion, self.metabolicHeat) = (name, kind, table, perfusion, metabolicHeat)
    }

    /// What blood brings per kelvin below its own temperature, W/(m³ K).
    public var perfusionConductance: Double { Self.bloodHeatCapacity * perfusion }

    public var isSolid: Bool { kind == .solid }
}
