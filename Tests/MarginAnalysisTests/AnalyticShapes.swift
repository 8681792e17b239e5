import Foundation
import ImagingCore

/// Shapes whose surfaces are known in closed form, sampled on grids at random positions.
struct AnalyticShape: Sendable {
    /// Millimetres, positive inside; only the sign is used for masks.
    let signedDistance: @Sendable (SIMD3<Double>) -> Double
    let center: SIMD3<Double>
    let reachMM: Double

    static func sphere(radius: Double, at center: SIMD3<Double>) -> AnalyticShape {
        AnalyticShape(signedDistance: { radius - length($0 - center) }, center: center, reachMM: radius)
    }
    /// All points within `radius` of a segment about `center`.
    static func capsule(radius: Double, halfLength: Double, along axis: SIMD3<Double>, at center: SIMD3<Double>) -> AnalyticShape {
        let unit = axis / length(axis)
        return AnalyticShape(
            signedDistance: { point in
                let offset = point - center
                let along = max(-halfLength, min(halfLength, (offset * unit).sum()))
                return radius - length(offset - along * unit)
            }, center: center, reachMM: radius + halfLength)
    }

    /// The mask of the voxels whose centres lie inside, as imaging software draws it.
    func mask(on grid: GridGeometry) -> Mask {
        let size = grid.size
        return Mask(geometry: grid) { voxels in
            for offset in 0..<size.voxelCount {
                voxels[offset] = signedDistance(grid.point(size.index(atOffset: offset)).lps) >= 0 ? 1 : 0
            }
        }
    }
    func levelSet(on grid: GridGeometry) -> LevelSet {
        let size = grid.size
        return LevelSet(field: Volume<Float>(geometry: grid) { voxels in
            for offset in 0..<size.voxelCount { voxels[offset] = Float(signedDistance(grid.point(size.index(atOffset: offset)).lps)) }
        })
    }

    /// A grid that holds a cube of `halfWidthMM` about the origin, shifted by a part of a voxel.
    static func grid(spacing: SIMD3<Double>, halfWidthMM: Double, shift: SIMD3<Double> = .zero) throws -> GridGeometry {
        let half = (halfWidthMM / spacing).rounded(.up) + 1
        let counts = 2 * half + 1
        return try GridGeometry(
            size: GridSize(Int(counts.x), Int(counts.y), Int(counts.z)), spacing: spacing, origin: PatientPoint((shift - half) * spacing))
    }
}

func length(_ v: SIMD3<Double>) -> Double { (v * v).sum().squareRoot() }

/// SplitMix64: the same numbers everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
    mutating func shift() -> SIMD3<Double> {
        SIMD3(.random(in: -0.5..<0.5, using: &self), .random(in: -0.5..<0.5, using: &self), .random(in: -0.5..<0.5, using: &self))
    }
}
