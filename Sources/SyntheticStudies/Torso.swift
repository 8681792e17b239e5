import Foundation
import ImagingCore

/// One synthetic patient from pelvis brim to upper chest, in planning space.
///
/// The origin lies in the middle of the trunk at the level of a vertebra below the liver hilum; the patient is supine, or
/// prone with the table in front; gas rises accordingly.
/// Sizes and positions vary with the seed.
struct Torso {
    let seed: UInt64
    let isProne: Bool
    let body: Trunk, muscleWall: Trunk, cavity: Trunk
    let vertebraCenter = SIMD2(0.0, 42.0), canalCenter = SIMD2(0.0, 68.0)
    let liver: DynamicShape
    let rightKidney, leftKidney: Ellipsoid
    let domeHeight: Double

    init(seed: UInt64, isProne: Bool) {
        (self.seed, self.isProne) = (seed, isProne)
        var generator = SeededGenerator(seed: seed, purpose: "torso")
        let fat = generator.uniform(12...24)
        body = Trunk(center: SIMD2(0, 0), halfWidth: 162 + fat, halfDepth: 106 + 0.75 * fat)
        muscleWall = Trunk(center: SIMD2(0, 2), halfWidth: 160, halfDepth: 102)
        cavity = Trunk(center: SIMD2(0, -19), halfWidth: 143, halfDepth: 77)
        domeHeight = generator.uniform(88...100)
        let shift = SIMD3(generator.uniform(-4...4), generator.uniform(-4...4), generator.uniform(-6...6))
        let lobes = SmoothUnion(
            a: Ellipsoid(center: SIMD3(-77, -12, 28) + shift, semiAxes: SIMD3(64, 68, 72)).turned(aboutZ: 8),
            b: Ellipsoid(center: SIMD3(2, -52, 46) + shift, semiAxes: SIMD3(64, 31, 34)).turned(aboutZ: -8), filletMM: 22)
        liver = DynamicShape(
            Intersection(
                a: Uneven(lobes, amplitudeMM: 4, cell: 42, seed: seed &+ 11),
                b: Intersection(a: Inset(base: cavity, mm: 3), b: BelowDiaphragm(height: domeHeight, gapMM: 3))))
        let lower = generator.uniform(-8...4)
        rightKidney = Ellipsoid(center: SIMD3(-66, 30, -46 + lower), semiAxes: SIMD3(29, 25, 54)).turned(aboutZ: 30, aboutX: -8)
        leftKidney = Ellipsoid(center: SIMD3(65, 30, -24 + lower), semiAxes: SIMD3(29, 25, 55)).turned(aboutZ: -30, aboutX: -8)
    }

    /// Every layer from the table to the vessels, without tumour and probes.
    func layers() -> [Layer] {
        var layers = table() + wall()
        layers += AbdominalOrgans(torso: self).layers()
        layers += ThoracicOrgans(torso: self).layers()
        return layers + skeleton() + greatVessels()
    }

    private func table() -> [Layer] {
        func slab(_ halfWidth: Double, from near: Double, to far: Double) -> Block {
            let edge = body.center.y + body.halfDepth - 6
            let (a, b) = isProne ? (-edge - far, -edge - near) : (edge + near, edge + far)
            return Block(box: Box(low: SIMD3(-halfWidth, a, -1e5), high: SIMD3(halfWidth, b, 1e5)))
        }
        let shell = slab(225, from: 8, to: 38), pad = slab(200, from: 0, to: 9)
        return [Layer(pad, .tableFoam), Layer(shell, .tableShell), Layer(Inset(base: shell, mm: 2), .tableFoam)]
    }

    private func wall() -> [Layer] {
        let muscle = Uneven(muscleWall, amplitudeMM: 2.5, cell: 35, seed: seed &+ 21)
        var layers = [Layer(body, .skin), Layer(Inset(base: body, mm: 1.8), .fat), Layer(muscle, .muscle)]
        // A sheet of fat parts the muscles of the wall.
        let sheet = Difference(a: Inset(base: muscleWall, mm: 9), b: Inset(base: muscleWall, mm: 10.5))
        layers.append(Layer(Uneven(sheet, amplitudeMM: 1, cell: 25, seed: seed &+ 22), .fat))
        layers.append(Layer(Uneven(cavity, amplitudeMM: 2, cell: 30, seed: seed &+ 23), .fat))
        for side in [-1.0, 1] {
            let erector = Ellipsoid(center: SIMD3(side * 36, 78, 0), semiAxes: SIMD3(31, 21, 3000))
            layers.append(Layer(Inset(base: erector, mm: -2.5), .fat))
            layers.append(Layer(Uneven(erector, amplitudeMM: 2.5, cell: 18, seed: seed &+ 24), .muscle))
            let psoas = Capsule(start: SIMD3(side * 27, 36, 5), end: SIMD3(side * 52, 26, -190), startRadius: 7, endRadius: 26)
            layers.append(Layer(Uneven(psoas, amplitudeMM: 2, cell: 20, seed: seed &+ 25), .muscle))
        }
        return layers
    }

