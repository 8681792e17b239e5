import ImagingCore

/// The voxels that a rod is fitted to, each number in a row of its own: what is asked of a model several hundred times in a fit is then
/// worked out for several voxels at once.
struct ShaftVoxels {
    /// Voxels that are worked on together: their rows stay in the nearest cache.
    static let chunk = 512

    let count: Int
    /// Places are counted from here, in millimetres along the grid's axes: near to them single precision holds a thousandth of a
    /// micrometre.
    let origin: SIMD3<Double>
    /// The longest way from the origin of the samples' line along it.
    let halfSpanMM: Double
    private let numbers: [Float]

    init(_ samples: [ShaftFit.Sample], around origin: SIMD3<Double>) {
        (count, self.origin) = (samples.count, origin)
        halfSpanMM = samples.reduce(0) { max($0, abs($1.along)) }
        numbers = [Float](unsafeUninitializedCapacity: 6 * samples.count) { numbers, initialized in
            let rows = numbers.baseAddress!, length = samples.count
            for (number, sample) in samples.enumerated() {
                let place = sample.position - origin, at = rows + number
                (at[0], at[length], at[2 * length]) = (Float(place.x), Float(place.y), Float(place.z))
                (at[3 * length], at[4 * length]) = (Float(sample.value), Float(sample.background))
                at[5 * length] = Float(sample.background + sample.others)
            }
            initialized = 6 * samples.count
        }
    }

    /// Some of the voxels.
    struct Rows {
        let count: Int
        let x, y, z, value, background: UnsafePointer<Float>
        /// The background with what other rods add to it.
        let ground: UnsafePointer<Float>
    }

    func forEachChunk(_ body: (Rows) -> Void) {
        numbers.withUnsafeBufferPointer { numbers in
            for first in stride(from: 0, to: count, by: Self.chunk) {
                func row(_ index: Int) -> UnsafePointer<Float> { numbers.baseAddress! + (index * count + first) }
                body(Rows(
                    count: min(Self.chunk, count - first), x: row(0), y: row(1), z: row(2), value: row(3), background: row(4),
                    ground: row(5)))
            }
        }
    }
}
