import Foundation
import ImageFilters
import ImagingCore

/// A tumour made ready for measuring: its surface, and the distance to it around it. Made once, used for every zone.
public struct TumourGeometry: Sendable {
    /// Shells up to this thickness are measured.
    static let largestShellMM = 10.0

    public let levelSet: LevelSet
    /// The tumour's surface, LPS millimetres.
    public let surface: TriangleMesh
    /// What the surface holds.
    public let volumeML: Double
    /// Signed distance to the surface, positive inside, out to `largestShellMM` and somewhat beyond; farther out only the sign is meant.
    let distance: LevelSet

    /// - Throws: `MarginError.tumourEmpty` when nothing is inside.
    public init(_ levelSet: LevelSet) throws(MarginError) {
        let surface = levelSet.surface()
        guard !surface.isEmpty, surface.enclosedVolume > 0 else { throw .tumourEmpty }
        self.levelSet = levelSet
        self.surface = surface
        volumeML = surface.enclosedVolume / 1000
        distance = Self.distance(around: surface, levelSet)
    }

    private static func distance(around surface: TriangleMesh, _ levelSet: LevelSet) -> LevelSet {
        let stepMM = integrationStepMM(for: surface)
        let reachMM = largestShellMM + 2 * stepMM
        let grid = integrationGrid(around: surface, axes: levelSet.geometry, stepMM: stepMM, marginMM: reachMM)
        let coarse = levelSet.resampled(onto: grid)
        let near = Mask(coarse.field) { $0 >= 0 }.distanceToInside()
        let deep = Mask(coarse.field) { $0 < 0 }.distanceToInside()
        let rough = Volume<Float>(geometry: grid) { target in
            near.withUnsafeVoxels { near in
                deep.withUnsafeVoxels { deep in
                    for offset in target.indices { target[offset] = near[offset] > 0 ? -near[offset] : deep[offset] }
                }
            }
        }
        return LevelSet(field: SurfaceDistance(surface).signedDistances(
            near: rough, in: -Float(reachMM)...Float(3 * stepMM), exactMM: Float(5 * stepMM)))
    }

    /// Cells small against the tumour, between 0.4 and 1 mm.
    private static func integrationStepMM(for surface: TriangleMesh) -> Double {
        let equivalentDiameterMM = cbrt(6 * surface.enclosedVolume / .pi)
        return min(1, max(0.4, equivalentDiameterMM / 30))
    }

    /// A grid of cubes with the axes of `axes` that holds the surface and `marginMM` around it.
    private static func integrationGrid(
        around surface: TriangleMesh, axes: GridGeometry, stepMM: Double, marginMM: Double
    ) -> GridGeometry {
        var low = SIMD3<Double>(repeating: .infinity), high = SIMD3<Double>(repeating: -.infinity)
        for vertex in surface.vertices {
            let position = axes.axes.components(of: vertex - axes.origin)
            low = pointwiseMin(low, position)
            high = pointwiseMax(high, position)
        }
        low -= marginMM
        let counts = ((high + marginMM - low) / stepMM).rounded(.up) + 1
        do {
            return try GridGeometry(
                size: GridSize(Int(counts.x), Int(counts.y), Int(counts.z)), spacing: SIMD3(repeating: stepMM),
                origin: axes.origin + axes.axes.vector(low), axes: axes.axes, frameOfReferenceUID: axes.frameOfReferenceUID)
        } catch {
            preconditionFailure("a grid around a surface within a valid grid: \(error)")
        }
    }
}
