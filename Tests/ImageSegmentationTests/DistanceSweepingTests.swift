import ImagingCore
import Testing
@testable import ImageSegmentation

/// Sweeps that pass over what cannot change, on two threads, against sweeps over every voxel in turn.
@Suite struct DistanceSweepingTests {
    // Rows are no whole words and halves of slices no whole numbers of rows; large enough for two threads.
    private static let size = GridSize(43, 41, 23), spacing = SIMD3<Float>(0.7, 0.9, 2.5)

    @Test(arguments: [Float.greatestFiniteMagnitude, 6])
    func sweepsReachWhatSweepsOverEveryVoxelDo(limitMM: Float) {
        let start = Self.start(limitMM: limitMM)
        let found = [1, 2].map { threads in
            KernelThreads.with(threads) {
                var distances = start
                distances.withUnsafeMutableBufferPointer { buffer in
                    let sweeping = DistanceSweeping(buffer, size: Self.size, spacing: Self.spacing, limitMM: limitMM)
                    for direction in 0..<8 { sweeping.sweep(direction) }
                }
                return distances
            }
        }
        var plain = start.map(Double.init)
        for direction in 0..<8 { Self.sweepEveryVoxel(&plain, direction, limitMM: Double(limitMM)) }
        #expect(found[0] == found[1])
        #expect(zip(found[0], plain).allSatisfy { abs(Double($0) - $1) < 1e-3 })
        #expect(found[0].count { $0 < limitMM } > 10_000)
    }

    @Test func sweepSaysWhetherAnythingCameNearer() {
        var distances = Self.start(limitMM: 9)
        distances.withUnsafeMutableBufferPointer { buffer in
            let sweeping = DistanceSweeping(buffer, size: Self.size, spacing: Self.spacing, limitMM: 9)
            let atFirst = sweeping.sweep(0)
            for _ in 0..<5 { for direction in 0..<8 { sweeping.sweep(direction) } }
            let atLast = sweeping.sweep(0)
            #expect(atFirst && !atLast)
        }
    }

    /// A few dozen voxels whose distances are known.
    private static func start(limitMM: Float) -> [Float] {
        var random = SeededGenerator(seed: 5)
        var distances = [Float](repeating: limitMM, count: size.voxelCount)
        for _ in 0..<40 { distances[Int.random(in: 0..<distances.count, using: &random)] = .random(in: 0...0.6, using: &random) }
        return distances
    }

    private static func sweepEveryVoxel(_ distances: inout [Double], _ direction: Int, limitMM: Double) {
        func line(_ count: Int, _ isBackward: Bool) -> [Int] { isBackward ? (0..<count).reversed() : Array(0..<count) }
        for k in line(size.k, direction & 4 != 0) {
            for j in line(size.j, direction & 2 != 0) {
                for i in line(size.i, direction & 1 != 0) {
                    func at(_ i: Int, _ j: Int, _ k: Int) -> Double {
                        let index = VoxelIndex(i, j, k)
                        return size.contains(index) ? distances[size.offset(index)] : .infinity
                    }
                    let near = [
                        min(at(i - 1, j, k), at(i + 1, j, k)), min(at(i, j - 1, k), at(i, j + 1, k)), min(at(i, j, k - 1), at(i, j, k + 1)),
                    ]
                    let offset = size.offset(VoxelIndex(i, j, k))
                    distances[offset] = min(distances[offset], arrival(near))
                }
            }
        }
    }

    /// The u with Σ max(0, (u − aᵢ)/hᵢ)² = 1, by bisection.
    private static func arrival(_ near: [Double]) -> Double {
        var low = near.min()!, high = low + Double(spacing.max())
        guard low < 1e6 else { return .infinity }
        for _ in 0..<40 {
            let middle = (low + high) / 2
            let square = near.indices.reduce(0.0) { sum, axis in
                let share = max(0, middle - near[axis]) / Double(spacing[axis])
                return sum + share * share
            }
            if square < 1 { low = middle } else { high = middle }
        }
        return high
    }
}
