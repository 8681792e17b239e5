import ImageRegistration
import ImagingCore
import MarginAnalysis
import Testing

@testable import VerificationPipeline

@Suite struct CarriedObjectTests {
    private static func tumour() throws -> CaseObject {
        let grid = try GridGeometry(
            size: GridSize(50, 44, 24), spacing: SIMD3(0.8, 0.9, 2.5), origin: PatientPoint(-20, -19, -29), frameOfReferenceUID: "1.2")
        let field = Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices {
                let p = grid.point(grid.size.index(atOffset: offset)).lps / SIMD3(14, 11, 20)
                voxels[offset] = Float(12 * (1 - (p * p).sum().squareRoot()))
            }
        }
        return CaseObject(
            name: "T1", levelSet: LevelSet(field: field), sampling: SurfaceSampling(.levelSet, on: grid), edgeUncertaintyMM: 0,
            source: "given",
            isInPlanningFrame: true, findings: [])
    }

    /// Treated → planning: a turn and a shift, and on top a stretch that a tumour must not follow.
    private static let turn = AffineTransform(
        rotation: .rotation(about: PatientVector(0.3, 0.2, 1), radians: 0.25), about: PatientPoint(0, 0, 0),
        translation: PatientVector(31, -12, 55))
    private struct Stretched: SpatialTransform {
        func callAsFunction(_ point: PatientPoint) -> PatientPoint {
            let p = turn(point).lps
            return PatientPoint(p * SIMD3(1.08, 1, 0.95))
        }
    }

    @Test func aTumourKeepsVolumeAndSizeExactlyAndMovesAlong() throws {
        let tumour = try Self.tumour(), surface = tumour.surface
        let carried = try tumour.carriedRigidly(to: "3.4") { Self.turn.inverse!($0) }
        #expect(carried.levelSet.geometry.frameOfReferenceUID == "3.4" && !carried.isInPlanningFrame)
        #expect(abs(carried.surface.enclosedVolume / surface.enclosedVolume - 1) < 1e-6)
        #expect(abs(carried.surface.longestDiameterMM - surface.longestDiameterMM) < 0.1)
        let center = try #require(carried.surface.centroid)
        #expect(Self.turn(center).distance(to: try #require(surface.centroid)) < 1e-3)
        // How finely it was sampled turns with it: slices of 2.5 mm along the planning scan's z.
        #expect(abs(abs(carried.sampling.axes.k.dot(PatientVector(Self.turn.inverse!.matrix * SIMD3(0, 0, 1)))) - 1) < 1e-6)

        // Of a motion that stretches, only the rigid part is followed.
        let inverse = { (p: PatientPoint) in Self.turn.inverse!(PatientPoint(p.lps / SIMD3(1.08, 1, 0.95))) }
        let stretched = try tumour.carriedRigidly(to: nil, inverse)
        #expect(abs(stretched.surface.enclosedVolume / surface.enclosedVolume - 1) < 1e-6)
    }

    @Test func aStructureIsDeformedAsTheScanIs() throws {
        let duct = try Self.tumour()
        let treated = try GridGeometry(
            size: GridSize(8, 8, 8), spacing: SIMD3(4, 4, 4), origin: PatientPoint(-90, 10, -70), frameOfReferenceUID: "3.4")
        let stretch = SIMD3(1.08, 1, 0.95)
        let carried = try duct.carried(to: treated, through: Stretched()) { Self.turn.inverse!(PatientPoint($0.lps / stretch)) }
        #expect(abs(carried.surface.enclosedVolume / (duct.surface.enclosedVolume / (stretch.x * stretch.y * stretch.z)) - 1) < 0.01)
        let tip = try #require(duct.surface.vertices.max { $0.lps.z < $1.lps.z })
        let there = Self.turn.inverse!(PatientPoint(tip.lps / stretch))
        #expect(carried.surface.vertices.map { $0.distance(to: there) }.min()! < 1)
        #expect(carried.levelSet.geometry.axes == treated.axes && carried.levelSet.geometry.frameOfReferenceUID == "3.4")
    }
}
