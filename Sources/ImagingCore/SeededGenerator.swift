import Foundation

/// A small seeded generator: the same seed gives the same numbers on every machine.
///
/// SplitMix64 (Steele, Lea, Flood 2014).
@frozen public struct SeededGenerator: RandomNumberGenerator, Sendable {
    @usableFromInline var state: UInt64

    @inlinable public init(seed: UInt64) { state = seed }

    /// A generator of its own for one purpose, so that a change in one place of a study leaves the others as they were.
    @inlinable public init(seed: UInt64, purpose: String) {
        var state = seed
        for byte in purpose.utf8 { state = Self.mix(state ^ UInt64(byte)) }
        self.state = state
    }

    @inlinable public mutating func next() -> UInt64 {
        defer { state &+= 0x9E37_79B9_7F4A_7C15 }
        return Self.mix(state)
    }

    @inlinable @inline(__always) public static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Even over 0 ..< 1.
    @inlinable public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
    @inlinable public mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + unit() * (range.upperBound - range.lowerBound)
    }

    /// Normal with mean 0 and standard deviation 1 (Box and Muller 1958).
    @inlinable public mutating func normal() -> Double {
        let radius = (-2 * log(1 - unit())).squareRoot()
        return radius * cos(2 * .pi * unit())
    }
    /// `count` normal numbers; both of each Box–Muller pair are used.
    @inlinable public mutating func normals(_ count: Int) -> [Float] {
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
    @inlinable public mutating func direction() -> SIMD3<Double> {
        let z = uniform(-1...1), angle = uniform(0...2 * .pi), r = (1 - z * z).squareRoot()
        return SIMD3(r * cos(angle), r * sin(angle), z)
    }
}
