import Foundation
import ImagingCore

/// Liver, spleen, kidneys, stomach, pancreas and bowel of a `Torso`.
struct AbdominalOrgans {
    let torso: Torso

    /// The common bile duct, from the liver hilum to the pancreas.
    var bileDuct: Tube { Tube(through: [SIMD3(-46, -22, 28), SIMD3(-36, -20, 14), SIMD3(-27, -14, -6), SIMD3(-24, -8, -28)], radius: 3.2) }
    /// The right ureter, from the renal pelvis down over the psoas.
    var rightUreter: Tube {
        let k = torso.rightKidney.center
        return Tube(through: [k + SIMD3(20, -6, -6), k + SIMD3(26, -9, -26), SIMD3(-40, 20, -105), SIMD3(-44, 6, -190)], radius: 2.6)
    }
    /// The ascending colon, in front and to the side of the right kidney.
    var ascendingColon: Tube {
        Tube(
            through: [
                SIMD3(-88, -34, -180), SIMD3(-100, -24, -120), SIMD3(-100, -16, -80), SIMD3(-78, -40, -58), SIMD3(-40, -66, -62),
                SIMD3(10, -72, -72)
            ],
            radius: 17)
    }

    func layers() -> [Layer] {
        bowel() + stomachAndSpleen() + liver() + kidneys()
    }

    private func bowel() -> [Layer] {
        var generator = SeededGenerator(seed: torso.seed, purpose: "bowel")
        var layers: [Layer] = []
        for number in 0..<34 {
            let center = SIMD3(generator.uniform(-75...80), generator.uniform(-78...(-18)), generator.uniform(-190...(-28)))
            let heading = normalize(SIMD3(generator.uniform(-1...1), generator.uniform(-0.5...0.5), generator.uniform(-0.7...0.7)))
            let (u, _) = perpendiculars(to: heading)
            let loop = Tube(
                through: [center - 26 * heading, center + generator.uniform(4...12) * u, center + 26 * heading],
                radius: generator.uniform(9...13), pieces: 4)
            guard torso.cavity.value(at: center - 26 * heading) > 14, torso.cavity.value(at: center + 26 * heading) > 14 else { continue }
            layers += loop.layers(.bowelWall) + loop.layers(.bowelContent, insetMM: 2.4)
            if number % 3 == 0 { layers.append(gasBubble(at: center + SIMD3(0, torso.isProne ? 3 : -3, 0), SIMD3(11, 5, 8))) }
        }
        let descending = Tube(through: [SIMD3(105, -20, 0), SIMD3(112, -8, -60), SIMD3(104, -14, -190)], radius: 14)
        for colon in [descending, ascendingColon] {
            layers += colon.layers(.bowelWall)
            layers += colon.layers(.bowelContent, insetMM: 2.6)
            for point in colon.points.enumerated() where point.offset % 3 == 1 {
                layers.append(gasBubble(at: point.element + SIMD3(0, torso.isProne ? 5 : -5, 0), SIMD3(9, 6, 10)))
            }
        }
        return layers
    }

    private func gasBubble(at center: SIMD3<Double>, _ semiAxes: SIMD3<Double>) -> Layer {
        // Gas lies on top of a level: the upper part of the bubble only.
        let (low, high) = torso.isProne ? (-2.0, 50.0) : (-50.0, 2.0)
        let above = Block(box: Box(low: center + SIMD3(-50, low, -50), high: center + SIMD3(50, high, 50)))
        return Layer(Intersection(a: Ellipsoid(center: center, semiAxes: semiAxes), b: above), .gas)
    }

