import ImageFilters
import ImagingCore

/// The smallest margin on a tumour's surface and where it is.
struct WorstMargin {
    var marginMM: Double
    var point: PatientPoint
    var nearestZonePoint: PatientPoint
    /// Of the zone's surface there, outwards.
    var normal: PatientVector
}

/// Measures signed distances to a zone's surface.
struct SignedMarginMeasure {
    /// Triangles whose corners come this close to the smallest margin are looked at between their corners, in edge lengths.
    private static let refinementReach = 0.5
    private static let refinedTriangleLimit = 1000

    private let zone: LevelSet
    private let mesh: TriangleMesh
    private let tree: SurfaceDistance

    init(of zone: LevelSet, mesh: TriangleMesh) {
        (self.zone, self.mesh) = (zone, mesh)
        tree = SurfaceDistance(mesh)
    }

    /// Millimetres, positive inside the zone.
    func marginsMM(at points: [PatientPoint]) -> [Double] {
        FieldSampler.with(zone) { field in
            mapSlabs(of: points.count, slab: 512) { range in
                let distances = tree.serialDistances(to: range.lazy.map { points[$0] })
                return zip(range, distances).map { field.isInside(points[$0]) ? Double($1) : -Double($1) }
            }.flatMap { $0 }
        }
    }

    /// The smallest margin over the whole surface: vertices first, then the inside of the triangles near the smallest.
    /// - Parameter turned: whether the map's margins have their sign turned, as distances to a structure outside the zone.
    func minimum(over map: MarginMap, turned: Bool = false) -> WorstMargin {
        let surface = map.surface
        let first = map.marginsMM.indices.min { map.marginsMM[$0] < map.marginsMM[$1] }!
        var best = (marginMM: map.marginsMM[first], point: surface.vertices[first])
        let candidates = surface.triangles.indices.compactMap { index -> (low: Double, index: Int)? in
            let t = surface.triangles[index]
            let low = min(map.marginsMM[Int(t.x)], map.marginsMM[Int(t.y)], map.marginsMM[Int(t.z)])
            let (a, b, c) = surface.corners(index)
            let edge = max(a.distance(to: b), b.distance(to: c), c.distance(to: a))
            return low < best.marginMM + Self.refinementReach * edge ? (low, index) : nil
        }.sorted { ($0.low, $0.index) < ($1.low, $1.index) }.prefix(Self.refinedTriangleLimit)
        let points = candidates.flatMap { Self.innerPoints(of: surface.corners($0.index)) }
        for (point, marginMM) in zip(points, marginsMM(at: points)) {
            let value = turned ? -marginMM : marginMM
            if value < best.marginMM { best = (value, point) }
        }
        let nearest = tree.closestPoint(to: best.point)
        return WorstMargin(
            marginMM: best.marginMM, point: best.point, nearestZonePoint: nearest.point, normal: normal(ofTriangle: nearest.triangle))
    }

    /// The direction, of length 1, into which the margin grows at `point`, and the place of the zone's surface that is nearest.
    func inwards(at point: PatientPoint, marginMM: Double) -> (direction: PatientVector, place: PatientPoint) {
        let nearest = tree.closestPoint(to: point)
        // On the surface itself the way there has no direction.
        let way = abs(marginMM) > 0.2 ? ((1 / marginMM) * (point - nearest.point)).normalized : nil
        return (way ?? -1 * normal(ofTriangle: nearest.triangle), nearest.point)
    }

    private func normal(ofTriangle triangle: Int) -> PatientVector {
        let (a, b, c) = mesh.corners(triangle)
        return (b - a).cross(c - a).normalized ?? PatientVector(0, 0, 1)
    }

    /// Points of a triangle at quarters of its sides, without the corners.
    private static func innerPoints(of corners: (PatientPoint, PatientPoint, PatientPoint)) -> [PatientPoint] {
        let (a, b, c) = corners
        return (0...4).flatMap { u in
            (0...4 - u).compactMap { v in
                let w = 4 - u - v
                guard max(u, v, w) < 4 else { return nil }
                return PatientPoint((Double(u) * a.lps + Double(v) * b.lps + Double(w) * c.lps) / 4)
            }
        }
    }
}
