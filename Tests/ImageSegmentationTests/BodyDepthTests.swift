import ImagingCore
import Testing

@testable import ImageSegmentation

@Suite struct BodyDepthTests {
    /// A chest wall towards the left (x > 60), the heart towards the right (x < −60), and lung between them that two sides of the image cut
    /// open; air beyond the wall.
    private func targeted(lungHU: Double) throws -> ScanVolume {
        let grid = try GridGeometry(size: GridSize(180, 180, 6), spacing: SIMD3(1, 1, 5), origin: PatientPoint(-89.5, -89.5, 0))
        return .float32(Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices {
                let x = grid.point(grid.size.index(atOffset: offset)).lps.x
                voxels[offset] = Float(x > 80 ? -1000 : x > 60 || x < -60 ? 40 : lungHU)
            }
        })
    }

    /// A picture of the ablated part of a lung alone: what of it lies at the picture's sides is as deep in the body as the rest.
    @Test func lungThatTheImageCutsOpenIsBody() throws {
        let depth = BodyDepth(of: try targeted(lungHU: -860))
        #expect(depth.millimetres(at: PatientPoint(0, 0, 10)) > 60)
        #expect(depth.millimetres(at: PatientPoint(40, -80, 10)) > 30)
        #expect(depth.millimetres(at: PatientPoint(86, 0, 10)) == 0)
    }

    @Test func airThatTheImageCutsIsNotBody() throws {
        let depth = BodyDepth(of: try targeted(lungHU: -995))
        #expect(depth.millimetres(at: PatientPoint(0, 70, 10)) == 0)
    }

    /// Covers, a table's shell and the streaks of metal cross the air to the image's side, and are thin.
    @Test func thinThingsBesideTheBodyAreNotBody() throws {
        let grid = try GridGeometry(size: GridSize(180, 180, 6), spacing: SIMD3(1, 1, 5), origin: PatientPoint(-89.5, -89.5, 0))
        let scan = ScanVolume.float32(Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices {
                let point = grid.point(grid.size.index(atOffset: offset)).lps
                voxels[offset] = point.y < 20 ? 40 : (40..<55).contains(point.y) ? -900 : -1000
            }
        })
        #expect(BodyDepth(of: scan).millimetres(at: PatientPoint(0, 47, 10)) == 0)
    }
}
