import ImagingCore

/// Smooth noise over space: random values on a lattice of `cell` millimetres, blended between its points; about −1 … 1.
struct ValueNoise: Sendable {
    let seed: UInt64
    let inverseCell: SIMD3<Double>

    init(seed: UInt64, cell: Double) { self.init(seed: seed, cell: SIMD3(repeating: cell)) }
    init(seed: UInt64, cell: SIMD3<Double>) { (self.seed, inverseCell) = (seed, 1 / cell) }

    func callAsFunction(_ point: SIMD3<Double>) -> Double {
        let scaled = point * inverseCell
        let base = scaled.rounded(.down)
        let f = scaled - base
        let w = f * f * (3 - 2 * f)
        let (x, y, z) = (Int64(base.x), Int64(base.y), Int64(base.z))
        func value(_ dx: Int64, _ dy: Int64, _ dz: Int64) -> Double {
            let hash = UInt64(bitPattern: x &+ dx) &* 0x8DA6_B343_D192_ED03 ^ UInt64(bitPattern: y &+ dy) &* 0xD816_3841_9E37_79B9
                ^ UInt64(bitPattern: z &+ dz) &* 0xCB1A_B31F_94D0_49BB ^ seed
            return Double(Int64(bitPattern: SeededGenerator.mix(hash)) >> 11) * 0x1p-52
        }
        func blend(_ a: Double, _ b: Double, _ t: Double) -> Double { a + t * (b - a) }
        let near = blend(blend(value(0, 0, 0), value(1, 0, 0), w.x), blend(value(0, 1, 0), value(1, 1, 0), w.x), w.y)
        let far = blend(blend(value(0, 0, 1), value(1, 0, 1), w.x), blend(value(0, 1, 1), value(1, 1, 1), w.x), w.y)
        return blend(near, far, w.z)
    }
}
