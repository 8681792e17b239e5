import Foundation

/// A small seeded generator: the same seed gives the same numbers on every machine.
///
/// SplitMix64 (Steele, Lea, Flood 2014).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// A generator of its own for one purpose, so that a change in one place of a study leaves the others as they were.
    init(seed: UInt64, purpose: String) {
        var state = seed
        for byte in purpose.utf8 { state = Self.mix(state ^ UInt64(byte)) }
        self.state = state
    }

    mutating func next() -> UInt64 {
        defer { state &+= 0x9E37_79B9_7F4A_7C15 }
        return Self.mix(state)
    }

    @inline(__always) static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Even over 0 ..< 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
    mutating func uniform(_ range: ClosedRange<Double>) -> Double { range.lowerBound + unit() * (range.upperBound - range.lowerBound) }

    /// Normal with mean 0 and standard deviation 1 (Box and Muller 1958).
    mutating func normal() -> Double {
        let radius = (-2 * log(1 - unit())).squareRoot()
        return radius * cos(2 * .pi * unit())
    }
    /// `count` normal numbers; both of each Box–Muller pair are used.
    mutating func normals(_ count: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: count + 1) { values, initialized in
            for index in stride(from: 0, to: count, by: 2) {
                let radius = (-2 * log(1 - unit())).squareRoot(), angle = 2 * Double.pi * unit()
                values[index] = Float(radius * cos(angle))
                values[index + 1] = Float(radius * sin(angle))
            }
            initialized = count
        }
    }
    /// Even over the unit sphere.
    mutating func direction() -> SIMD3<Double> {
        let z = uniform(-1...1), angle = uniform(0...2 * .pi), r = (1 - z * z).squareRoot()
        return SIMD3(r * cos(angle), r * sin(angle), z)
    }
}

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
