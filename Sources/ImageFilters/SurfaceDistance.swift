import ImagingCore

/// Exact distances from points to a triangle surface.
///
/// A tree of bounding boxes over the triangles, in the order of a space-filling curve; it is built once, in O(n log n), and then
/// asked from any number of threads. Coordinates are kept in `Float` about the surface's centre: distances are right to about
/// 10⁻⁵ mm for surfaces of up to some decimetres.
public struct SurfaceDistance: Sendable {
    /// The point of a surface that is nearest to a given point.
    public struct Nearest: Sendable, Hashable {
        public var point: PatientPoint
        /// Millimetres, not negative.
        public var distanceMM: Double
        /// The triangle of the mesh that holds the point.
        public var triangle: Int
    }

    private static let leafTriangleCount = 4

    private let origin: PatientPoint
    private let nodes: [BoundingNode]
    private let triangles: [IndexedTriangle]

    /// - Precondition: the mesh has a triangle.
    public init(_ mesh: TriangleMesh) {
        precondition(!mesh.isEmpty, "no triangle to measure to")
        let box = Self.bounds(of: mesh)
        origin = PatientPoint((box.low + box.high) / 2)
        let sorted = Self.sorted(mesh, box, origin)
        var nodes: [BoundingNode] = []
        nodes.reserveCapacity(sorted.count)
        Self.build(0..<sorted.count, of: sorted, into: &nodes)
        (self.triangles, self.nodes) = (sorted, nodes)
    }

    /// The nearest point of the surface.
    public func closestPoint(to point: PatientPoint) -> Nearest { nearest(to: point, within: .infinity)! }

    /// The nearest point of the surface if it is less than `limitMM` away, which saves time; else `nil`.
    public func nearest(to point: PatientPoint, within limitMM: Double) -> Nearest? {
        let query = SIMD3<Float>(point.lps - origin.lps)
        return withSearch { search in
            guard let hit = search.nearest(to: query, withinSquared: Float(limitMM * limitMM)) else { return nil }
            let offset = query - hit.point
            return Nearest(
                point: origin + PatientVector(SIMD3<Double>(hit.point)),
                distanceMM: Double(squaredLength(offset).squareRoot()), triangle: Int(triangles[hit.triangle].index))
        }
    }

    /// The distances in millimetres to points one after the other, on one thread: fast where each is close to the one before it,
    /// as along the row of a grid.
    public func serialDistances(to points: some Sequence<PatientPoint>) -> [Float] {
        withSearch { search in
            var triangle = 0
            return points.map { point in
                let query = SIMD3<Float>(point.lps - origin.lps)
                // The triangle nearest to the previous point bounds the search.
                let offset = query - triangles[triangle].closestPoint(to: query)
                let bound = squaredLength(offset)
                guard let hit = search.nearest(to: query, withinSquared: bound) else { return bound.squareRoot() }
                triangle = hit.triangle
                return squaredLength(query - hit.point).squareRoot()
            }
        }
    }

    private func withSearch<R>(_ body: (NearestSearch) -> R) -> R {
        nodes.withUnsafeBufferPointer { nodes in
            triangles.withUnsafeBufferPointer { triangles in
                body(NearestSearch(nodes: nodes.baseAddress!, triangles: triangles.baseAddress!))
            }
        }
    }

    // MARK: Building

    private static func bounds(of mesh: TriangleMesh) -> (low: SIMD3<Double>, high: SIMD3<Double>) {
        mesh.vertices.reduce((SIMD3(repeating: .infinity), SIMD3(repeating: -.infinity))) {
            (pointwiseMin($0.0, $1.lps), pointwiseMax($0.1, $1.lps))
        }
    }

    private static func sorted(
        _ mesh: TriangleMesh, _ box: (low: SIMD3<Double>, high: SIMD3<Double>), _ origin: PatientPoint
    ) -> [IndexedTriangle] {
        let scale = 1023.0 / max((box.high - box.low).max(), 1e-9)
        let vertices = mesh.vertices.map { SIMD3<Float>($0.lps - origin.lps) }
        let keys = mesh.triangles.indices.map { index -> UInt64 in
            let (a, b, c) = mesh.corners(index)
            let cell = SIMD3<UInt32>(((a.lps + b.lps + c.lps) / 3 - box.low) * scale)
            return UInt64(mortonCode(cell)) << 32 | UInt64(index)
        }.sorted()
        return keys.map { key in
            let index = Int(key & 0xffff_ffff), corners = mesh.triangles[index]
            return IndexedTriangle(vertices[Int(corners.x)], vertices[Int(corners.y)], vertices[Int(corners.z)], index: Int32(index))
        }
    }

    /// The bits of three 10-bit numbers, interleaved.
    private static func mortonCode(_ cell: SIMD3<UInt32>) -> UInt32 {
        func spread(_ value: UInt32) -> UInt32 {
            var v = value & 0x3ff
            v = (v | v << 16) & 0x0300_00ff
            v = (v | v << 8) & 0x0300_f00f
            v = (v | v << 4) & 0x030c_30c3
            v = (v | v << 2) & 0x0924_9249
            return v
        }
        return spread(cell.x) | spread(cell.y) << 1 | spread(cell.z) << 2
    }

