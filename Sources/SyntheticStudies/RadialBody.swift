import ImagingCore

/// A star-shaped body about a centre, by its radius along the corners of a fine sphere.
struct RadialBody: Sendable {
    let center: SIMD3<Double>
    let directions: TriangleMesh
    /// Millimetres, one per corner of `directions`.
    let radii: [Double]
    /// The share of the sphere that belongs to each corner, in steradians; together 4π.
    let solidAngles: [Double]

    /// The body in which `function` is positive, which must hold at `center` and not beyond `reachMM`.
    init(center: SIMD3<Double>, reachMM: Double, level: Int, function: @Sendable (SIMD3<Double>) -> Double) {
        self.center = center
        directions = ImplicitSurfaceMesh.sphere(level: level)
        let vertices = directions.vertices
        let atCenter = function(center)
        radii = mapSlabs(of: vertices.count, slab: 512) { range in
            range.map { index in
                let u = vertices[index].lps
                return ImplicitSurfaceMesh.root(
                    { function(center + $0 * u) }, 0, reachMM, atCenter, function(center + reachMM * u), tolerance: 1e-8)
            }
        }.flatMap { $0 }
        let areas = directions.vertexAreas, total = areas.reduce(0, +)
        solidAngles = areas.map { 4 * .pi * $0 / total }
    }

    var surface: TriangleMesh {
        TriangleMesh(
            vertices: zip(directions.vertices, radii).map { PatientPoint(center + $1 * $0.lps) }, triangles: directions.triangles)
    }
    var volumeML: Double { zip(solidAngles, radii).reduce(0) { $0 + $1.0 * $1.1 * $1.1 * $1.1 / 3 } / 1000 }
    var centroid: SIMD3<Double> {
        var moment = SIMD3<Double>.zero
        for index in radii.indices {
            let r = radii[index]
            moment += solidAngles[index] * r * r * r * r / 4 * directions.vertices[index].lps
        }
        return center + moment / (1000 * volumeML)
    }
    /// The largest distance between two points of the surface.
    var longestDiameterMM: Double {
        let step = max(1, radii.count / 2600)
        let points = stride(from: 0, to: radii.count, by: step).map { center + radii[$0] * directions.vertices[$0].lps }
        let longest = mapSlabs(of: points.count, slab: 64) { range in
            range.reduce(0.0) { best, i in points[i...].reduce(best) { max($0, dot($1 - points[i], $1 - points[i])) } }
        }.max()!
        return longest.squareRoot()
    }

    /// The volume, in millilitres, of the part of space between two radii along each direction in which `function` is positive.
    func volumeML(from inner: [Double], to outer: [Double], where function: @Sendable (SIMD3<Double>) -> Double) -> Double {
        mapSlabs(of: radii.count, slab: 256) { range in
            range.reduce(0.0) { sum, index in
                let u = directions.vertices[index].lps
                return sum + solidAngles[index] * Self.radialIntegral(inner[index], outer[index]) { function(center + $0 * u) }
            }
        }.reduce(0, +) / 1000
    }

    /// ∫ r² dr over the parts of [from, to] in which `function` is positive, taken as linear over steps of at most 0.3 mm.
    private static func radialIntegral(_ from: Double, _ to: Double, _ function: (Double) -> Double) -> Double {
        guard to > from else { return 0 }
        let steps = max(2, Int(((to - from) / 0.3).rounded(.up))), step = (to - from) / Double(steps)
        func shell(_ a: Double, _ b: Double) -> Double { (b * b * b - a * a * a) / 3 }
        var sum = 0.0, a = from, fa = function(a)
        for number in 1...steps {
            let b = from + Double(number) * step, fb = function(b)
            switch (fa > 0, fb > 0) {
            case (true, true): sum += shell(a, b)
            case (true, false): sum += shell(a, a + step * fa / (fa - fb))
            case (false, true): sum += shell(a + step * fa / (fa - fb), b)
            case (false, false): break
            }
            (a, fa) = (b, fb)
        }
        return sum
    }
}
