/// A tissue's temperature and conductivity by enthalpy, without anything that is counted or copied: for loops over cells and faces.
struct FaceTissue: BitwiseCopyable {
    let isSolid, isGas: Bool
    /// Between wall and blood, m² K/W; 0 without one. Through gas no heat passes.
    let wallResistance: Float
    private let liquidusC, inverseLiquidHeatCapacity, liquidConductivity: Float
    private let solidusC, solidusEnthalpy, inverseFrozenHeatCapacity, frozenConductivity, frozenConductivityRise: Float
    private let stretches: UnsafePointer<Stretch>
    private let stretchCount: Int

    struct Stretch: BitwiseCopyable {
        /// At the warm end, and H at the cold end.
        let warmC, enthalpy, coldEnthalpy: Float
        let kelvinPerEnthalpy, conductivity: Float
    }

    /// `stretches` must live as long as this.
    fileprivate init(_ tissue: Tissue, stretches: UnsafePointer<Stretch>) {
        let table = tissue.table
        (isSolid, isGas) = (tissue.isSolid, tissue.kind == .gas)
        wallResistance =
            switch tissue.kind {
            case .vessel(let exchange?): Float(1 / exchange)
            case .gas: .infinity
            default: 0
            }
        (liquidusC, inverseLiquidHeatCapacity) = (Float(table.liquidusC), Float(1 / table.liquidHeatCapacity))
        (liquidConductivity, solidusC) = (Float(table.liquidConductivity), Float(table.solidusC))
        (solidusEnthalpy, inverseFrozenHeatCapacity) = (Float(table.solidusEnthalpy), Float(1 / table.frozenHeatCapacity))
        (frozenConductivity, frozenConductivityRise) = (Float(table.frozenConductivity), Float(table.frozenConductivityRise))
        (self.stretches, stretchCount) = (stretches, table.stretches.count)
    }

    /// °C and W/(m K).
    @inline(__always)
    func state(atEnthalpy enthalpy: Float) -> (temperatureC: Float, conductivity: Float) {
        if enthalpy >= 0 { return (liquidusC + enthalpy * inverseLiquidHeatCapacity, liquidConductivity) }
        for index in 0..<stretchCount where enthalpy >= stretches[index].coldEnthalpy {
            let stretch = stretches[index]
            return (stretch.warmC + (enthalpy - stretch.enthalpy) * stretch.kelvinPerEnthalpy, stretch.conductivity)
        }
        let below = (enthalpy - solidusEnthalpy) * inverseFrozenHeatCapacity
        return (solidusC + below, frozenConductivity * (1 - frozenConductivityRise * below))
    }
}

extension FaceTissue {
    /// W/(m K), of the frozen tissue.
    func conductivity(atTemperature temperatureC: Float) -> Float {
        frozenConductivity * (1 + frozenConductivityRise * max(0, solidusC - temperatureC))
    }
}

/// The constants of all tissues of a model, and the memory that they point to.
struct FaceTissues: Sendable {
    private let buffer: FixedBuffer<FaceTissue>
    private let stretches: FixedBuffer<FaceTissue.Stretch>
    /// An address that lives as long as this.
    var values: UnsafePointer<FaceTissue> { UnsafePointer(buffer.values) }
    var count: Int { buffer.count }

    init(_ tissues: [Tissue]) {
        let parts = tissues.flatMap(\.table.stretches).map { part -> FaceTissue.Stretch in
            let coldEnthalpy = Float(part.enthalpy - part.release), slope = Float(part.kelvinPerEnthalpy)
            return FaceTissue.Stretch(
                warmC: Float(part.warmC), enthalpy: Float(part.enthalpy), coldEnthalpy: coldEnthalpy, kelvinPerEnthalpy: slope,
                conductivity: Float(part.conductivity))
        }
        stretches = FixedBuffer(parts)
        var first = 0, constants: [FaceTissue] = []
        for tissue in tissues {
            constants.append(FaceTissue(tissue, stretches: UnsafePointer(stretches.values + first)))
            first += tissue.table.stretches.count
        }
        buffer = FixedBuffer(constants)
    }
}
