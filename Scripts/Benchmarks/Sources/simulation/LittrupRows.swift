import Foundation
import IceballSimulation
import ImagingCore

/// Several probes in gel against what was measured (Littrup 2009, PMC2762356): probes of 2.4 mm, 2 cm apart, 15 min in agar of 39 °C. The
/// probe's model was fitted to the single probe alone.
enum LittrupRows {
    /// Of −30 °C, mm, and its share of the area of ice, %.
    private static let measured: [
        (probes: Int, diameterMM: Double, sharePercent: Double)
    ] = [(1, 12, 13), (2, 33, 46), (3, 41, 51), (4, 49, 56)]
    private static let spacingMM = 20.0, lethalC = -30.0

    static func run() throws {
        print("probes   −30 °C: diameter by area (least to largest), measured, misfit      share of the ice's area, measured, misfit")
        for row in measured {
            let (ice, lethal) = try radii(row.probes)
            func area(_ radii: [Double]) -> Double { radii.reduce(0) { $0 + .pi * $1 * $1 } / Double(radii.count) }
            let diameter = 2 * (area(lethal) / .pi).squareRoot(), share = 100 * area(lethal) / area(ice)
            let across = (0..<lethal.count / 2).map { lethal[$0] + lethal[$0 + lethal.count / 2] }
            print(
                String(
                    format: "%4d     %5.1f mm (%.1f to %.1f)   %5.1f mm   %+5.1f mm          %5.1f %%   %3.0f %%   %+5.1f points%@",
                    row.probes, diameter,
                    across.min()!, across.max()!, row.diameterMM, diameter - row.diameterMM, share, row.sharePercent,
                    share - row.sharePercent,
                    row.probes == 1 ? "   (fitted)" : ""))
            fflush(nil)
        }
    }

    /// Across the middle of the active parts, from the middle of all probes outwards, every 2°.
    private static func radii(_ count: Int) throws -> (ice: [Double], lethal: [Double]) {
        let model = try ProbeLibrary.builtIn().model("argon-2.4mm"), length = model.activeLengthMM ?? 35
        // On a circle whose neighbours are 2 cm apart.
        let ring = count == 1 ? 0 : spacingMM / 2 / sin(.pi / Double(count))
        let probes = (0..<count).map { number in
            let angle = 2 * Double.pi * Double(number) / Double(count)
            return PlacedProbe(
                name: "P\(number + 1)", tip: PatientPoint(ring * cos(angle), ring * sin(angle), -length / 2),
                direction: PatientVector(0, 0, 1),
                model: model, phases: [ProbePhase(.freeze, minutes: 15)])
        }
        let half = ring + 24, sides = SimulationGrid.Side.allCases
        let core = try GridGeometry(
            size: GridSize(Int(2 * half), Int(2 * half), Int(length) + 44), spacing: SIMD3(repeating: 1),
            origin: PatientPoint(-half + 0.5, -half + 0.5, -length / 2 - 21.5))
        let grid = try SimulationGrid(core: core, reachMM: Dictionary(uniqueKeysWithValues: sides.map { ($0, 50) }))
        let medium = ThermalModel(
            grid: grid, tissues: [try TissueLibrary.builtIn().tissue("agar-gel")],
            boundary: Dictionary(uniqueKeysWithValues: sides.map { ($0, .temperature(39)) }), startTemperatureC: 39)
        let field = try IceballSimulation(
            model: medium, sinks: try probes.map { try $0.sink() }, outputTimesS: [900]
        ).run().snapshots[0].temperature
        let middle = PatientPoint(0, 0, probes[0].activeEnds.0.lps.z + length / 2)
        func radii(_ temperatureC: Double) -> [Double] {
            (0..<180).map { step in
                let angle = 2 * Double.pi * Double(step) / 180
                return field.radiusMM(of: temperatureC, from: middle, along: PatientVector(cos(angle), sin(angle), 0)) ?? 0
            }
        }
        return (radii(0), radii(lethalC))
    }
}
