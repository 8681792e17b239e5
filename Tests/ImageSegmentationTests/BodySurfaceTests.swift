import ImagingCore
import Testing

@testable import ImageSegmentation

/// A round body of 90 mm radius in air, with lung in it, on a dense table.
@Suite struct BodySurfaceTests {
    private static let radiusMM = 90.0
    private let scan: ScanVolume

    init() throws {
        let grid = try GridGeometry(size: GridSize(130, 150, 12), spacing: SIMD3(1.6, 1.6, 5), origin: PatientPoint(-104, -104, -30))
        scan = .float32(Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices {
                let point = grid.point(grid.size.index(atOffset: offset)).lps
                let radius = (point.x * point.x + point.y * point.y).squareRoot()
                // The edge is as wide as a voxel, as partial volume makes it.
                let share = min(1, max(0, 0.5 + (Self.radiusMM - radius) / 1.6))
                let isLung = abs(point.x) < 50 && point.y < -10 && radius < 70, isTable = point.y > 99 && point.y < 105
                voxels[offset] = isLung ? -850 : isTable ? -50 : Float(-1000 + 1040 * share)
            }
        })
    }

    @Test func theSkinIsFoundToATenthOfAVoxelAndTheTableIsNot() throws {
        let outside = try #require(BodySurface.outside(of: scan, around: [PatientPoint(60, 0, 0), PatientPoint(0, 60, 0)], marginMM: 45))
        // The surface is closed where the grid ends.
        let size = outside.geometry.size
        let vertices = outside.surface().vertices.filter { point in
            let ijk = outside.geometry.continuousIndex(point).ijk
            return ijk.min() > 0 && ijk.x < Double(size.i - 1) && ijk.y < Double(size.j - 1) && ijk.z < Double(size.k - 1)
        }
        #expect(vertices.count > 500)
        let errors = vertices.map { abs(($0.lps.x * $0.lps.x + $0.lps.y * $0.lps.y).squareRoot() - Self.radiusMM) }
        #expect(errors.max()! < 0.3)
        // Positive outside the body.
        #expect(outside.resampled(onto: outside.geometry).field.withUnsafeVoxels { $0.contains { $0 > 0 } && $0.contains { $0 < 0 } })
    }

    @Test func thereIsNoSkinDeepInTheBody() {
        #expect(BodySurface.outside(of: scan, around: [PatientPoint(0, 30, 0)], marginMM: 20) == nil)
    }
}
