import ImagingCore

@testable import IceballSimulation

/// Media whose similarity solutions were evaluated to 30 digits: M freezes from −1 to −8 °C, T and W at one temperature.
enum ExactCases {
    static let mushy = EnthalpyTable(
        liquidHeatCapacity: 1050 * 3600, liquidConductivity: 0.5, frozenHeatCapacity: 1050 * 1800, frozenConductivity: 2,
        frozenConductivityRise: 0,
        latentHeat: 250e6, freezingCurve: [(-1, 0), (-8, 1)], mushHeatCapacity: 2.835e6, mushConductivity: 1.25)
    static let tissue = EnthalpyTable(
        liquidHeatCapacity: 1050 * 3600, liquidConductivity: 0.5, frozenHeatCapacity: 1050 * 1800, frozenConductivity: 2,
        frozenConductivityRise: 0,
        latentHeat: 250e6, freezingCurve: [(-1, 0), (-1, 1)], mushHeatCapacity: 2.835e6, mushConductivity: 1.25)
    static let water = EnthalpyTable(
        liquidHeatCapacity: 1000 * 4186, liquidConductivity: 0.58, frozenHeatCapacity: 1000 * 2050, frozenConductivity: 2.22,
        frozenConductivityRise: 0,
        latentHeat: 333.6e6, freezingCurve: [(0, 0), (0, 1)], mushHeatCapacity: 3e6, mushConductivity: nil)

    static func medium(_ table: EnthalpyTable, perfusion: Double = 0) -> Tissue {
        Tissue(name: "medium", table: table, perfusion: perfusion)
    }

    /// A half space whose face at x = 0 is cold from the beginning.
    static func planar(_ table: EnthalpyTable, coldC: Double, startC: Double, spacingMM: Double = 1, outputTimesS: [Double]) throws
        -> IceballSimulation
    {
        let grid = try grid(from: SIMD3(0, 0, 0), to: SIMD3(60, 3 * spacingMM, 3 * spacingMM), spacingMM: spacingMM, reachMM: [.iHigh: 150])
        let model = ThermalModel(
            grid: grid, tissues: [medium(table)], boundary: [.iLow: .temperature(coldC), .iHigh: .temperature(startC)],
            startTemperatureC: startC)
        var simulation = IceballSimulation(model: model, sinks: [], outputTimesS: outputTimesS)
        simulation.sidesThatIceMayReach = [.iLow, .jLow, .jHigh, .kLow, .kHigh]
        return simulation
    }

    /// Around an endless line along z through (x, y), which need not be a cell's centre.
    static func line(
        _ table: EnthalpyTable, wattsPerMetre: Double, through: (x: Double, y: Double) = (0, 0), perfusion: Double = 0,
        spacingMM: Double = 1,
        halfMM half: Double = 24, reachMM: Double = 90, longestStepS: Double = 10, outputTimesS: [Double]
    ) throws -> IceballSimulation {
        let grid = try grid(
            from: SIMD3(-half, -half, 0), to: SIMD3(half, half, 3 * spacingMM), spacingMM: spacingMM,
            reachMM: [.iLow: reachMM, .iHigh: reachMM, .jLow: reachMM, .jHigh: reachMM])
        let model = ThermalModel(
            grid: grid, tissues: [medium(table, perfusion: perfusion)], boundary: warmSides([.iLow, .iHigh, .jLow, .jHigh]))
        let sink = HeatSink(
            name: "line", shape: .line(through: PatientPoint(through.x, through.y, 0), direction: PatientVector(0, 0, 1)),
            phases: [.init(startS: 0, endS: .infinity, action: .power(wattsPerMetre))])
        var simulation = IceballSimulation(model: model, sinks: [sink], outputTimesS: outputTimesS)
        simulation.sidesThatIceMayReach = [.kLow, .kHigh]
        simulation.longestStepS = longestStepS
        return simulation
    }

    /// Around a point whose power grows with the root of time, or stays the same.
    static func point(
        _ table: EnthalpyTable, at point: PatientPoint = PatientPoint(0, 0, 0), action: HeatSink.Action, perfusion: Double = 0,
        halfMM: Double = 24, reachMM: Double = 60, outputTimesS: [Double]
    ) throws -> IceballSimulation {
        let sides = SimulationGrid.Side.allCases
        let grid = try grid(
            from: SIMD3(repeating: -halfMM), to: SIMD3(repeating: halfMM), spacingMM: 1,
            reachMM: Dictionary(uniqueKeysWithValues: sides.map { ($0, reachMM) }))
        let model = ThermalModel(grid: grid, tissues: [medium(table, perfusion: perfusion)], boundary: warmSides(sides))
        return IceballSimulation(
            model: model,
            sinks: [HeatSink(name: "point", shape: .point(point), phases: [.init(startS: 0, endS: .infinity, action: action)])],
            outputTimesS: outputTimesS)
    }

    static func warmSides(_ sides: [SimulationGrid.Side]) -> [SimulationGrid.Side: BoundaryCondition] {
        Dictionary(uniqueKeysWithValues: sides.map { ($0, .temperature(37)) })
    }

    /// A grid whose core spans the box between two corners.
    static func grid(from low: SIMD3<Double>, to high: SIMD3<Double>, spacingMM: Double, reachMM: [SimulationGrid.Side: Double]) throws
        -> SimulationGrid
    {
        let counts = ((high - low) / spacingMM).rounded(.toNearestOrAwayFromZero)
        let core = try GridGeometry(
            size: GridSize(Int(counts.x), Int(counts.y), Int(counts.z)), spacing: SIMD3(repeating: spacingMM),
            origin: PatientPoint(low + spacingMM / 2))
        return try SimulationGrid(core: core, reachMM: reachMM)
    }
}

/// Directions along an axis, a diagonal and between.
let testDirections = [PatientVector(1, 0, 0), PatientVector(0, -1, 0), PatientVector(1, 1, 0), PatientVector(-2, 1, 0)]
let spaceDirections = testDirections + [PatientVector(0, 0, 1), PatientVector(1, 1, 1), PatientVector(-1, 2, -3)]
