import ImagingCore

/// Triangle meshes whose corners lie on the zero of a function of space.
enum ImplicitSurfaceMesh {
    /// The zero of `function` in `box`: marching tetrahedra (Kuhn's six per cube) on a lattice of `stepMM`.
    ///
    /// Corners lie on the zero to 1e-7 mm along lattice edges, so the mesh leaves the surface only between them, by about
    /// step² / (3 · radius of curvature). The surface must not reach the box's sides. Normals point outwards.
    static func mesh(of function: @Sendable (SIMD3<Double>) -> Double, in box: Box, stepMM: Double) -> TriangleMesh {
        let extent = ((box.high - box.low) / stepMM).rounded(.up)
        let (nx, ny, nz) = (Int(extent.x) + 1, Int(extent.y) + 1, Int(extent.z) + 1)
        func point(_ id: Int) -> SIMD3<Double> {
            box.low + stepMM * SIMD3(Double(id % nx), Double(id / nx % ny), Double(id / (nx * ny)))
        }
        let values = mapSlabs(of: nz, slab: 1) { range in
            (range.lowerBound * nx * ny..<range.upperBound * nx * ny).map { function(point($0)) }
        }.flatMap { $0 }

        var mesh = TriangleMesh()
        var corners: [UInt64: Int32] = [:]
        func corner(_ a: Int, _ b: Int) -> Int32 {
            let key = UInt64(min(a, b)) << 32 | UInt64(max(a, b))
            if let known = corners[key] { return known }
            let (p, q) = (point(a), point(b))
            let t = root({ function(p + $0 * (q - p)) }, 0, 1, values[a], values[b], tolerance: 1e-7)
            mesh.vertices.append(PatientPoint(p + t * (q - p)))
            corners[key] = Int32(mesh.vertices.count - 1)
            return Int32(mesh.vertices.count - 1)
        }
        func add(_ a: Int32, _ b: Int32, _ c: Int32, inside: Int) {
            guard a != b, b != c, a != c else { return }
            let (p, q, r) = (mesh.vertices[Int(a)].lps, mesh.vertices[Int(b)].lps, mesh.vertices[Int(c)].lps)
            let outwards = dot(cross(q - p, r - p), point(inside) - p) <= 0
            mesh.triangles.append(outwards ? SIMD3(a, b, c) : SIMD3(a, c, b))
        }
        // The corners of a cube by bits x, y, z; each tetrahedron walks from 0 to 7 along a permutation of the axes.
        let paths = [(1, 3), (1, 5), (2, 3), (2, 6), (4, 5), (4, 6)]
        let steps = (0..<8).map { ($0 & 1) + ($0 >> 1 & 1) * nx + ($0 >> 2) * nx * ny }
        for z in 0..<nz - 1 {
            for y in 0..<ny - 1 {
                for x in 0..<nx - 1 {
                    let base = x + nx * (y + ny * z)
                    let count = steps.reduce(0) { values[base + $1] >= 0 ? $0 + 1 : $0 }
                    guard count > 0, count < 8 else { continue }
                    for (first, second) in paths {
                        let ids = [base, base + steps[first], base + steps[second], base + steps[7]]
                        let inside = ids.filter { values[$0] >= 0 }, outside = ids.filter { values[$0] < 0 }
                        switch inside.count {
                        case 1: add(
                            corner(inside[0], outside[0]), corner(inside[0], outside[1]), corner(inside[0], outside[2]), inside: inside[0])
                        case 3:
                            // Seen from the lone outside corner, the inside lies beyond.
                            add(
                                corner(inside[0], outside[0]), corner(inside[1], outside[0]), corner(inside[2], outside[0]),
                                inside: inside[0])
                        case 2:
                            let (a, b) = (corner(inside[0], outside[0]), corner(inside[0], outside[1]))
                            let (c, d) = (corner(inside[1], outside[0]), corner(inside[1], outside[1]))
                            add(a, b, c, inside: inside[0])
                            add(b, d, c, inside: inside[1])
                        default: break
                        }
                    }
                }
            }
        }
        return mesh
    }

    /// Where `function` is zero between `a` and `b`, at which it has values of opposite sign (Illinois method).
    static func root(_ function: (Double) -> Double, _ a: Double, _ b: Double, _ fa: Double, _ fb: Double, tolerance: Double) -> Double {
        var (a, b, fa, fb) = (a, b, fa, fb)
        if fa == 0 { return a }
        if fb == 0 { return b }
        for _ in 0..<80 {
            let c = (fa * b - fb * a) / (fa - fb), fc = function(c)
            if fc == 0 || abs(b - a) < tolerance || abs(fc) < tolerance * 1e-2 { return c }
            if (fc > 0) == (fb > 0) {
                fa *= 0.5
            } else {
                (a, fa) = (b, fb)
            }
            (b, fb) = (c, fc)
        }
        return b
    }

    /// The unit sphere as a mesh: an icosahedron whose faces were quartered `level` times (10 · 4^level + 2 corners).
    static func sphere(level: Int) -> TriangleMesh {
        let g = (1 + 5.0.squareRoot()) / 2
        var vertices: [SIMD3<Double>] = [
            SIMD3(-1, g, 0), SIMD3(1, g, 0), SIMD3(-1, -g, 0), SIMD3(1, -g, 0), SIMD3(0, -1, g), SIMD3(0, 1, g),
            SIMD3(0, -1, -g), SIMD3(0, 1, -g), SIMD3(g, 0, -1), SIMD3(g, 0, 1), SIMD3(-g, 0, -1), SIMD3(-g, 0, 1),
        ].map(normalize)
        var triangles: [SIMD3<Int32>] = [
            SIMD3(0, 11, 5), SIMD3(0, 5, 1), SIMD3(0, 1, 7), SIMD3(0, 7, 10), SIMD3(0, 10, 11), SIMD3(1, 5, 9), SIMD3(5, 11, 4),
            SIMD3(11, 10, 2), SIMD3(10, 7, 6), SIMD3(7, 1, 8), SIMD3(3, 9, 4), SIMD3(3, 4, 2), SIMD3(3, 2, 6), SIMD3(3, 6, 8),
            SIMD3(3, 8, 9), SIMD3(4, 9, 5), SIMD3(2, 4, 11), SIMD3(6, 2, 10), SIMD3(8, 6, 7), SIMD3(9, 8, 1),
        ]
        for _ in 0..<level {
            var middles: [UInt64: Int32] = [:]
            func middle(_ a: Int32, _ b: Int32) -> Int32 {
                let key = UInt64(min(a, b)) << 32 | UInt64(max(a, b))
                if let known = middles[key] { return known }
                vertices.append(normalize(vertices[Int(a)] + vertices[Int(b)]))
                middles[key] = Int32(vertices.count - 1)
                return Int32(vertices.count - 1)
            }
            triangles = triangles.flatMap { t in
                let (a, b, c) = (middle(t.x, t.y), middle(t.y, t.z), middle(t.z, t.x))
                return [SIMD3(t.x, a, c), SIMD3(t.y, b, a), SIMD3(t.z, c, b), SIMD3(a, b, c)]
            }
        }
        return TriangleMesh(vertices: vertices.map { PatientPoint($0) }, triangles: triangles)
    }
}
