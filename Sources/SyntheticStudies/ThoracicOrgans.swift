import Foundation
import ImagingCore

/// Lungs with their vessels, heart, airways and oesophagus of a `Torso`.
struct ThoracicOrgans {
    let torso: Torso

    /// One lung: the chest cavity above the diaphragm, without the mediastinum.
    struct Lung: ImplicitShape {
        var cavity: Trunk
        var diaphragm: BelowDiaphragm
        /// −1 for the patient's right, +1 for the left.
        var side: Double

        func value(at point: SIMD3<Double>) -> Double {
            let u = point.x / 36, v = (point.y + 22) / 84
            let mediastinum = (1 - (u * u + v * v).squareRoot()) * 36
            return min(cavity.value(at: point) - 3, -diaphragm.value(at: point), -mediastinum, side * point.x + 12)
        }
        var bounds: Box {
            Box(low: SIMD3(side < 0 ? -150 : -14, -110, -40), high: SIMD3(side < 0 ? 14 : 150, 70, 1e6))
        }
    }

    func lung(side: Double) -> Lung {
        Lung(cavity: torso.cavity, diaphragm: BelowDiaphragm(height: torso.domeHeight, gapMM: 0), side: side)
    }
    var esophagus: Tube { Tube(through: [SIMD3(6, 14, 380), SIMD3(4, 12, 200), SIMD3(10, 4, 110), SIMD3(24, -12, 78)], radius: 6.5) }

    func layers() -> [Layer] {
        var generator = SeededGenerator(seed: torso.seed, purpose: "lung vessels")
        var layers: [Layer] = []
        let muscle = BelowDiaphragm(height: torso.domeHeight, gapMM: 0)
        layers.append(Layer(Intersection(a: Difference(a: muscle, b: Inset(base: muscle, mm: 2.5)), b: torso.cavity), .muscle))
        for side in [-1.0, 1] {
            let lung = lung(side: side)
            layers.append(Layer(lung, .lung))
            for direction in [SIMD3(side, 0.25, -0.8), SIMD3(side, -0.6, -0.1), SIMD3(side, 0.5, 0.3), SIMD3(0.7 * side, -0.1, 1)] {
                let tree = VesselTree(
                    root: SIMD3(side * 33, -12, 168), direction: direction, radius: 5.2, length: 32, generations: 8,
                    inside: Inset(base: lung, mm: 4),
                    leewayMM: 8, generator: &generator)
                layers += tree.segments.map { Layer($0, .vessel) }
                let bronchi = VesselTree(
                    root: SIMD3(side * 30, -4, 172), direction: direction, radius: 4.2, length: 30, generations: 4,
                    inside: Inset(base: lung, mm: 12),
                    leewayMM: 10, generator: &generator)
                layers += bronchi.segments.map { Layer(Inset(base: $0, mm: -1), .muscle) }
                layers += bronchi.segments.map { Layer($0, .airway) }
            }
        }
        let heart = Ellipsoid(center: SIMD3(26, -44, 128), semiAxes: SIMD3(64, 46, 54)).turned(aboutZ: 25)
        layers += [
            Layer(Inset(base: heart, mm: -3), .fat), Layer(heart, .heart),
            Layer(Ellipsoid(center: SIMD3(42, -50, 122), semiAxes: SIMD3(34, 24, 34)).turned(aboutZ: 25), .blood),
            Layer(Ellipsoid(center: SIMD3(0, -46, 132), semiAxes: SIMD3(26, 26, 34)), .blood),
            Layer(Ellipsoid(center: SIMD3(14, -16, 150), semiAxes: SIMD3(34, 17, 24)), .blood),
        ]
        layers += Tube(
            through: [SIMD3(-4, -40, 165), SIMD3(-12, -40, 205), SIMD3(0, -22, 236), SIMD3(20, 8, 232), SIMD3(22, 22, 210)], radius: 13
        ).layers(.blood)
        layers += Tube(through: [SIMD3(12, -52, 165), SIMD3(14, -38, 190), SIMD3(-24, -14, 184)], radius: 11).layers(.blood)
        let trachea = Tube(through: [SIMD3(-2, -4, 380), SIMD3(-2, -4, 206)], radius: 8.5, pieces: 1)
        let mainBronchi = Tube(through: [SIMD3(-34, -2, 178), SIMD3(-2, -4, 206), SIMD3(36, -2, 180)], radius: 6)
        for airway in [trachea, mainBronchi] { layers += airway.layers(.muscle) + airway.layers(.airway, insetMM: 1.5) }
        return layers + esophagus.layers(.muscle)
    }
}
