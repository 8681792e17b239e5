import ImageFilters
import ImagingCore

/// A connected part of a tumour's surface whose margin is below what is required, and how the zone would have to grow there.
public struct MarginShortfall: Sendable, Hashable {
    /// Where the margin is smallest, and how small.
    public var worstPoint: PatientPoint
    public var worstMarginMM: Double
    /// Square millimetres of the tumour's surface.
    public var areaMM2: Double
    /// Outwards from the tumour, of length 1, weighted by what is missing; `nil` where the part goes around the tumour, so that no one side
    /// is meant.
    public var direction: PatientVector?
    /// By how much the zone would have to grow there to meet the requirement.
    public var missingMM: Double
    /// That the margin is below the requirement where it is smallest; `nil` without the margins' errors.
    public var probability: Double?
    /// The structure into which the zone would grow, and how far it is from the worst point; `nil` where none of those known lies that way.
    public var ahead: StructureAhead?

    public struct StructureAhead: Sendable, Hashable {
        public var name: String
        public var distanceMM: Double
    }
    /// A structure farther away, or by a wider angle off the direction of growth, is not ahead.
    private static let aheadWithinMM = 30.0, aheadCosine = 0.7

    /// The same with the nearest of `structures` that lies ahead.
    public func facing(_ structures: [(name: String, surface: SurfaceDistance)]) -> MarginShortfall {
        guard let direction else { return self }
        var shortfall = self
        shortfall.ahead = structures.compactMap { name, surface in
            let nearest = surface.closestPoint(to: worstPoint), way = nearest.point - worstPoint, distanceMM = way.length
            guard distanceMM <= Self.aheadWithinMM, way.dot(direction) >= Self.aheadCosine * distanceMM else { return nil }
            return StructureAhead(name: name, distanceMM: distanceMM)
        }.min { $0.distanceMM < $1.distanceMM }
        return shortfall
    }
}

extension MarginMap {
    /// Parts smaller than this, in square millimetres, are left out where there are larger ones.
    private static let smallestAreaMM2 = 1.0
    /// Outward normals whose mean is shorter than this point to no one side.
    private static let shortestMeanNormal = 0.3

    /// The connected parts of the surface with a margin below `requiredMM`, the one that lacks most first.
    public func shortfalls(below requiredMM: Double) -> [MarginShortfall] {
        let isShort = marginsMM.map { $0 < requiredMM }
        guard isShort.contains(true) else { return [] }
        var parents = Array(0..<marginsMM.count)
        func root(_ vertex: Int) -> Int {
            var vertex = vertex
            while parents[vertex] != vertex {
                parents[vertex] = parents[parents[vertex]]
                vertex = parents[vertex]
            }
            return vertex
        }
        for triangle in surface.triangles {
            let short = (0..<3).map { Int(triangle[$0]) }.filter { isShort[$0] }
            for other in short.dropFirst() { parents[root(other)] = root(short[0]) }
        }
        struct Part {
            var area = 0.0, weight = 0.0, normals = SIMD3<Double>.zero, worst = 0
        }
        var parts: [Int: Part] = [:]
        for vertex in isShort.indices where isShort[vertex] {
            let key = root(vertex), worst = parts[key]?.worst ?? vertex
            parts[key] = Part(worst: marginsMM[vertex] < marginsMM[worst] ? vertex : worst)
        }
        for index in surface.triangles.indices {
            let triangle = surface.triangles[index], vertices = (0..<3).map { Int(triangle[$0]) }
            guard let short = vertices.first(where: { isShort[$0] }) else { continue }
            let (a, b, c) = surface.corners(index), normal = (b - a).cross(c - a).lps / 2
            let area = surface.area(ofTriangle: index)
                * Self.share(below: requiredMM, marginsMM[vertices[0]], marginsMM[vertices[1]], marginsMM[vertices[2]])
            let missing = vertices.reduce(0) { $0 + max(0, requiredMM - marginsMM[$1]) } / 3
            parts[root(short)]!.area += area
            parts[root(short)]!.normals += missing * normal
            parts[root(short)]!.weight += missing * (normal * normal).sum().squareRoot()
        }
        let probabilities = probabilities(ofAtLeast: requiredMM)
        let found = parts.values.map { part in
            let mean = PatientVector(part.normals / max(part.weight, 1e-12))
            return MarginShortfall(
                worstPoint: surface.vertices[part.worst], worstMarginMM: marginsMM[part.worst], areaMM2: part.area,
                direction: mean.length > Self.shortestMeanNormal ? mean.normalized : nil, missingMM: requiredMM - marginsMM[part.worst],
                probability: probabilities.isEmpty ? nil : 1 - probabilities[part.worst])
        }.sorted { ($0.worstMarginMM, $0.worstPoint.lps.x) < ($1.worstMarginMM, $1.worstPoint.lps.x) }
        let large = found.filter { $0.areaMM2 >= Self.smallestAreaMM2 }
        return large.isEmpty ? Array(found.prefix(1)) : large
    }
}
