import Foundation
import ImageFilters
import ImageRegistration
import ImagingCore
import MarginAnalysis

/// How well an object of the planning scan is known to lie in the treated one.
struct FrameAlignment: Sendable, Hashable {
    /// The mean error to expect at a tumour's surface, in millimetres.
    var expectedErrorMM: Double
    /// Why it may be larger than that, in sentences.
    var doubts: [String]
}

extension CaseObject {
    /// A carried structure has at most so many voxels.
    private static let mostVoxels = 4e6
    /// How far a carried structure's grid goes beyond it.
    private static let rimMM = 6.0

    /// The object in the treated scan's frame, moved and turned but not deformed.
    ///
    /// The motion is the rigid one nearest to what the registration does to its surface. Its voxels stay as they are, on a turned grid,
    /// so that volume and surface do not change at all.
    /// - Parameter forth: where a point of the planning frame lies in the treated one.
    func carriedRigidly(to frameOfReferenceUID: String?, _ forth: (PatientPoint) -> PatientPoint) throws -> CaseObject {
        let points = surface.vertices
        let motion = AffineTransform(rigidlyFrom: points.map(\.lps), to: points.map { forth($0).lps })
        let grid = levelSet.geometry
        func turned(_ axes: PatientAxes) throws -> PatientAxes {
            try PatientAxes(
                i: PatientVector(motion.matrix * axes.i.lps), j: PatientVector(motion.matrix * axes.j.lps),
                k: PatientVector(motion.matrix * axes.k.lps))
        }
        let target = try GridGeometry(
            size: grid.size, spacing: grid.spacing, origin: motion(grid.origin), axes: turned(grid.axes),
            frameOfReferenceUID: frameOfReferenceUID)
        var copy = placed(LevelSet(field: Volume(geometry: target) { voxels in
            levelSet.field.withUnsafeVoxels { source in for offset in voxels.indices { voxels[offset] = source[offset] } }
        }))
        copy.sampling.axes = try turned(sampling.axes)
        return copy
    }

    /// The object in the treated scan's frame, deformed as the scans are, on a grid along the treated scan's axes.
    ///
    /// - Parameters:
    ///   - back: treated → planning frame.
    ///   - forth: its inverse.
    func carried(
        to treated: GridGeometry, through back: some SpatialTransform, _ forth: (PatientPoint) -> PatientPoint
    ) throws -> CaseObject {
        let points = surface.vertices.map(forth)
        let components = points.map { treated.axes.components(of: $0 - treated.origin) }
        guard let first = components.first else { throw MarginError.tumourEmpty }
        let low = components.reduce(first, pointwiseMin) - Self.rimMM, extent = components.reduce(first, pointwiseMax) + Self.rimMM - low
        var spacingMM = levelSet.geometry.spacing.min()
        spacingMM = max(spacingMM, cbrt(extent.x * extent.y * extent.z / Self.mostVoxels))
        let count = (extent / spacingMM).rounded(.up) + 1
        let target = try GridGeometry(
            size: GridSize(Int(count.x), Int(count.y), Int(count.z)), spacing: SIMD3(repeating: spacingMM),
            origin: treated.origin + treated.axes.vector(low), axes: treated.axes, frameOfReferenceUID: treated.frameOfReferenceUID)
        return placed(levelSet.resampled(onto: target, through: back))
    }

    private func placed(_ levelSet: LevelSet) -> CaseObject {
        var copy = self
        (copy.levelSet, copy.isInPlanningFrame) = (levelSet, false)
        return copy
    }
}
