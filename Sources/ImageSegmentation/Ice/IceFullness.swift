import ImagingCore

extension IceBodyFit {
    /// How far the body is an ellipsoid, which is what one probe, or a few beside one another, freeze.
    var fullness: Double { Self.fullness(directions: directions, radii: radii) }

    /// The smallest distance (but for 1 direction in 40: a few rays may start in a crack) of a surface from its centroid, as a share of
    /// that of the ellipsoid with the same second moments; 1 for an ellipsoid of any axes.
    ///
    /// - Parameter directions: evenly spread over the sphere; `radii` are those of the surface along them, from one point inside.
    static func fullness(directions: [SIMD3<Double>], radii: [Double]) -> Double {
        // Each ray stands for a cone of the same solid angle.
        var volume = 0.0, first = SIMD3<Double>.zero, squares = SIMD3<Double>.zero, mixed = SIMD3<Double>.zero
        for (u, r) in zip(directions, radii) {
            let cube = r * r * r
            volume += cube / 3
            first += cube * r / 4 * u
            squares += cube * r * r / 5 * (u * u)
            mixed += cube * r * r / 5 * (u * SIMD3(u.y, u.z, u.x))
        }
        let mean = first / volume
        // A solid ellipsoid's variance along an axis is a fifth of the half axis squared.
        let axes = 5 * (squares / volume - mean * mean), off = 5 * (mixed / volume - mean * SIMD3(mean.y, mean.z, mean.x))
        let matrix = Matrix3(rows: SIMD3(axes.x, off.x, off.z), SIMD3(off.x, axes.y, off.y), SIMD3(off.z, off.y, axes.z))
        guard let inverse = matrix.inverse else { return 0 }
        let shares = zip(directions, radii).map { u, r in
            let place = r * u - mean
            return (place * (inverse * place)).sum()
        }.sorted()
        return max(0, shares[shares.count / 40]).squareRoot()
    }
}
