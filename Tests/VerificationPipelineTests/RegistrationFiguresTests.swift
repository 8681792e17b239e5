import ImagingCore
import Testing

@testable import ImageRegistration
@testable import VerificationPipeline

@Suite struct RegistrationFiguresTests {
    /// An MR scan has no unit: pictures of it over CT are the same whatever its values are multiplied by, and show its edges.
    @Test func anMRScanOverCTIsShownByItsOwnGreyValues() throws {
        let grid = try GridGeometry(size: GridSize(48, 48, 24), spacing: SIMD3(3, 3, 6), origin: PatientPoint(-70, -70, -70))
        func ball(inside: Float, outside: Float) -> Volume<Float> {
            Volume<Float>(geometry: grid) { voxels in
                for offset in voxels.indices {
                    voxels[offset] = grid.point(grid.size.index(atOffset: offset)).distance(to: PatientPoint(0, 0, 0)) < 35
                        ? inside : outside
                }
            }
        }
        let quality = RegistrationQuality(.init(
            softerDifferenceMM: 0, rigidDifferenceMM: 0, similarity: 1, explained: 1, shiftedSimilarity: 0, bendingMM: 0, overlap: 1,
            smallestJacobian: 1,
            isSameModality: false, isFocusInView: true))
        func pictures(_ factor: Float, inside: Float = 90) throws -> [[UInt8]] {
            let figures = RegistrationFigures(
                fixed: .float32(ball(inside: 60, outside: -90)), modality: .ct,
                resampled: ball(inside: factor * inside, outside: factor * 30),
                movingModality: .mr, quality: quality, focus: nil)
            return [Array(try figures.checker().pngData()), Array(try figures.edges().pngData())]
        }
        #expect(try pictures(1) == pictures(16))
        let plain = try pictures(1, inside: 30)
        for (shown, empty) in zip(try pictures(1), plain) { #expect(shown != empty) }
    }
}
