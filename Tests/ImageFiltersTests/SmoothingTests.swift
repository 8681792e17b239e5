import Foundation
import ImageFilters
import ImagingCore
import Testing

@Suite struct GaussianSmoothingTests {
    @Test func aGaussianBecomesAWiderGaussian() {
        let geometry = grid(60, 64, 40, spacing: SIMD3(0.8, 0.7, 1.2))
        let c = geometry.center.lps
        let before = SIMD3(3.0, 4, 5), sigma = SIMD3(2.0, 1.5, 3)
        func gaussian(_ s: SIMD3<Double>) -> Volume<Float> {
            Volume(geometry) { point in
                let r = (point.lps - c) / s
                return 1000 / (s.x * s.y * s.z) * exp(-(r * r).sum() / 2)
            }
        }
        let smoothed = gaussian(before).gaussianSmoothed(sigmaMM: sigma)
        let expected = gaussian((before * before + sigma * sigma).squareRoot())
        #expect(largestDifference(smoothed.allVoxels(), expected.allVoxels()) < 1e-3 * expected.valueRange().upperBound)
    }

    @Test func aStepBecomesTheErrorFunction() {
        let geometry = grid(64, 9, 9, spacing: SIMD3(0.5, 1, 1))
        let smoothed = Volume<Float>(geometry) { $0.lps.x < 15.75 ? 0 : 1 }.gaussianSmoothed(sigmaMM: SIMD3(2, 0, 0))
        for i in 0..<64 {
            let expected = 0.5 * (1 + erf((Double(i) * 0.5 - 15.75) / (2 * 2.0.squareRoot())))
            #expect(abs(Double(smoothed[VoxelIndex(i, 4, 4)]) - expected) < 1e-3)
        }
    }

    @Test(arguments: [(3, 5, 7), (1, 1, 50), (17, 1, 2), (33, 31, 1)])
    func agreesWithDirectSumsAtTheEdges(_ size: (Int, Int, Int)) {
        let geometry = grid(size.0, size.1, size.2, spacing: SIMD3(1, 2, 0.5))
        let volume = Volume<Float>.random(geometry, seed: 5)
        let sigma = SIMD3(1.7, 2.2, 0.6)
        var values = volume.allVoxels().map(Double.init)
        for axis in 0..<3 {
            let s = (sigma / geometry.spacing)[axis], radius = max(2, Int((4 * s).rounded(.up)))
            let weights = (-radius...radius).map { exp(-0.5 * Double($0 * $0) / (s * s)) }
            let sum = weights.reduce(0, +), counts = [size.0, size.1, size.2]
            values = values.indices.map { offset in
                let v = geometry.size.index(atOffset: offset), position = [v.i, v.j, v.k]
                return zip(-radius...radius, weights).reduce(0) { total, tap in
                    var at = position
                    at[axis] = min(max(at[axis] + tap.0, 0), counts[axis] - 1)
                    return total + tap.1 / sum * values[geometry.size.offset(VoxelIndex(at[0], at[1], at[2]))]
                }
            }
        }
        #expect(largestDifference(volume.gaussianSmoothed(sigmaMM: sigma).allVoxels(), values.map(Float.init)) < 1e-5)
    }

    @Test func aConstantStaysAndSigmaZeroDoesNothing() {
        let constant = Volume<Float>(geometry: grid(20, 18, 5), repeating: -1000)
        #expect(largestDifference(constant.gaussianSmoothed(sigmaMM: 2).allVoxels(), constant.allVoxels()) < 1e-3)
        let random = Volume<Float>.random(grid(9, 8, 7), seed: 1)
        #expect(random.gaussianSmoothed(sigmaMM: 0).allVoxels() == random.allVoxels())
    }

    /// Most rows and slices around it are passed over.
    @Test func aLoneVoxelSpreadsOverTheRowsAndSlicesAround() {
        let geometry = grid(30, 28, 22), lone = VoxelIndex(11, 16, 9), sigma = 1.2
        var volume = Volume<Float>(zeros: geometry)
        volume[lone] = 1000
        let smoothed = volume.gaussianSmoothed(sigmaMM: sigma), radius = Int((4 * sigma).rounded(.up))
        let sum = (-radius...radius).reduce(0.0) { $0 + exp(-0.5 * Double($1 * $1) / (sigma * sigma)) }
        func weight(_ steps: Int) -> Double { abs(steps) > radius ? 0 : exp(-0.5 * Double(steps * steps) / (sigma * sigma)) / sum }
        for offset in 0..<geometry.size.voxelCount {
            let voxel = geometry.size.index(atOffset: offset)
            let expected = 1000 * weight(voxel.i - lone.i) * weight(voxel.j - lone.j) * weight(voxel.k - lone.k)
            #expect(abs(Double(smoothed[voxel]) - expected) < 1e-4)
        }
    }

    @Test func threadsDoNotChangeADigit() {
        let volume = Volume<Float>.random(grid(50, 41, 30), seed: 2)
        let one = KernelThreads.with(1) { volume.gaussianSmoothed(sigmaMM: 1.5).allVoxels() }
        #expect(KernelThreads.with(2) { volume.gaussianSmoothed(sigmaMM: 1.5).allVoxels() } == one)
    }
}
