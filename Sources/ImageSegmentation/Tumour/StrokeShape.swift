import Foundation
import ImagingCore

/// What a person's points do to a surface that was found, whatever the scan shows: an include point lies inside, an exclude point outside.
///
/// Where the surface has them so by itself nothing changes: points along a border leave it there. What lies behind an exclude point
/// within the surface, as seen from the seed, lies outside as well, so that no hole is left.
struct StrokeShape {
    let prompt: TumourPrompt
    private static let leastReachMM = 0.8, mostReachMM = 3.0
    /// How far inside or outside the voxel of a point lies at least.
    private static let heldMM: Float = 0.3

    /// - Parameter levels: positive inside, in mm near the surface.
    func applied(to levels: Volume<Float>) -> Volume<Float> {
        guard !prompt.include.isEmpty || !prompt.exclude.isEmpty else { return levels }
        let strokes = prompt.include.map { (place: $0, opposite: prompt.exclude, side: Float(1)) }
            + prompt.exclude.map { (place: $0, opposite: [prompt.seed] + prompt.include, side: Float(-1)) }
        // Points further off than the surface reaches have nothing to change.
        let near = strokes.map { (stroke: $0, voxel: levels.geometry.continuousIndex($0.place).nearest) }
            .filter { levels.size.contains($0.voxel) }
        var result = near.reduce(levels) { result, point in
            let (place, opposite, side) = point.stroke
            let reach = Float(reach(place, from: opposite, wrongByMM: -Double(side * levels[point.voxel])))
            let isBall = side > 0 || levels[point.voxel] <= 0 || opposite.contains { distance(of: $0, behind: place) < Double(reach) }
            let distances = isBall ? SeedField(grid: levels.geometry, seed: place).distances : distances(behind: place, on: levels.geometry)
            return result.combined(with: distances) { level, distance in side * max(side * level, reach - distance) }
        }
        // Between slices that lie far apart no voxel may be as near as that.
        for (stroke, voxel) in near { result[voxel] = stroke.side * max(stroke.side * result[voxel], Self.heldMM) }
        return result
    }

    /// As far as the point lies on the wrong side of the surface, but half way to the nearest point of the opposite meaning at most.
    private func reach(_ point: PatientPoint, from others: [PatientPoint], wrongByMM: Double) -> Double {
        let nearest = others.map { $0.distance(to: point) }.min() ?? .infinity
        return max(Self.leastReachMM, min(Self.mostReachMM, Self.leastReachMM + max(0, wrongByMM), 0.45 * nearest))
    }

    /// Millimetres from the half-line that leads away from the seed, from an exclude point on.
    private func distance(of point: PatientPoint, behind place: PatientPoint) -> Double {
        guard let away = (place - prompt.seed).normalized else { return point.distance(to: place) }
        return point.distance(to: place + max(0, away.dot(point - place)) * away)
    }

    private func distances(behind place: PatientPoint, on grid: GridGeometry) -> Volume<Float> {
        Volume<Float>(geometry: grid) { target in
            forEachSlab(of: grid.size.k, slab: 1) { slices in
                for offset in slices.lowerBound * grid.size.sliceVoxelCount..<slices.upperBound * grid.size.sliceVoxelCount {
                    target[offset] = Float(distance(of: grid.point(grid.size.index(atOffset: offset)), behind: place))
                }
            }
        }
    }
}