    private func stomachAndSpleen() -> [Layer] {
        let inside = Intersection(a: Inset(base: torso.cavity, mm: 3), b: BelowDiaphragm(height: torso.domeHeight, gapMM: 4))
        let spleen = Uneven(
            Ellipsoid(center: SIMD3(108, 22, 34), semiAxes: SIMD3(30, 46, 50)).turned(aboutZ: 20), amplitudeMM: 3, cell: 35,
            seed: torso.seed &+ 31)
        let stomach = Uneven(
            Ellipsoid(center: SIMD3(66, -36, 40), semiAxes: SIMD3(42, 34, 44)).turned(aboutZ: 25), amplitudeMM: 4, cell: 35,
            seed: torso.seed &+ 32)
        let lumen = Inset(base: stomach, mm: 5)
        let (low, high) = torso.isProne ? (-24.0, 200.0) : (-200.0, -48.0)
        let gas = Intersection(a: lumen, b: Block(box: Box(low: SIMD3(-200, low, -200), high: SIMD3(200, high, 200))))
        let pancreas = Tube(through: [SIMD3(-22, -14, -12), SIMD3(2, -18, 2), SIMD3(34, -6, 14), SIMD3(74, 12, 24)], radius: 9)
        let splenicVein = Tube(through: [SIMD3(-12, -12, 6), SIMD3(20, -6, 12), SIMD3(56, 8, 22), SIMD3(84, 16, 28)], radius: 3.8)
        var layers = pancreas.segments.map { Layer(Uneven($0, amplitudeMM: 2.5, cell: 10, seed: torso.seed &+ 33), .pancreas) }
        layers += splenicVein.layers(.blood)
        layers += [Layer(Intersection(a: spleen, b: inside), .spleen), Layer(Intersection(a: stomach, b: inside), .bowelWall)]
        return layers + [Layer(Intersection(a: lumen, b: inside), .bowelContent), Layer(Intersection(a: gas, b: inside), .gas)]
    }

    private func liver() -> [Layer] {
        var generator = SeededGenerator(seed: torso.seed, purpose: "liver vessels")
        let gallbladder = Ellipsoid(center: SIMD3(-46, -56, -14), semiAxes: SIMD3(14, 17, 27)).turned(aboutZ: 10, aboutX: 15)
        var layers = [Layer(torso.liver, .liver)]
        let portal = VesselTree(
            root: SIMD3(-32, -16, 18), direction: SIMD3(-0.8, 0, 0.35), radius: 6.2, length: 30, generations: 7,
            inside: Inset(base: torso.liver, mm: 4),
            generator: &generator)
        let leftPortal = VesselTree(
            root: SIMD3(-34, -18, 20), direction: SIMD3(0.6, -0.75, 0.5), radius: 4.6, length: 26, generations: 6,
            inside: Inset(base: torso.liver, mm: 4),
            generator: &generator)
        layers += (portal.segments + leftPortal.segments).map { Layer($0, .vessel) }
        for direction in [SIMD3(-0.85, 0.25, -0.45), SIMD3(-0.45, -0.65, -0.6), SIMD3(0.55, -0.8, -0.3)] {
            let vein = VesselTree(
                root: SIMD3(-28, -6, 78), direction: direction, radius: 5, length: 34, generations: 6,
                inside: Inset(base: torso.liver, mm: 4), leewayMM: 3, generator: &generator)
            layers += vein.segments.map { Layer($0, .vessel) }
        }
        let portalTrunk = Tube(through: [SIMD3(-10, -14, -6), SIMD3(-20, -16, 6), SIMD3(-33, -16, 18)], radius: 6.5)
        layers += portalTrunk.layers(.blood)
        layers += [Layer(gallbladder, .bowelWall), Layer(Inset(base: gallbladder, mm: 1.5), .bile)]
        return layers + bileDuct.layers(.bile)
    }

    private func kidneys() -> [Layer] {
        var layers: [Layer] = []
        for (kidney, medial) in [(torso.rightKidney, 1.0), (torso.leftKidney, -1.0)] {
            let bed = Intersection(a: Inset(base: kidney, mm: -11), b: Inset(base: torso.cavity, mm: 0))
            layers.append(Layer(bed, .fat))
            let hilum = Ellipsoid(
                center: kidney.center + medial * 22 * kidney.x, semiAxes: SIMD3(18, 10, 24), x: kidney.x, y: kidney.y, z: kidney.z)
            layers.append(Layer(Uneven(kidney, amplitudeMM: 1.8, cell: 22, seed: torso.seed &+ 41), .kidneyCortex))
            // Pyramids around the sinus.
            for level in -2...2 {
                for spoke in [-2.2, -1.1, 0, 1.1, 2.2] {
                    let out = -medial * cos(spoke) * kidney.x + sin(spoke) * kidney.y
                    let at = kidney.center + 13.5 * out + Double(level) * 15 * kidney.z
                    layers.append(Layer(Ellipsoid(center: at, semiAxes: SIMD3(6.2, 5, 6)), .kidneyMedulla))
                }
            }
            layers.append(Layer(Uneven(hilum, amplitudeMM: 2, cell: 10, seed: torso.seed &+ 42), .fat))
            layers.append(Layer(Ellipsoid(center: kidney.center + medial * 17 * kidney.x, semiAxes: SIMD3(9, 5, 13)), .urine))
        }
        return layers + rightUreter.layers(.urine)
    }
}
