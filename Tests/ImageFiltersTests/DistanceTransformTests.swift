@testable import ImageFilters
import ImagingCore
import Testing

@Suite struct DistanceTransformTests {
    /// The distance to the nearest voxel whose state is `target`, by looking at all of them.
    private func bruteForce(_ mask: Mask, to target: Bool) -> [Float] {
        let size = mask.size, spacing = mask.geometry.spacing
        let sites = (0..<size.voxelCount).map(size.index(atOffset:)).filter { mask[$0] == target }
        return (0..<size.voxelCount).map { offset in
            let a = size.index(atOffset: offset)
            let nearest = sites.map { b in
                let d = SIMD3(Double(a.i - b.i), Double(a.j - b.j), Double(a.k - b.k)) * spacing
                return (d * d).sum()
            }.min()
            return Float((nearest ?? .infinity).squareRoot())
        }
    }

    @Test(arguments: [
        (size: (13, 9, 11), spacing: SIMD3(0.7, 0.7, 3), density: 0.02), (size: (17, 12, 7), spacing: SIMD3(1.25, 0.5, 2.5), density: 0.3),
        (size: (9, 20, 10), spacing: SIMD3(3, 1, 0.4), density: 0.9), (size: (40, 1, 33), spacing: SIMD3(1, 1, 1), density: 0.01),
        (size: (1, 30, 30), spacing: SIMD3(1, 0.3, 1), density: 0.05), (size: (33, 31, 1), spacing: SIMD3(2, 0.9, 5), density: 0.005),
        (size: (21, 22, 9), spacing: SIMD3(1, 1, 1), density: 0.5),
    ])
    func isExact(_ example: (size: (Int, Int, Int), spacing: SIMD3<Double>, density: Double)) {
        let geometry = grid(example.size.0, example.size.1, example.size.2, spacing: example.spacing)
        for seed in 0..<4 as Range<UInt64> {
            let mask = Mask.random(geometry, density: example.density, seed: seed)
            let toInside = bruteForce(mask, to: true), toOutside = bruteForce(mask, to: false)
            #expect(largestDifference(mask.distanceToInside().allVoxels(), toInside) < 1e-5)
            #expect(largestDifference(mask.squaredDistanceToInside().allVoxels(), toInside.map { $0 * $0 }) < 1e-3)
            let signed = zip(mask.allVoxels(), zip(toInside, toOutside)).map { $0 == 1 ? $1.1 : -$1.0 }
            #expect(largestDifference(mask.signedDistance().allVoxels(), signed) < 1e-5)
        }
    }

    /// Rows may be narrower than the kernels' vectors; the next slice belongs to another thread, and behind the last lies foreign memory.
    @Test(arguments: 1...9) func aSliceIsWrittenOnlyWithinItsBounds(columns: Int) {
        let size = GridSize(columns, 12, 1), count = size.sliceVoxelCount, guarded = 16
        var mask = [UInt8](repeating: 0, count: count)
        mask[count / 2] = 1
        var field = [Float](repeating: -7, count: count + guarded)
        SliceDistance<UInt16>(size: size, spacing: SIMD3(1, 1, 1), insideToo: false).fill(mask, to: &field)
        #expect(field[count...].allSatisfy { $0 == -7 })
        #expect(!field[..<count].contains(-7))
    }

    @Test func structuredObjectsAreExact() {
        let geometry = grid(24, 20, 18, spacing: SIMD3(0.8, 0.8, 2))
        let shapes = [
            Mask(Volume<Float>(geometry) { $0.distance(to: PatientPoint(9, 8, 17)) }) { $0 < 6 },
            Mask(Volume<Float>(geometry) { abs($0.distance(to: PatientPoint(9, 8, 17)) - 6) }) { $0 < 1 },
            Mask(Volume<Float>(geometry) { $0.lps.x }) { $0 < 3 }, Mask(Volume<Float>(geometry) { $0.lps.z }) { $0 > 20 },
        ]
        for mask in shapes {
            #expect(largestDifference(mask.distanceToInside().allVoxels(), bruteForce(mask, to: true)) < 1e-5)
        }
    }

    @Test func oneVoxelGivesItsDistanceOnALargeGrid() {
        let geometry = grid(300, 200, 40, spacing: SIMD3(0.68, 0.68, 2.5))
        var mask = Mask(empty: geometry)
        let site = VoxelIndex(211, 17, 30)
        mask[site] = true
        let distance = mask.distanceToInside()
        for voxel in [
            VoxelIndex(0, 0, 0), VoxelIndex(299, 199, 39), VoxelIndex(211, 17, 30), VoxelIndex(5, 180, 2), VoxelIndex(212, 17, 30)
        ] {
            let expected = geometry.point(voxel).distance(to: geometry.point(site))
            #expect(abs(Double(distance[voxel]) - expected) < 1e-6 * (expected + 1))
        }
    }

    @Test func uniformMasksAreInfinitelyFar() {
        let geometry = grid(11, 5, 4)
        let empty = Mask(empty: geometry)
        #expect(empty.distanceToInside().allVoxels().allSatisfy { $0 == .infinity })
        #expect(empty.signedDistance().allVoxels().allSatisfy { $0 == -.infinity })
        #expect(empty.complement.signedDistance().allVoxels().allSatisfy { $0 == .infinity })
        #expect(empty.complement.distanceToInside().allVoxels().allSatisfy { $0 == 0 })
    }

    @Test func threadsDoNotChangeADigit() {
        let mask = Mask.random(grid(70, 61, 37, spacing: SIMD3(0.7, 0.9, 2)), density: 0.001, seed: 3)
        let one = KernelThreads.with(1) { mask.signedDistance().allVoxels() }
        #expect(KernelThreads.with(2) { mask.signedDistance().allVoxels() } == one)
    }
}