    private func skeleton() -> [Layer] {
        let ribs = Ribs(wall: Trunk(center: SIMD2(0, 2), halfWidth: 151, halfDepth: 93))
        var thinRibs = ribs
        thinRibs.inset = 1.4
        var marrow = VertebralBodies(center: vertebraCenter), archMarrow = NeuralArches(canal: canalCenter)
        (marrow.inset, archMarrow.inset) = (1.3, 2.2)
        let disc = Ellipsoid(center: SIMD3(0, 42, 0), semiAxes: SIMD3(23, 17, 30000))
        let canal = Ellipsoid(center: SIMD3(0, 68, 0), semiAxes: SIMD3(11.5, 9.5, 30000))
        let sac = Ellipsoid(center: SIMD3(0, 67, 0), semiAxes: SIMD3(9, 7.5, 30000))
        return [
            Layer(ribs, .corticalBone), Layer(thinRibs, .trabecularBone),
            Layer(disc, .disc), Layer(NeuralArches(canal: canalCenter), .corticalBone), Layer(archMarrow, .trabecularBone),
            Layer(VertebralBodies(center: vertebraCenter), .corticalBone), Layer(marrow, .trabecularBone),
            Layer(canal, .fat), Layer(sac, .spinalFluid), Layer(cord.segments[0], .cord),
            Layer(Block(box: Box(low: SIMD3(-17, -101, 112), high: SIMD3(17, -90, 400))), .corticalBone),
            Layer(Block(box: Box(low: SIMD3(-15.4, -99.5, 113), high: SIMD3(15.4, -91.5, 400))), .trabecularBone),
        ]
    }

    var cord: Tube { Tube(through: [SIMD3(0, 66.5, -400), SIMD3(0, 66.5, 400)], radius: 4.8, pieces: 1) }

    private func greatVessels() -> [Layer] {
        let aorta = Tube(
            through: [SIMD3(6, 12, -190), SIMD3(7, 10, -60), SIMD3(8, 11, 40), SIMD3(18, 22, 110), SIMD3(22, 24, 230), SIMD3(20, 20, 330)],
            radius: 10)
        let cava = Tube(
            through: [SIMD3(-22, 14, -190), SIMD3(-22, 10, -60), SIMD3(-24, 4, 20), SIMD3(-26, -4, 95), SIMD3(-22, -22, 118)], radius: 11)
        let mesenteric = Tube(through: [SIMD3(6, 2, 15), SIMD3(4, -16, -10), SIMD3(-2, -24, -90)], radius: 3.6)
        let veinRight = Tube(through: [SIMD3(-24, 8, -30), SIMD3(-38, 16, -38), SIMD3(-50, 24, -42)], radius: 4.6)
        let veinLeft = Tube(through: [SIMD3(-20, 4, -14), SIMD3(6, -3, -14), SIMD3(34, 14, -20), SIMD3(48, 24, -22)], radius: 4.6)
        return [veinLeft, mesenteric, veinRight, aorta, cava].flatMap { $0.layers(.blood) }
    }
}

/// What lies under the two domes of the diaphragm.
struct BelowDiaphragm: ImplicitShape {
    var height: Double
    var gapMM: Double

    func value(at point: SIMD3<Double>) -> Double {
        let right = dome(point, 76, height, point.x + 72), left = dome(point, 70, height - 12, point.x - 74)
        let (top, slope) = right.0 > left.0 ? right : left
        return (top - gapMM - point.z) / (1 + slope * slope).squareRoot()
    }
    private func dome(_ point: SIMD3<Double>, _ width: Double, _ height: Double, _ dx: Double) -> (Double, Double) {
        let dy = point.y + 22
        let fall = width * 1.25
        return (height - (dx * dx + dy * dy) / fall, 2 * (dx * dx + dy * dy).squareRoot() / fall)
    }
    var bounds: Box { Box(low: SIMD3(repeating: -1e6), high: SIMD3(1e6, 1e6, height)) }
}
