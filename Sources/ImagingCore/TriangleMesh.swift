/// A surface of triangles in patient space, LPS millimetres.
///
/// Seen from outside the object, the corners of a triangle run counter-clockwise, so normals point outwards.
public struct TriangleMesh: Sendable {
    public var vertices: [PatientPoint]
    /// Three offsets into `vertices` each.
    public var triangles: [SIMD3<Int32>]

    public init(vertices: [PatientPoint] = [], triangles: [SIMD3<Int32>] = []) {
        (self.vertices, self.triangles) = (vertices, triangles)
    }

    public var isEmpty: Bool { triangles.isEmpty }

    /// The three corners of a triangle, counter-clockwise seen from outside.
    public func corners(_ triangle: Int) -> (PatientPoint, PatientPoint, PatientPoint) {
        let t = triangles[triangle]
        return (vertices[Int(t.x)], vertices[Int(t.y)], vertices[Int(t.z)])
    }
    /// Square millimetres.
    public func area(ofTriangle triangle: Int) -> Double {
        let (a, b, c) = corners(triangle)
        return (b - a).cross(c - a).length / 2
    }
    /// Square millimetres.
    public var area: Double { triangles.indices.reduce(0) { $0 + area(ofTriangle: $1) } }
    /// The volume in cubic millimetres that a closed surface holds (divergence theorem).
    public var enclosedVolume: Double {
        guard let reference = vertices.first else { return 0 }
        return triangles.indices.reduce(0) { sum, triangle in
            let (a, b, c) = corners(triangle)
            return sum + (a - reference).dot((b - reference).cross(c - reference)) / 6
        }
    }
    /// Of each vertex, outwards where triangles run counter-clockwise seen from outside; zero where no triangle meets.
    public var vertexNormals: [PatientVector] {
        var sums = [PatientVector](repeating: PatientVector(0, 0, 0), count: vertices.count)
        for index in triangles.indices {
            let (a, b, c) = corners(index), normal = (b - a).cross(c - a), triangle = triangles[index]
            for vertex in [triangle.x, triangle.y, triangle.z] { sums[Int(vertex)] = sums[Int(vertex)] + normal }
        }
        return sums.map { $0.normalized ?? PatientVector(0, 0, 0) }
    }
    /// For each vertex a third of the area of the triangles that meet in it, in square millimetres.
    public var vertexAreas: [Double] {
        var areas = [Double](repeating: 0, count: vertices.count)
        for (index, triangle) in triangles.enumerated() {
            let third = area(ofTriangle: index) / 3
            for corner in 0..<3 { areas[Int(triangle[corner])] += third }
        }
        return areas
    }
}
