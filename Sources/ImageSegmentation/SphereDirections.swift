import Foundation

/// Directions spread evenly over the sphere, each with its neighbours: the vertices of an icosahedron whose faces are divided.
struct SphereDirections: Sendable {
    let directions: [SIMD3<Float>]
    /// The steradians that each direction stands for; they sum to 4π.
    let solidAngles: [Float]
    /// For each direction the first of its entries in `neighbours`, and one past the last.
    let neighbourStarts: [Int]
    let neighbours: [Int]
    /// For each entry of `neighbours` the entry that leads back.
    let reverse: [Int]

    var count: Int { directions.count }
    /// The mean angle in radians between neighbours.
    let spacing: Float

    /// 362 directions about 12° apart; 642 about 9° apart.
    static let coarse = SphereDirections(division: 6)
    static let fine = SphereDirections(division: 8)

    /// - Parameter division: into how many parts each edge is cut; 10·division² + 2 directions.
    init(division: Int) {
        let golden = (1 + 5.0.squareRoot()) / 2
        let corners: [SIMD3<Double>] = [-1.0, 1.0].flatMap { a in
            [-golden, golden].flatMap { b in [SIMD3(0, a, b), SIMD3(a, b, 0), SIMD3(b, 0, a)] }
        }
        func length(_ v: SIMD3<Double>) -> Double { (v * v).sum().squareRoot() }
        func areNeighbours(_ a: Int, _ b: Int) -> Bool { abs(length(corners[a] - corners[b]) - 2) < 1e-6 }
        var found: [SIMD3<Int32>: Int] = [:], points: [SIMD3<Double>] = [], edges: [Set<Int>] = [], areas: [Double] = []
        func vertex(_ p: SIMD3<Double>) -> Int {
            let unit = p / length(p), key = SIMD3<Int32>((unit * 1e6).rounded(.toNearestOrAwayFromZero))
            if let known = found[key] { return known }
            found[key] = points.count
            points.append(unit)
            edges.append([])
            areas.append(0)
            return points.count - 1
        }
        func add(_ a: Int, _ b: Int, _ c: Int) {
            let (p, q, r) = (points[a], points[b], points[c])
            let u = q - p, v = r - p
            let cross = SIMD3(u.y * v.z - u.z * v.y, u.z * v.x - u.x * v.z, u.x * v.y - u.y * v.x)
            for (from, to) in [(a, b), (b, c), (c, a)] {
                edges[from].insert(to)
                edges[to].insert(from)
            }
            for corner in [a, b, c] { areas[corner] += length(cross) / 6 }
        }
        for a in 0..<12 {
            for b in a + 1..<12 where areNeighbours(a, b) {
                for c in b + 1..<12 where areNeighbours(a, c) && areNeighbours(b, c) {
                    func at(_ i: Int, _ j: Int) -> Int {
                        let (x, y) = (Double(i) / Double(division), Double(j) / Double(division))
                        return vertex(corners[a] + x * (corners[b] - corners[a]) + y * (corners[c] - corners[a]))
                    }
                    for i in 0..<division {
                        for j in 0..<division - i {
                            add(at(i, j), at(i + 1, j), at(i, j + 1))
                            if i + j + 2 <= division { add(at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)) }
                        }
                    }
                }
            }
        }
        let sorted = edges.map { $0.sorted() }
        directions = points.map { SIMD3<Float>($0) }
        let total = areas.reduce(0, +)
        solidAngles = areas.map { Float($0 * 4 * .pi / total) }
        neighbours = sorted.flatMap { $0 }
        var starts = [0]
        for list in sorted { starts.append(starts.last! + list.count) }
        neighbourStarts = starts
        reverse = sorted.indices.flatMap { from in sorted[from].map { to in starts[to] + sorted[to].firstIndex(of: from)! } }
        var sum = 0.0
        for (from, list) in sorted.enumerated() { for to in list { sum += acos(min(1, (points[from] * points[to]).sum())) } }
        spacing = Float(sum / Double(neighbours.count))
    }
}

extension SphereDirections {
    /// The direction nearest to `d`, by its index.
    func nearest(to d: SIMD3<Float>) -> Int {
        directions.indices.max { (directions[$0] * d).sum() < (directions[$1] * d).sum() }!
    }

    /// Each value averaged with its neighbours'.
    func averaged(_ values: [Float]) -> [Float] {
        (0..<count).map { n in
            let around = neighbourStarts[n]..<neighbourStarts[n + 1]
            return (values[n] + around.reduce(0) { $0 + values[neighbours[$1]] }) / Float(around.count + 1)
        }
    }

    /// The outward normals of the surface at the given radii.
    func normals(ofSurface radii: [Float]) -> [SIMD3<Float>] {
        (0..<count).map { n in
            var slope = SIMD3<Float>.zero
            let around = neighbourStarts[n]..<neighbourStarts[n + 1]
            for edge in around {
                let m = neighbours[edge]
                var tangent = directions[m] - (directions[m] * directions[n]).sum() * directions[n]
                let length = (tangent * tangent).sum().squareRoot()
                tangent /= length
                slope += (radii[m] - radii[n]) / length * tangent
            }
            slope *= 2 / Float(around.count)
            let normal = directions[n] - slope / max(radii[n], 0.5)
            return normal / (normal * normal).sum().squareRoot()
        }
    }

    /// Two unit vectors across a direction, at right angles to each other.
    static func tangents(_ d: SIMD3<Float>) -> (SIMD3<Float>, SIMD3<Float>) {
        let other: SIMD3<Float> = abs(d.z) < 0.8 ? SIMD3(0, 0, 1) : SIMD3(1, 0, 0)
        func cross(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> SIMD3<Float> {
            SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
        }
        var u = cross(d, other)
        u /= (u * u).sum().squareRoot()
        return (u, cross(d, u))
    }
}
