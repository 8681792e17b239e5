/// How one tissue stores and conducts heat, as functions of its volumetric enthalpy.
///
/// Enthalpy H (J/m³) and the Kirchhoff variable θ = ∫ k dT (W/m) are both 0 at the liquidus; the flux of heat is −∇θ.
/// H rises with temperature T (°C) piecewise linearly, through the freezing range too, so that no latent heat can be lost when a cell
/// passes the range in one step. Where the range has no width, H jumps and T stands still.
public struct EnthalpyTable: Hashable, Sendable {
    /// A part of the freezing range, from its warm end down.
    public struct Stretch: Hashable, Sendable {
        public let warmC, coldC: Double
        public let conductivity: Double
        /// At the warm end.
        public let enthalpy, kirchhoff: Double
        /// What is released from the warm to the cold end, J/m³.
        public let release: Double

        var kirchhoffPerEnthalpy: Double { release > 0 ? conductivity * (warmC - coldC) / release : 0 }
        var kelvinPerEnthalpy: Double { release > 0 ? (warmC - coldC) / release : 0 }
    }

    /// Where freezing begins and where it is complete, °C.
    public let liquidusC, solidusC: Double
    /// J/(m³ K).
    public let liquidHeatCapacity, frozenHeatCapacity: Double
    /// W/(m K); the frozen one at the solidus.
    public let liquidConductivity, frozenConductivity: Double
    /// How the frozen conductivity grows with cold: k = k_frozen (1 + rise (solidus − T)), 1/K.
    public let frozenConductivityRise: Double
    public let stretches: [Stretch]
    /// At the solidus.
    public let solidusEnthalpy, solidusKirchhoff: Double
    /// As given: J/m³, J/(m³ K), W/(m K).
    private let latentHeat, mushHeatCapacity: Double
    private let mushConductivity: Double?
    private let releasedShares: [Double]

    /// - Parameters:
    ///   - freezingCurve: falling temperatures with the rising share of the latent heat that is released down to each, from (liquidus, 0)
    ///     to (solidus, 1).
    ///   - latentHeat: J/m³.
    ///   - mushHeatCapacity: of the freezing range, without its latent heat, J/(m³ K).
    ///   - mushConductivity: in the freezing range; `nil` passes from the liquid to the frozen one with the released share.
    public init(
        liquidHeatCapacity: Double, liquidConductivity: Double, frozenHeatCapacity: Double, frozenConductivity: Double,
        frozenConductivityRise: Double, latentHeat: Double, freezingCurve: [(temperatureC: Double, share: Double)],
        mushHeatCapacity: Double, mushConductivity: Double?
    ) {
        precondition(freezingCurve.count >= 2 && freezingCurve.first!.share == 0 && freezingCurve.last!.share == 1)
        var stretches: [Stretch] = [], enthalpy = 0.0, kirchhoff = 0.0
        for (warm, cold) in zip(freezingCurve, freezingCurve.dropFirst()) {
            let width = warm.temperatureC - cold.temperatureC, share = (warm.share + cold.share) / 2
            precondition(width >= 0 && cold.share >= warm.share)
            let conductivity = mushConductivity ?? liquidConductivity + share * (frozenConductivity - liquidConductivity)
            let release = mushHeatCapacity * width + latentHeat * (cold.share - warm.share)
            stretches.append(
                Stretch(
                    warmC: warm.temperatureC, coldC: cold.temperatureC, conductivity: conductivity, enthalpy: enthalpy,
                    kirchhoff: kirchhoff,
                    release: release))
            enthalpy -= release
            kirchhoff -= conductivity * width
        }
        (self.stretches, solidusEnthalpy, solidusKirchhoff) = (stretches, enthalpy, kirchhoff)
        (liquidusC, solidusC) = (freezingCurve.first!.temperatureC, freezingCurve.last!.temperatureC)
        (self.liquidHeatCapacity, self.frozenHeatCapacity) = (liquidHeatCapacity, frozenHeatCapacity)
        (self.liquidConductivity, self.frozenConductivity) = (liquidConductivity, frozenConductivity)
        self.frozenConductivityRise = frozenConductivityRise
        (self.latentHeat, self.mushHeatCapacity, self.mushConductivity) = (latentHeat, mushHeatCapacity, mushConductivity)
        releasedShares = freezingCurve.map(\.share)
    }

