import ImagingCore
import Testing

@testable import IceballSimulation

/// Needles against an axisymmetric computation on cells of 0.08 mm or less (±0.1 mm): width, and how far the isotherm goes beyond the
/// active part.
@Suite struct NeedleReferenceTests {
    struct Size: Sendable {
        let temperature, width, beyond: Double
    }

    /// A needle at a place and angle that favour no cell.
    private func needle(
        diameterMM: Double, lengthMM: Double, perfusion: Double, rise: Double = 0, phases: [ProbePhase], outputTimesS: [Double],
        halfMM: Double = 26,
        direction: PatientVector = PatientVector(0.48, -0.36, 0.8)
    ) throws -> (IceballSimulation, PlacedProbe) {
        let model = ProbeModel(name: "reference", diameterMM: diameterMM, activeLengthMM: lengthMM, coolantC: -140)
        let unit = direction.normalized!
        let probe = PlacedProbe(
            name: "needle", tip: PatientPoint(0.3, -0.2, 0.4) - (lengthMM / 2) * unit, direction: unit, model: model, phases: phases)
        let table = EnthalpyTable(
            liquidHeatCapacity: 1050 * 3600, liquidConductivity: 0.5, frozenHeatCapacity: 1050 * 1800, frozenConductivity: 2,
            frozenConductivityRise: rise, latentHeat: 250e6, freezingCurve: [(-1, 0), (-8, 1)], mushHeatCapacity: 2.835e6,
            mushConductivity: 1.25)
        let sides = SimulationGrid.Side.allCases
        let grid = try ExactCases.grid(
            from: SIMD3(repeating: -halfMM), to: SIMD3(repeating: halfMM), spacingMM: 1,
            reachMM: Dictionary(uniqueKeysWithValues: sides.map { ($0, 60) }))
        let thermal = ThermalModel(
            grid: grid, tissues: [ExactCases.medium(table, perfusion: perfusion)], boundary: ExactCases.warmSides(sides))
        return (IceballSimulation(model: thermal, sinks: [try probe.sink()], outputTimesS: outputTimesS), probe)
    }

    private func expect(_ field: TemperatureField, _ probe: PlacedProbe, _ sizes: [Size]) throws {
        for size in sizes {
            let found = try #require(
                field.probeSize(
                    of: size.temperature, tip: probe.activeEnds.0, direction: probe.direction, lengthMM: probe.model.activeLengthMM!))
            #expect(abs(found.widthMM - size.width) / 2 <= 0.25, "width at \(size.temperature) °C")
            #expect(
                abs(found.tipBeyondMM - size.beyond) <= 0.35 && abs(found.tailBeyondMM - size.beyond) <= 0.35,
                "ends at \(size.temperature) °C")
        }
    }

    @Test func growsAsTheReferenceWithoutPerfusion() throws {
        let (simulation, probe) = try needle(
            diameterMM: 1.47, lengthMM: 30, perfusion: 0, phases: [ProbePhase(.freeze, minutes: 10)], outputTimesS: [60, 300, 600])
        let result = try simulation.run()
        try expect(
            result.snapshots[0].temperature, probe,
            [
                .init(temperature: 0, width: 12.56, beyond: 3.98), .init(temperature: -20, width: 9.31, beyond: 2.43),
                .init(temperature: -40, width: 6.80, beyond: 1.53),
            ])
        try expect(
            result.snapshots[1].temperature, probe,
            [
                .init(temperature: 0, width: 23.35, beyond: 6.97), .init(temperature: -20, width: 15.81, beyond: 3.72),
                .init(temperature: -40, width: 10.51, beyond: 2.10),
            ])
        try expect(
            result.snapshots[2].temperature, probe,
            [
                .init(temperature: 0, width: 30.10, beyond: 8.95), .init(temperature: -20, width: 19.38, beyond: 4.48),
                .init(temperature: -40, width: 12.35, beyond: 2.40),
            ])
    }

    @Test(arguments: [
        (
            perfusion: 0.0155, diameter: 1.47, length: 30.0,
            sizes: [
                Size(temperature: 0, width: 22.30, beyond: 5.95), .init(temperature: -20, width: 15.65, beyond: 3.43),
                .init(temperature: -40, width: 10.44, beyond: 2.00),
            ]
        ),
        (
            perfusion: 0.0674, diameter: 1.47, length: 30.0,
            sizes: [
                Size(temperature: 0, width: 15.22, beyond: 3.94), .init(temperature: -20, width: 11.40, beyond: 2.52),
                .init(temperature: -40, width: 8.08, beyond: 1.59),
            ]
        ),
        (
            perfusion: 0.0674, diameter: 2.4, length: 35.0,
            sizes: [
                Size(temperature: 0, width: 17.94, beyond: 4.84), .init(temperature: -20, width: 14.00, beyond: 3.29),
                .init(temperature: -40, width: 10.41, beyond: 2.18),
            ]
        ),
        (
            perfusion: 0, diameter: 2.4, length: 35.0,
            sizes: [
                Size(temperature: 0, width: 33.49, beyond: 10.29), .init(temperature: -20, width: 22.86, beyond: 5.63),
                .init(temperature: -40, width: 15.43, beyond: 3.25),
            ]
        ),
    ])
    func staysSmallerWherePerfused(perfusion: Double, diameter: Double, length: Double, sizes: [Size]) throws {
        let (simulation, probe) = try needle(
            diameterMM: diameter, lengthMM: length, perfusion: perfusion, phases: [ProbePhase(.freeze, minutes: 10)], outputTimesS: [600],
            halfMM: 30)
        try expect(try simulation.run().snapshots[0].temperature, probe, sizes)
    }

    @Test func thawsAndFreezesAgain() throws {
        let (simulation, probe) = try needle(
            diameterMM: 1.47, lengthMM: 30, perfusion: 0.0155, rise: 0.0057,
            phases: [ProbePhase(.freeze, minutes: 10), ProbePhase(.thaw, minutes: 5), ProbePhase(.freeze, minutes: 10)],
            outputTimesS: [600, 900, 1500],
            direction: PatientVector(0, 0, 1))
        let result = try simulation.run()
        try expect(
            result.snapshots[0].temperature, probe,
            [
                .init(temperature: 0, width: 26.48, beyond: 7.36), .init(temperature: -20, width: 19.69, beyond: 4.59),
                .init(temperature: -40, width: 13.70, beyond: 2.75),
            ])
        // What is left after the thaw is shorter than the active part: from 2.03 to 27.96 mm of its 30.
        let residual = try #require(
            result.snapshots[1].temperature.probeSize(of: 0, tip: probe.activeEnds.0, direction: probe.direction, lengthMM: 30))
        #expect(
            abs(residual.widthMM - 13.83) / 2 < 0.25 && abs(residual.tipBeyondMM + 2.03) <= 0.35
                && abs(residual.tailBeyondMM + 2.04) <= 0.35)
        try expect(
            result.snapshots[2].lowest, probe,
            [
                .init(temperature: 0, width: 26.69, beyond: 7.40), .init(temperature: -20, width: 19.83, beyond: 4.61),
                .init(temperature: -40, width: 13.78, beyond: 2.76),
            ])
    }
}
