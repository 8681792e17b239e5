import ImageFilters
import ImagingCore
import Testing

@testable import VerificationPipeline

/// A ball of 8 mm radius on a grid whose slices end with it, as in a file that leaves out frames that hold nothing.
@Suite struct MaskSurfaceTests {
    private static let volumeMM3 = 4.0 / 3 * .pi * 512

    private func ball(endsAtSlices: (first: Bool, last: Bool), isFraction: Bool = false) throws -> ImportedMask {
        let grid = try GridGeometry(
            size: GridSize(24, 24, 9), spacing: SIMD3(1, 1, 1.8), origin: PatientPoint(-11.6, -11.3, -7.2), frameOfReferenceUID: "1.2.3")
        let mask = Mask(geometry: grid) { voxels in
            for offset in voxels.indices {
                let point = grid.point(grid.size.index(atOffset: offset))
                voxels[offset] = point.distance(to: PatientPoint(0, 0, 0)) <= 8 ? 1 : 0
            }
        }
        return ImportedMask(
            shape: isFraction ? .fraction(mask.voxels.mapped { Float($0) }) : .mask(mask), name: "ball", endsAtSlices: endsAtSlices,
            findings: [])
    }

    @Test(arguments: [false, true])
    func anObjectThatEndsAtItsSlicesIsClosed(isFraction: Bool) throws {
        let surface = try ball(endsAtSlices: (true, true), isFraction: isFraction).levelSet
        #expect(!surface.touchesGridEdge)
        #expect(abs(surface.surface().enclosedVolume / Self.volumeMM3 - 1) < 0.05)
        let poles = surface.surface().vertices.map(\.lps.z)
        #expect(abs(poles.max()! - 8) < 0.6 && abs(poles.min()! + 8) < 0.6)
    }

    @Test func anObjectThatMayGoOnStaysOpen() throws {
        #expect(try ball(endsAtSlices: (false, false)).levelSet.touchesGridEdge)
    }

    /// The scan ends with the object's first slice, and goes on beyond its last.
    @Test func anObjectAtTheEndOfItsScanMayGoOn() throws {
        let scan = try GridGeometry(
            size: GridSize(60, 60, 30), spacing: SIMD3(1, 1, 1.8), origin: PatientPoint(-30, -30, -7.2), frameOfReferenceUID: "1.2.3")
        let placed = try ball(endsAtSlices: (true, true)).placed(in: scan)
        #expect(!placed.endsAtSlices.first && placed.endsAtSlices.last)
        #expect(placed.levelSet.touchesGridEdge)
    }
}
