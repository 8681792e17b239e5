import ImagingCore

/// The distance from points to a triangle mesh, by a tree of boxes; exact for the mesh.
struct TriangleTree: Sendable {
    private struct Node {
        var low, high: SIMD3<Double>
        /// A leaf's triangles, or the children at `first` and `first + 1` when `count` is 0.
        var first, count: Int
    }

    private var nodes: [Node] = []
    private var triangles: [(a: SIMD3<Double>, b: SIMD3<Double>, c: SIMD3<Double>)]

    init(_ mesh: TriangleMesh) {
        triangles = mesh.triangles.indices.map { index in
            let (a, b, c) = mesh.corners(index)
            return (a.lps, b.lps, c.lps)
        }
        nodes.reserveCapacity(triangles.count)
        nodes.append(Node(low: .zero, high: .zero, first: 0, count: triangles.count))
        var open = [0]
        while let index = open.popLast() {
            let range = nodes[index].first..<nodes[index].first + nodes[index].count
            var low = SIMD3(repeating: Double.infinity), high = -low
            for t in triangles[range] {
                low = smaller(low, smaller(t.a, smaller(t.b, t.c)))
                high = larger(high, larger(t.a, larger(t.b, t.c)))
            }
            (nodes[index].low, nodes[index].high) = (low, high)
            guard range.count > 6 else { continue }
            let extent = high - low, axis = extent.x >= extent.y ? (extent.x >= extent.z ? 0 : 2) : (extent.y >= extent.z ? 1 : 2)
            triangles[range].sort { $0.a[axis] + $0.b[axis] + $0.c[axis] < $1.a[axis] + $1.b[axis] + $1.c[axis] }
            let middle = range.lowerBound + range.count / 2
            let children = nodes.count
            nodes.append(Node(low: .zero, high: .zero, first: range.lowerBound, count: middle - range.lowerBound))
            nodes.append(Node(low: .zero, high: .zero, first: middle, count: range.upperBound - middle))
            (nodes[index].first, nodes[index].count) = (children, 0)
            open += [children, children + 1]
        }
    }

    /// The point of the mesh nearest to `point`, and its distance in millimetres.
    func nearest(to point: SIMD3<Double>) -> (point: SIMD3<Double>, distance: Double) {
        var best = (point: SIMD3<Double>.zero, squared: Double.infinity)
        nodes.withUnsafeBufferPointer { nodes in
            triangles.withUnsafeBufferPointer { triangles in
                search(0, point, nodes, triangles, &best)
            }
        }
        return (best.point, best.squared.squareRoot())
    }

    private func search(
        _ index: Int, _ point: SIMD3<Double>, _ nodes: UnsafeBufferPointer<Node>,
        _ triangles: UnsafeBufferPointer<(a: SIMD3<Double>, b: SIMD3<Double>, c: SIMD3<Double>)>,
        _ best: inout (point: SIMD3<Double>, squared: Double)
    ) {
        let node = nodes[index]
        if node.count > 0 {
            for t in node.first..<node.first + node.count {
                let nearest = Self.nearestPoint(of: triangles[t], to: point), d = point - nearest, squared = dot(d, d)
                if squared < best.squared { best = (nearest, squared) }
            }
            return
        }
        let left = Self.squaredDistance(nodes[node.first], point), right = Self.squaredDistance(nodes[node.first + 1], point)
        let (near, far, nearest, farthest) = left <= right
            ? (node.first, node.first + 1, left, right) : (node.first + 1, node.first, right, left)
        if nearest < best.squared { search(near, point, nodes, triangles, &best) }
        if farthest < best.squared { search(far, point, nodes, triangles, &best) }
    }

    private static func squaredDistance(_ node: Node, _ point: SIMD3<Double>) -> Double {
        let d = larger(larger(node.low - point, point - node.high), .zero)
        return dot(d, d)
    }

    /// Ericson, Real-Time Collision Detection (2005), §5.1.5: by the region in which the point's projection lies.
    private static func nearestPoint(of t: (a: SIMD3<Double>, b: SIMD3<Double>, c: SIMD3<Double>), to p: SIMD3<Double>) -> SIMD3<Double> {
        let ab = t.b - t.a, ac = t.c - t.a, ap = p - t.a
        let d1 = dot(ab, ap), d2 = dot(ac, ap)
        if d1 <= 0, d2 <= 0 { return t.a }
        let bp = p - t.b, d3 = dot(ab, bp), d4 = dot(ac, bp)
        if d3 >= 0, d4 <= d3 { return t.b }
        let vc = d1 * d4 - d3 * d2
        if vc <= 0, d1 >= 0, d3 <= 0 { return t.a + d1 / (d1 - d3) * ab }
        let cp = p - t.c, d5 = dot(ab, cp), d6 = dot(ac, cp)
        if d6 >= 0, d5 <= d6 { return t.c }
        let vb = d5 * d2 - d1 * d6
        if vb <= 0, d2 >= 0, d6 <= 0 { return t.a + d2 / (d2 - d6) * ac }
        let va = d3 * d6 - d5 * d4
        if va <= 0, d4 - d3 >= 0, d5 - d6 >= 0 { return t.b + (d4 - d3) / ((d4 - d3) + (d5 - d6)) * (t.c - t.b) }
        let scale = 1 / (va + vb + vc)
        return t.a + vb * scale * ab + vc * scale * ac
    }
}
