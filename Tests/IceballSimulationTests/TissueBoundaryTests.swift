import ImagingCore
import Testing

@testable import IceballSimulation

/// Layers of several tissues between walls: what has become steady has a closed form, θ being linear within each layer.
@Suite struct TissueBoundaryTests {
    /// Medium M from 0 to 20 mm, its face at 0 held at −10 °C, then `other` to 25 mm, whose far face is held at 37 °C. The layers lie
    /// across `axis`.
    private func layers(_ other: Tissue, axis: Int, hours: Double = 3) throws -> (TemperatureField, PatientVector, PatientPoint) {
        var high = SIMD3(repeating: 3.0)
        high[axis] = 25
        let grid = try ExactCases.grid(from: SIMD3(repeating: 0), to: high, spacingMM: 1, reachMM: [:])
        let labels = (0..<grid.cellCount).map { offset -> UInt8 in
            let index = grid.size.index(atOffset: offset)
            return [index.i, index.j, index.k][axis] < 20 ? 0 : 1
        }
        let low = SimulationGrid.Side(rawValue: 2 * axis)!, far = SimulationGrid.Side(rawValue: 2 * axis + 1)!
        let model = ThermalModel(
            grid: grid, tissues: [ExactCases.medium(ExactCases.mushy), other], labels: labels,
            boundary: [low: .temperature(-10), far: .temperature(37)])
        var simulation = IceballSimulation(model: model, sinks: [], outputTimesS: [hours * 3600])
        simulation.sidesThatIceMayReach = Set(SimulationGrid.Side.allCases)
        simulation.longestStepS = 30
        var unit = SIMD3(repeating: 0.0), origin = SIMD3(repeating: 1.5)
        unit[axis] = 1
        origin[axis] = 0
        return (try simulation.run().snapshots[0].temperature, PatientVector(unit), PatientPoint(origin))
    }

    /// 20 mm of M and 5 mm of 0.25 W/(m K): ½ T + ½ + 12.75 = 37 − T at the border, 15.833 °C; θ = 0 at 20 · 12.75 / 21.1667 mm.
    @Test(arguments: [0, 1, 2])
    func heatPassesBetweenTissues(axis: Int) throws {
        let fat = EnthalpyTable(
            liquidHeatCapacity: 2.1e6, liquidConductivity: 0.25, frozenHeatCapacity: 1.5e6, frozenConductivity: 0.3,
            frozenConductivityRise: 0,
            latentHeat: 40e6, freezingCurve: [(-0.5, 0), (-20, 1)], mushHeatCapacity: 1.8e6, mushConductivity: nil)
        let (field, direction, origin) = try layers(Tissue(name: "fat", table: fat), axis: axis)
        #expect(abs(try #require(field.radiusMM(of: -1, from: origin, along: direction)) - 12.0472) < 0.05)
        #expect(abs(field.temperatureC(at: origin + 19.5 * direction) - 14.775) < 0.1)
        #expect(abs(field.temperatureC(at: origin + 20.5 * direction) - 17.95) < 0.1)
    }

    /// A wall of 230 W/(m² K) to blood of 37 °C at 20 mm: ½ T + 13.25 = 4.6 (37 − T), 30.775 °C; without the wall's resistance 37 °C.
    @Test(arguments: [(exchange: 230.0 as Double?, front: 8.904), (exchange: nil, front: 8.0315)])
    func vesselsHoldBackTheIce(exchange: Double?, front: Double) throws {
        let (field, direction, origin) = try layers(
            Tissue(name: "vein", kind: .vessel(exchange: exchange), table: ExactCases.mushy), axis: 0)
        #expect(abs(try #require(field.radiusMM(of: -1, from: origin, along: direction)) - front) < 0.05)
        #expect(abs(field.temperatureC(at: origin + 22 * direction) - 37) < 1e-3)
    }

    @Test func gasTakesNoHeat() throws {
        let (field, direction, origin) = try layers(Tissue(name: "gas", kind: .gas, table: ExactCases.mushy), axis: 0, hours: 12)
        #expect(abs(field.temperatureC(at: origin + 19 * direction) + 10) < 0.2)
    }

    /// A vessel pinned beside a strong sink: all around it freezes, it does not.
    @Test func vesselsNeverFreeze() throws {
        let grid = try ExactCases.grid(from: SIMD3(repeating: -15), to: SIMD3(repeating: 15), spacingMM: 1, reachMM: [:])
        let labels = (0..<grid.cellCount).map { offset -> UInt8 in
            let place = grid.cellCenter(grid.size.index(atOffset: offset)).lps
            return hypotSquare(place.x - 5, place.y) <= 4 ? 1 : 0
        }
        let model = ThermalModel(
            grid: grid,
            tissues: [ExactCases.medium(ExactCases.mushy), Tissue(name: "vein", kind: .vessel(exchange: nil), table: ExactCases.mushy)],
            labels: labels, boundary: [:])
        let sink = HeatSink(name: "point", shape: .point(PatientPoint(0, 0, 0)), phases: [.init(startS: 0, endS: 600, action: .power(20))])
        var simulation = IceballSimulation(model: model, sinks: [sink], outputTimesS: [600])
        simulation.sidesThatIceMayReach = Set(SimulationGrid.Side.allCases)
        let field = try simulation.run().snapshots[0].lowest
        #expect(abs(field.temperatureC(at: PatientPoint(5.5, 0.5, 0.5)) - 37) < 1e-3)
        #expect(field.temperatureC(at: PatientPoint(-6, 0, 0)) < -20 && field.temperatureC(at: PatientPoint(0, -7, 0)) < -5)
        #expect(field.temperatureC(at: PatientPoint(9, 0, 0)) > field.temperatureC(at: PatientPoint(-9, 0, 0)) + 10)
    }

    private func hypotSquare(_ x: Double, _ y: Double) -> Double { x * x + y * y }
}
