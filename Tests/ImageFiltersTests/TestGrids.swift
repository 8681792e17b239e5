import ImagingCore

/// A small generator with a fixed sequence (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

func grid(
    _ i: Int, _ j: Int, _ k: Int, spacing: SIMD3<Double> = SIMD3(1, 1, 1), origin: PatientPoint = PatientPoint(0, 0, 0),
    axes: PatientAxes = .identity)
    -> GridGeometry
{
    try! GridGeometry(size: GridSize(i, j, k), spacing: spacing, origin: origin, axes: axes)
}

/// Axes that are turned, and mirrored when `leftHanded`.
func obliqueAxes(leftHanded: Bool = false) -> PatientAxes {
    let turn = Matrix3.rotation(about: PatientVector(1, 2, 3), radians: 0.7).columns
    return try! PatientAxes(i: PatientVector(turn.0), j: PatientVector(turn.1), k: PatientVector(leftHanded ? -turn.2 : turn.2))
}

extension Volume where Voxel == Float {
    /// The values of a function of patient space at voxel centres.
    init(_ geometry: GridGeometry, _ value: (PatientPoint) -> Double) {
        self.init(geometry: geometry) { voxels in
            for offset in voxels.indices { voxels[offset] = Float(value(geometry.point(geometry.size.index(atOffset: offset)))) }
        }
    }

    static func random(_ geometry: GridGeometry, seed: UInt64) -> Volume {
        var generator = SeededGenerator(seed: seed)
        return Volume(geometry: geometry) { voxels in
            for offset in voxels.indices { voxels[offset] = Float.random(in: 0..<1, using: &generator) }
        }
    }

    func allVoxels() -> [Float] { withUnsafeVoxels { Array($0) } }
}

extension Mask {
    static func random(_ geometry: GridGeometry, density: Double, seed: UInt64) -> Mask {
        var generator = SeededGenerator(seed: seed)
        return Mask(geometry: geometry) { voxels in
            for offset in voxels.indices { voxels[offset] = Double.random(in: 0..<1, using: &generator) < density ? 1 : 0 }
        }
    }

    func allVoxels() -> [UInt8] { withUnsafeVoxels { Array($0) } }
}

/// The largest difference of two arrays of one length; infinite where only one value is not finite.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    zip(a, b).reduce(0) { largest, pair in
        pair.0 == pair.1 ? largest : max(largest, abs(pair.0 - pair.1).isNaN ? .infinity : abs(pair.0 - pair.1))
    }
}