    /// The same tissue with constants multiplied by factors.
    public func scaled(frozenConductivity frozen: Double, liquidConductivity liquid: Double, latentHeat latent: Double) -> EnthalpyTable {
        let temperatures = [liquidusC] + stretches.map(\.coldC)
        return EnthalpyTable(
            liquidHeatCapacity: liquidHeatCapacity, liquidConductivity: liquid * liquidConductivity, frozenHeatCapacity: frozenHeatCapacity,
            frozenConductivity: frozen * frozenConductivity, frozenConductivityRise: frozenConductivityRise,
            latentHeat: latent * latentHeat,
            freezingCurve: zip(temperatures, releasedShares).map { ($0, $1) }, mushHeatCapacity: mushHeatCapacity,
            mushConductivity: mushConductivity.map { $0 * (frozen + liquid) / 2 })
    }

    /// Whether the freezing range, or a part of it, has no width.
    public var hasSharpFront: Bool { stretches.contains { $0.warmC == $0.coldC } }

    public func temperature(atEnthalpy enthalpy: Double) -> Double {
        if enthalpy >= 0 { return liquidusC + enthalpy / liquidHeatCapacity }
        for stretch in stretches where enthalpy >= stretch.enthalpy - stretch.release {
            return stretch.warmC + (enthalpy - stretch.enthalpy) * stretch.kelvinPerEnthalpy
        }
        return solidusC + (enthalpy - solidusEnthalpy) / frozenHeatCapacity
    }

    /// At a temperature where H jumps, that of the warm side.
    public func enthalpy(atTemperature temperature: Double) -> Double {
        if temperature >= liquidusC { return (temperature - liquidusC) * liquidHeatCapacity }
        for stretch in stretches where temperature >= stretch.coldC {
            return stretch.enthalpy + (temperature - stretch.warmC) / stretch.kelvinPerEnthalpy
        }
        return solidusEnthalpy + (temperature - solidusC) * frozenHeatCapacity
    }

    public func kirchhoff(atTemperature temperature: Double) -> Double {
        if temperature >= liquidusC { return (temperature - liquidusC) * liquidConductivity }
        for stretch in stretches where temperature >= stretch.coldC {
            return stretch.kirchhoff + (temperature - stretch.warmC) * stretch.conductivity
        }
        let below = temperature - solidusC
        return solidusKirchhoff + frozenConductivity * (below - frozenConductivityRise * below * below / 2)
    }

    public func temperature(atKirchhoff kirchhoff: Double) -> Double {
        if kirchhoff >= 0 { return liquidusC + kirchhoff / liquidConductivity }
        for stretch in stretches where kirchhoff >= stretch.kirchhoff - stretch.conductivity * (stretch.warmC - stretch.coldC) {
            return stretch.warmC + (kirchhoff - stretch.kirchhoff) / stretch.conductivity
        }
        // θ = k (u − b u²/2) for u ≤ 0, solved without cancellation for small b.
        let scaled = (kirchhoff - solidusKirchhoff) / frozenConductivity
        return solidusC + 2 * scaled / (1 + (1 - 2 * frozenConductivityRise * scaled).squareRoot())
    }

    /// In the freezing range, that of the stretch.
    public func conductivity(atTemperature temperature: Double) -> Double {
        if temperature >= liquidusC { return liquidConductivity }
        for stretch in stretches where temperature >= stretch.coldC { return stretch.conductivity }
        return frozenConductivity * (1 + frozenConductivityRise * (solidusC - temperature))
    }

    /// The largest dθ/dH (m²/s) at `temperatureC` and above.
    public func largestDiffusivity(downTo temperatureC: Double) -> Double {
        let frozen = temperatureC < solidusC ? conductivity(atTemperature: temperatureC) / frozenHeatCapacity : 0
        return max(liquidConductivity / liquidHeatCapacity, frozen, stretches.map(\.kirchhoffPerEnthalpy).max() ?? 0)
    }
}