    private static func build(_ range: Range<Int>, of triangles: [IndexedTriangle], into nodes: inout [BoundingNode]) {
        let index = nodes.count
        nodes.append(BoundingNode())
        if range.count <= leafTriangleCount {
            var low = SIMD3<Float>(repeating: .infinity), high = SIMD3<Float>(repeating: -.infinity)
            for triangle in triangles[range] {
                low = pointwiseMin(low, pointwiseMin(triangle.a, pointwiseMin(triangle.b, triangle.c)))
                high = pointwiseMax(high, pointwiseMax(triangle.a, pointwiseMax(triangle.b, triangle.c)))
            }
            nodes[index] = BoundingNode(low: low, high: high, next: Int32(range.lowerBound), count: Int32(range.count))
            return
        }
        let middle = range.lowerBound + range.count / 2
        build(range.lowerBound..<middle, of: triangles, into: &nodes)
        let second = nodes.count
        build(middle..<range.upperBound, of: triangles, into: &nodes)
        let (a, b) = (nodes[index + 1], nodes[second])
        nodes[index] = BoundingNode(low: pointwiseMin(a.low, b.low), high: pointwiseMax(a.high, b.high), next: Int32(second), count: 0)
    }
}

/// A box around some triangles: a leaf, or the parent of the node that follows it and of the node at `next`.
private struct BoundingNode: Sendable {
    var low = SIMD3<Float>.zero, high = SIMD3<Float>.zero
    /// A leaf's first triangle, or the second child.
    var next: Int32 = 0
    /// A leaf's number of triangles; 0 for a parent.
    var count: Int32 = 0

    @inline(__always) func squaredDistance(to point: SIMD3<Float>) -> Float {
        // Written out: the vector forms of minimum and maximum are several times slower.
        @inline(__always) func outside(_ below: Float, _ above: Float) -> Float {
            let farther = below > above ? below : above
            return farther > 0 ? farther : 0
        }
        let x = outside(low.x - point.x, point.x - high.x)
        let y = outside(low.y - point.y, point.y - high.y)
        let z = outside(low.z - point.z, point.z - high.z)
        return x * x + y * y + z * z
    }
}

private struct IndexedTriangle: Sendable {
    let a, b, c: SIMD3<Float>
    let index: Int32

    init(_ a: SIMD3<Float>, _ b: SIMD3<Float>, _ c: SIMD3<Float>, index: Int32) { (self.a, self.b, self.c, self.index) = (a, b, c, index) }

    /// The nearest point of the triangle, by the region of its plane over which `p` lies (Ericson, Real-Time Collision Detection, §5.1.5).
    @inline(__always) func closestPoint(to p: SIMD3<Float>) -> SIMD3<Float> {
        let (ab, ac, ap) = (b - a, c - a, p - a)
        let d1 = product(ab, ap), d2 = product(ac, ap)
        if d1 <= 0 && d2 <= 0 { return a }
        let bp = p - b
        let d3 = product(ab, bp), d4 = product(ac, bp)
        if d3 >= 0 && d4 <= d3 { return b }
        let vc = d1 * d4 - d3 * d2
        if vc <= 0 && d1 >= 0 && d3 <= 0 { return d1 - d3 > 0 ? a + (d1 / (d1 - d3)) * ab : a }
        let cp = p - c
        let d5 = product(ab, cp), d6 = product(ac, cp)
        if d6 >= 0 && d5 <= d6 { return c }
        let vb = d5 * d2 - d1 * d6
        if vb <= 0 && d2 >= 0 && d6 <= 0 { return d2 - d6 > 0 ? a + (d2 / (d2 - d6)) * ac : a }
        let va = d3 * d6 - d5 * d4
        if va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0 {
            let length = (d4 - d3) + (d5 - d6)
            return length > 0 ? b + ((d4 - d3) / length) * (c - b) : b
        }
        let sum = va + vb + vc
        return sum > 0 ? a + (vb / sum) * ab + (vc / sum) * ac : a
    }
}

@inline(__always) private func product(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> Float { a.x * b.x + a.y * b.y + a.z * b.z }
@inline(__always) private func squaredLength(_ a: SIMD3<Float>) -> Float { product(a, a) }

private struct NearestSearch {
    let nodes: UnsafePointer<BoundingNode>
    let triangles: UnsafePointer<IndexedTriangle>

    /// The nearest point at a squared distance below `limit`, and its triangle's place.
    @inline(__always) func nearest(to point: SIMD3<Float>, withinSquared limit: Float) -> (point: SIMD3<Float>, triangle: Int)? {
        var best = limit
        var hit: (point: SIMD3<Float>, triangle: Int)?
        // A tree over 2³¹ triangles in halves is 31 levels deep.
        withUnsafeTemporaryAllocation(of: (node: Int32, distance: Float).self, capacity: 64) { stack in
            var depth = 0
            stack[0] = (0, nodes[0].squaredDistance(to: point))
            depth = 1
            while depth > 0 {
                depth &-= 1
                var (index, distance) = stack[depth]
                while distance <= best {
                    let node = nodes[Int(index)]
                    if node.count > 0 {
                        for place in Int(node.next)..<Int(node.next &+ node.count) {
                            let candidate = triangles[place].closestPoint(to: point)
                            let offset = point - candidate
                            let squared = squaredLength(offset)
                            if squared < best { (best, hit) = (squared, (candidate, place)) }
                        }
                        break
                    }
                    let first = index &+ 1, second = node.next
                    let a = nodes[Int(first)].squaredDistance(to: point), b = nodes[Int(second)].squaredDistance(to: point)
                    if a <= b {
                        stack[depth] = (second, b)
                        (index, distance) = (first, a)
                    } else {
                        stack[depth] = (first, a)
                        (index, distance) = (second, b)
                    }
                    depth &+= 1
                }
            }
        }
        return hit
    }
}
