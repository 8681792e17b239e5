import ImageFilters
import ImagingCore
import Testing

/// A transform that the affine path does not know.
private struct Wrapped: SpatialTransform {
    let inner: AffineTransform
    func callAsFunction(_ point: PatientPoint) -> PatientPoint { inner(point) }
}

@Suite struct ResamplingTests {
    private let transform = AffineTransform(
        rotation: .rotation(about: PatientVector(1, -1, 2), radians: 0.2), about: PatientPoint(10, 10, 10),
        translation: PatientVector(1.3, -0.4, 2))

    private func targets(around source: GridGeometry) -> [GridGeometry] {
        [PatientAxes.identity, obliqueAxes(), obliqueAxes(leftHanded: true)].map { axes in
            let shape = grid(23, 19, 31, spacing: SIMD3(0.6, 0.9, 0.4), axes: axes)
            return grid(23, 19, 31, spacing: SIMD3(0.6, 0.9, 0.4), origin: source.center - (shape.center - shape.origin), axes: axes)
        }
    }

    @Test(arguments: [Interpolation.linear, .cubic])
    func aLinearFieldIsKept(_ interpolation: Interpolation) {
        let source = grid(40, 42, 24, spacing: SIMD3(0.9, 0.8, 1.6), origin: PatientPoint(-8, -6, 3), axes: obliqueAxes(leftHanded: true))
        func value(_ p: PatientPoint) -> Double { 3 + 2 * p.lps.x - 5 * p.lps.y + 0.5 * p.lps.z }
        let volume = Volume<Float>(source, value)
        let inverse = transform.inverse!
        for target in targets(around: source) {
            let shifted = grid(23, 19, 31, spacing: target.spacing, origin: inverse(target.origin), axes: target.axes)
            for result in [
                volume.resampled(onto: shifted, through: transform, interpolation: interpolation, outside: .nan),
                volume.resampled(onto: shifted, through: Wrapped(inner: transform), interpolation: interpolation, outside: .nan),
            ] {
                #expect(largestDifference(result.allVoxels(), Volume<Float>(shifted) { value(transform($0)) }.allVoxels()) < 1e-3)
            }
        }
    }

    @Test func cubicKeepsQuadratics() {
        let source = grid(30, 28, 26, spacing: SIMD3(1, 1.1, 1.3))
        func value(_ p: PatientPoint) -> Double {
            let (x, y, z) = (p.lps.x - 15, p.lps.y - 15, p.lps.z - 15)
            return x * x - 2 * y * y + 0.7 * z * z + x * y - y * z + 4
        }
        let target = grid(20, 19, 18, spacing: SIMD3(0.7, 0.8, 0.9), origin: PatientPoint(6, 6, 6))
        let result = Volume<Float>(source, value).resampled(onto: target, interpolation: .cubic)
        #expect(largestDifference(result.allVoxels(), Volume<Float>(target, value).allVoxels()) < 2e-3)
    }

