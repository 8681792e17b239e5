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
        let tree = SurfaceDistance(surface)
        let size = grid.size
        let limit = Float(reachMM), skin = Float(3 * stepMM), smooth = Float(5 * stepMM)
        var field = Volume<Float>(geometry: grid) { target in
            coarse.field.withUnsafeVoxels { sign in
                near.withUnsafeVoxels { near in
                    deep.withUnsafeVoxels { deep in
                        forEachSlab(of: size.j * size.k, slab: 16) { rows in
                            for row in rows {
                                let first = row * size.i, isCoarseRow = Self.isCoarse(row % size.j, size.j) && Self.isCoarse(row / size.j, size.k)
                                let wanted = (first..<first + size.i).filter {
                                    near[$0] <= limit && deep[$0] <= skin && (near[$0] <= smooth || isCoarseRow && Self.isCoarse($0 - first, size.i))
                                }
                                let distances = tree.serialDistances(to: wanted.lazy.map { grid.point(size.index(atOffset: $0)) })
                                for offset in first..<first + size.i { target[offset] = sign[offset] >= 0 ? deep[offset] : -near[offset] }
                                for (offset, distance) in zip(wanted, distances) {
                                    target[offset] = sign[offset] >= 0 ? distance : -distance
                                }
                            }
                        }
                    }
                }
            }
        }
        fillBetweenCoarse(&field, where: -limit ... -smooth)
        return LevelSet(field: field)
    }

    /// Every other place along an axis, and its last one.
    private static func isCoarse(_ index: Int, _ count: Int) -> Bool { index % 2 == 0 || index == count - 1 }

    /// Far outside, the distance bends so little that every other voxel along each axis is enough: with voxels of 1 mm, 5 mm away, the
    /// rest is interpolated to better than 0.05 mm.
    private static func fillBetweenCoarse(_ field: inout Volume<Float>, where range: ClosedRange<Float>) {
        let size = field.size
        field.withUnsafeMutableVoxels { voxels in
            // Along i, then j, then k: each pass fills the places whose two neighbours are known by then.
            for (axis, stride) in [1, size.i, size.i * size.j].enumerated() {
                for k in 0..<size.k where axis == 2 || isCoarse(k, size.k) {
                    for j in 0..<size.j where axis >= 1 || isCoarse(j, size.j) {
                        for i in 0..<size.i {
                            let place = axis == 0 ? (i, size.i) : axis == 1 ? (j, size.j) : (k, size.k)
                            let offset = i + size.i * (j + size.j * k)
                            if !isCoarse(place.0, place.1), range.contains(voxels[offset]) {
                                voxels[offset] = (voxels[offset - stride] + voxels[offset + stride]) / 2
                            }
                        }
                    }
                }
            }
        }
    }

    /// Cells small against the tumour, between 0.4 and 1 mm.
    private static func integrationStepMM(for surface: TriangleMesh) -> Double {
        let equivalentDiameterMM = cbrt(6 * surface.enclosedVolume / .pi)
        return min(1, max(0.4, equivalentDiameterMM / 30))
    }

    /// A grid of cubes with the axes of `axes` that holds the surface and `marginMM` around it.
    private static func integrationGrid(around surface: TriangleMesh, axes: GridGeometry, stepMM: Double, marginMM: Double) -> GridGeometry {
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
