import ImageFilters
import ImagingCore
import Testing

@Suite struct LocalFilterTests {
    @Test(arguments: [(11, 9, 7), (1, 6, 5), (8, 1, 1), (17, 3, 2)])
    func medianIsTheMiddleOf27(_ size: (Int, Int, Int)) {
        let geometry = grid(size.0, size.1, size.2)
        let volume = Volume<Float>.random(geometry, seed: 6)
        let filtered = volume.medianFiltered()
        for offset in 0..<geometry.size.voxelCount {
            let v = geometry.size.index(atOffset: offset)
            var values: [Float] = []
            for k in v.k - 1...v.k + 1 {
                for j in v.j - 1...v.j + 1 {
                    for i in v.i - 1...v.i + 1 {
                        values.append(volume[VoxelIndex(
                            min(max(i, 0), size.0 - 1), min(max(j, 0), size.1 - 1), min(max(k, 0), size.2 - 1))])
                    }
                }
            }
            #expect(filtered[v] == values.sorted()[13])
        }
    }

    @Test(arguments: [false, true])
    func aLinearFieldHasOneGradient(_ leftHanded: Bool) {
        let geometry = grid(9, 8, 7, spacing: SIMD3(0.7, 1.1, 2), axes: obliqueAxes(leftHanded: leftHanded))
        let field = Volume<Float>(geometry) { 3 * $0.lps.x - 4 * $0.lps.y + 12 * $0.lps.z }
        #expect(field.gradientMagnitude().allVoxels().allSatisfy { abs($0 - 13) < 1e-3 })
    }

    @Test func edgesStayAndNoiseGoes() throws {
        let geometry = grid(30, 20, 20, spacing: SIMD3(1, 1, 2))
        let noise = Volume<Float>.random(geometry, seed: 3)
        let noisy = Volume<Float>(geometry: geometry) { voxels in
            for offset in voxels.indices {
                voxels[offset] = (offset % 30 < 15 ? 0 : 100) + 4 * (noise.withUnsafeVoxels { $0[offset] } - 0.5)
            }
        }
        let smooth = noisy.edgePreservingSmoothed(contrastPerMM: 8, iterations: 10)
        let left = Mask(Volume<Float>(geometry) { $0.lps.x }) { $0 < 15 }
        let before = try #require(IntensityStatistics(noisy.values(in: left))),
            after = try #require(IntensityStatistics(smooth.values(in: left)))
        #expect(after.standardDeviation < before.standardDeviation / 4)
        #expect(abs(smooth[VoxelIndex(14, 10, 10)]) < 8 && abs(smooth[VoxelIndex(15, 10, 10)] - 100) < 8)
        // What flows out of one voxel flows into another.
        #expect(abs(smooth.values().reduce(0.0) { $0 + Double($1) } - noisy.values().reduce(0.0) { $0 + Double($1) }) < 1)
    }

    @Test func statisticsOfASampleWithAnOutlier() throws {
        let statistics = try #require(IntensityStatistics([4, 1, 3, 2, .nan, 1000]))
        #expect(statistics.count == 5 && statistics.median == 3 && statistics.range == 1...1000 && statistics.mean == 202)
        #expect(statistics.percentile(0) == 1 && statistics.percentile(100) == 1000 && statistics.percentile(12.5) == 1.5)
        #expect(abs(statistics.robustStandardDeviation - 1.4826) < 1e-5)
        #expect(IntensityStatistics([]) == nil)
    }

    @Test func histogramCountsEveryValueOnce() {
        let geometry = grid(10, 10, 10)
        let field = Volume<Float>(geometry) { $0.lps.x }
        #expect(field.histogram(over: 0...9, binCount: 9) == [100, 100, 100, 100, 100, 100, 100, 100, 200])
        #expect(field.histogram(over: 2...4, binCount: 2, in: Mask(field) { $0 > 3 }) == [0, 100])
    }
}
