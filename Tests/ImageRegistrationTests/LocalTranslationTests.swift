import Foundation
import ImagingCore
import Testing

@testable import ImageRegistration

@Suite struct LocalTranslationTests {
    static let grid = try! GridGeometry(size: GridSize(56, 56, 56), spacing: SIMD3(2, 2, 2), origin: PatientPoint(-55, -55, -55))

    /// A sum of waves of about 20–50 mm, seen from a point shifted by `shift`.
    static func texture(shiftedBy shift: PatientVector, gain: Float = 1) -> Volume<Float> {
        Volume(geometry: grid) { voxels in
            for offset in voxels.indices {
                let p = grid.point(grid.size.index(atOffset: offset)).lps - shift.lps
                let value = sin(0.21 * p.x + 0.1 * p.y) + cos(0.17 * p.y - 0.12 * p.z) + sin(0.19 * p.z + 0.08 * p.x + 1)
                    + cos(0.3 * p.x) * sin(0.25 * p.y)
                voxels[offset] = 40 + gain * 30 * Float(value)
            }
        }
    }
    static let ball = Mask(geometry: grid) { voxels in
        for offset in voxels.indices {
            voxels[offset] = grid.point(grid.size.index(atOffset: offset)).distance(to: grid.center) < 36 ? 1 : 0
        }
    }

    @Test(arguments: [PatientVector(0, 0, 0), PatientVector(3.3, -1.7, 0.6), PatientVector(-9.1, 4.2, 7.7)])
    func knownShiftIsFoundWhateverTheContrast(shift: PatientVector) throws {
        let found = try #require(try LocalTranslation.estimate(
            fixed: Self.texture(shiftedBy: PatientVector(0, 0, 0)), moving: Self.texture(shiftedBy: shift, gain: 1.6), region: Self.ball))
        #expect((found.shift - shift).length < 0.3)
        #expect(found.correlation > 0.99)
        #expect(try #require(found.spreadMM) < 0.5)
    }

    @Test func constantOrTinyRegionsTellNothing() throws {
        let flat = Volume<Float>(geometry: Self.grid, repeating: 40)
        #expect(try LocalTranslation.estimate(fixed: flat, moving: flat, region: Self.ball) == nil)
        let texture = Self.texture(shiftedBy: PatientVector(0, 0, 0))
        #expect(try LocalTranslation.estimate(fixed: texture, moving: texture, region: Mask(empty: Self.grid)) == nil)
    }
}