    @Test(arguments: Interpolation.allCases)
    func theSameGridGivesTheSameVoxels(_ interpolation: Interpolation) {
        let volume = Volume<Float>.random(grid(12, 11, 10, spacing: SIMD3(0.7, 0.7, 2), axes: obliqueAxes()), seed: 4)
        #expect(
            largestDifference(volume.resampled(onto: volume.geometry, interpolation: interpolation).allVoxels(), volume.allVoxels()) < 1e-5)
    }

    @Test func nearestTakesTheVoxelWhoseCellHoldsThePoint() {
        let volume = Volume<Float>.random(grid(9, 8, 7, spacing: SIMD3(1, 2, 3)), seed: 9)
        for target in targets(around: volume.geometry) {
            let result = volume.resampled(onto: target, interpolation: .nearest, outside: -1)
            for offset in 0..<target.size.voxelCount {
                let voxel = target.size.index(atOffset: offset), point = target.point(voxel)
                // Half way between two voxels either is right.
                let twice = 2 * volume.geometry.continuousIndex(point).ijk
                let isTie = (0..<3).contains { abs(twice[$0] - twice[$0].rounded()) < 1e-6 && Int(twice[$0].rounded()) % 2 != 0 }
                if isTie { continue }
                let expected = volume.geometry.contains(point) ? volume[volume.geometry.continuousIndex(point).nearest] : -1
                #expect(result[voxel] == expected)
            }
        }
    }

    @Test(arguments: Interpolation.allCases)
    func pointsBeyondTheBorderAreOutside(_ interpolation: Interpolation) {
        let source = grid(6, 6, 6)
        let volume = Volume<Float>(geometry: source, repeating: 7)
        let target = grid(90, 4, 4, spacing: SIMD3(0.1, 1, 1), origin: PatientPoint(-1.55, 1, 1))
        let result = volume.resampled(onto: target, interpolation: interpolation, outside: -3)
        for i in 0..<90 {
            let x = -1.55 + 0.1 * Double(i)
            #expect(abs(result[VoxelIndex(i, 2, 2)] - (x >= -0.5 && x <= 5.5 ? 7 : -3)) < 1e-5, "x = \(x)")
        }
    }

    @Test(arguments: Interpolation.allCases)
    func bothWaysThroughATransformAgree(_ interpolation: Interpolation) {
        let volume = Volume<Float>.random(grid(20, 22, 18), seed: 2)
        let target = grid(25, 25, 25, spacing: SIMD3(0.9, 0.9, 0.9))
        let affine = volume.resampled(onto: target, through: transform, interpolation: interpolation, outside: 0)
        let general = volume.resampled(onto: target, through: Wrapped(inner: transform), interpolation: interpolation, outside: 0)
        #expect(largestDifference(affine.allVoxels(), general.allVoxels()) < 1e-5)
    }

    @Test func wholeNumbersAreRoundedAndLimited() {
        var volume = Volume<Int16>(geometry: grid(5, 4, 4), repeating: 32767)
        for k in 0..<4 { for j in 0..<4 { (volume[VoxelIndex(1, j, k)], volume[VoxelIndex(2, j, k)]) = (-10, -20) } }
        let target = grid(2, 2, 2, spacing: SIMD3(0.04, 1, 1), origin: PatientPoint(1.54, 1, 1))
        #expect(volume.resampled(onto: target)[VoxelIndex(0, 0, 0)] == -15)
        #expect(volume.resampled(onto: target)[VoxelIndex(1, 0, 0)] == -16)
        let overshoot = grid(1, 2, 2, origin: PatientPoint(3.5, 1, 1))
        #expect(volume.resampled(onto: overshoot, interpolation: .cubic)[VoxelIndex(0, 1, 1)] == 32767)
    }

    @Test func aMaskStaysOnItsGridAndMovesByWholeVoxels() {
        let mask = Mask.random(grid(14, 13, 12, spacing: SIMD3(0.8, 0.8, 2)), density: 0.3, seed: 1)
        #expect(mask.resampled(onto: mask.geometry).allVoxels() == mask.allVoxels())
        let shift = AffineTransform(matrix: .identity, translation: PatientVector(1.6, 0, -2))
        let moved = mask.resampled(onto: mask.geometry, through: shift)
        #expect(moved[VoxelIndex(3, 4, 5)] == mask[VoxelIndex(5, 4, 4)] && moved[VoxelIndex(7, 7, 7)] == mask[VoxelIndex(9, 7, 6)])
    }

    @Test func aLevelSetKeepsItsSurfaceAndEndsAtItsGrid() {
        let source = grid(30, 30, 30)
        let ball = LevelSet(field: Volume<Float>(source) { 9 - $0.distance(to: PatientPoint(14.3, 14.1, 6)) })
        let target = grid(60, 60, 60, spacing: SIMD3(0.7, 0.7, 0.7), origin: PatientPoint(-6, -6, -10))
        let moved = ball.resampled(onto: target)
        // The cap below the border of the grid, at z = −0.5, is missing.
        let height = 9 - 6.5, cap = Double.pi * height * height * (9 - height / 3)
        let expected = 4 / 3 * Double.pi * 729 - cap
        #expect(abs(moved.surface().enclosedVolume / expected - 1) < 0.03)
        #expect(!moved.touchesGridEdge && ball.resampled(onto: source).field.allVoxels() == ball.field.allVoxels())
    }

    @Test func threadsDoNotChangeADigit() {
        let volume = Volume<Float>.random(grid(20, 22, 18), seed: 2)
        let one = KernelThreads.with(1) { volume.resampled(onto: volume.geometry, through: transform).allVoxels() }
        #expect(KernelThreads.with(2) { volume.resampled(onto: volume.geometry, through: transform).allVoxels() } == one)
    }
}
