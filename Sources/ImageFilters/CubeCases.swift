/// The triangles of marching cubes for each of the 256 patterns of inside corners, derived here from one rule per face.
///
/// Corner c of a cell lies at (c & 1, c >> 1 & 1, c >> 2 & 1). On each face the surface's segments keep inside corners that touch
/// only by a diagonal apart. As the rule looks at that face alone, both cells that share a face draw the same segments, so the
/// surface has no gaps (Lorensen & Cline 1987 with the consistent faces of Dürst 1988).
enum CubeCases {
    /// An edge of a cell: the corner it starts at, and the axis along which it runs.
    struct Edge: Hashable {
        let corner: Int
        let axis: Int
    }

    /// The twelve edges; triangles name them by their offset here.
    static let edges: [Edge] = (0..<3).flatMap { axis in
        (0..<8).filter { $0 >> axis & 1 == 0 }.map { Edge(corner: $0, axis: axis) }
    }

    /// For each pattern (bit c set: corner c is inside) three edges per triangle, counter-clockwise seen from outside in a
    /// right-handed grid.
    static let triangles: [[UInt8]] = (0..<256).map(triangles(of:))

    private static func edge(between a: Int, _ b: Int) -> UInt8 {
        let axis = (a ^ b).trailingZeroBitCount
        return UInt8(edges.firstIndex(of: Edge(corner: min(a, b), axis: axis))!)
    }

    /// The corners of a face, counter-clockwise seen from outside the cell.
    private static func faceCorners(axis: Int, upper: Bool) -> [Int] {
        let u = 1 << ((axis + 1) % 3), v = 1 << ((axis + 2) % 3)
        return upper ? [0, u, u | v, v].map { $0 | 1 << axis } : [0, v, u | v, u]
    }

    private static func triangles(of pattern: Int) -> [UInt8] {
        var next: [UInt8: UInt8] = [:]
        for axis in 0..<3 {
            for upper in [false, true] {
                let corners = faceCorners(axis: axis, upper: upper)
                let inside = corners.map { pattern >> $0 & 1 == 1 }
                for start in 0..<4 where inside[start] && !inside[(start + 3) % 4] {
                    // A stretch of inside corners: it is entered by one edge and left by the next that crosses the surface.
                    var end = start
                    while inside[(end + 1) % 4] { end += 1 }
                    let entry = edge(between: corners[(start + 3) % 4], corners[start])
                    let exit = edge(between: corners[end % 4], corners[(end + 1) % 4])
                    next[entry] = exit
                }
            }
        }
        var result: [UInt8] = []
        while let first = next.keys.min() {
            var loop = [first]
            while let edge = next.removeValue(forKey: loop.last!), edge != first { loop.append(edge) }
            guard let triangles = triangulation(of: loop) else { preconditionFailure("loop without a triangulation") }
            result += triangles
        }
        return result
    }

    /// Cuts off corner by corner. A cut never joins two edges of one face: the cell behind that face might make the same cut, and
    /// four triangles would meet in it.
    private static func triangulation(of loop: [UInt8]) -> [UInt8]? {
        if loop.count == 3 { return loop }
        for corner in loop.indices {
            let before = loop[(corner + loop.count - 1) % loop.count], after = loop[(corner + 1) % loop.count]
            guard !shareFace(edges[Int(before)], edges[Int(after)]) else { continue }
            var rest = loop
            rest.remove(at: corner)
            if let triangles = triangulation(of: rest) { return [before, loop[corner], after] + triangles }
        }
        return nil
    }

    private static func shareFace(_ a: Edge, _ b: Edge) -> Bool {
        (0..<3).contains { axis in a.axis != axis && b.axis != axis && (a.corner ^ b.corner) >> axis & 1 == 0 }
    }
}
