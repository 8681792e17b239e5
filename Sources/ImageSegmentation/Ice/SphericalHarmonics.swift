import Foundation

/// Real spherical harmonics, orthonormal over the unit sphere, up to a degree.
enum SphericalHarmonics {
    static func count(upTo degree: Int) -> Int { (degree + 1) * (degree + 1) }

    /// The degree of each value, in the order of `values`.
    static func degrees(upTo degree: Int) -> [Int] { (0...degree).flatMap { l in [Int](repeating: l, count: 2 * l + 1) } }

    /// Degree by degree, orders −l … l within each, at a unit vector.
    static func values(at u: SIMD3<Double>, upTo degree: Int) -> [Double] {
        let azimuth = atan2(u.y, u.x), z = max(-1, min(1, u.z)), s = (1 - z * z).squareRoot()
        // Associated Legendre functions, already normalised (Press et al., Numerical Recipes, §6.7).
        var p = [[Double]](repeating: [], count: degree + 1)
        var diagonal = (1 / (4 * Double.pi)).squareRoot()
        for m in 0...degree {
            if m > 0 { diagonal *= -s * ((2 * Double(m) + 1) / (2 * Double(m))).squareRoot() }
            var column = [diagonal]
            if m < degree { column.append(z * (2 * Double(m) + 3).squareRoot() * diagonal) }
            var l = m + 2
            while l <= degree {
                let (a, b) = (Double(l * l), Double(m * m))
                let factor = ((4 * a - 1) / (a - b)).squareRoot()
                let before = ((Double((l - 1) * (l - 1)) - b) / (4 * Double((l - 1) * (l - 1)) - 1)).squareRoot()
                column.append(factor * (z * column[l - m - 1] - before * column[l - m - 2]))
                l += 1
            }
            p[m] = column
        }
        var result: [Double] = []
        result.reserveCapacity(count(upTo: degree))
        for l in 0...degree {
            for m in -l...l {
                let legendre = p[abs(m)][l - abs(m)]
                result.append(
                    m == 0
                        ? legendre
                        : m > 0
                            ? 2.squareRoot() * legendre * cos(Double(m) * azimuth) : 2.squareRoot() * legendre * sin(Double(-m) * azimuth))
            }
        }
        return result
    }
}
