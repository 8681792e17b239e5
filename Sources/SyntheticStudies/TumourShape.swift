import Foundation
import ImagingCore

/// A tumour: an ellipsoid whose surface is pushed in and out by a few broad lobes.
///
/// The surface at direction u lies at r(u) = E(u) · (1 + Σ aₗ Pₗ(u · nₗ)) from the centre: E the ellipsoid's radius, Pₗ Legendre
/// polynomials of degree 2 to 5 about random axes nₗ. It is star-shaped about the centre.
struct TumourShape: ImplicitShape {
    private struct Lobe {
        var axis: SIMD3<Double>
        var degree: Int
        var amplitude: Double
    }

    let center: SIMD3<Double>
    private let ellipsoid: Ellipsoid
    private let lobes: [Lobe]
    let largestRadius: Double
    /// The radius of the ball that the undisturbed ellipsoid has the volume of.
    var meanRadius: Double { cbrt(ellipsoid.semiAxes.x * ellipsoid.semiAxes.y * ellipsoid.semiAxes.z) }

    /// A tumour of about `diameter` millimetres; `irregularity` 0 gives an exact ellipsoid, 1 a lobulated outline.
    init(center: SIMD3<Double>, diameter: Double, elongation: Double, irregularity: Double, generator: inout SeededGenerator) {
        self.center = center
        let radius = diameter / 2
        let axis = generator.direction()
        let (u, v) = perpendiculars(to: axis)
        let flat = 1 / elongation.squareRoot()
        ellipsoid = Ellipsoid(
            center: center, semiAxes: radius * SIMD3(elongation.squareRoot(), 1, flat), x: axis, y: u, z: v)
        lobes = (2...5).map { degree in
            Lobe(axis: generator.direction(), degree: degree, amplitude: irregularity * generator.uniform(0.5...1) * 0.16 / Double(degree))
        }
        largestRadius = ellipsoid.semiAxes.max() * (1 + lobes.reduce(0) { $0 + abs($1.amplitude) })
    }

    /// A ball, for checks against closed forms.
    init(ball center: SIMD3<Double>, radius: Double) {
        self.center = center
        ellipsoid = Ellipsoid(center: center, semiAxes: SIMD3(repeating: radius))
        lobes = []
        largestRadius = radius
    }

    /// The distance from the centre to the surface along a unit vector.
    func radius(along u: SIMD3<Double>) -> Double {
        let local = SIMD3(dot(u, ellipsoid.x), dot(u, ellipsoid.y), dot(u, ellipsoid.z)) / ellipsoid.semiAxes
        var factor = 1.0
        for index in lobes.indices { factor += lobes[index].amplitude * Self.legendre(lobes[index].degree, dot(u, lobes[index].axis)) }
        return factor / length(local)
    }

    func value(at point: SIMD3<Double>) -> Double {
        let d = point - center
        let distance = length(d)
        if distance > 2 * largestRadius { return largestRadius - distance }
        return distance > 1e-9 ? radius(along: d / distance) - distance : largestRadius
    }
    var bounds: Box { Box(low: center - largestRadius, high: center + largestRadius) }

    private static func legendre(_ degree: Int, _ x: Double) -> Double {
        var (previous, current) = (1.0, x)
        for n in 1..<degree { (previous, current) = (current, (Double(2 * n + 1) * x * current - Double(n) * previous) / Double(n + 1)) }
        return current
    }
}
