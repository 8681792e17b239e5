import Foundation

/// A body in patient space given by a function that is positive inside and zero on its surface.
///
/// Near the surface the value is about the distance in millimetres. Nowhere does it change faster than
/// `ImplicitShape.steepestSlope` millimetres per millimetre, so a value v rules out a surface within |v| / steepestSlope.
protocol ImplicitShape: Sendable {
    /// Positive inside; `point` in LPS millimetres.
    func value(at point: SIMD3<Double>) -> Double
    /// A box that holds the whole body.
    var bounds: Box { get }
}

/// See `ImplicitShape`.
let steepestSlope = 1.6

/// A box along the patient axes.
struct Box: Sendable {
    var low, high: SIMD3<Double>

    static let everywhere = Box(low: SIMD3(repeating: -1e6), high: SIMD3(repeating: 1e6))

    func grown(by mm: Double) -> Box { Box(low: low - mm, high: high + mm) }
    func union(_ other: Box) -> Box { Box(low: smaller(low, other.low), high: larger(high, other.high)) }
    func distance(to p: SIMD3<Double>) -> Double { length(larger(larger(low - p, p - high), .zero)) }
    func contains(_ p: SIMD3<Double>, within mm: Double) -> Bool { ((p - low).min() >= -mm) && ((high - p).min() >= -mm) }
}

@inline(__always) func length(_ v: SIMD3<Double>) -> Double { (v * v).sum().squareRoot() }
@inline(__always) func dot(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double { (a * b).sum() }
/// Component by component.
@inline(__always) func larger(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> { a.replacing(with: b, where: b .> a) }
@inline(__always) func smaller(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> { a.replacing(with: b, where: b .< a) }
func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}
func normalize(_ v: SIMD3<Double>) -> SIMD3<Double> { v / length(v) }
/// Two unit vectors that make a right-handed frame with the unit vector `axis`.
func perpendiculars(to axis: SIMD3<Double>) -> (SIMD3<Double>, SIMD3<Double>) {
    let helper = abs(axis.z) < 0.9 ? SIMD3(0.0, 0, 1) : SIMD3(1.0, 0, 0)
    let u = normalize(cross(helper, axis))
    return (u, cross(axis, u))
}

struct Ellipsoid: ImplicitShape {
    var center, semiAxes: SIMD3<Double>
    /// Directions of the semi-axes.
    var x = SIMD3(1.0, 0, 0), y = SIMD3(0.0, 1, 0), z = SIMD3(0.0, 0, 1)

    func value(at point: SIMD3<Double>) -> Double {
        let d = point - center
        let local = SIMD3(dot(d, x), dot(d, y), dot(d, z)) / semiAxes
        let k0 = length(local), k1 = length(local / semiAxes)
        return k1 > 1e-9 ? k0 * (1 - k0) / k1 : semiAxes.min()
    }
    var bounds: Box {
        let reach = SIMD3(
            length(SIMD3(x.x, y.x, z.x) * semiAxes), length(SIMD3(x.y, y.y, z.y) * semiAxes), length(SIMD3(x.z, y.z, z.z) * semiAxes))
        return Box(low: center - reach, high: center + reach)
    }
    /// Turned by `degrees` about the patient's z axis, then about its x axis.
    func turned(aboutZ degreesZ: Double, aboutX degreesX: Double = 0) -> Ellipsoid {
        let (cz, sz) = (cos(degreesZ * .pi / 180), sin(degreesZ * .pi / 180)),
            (cx, sx) = (cos(degreesX * .pi / 180), sin(degreesX * .pi / 180))
        func turn(_ v: SIMD3<Double>) -> SIMD3<Double> {
            let a = SIMD3(cz * v.x - sz * v.y, sz * v.x + cz * v.y, v.z)
            return SIMD3(a.x, cx * a.y - sx * a.z, sx * a.y + cx * a.z)
        }
        var copy = self
        (copy.x, copy.y, copy.z) = (turn(x), turn(y), turn(z))
        return copy
    }
}

/// A cone between two balls: what a ball sweeps that runs from one end to the other while its radius changes evenly.
struct Capsule: ImplicitShape {
    var start, end: SIMD3<Double>
    var startRadius, endRadius: Double

    func value(at point: SIMD3<Double>) -> Double {
        let axis = end - start, d = point - start
        let t = min(max(dot(d, axis) / max(dot(axis, axis), 1e-12), 0), 1)
        return startRadius + t * (endRadius - startRadius) - length(d - t * axis)
    }
    var bounds: Box {
        let radius = max(startRadius, endRadius)
        return Box(low: smaller(start, end) - radius, high: larger(start, end) + radius)
    }
}

/// A round bar with flat ends, as a probe's shaft is.
struct Cylinder: ImplicitShape {
    var start, end: SIMD3<Double>
    var radius: Double

    func value(at point: SIMD3<Double>) -> Double {
        let axis = normalize(end - start), d = point - start
        let along = dot(d, axis)
        return min(radius - length(d - along * axis), along, length(end - start) - along)
    }
    var bounds: Box { Box(low: smaller(start, end) - radius, high: larger(start, end) + radius) }
}

/// A column along z whose section is a superellipse of exponent 2.5: a trunk, flatter than an ellipse.
struct Trunk: ImplicitShape {
    var center: SIMD2<Double>
    var halfWidth, halfDepth: Double

    func value(at point: SIMD3<Double>) -> Double {
        let u = abs(point.x - center.x) / halfWidth, v = abs(point.y - center.y) / halfDepth
        let pu = u * u.squareRoot(), pv = v * v.squareRoot()
        let sum = pu * u + pv * v
        guard sum > 1e-9 else { return min(halfWidth, halfDepth) }
        // F = sum^(1/2.5) is homogeneous of degree 1; ∇F = sum^(1/2.5 − 1) · (u^1.5 / a, v^1.5 / b).
        let f = exp2(log2(sum) * 0.4)
        let slope = f / sum * ((pu / halfWidth) * (pu / halfWidth) + (pv / halfDepth) * (pv / halfDepth)).squareRoot()
        return (1 - f) / slope
    }
    var bounds: Box {
        Box(low: SIMD3(center.x - halfWidth, center.y - halfDepth, -1e6), high: SIMD3(center.x + halfWidth, center.y + halfDepth, 1e6))
    }
}

/// A box with its sides along the patient axes.
struct Block: ImplicitShape {
    var box: Box

    func value(at point: SIMD3<Double>) -> Double { min((point - box.low).min(), (box.high - point).min()) }
    var bounds: Box { box }
}

/// What two bodies have in common.
struct Intersection<A: ImplicitShape, B: ImplicitShape>: ImplicitShape {
    var a: A, b: B
    func value(at point: SIMD3<Double>) -> Double { min(a.value(at: point), b.value(at: point)) }
    var bounds: Box {
        let (a, b) = (a.bounds, b.bounds)
        return Box(low: larger(a.low, b.low), high: smaller(a.high, b.high))
    }
}

/// A body without another.
struct Difference<A: ImplicitShape, B: ImplicitShape>: ImplicitShape {
    var a: A, b: B
    func value(at point: SIMD3<Double>) -> Double { min(a.value(at: point), -b.value(at: point)) }
    var bounds: Box { a.bounds }
}

/// Two bodies melted into one with a fillet of about `filletMM`.
struct SmoothUnion<A: ImplicitShape, B: ImplicitShape>: ImplicitShape {
    var a: A, b: B
    var filletMM: Double
    func value(at point: SIMD3<Double>) -> Double { smoothMaximum(a.value(at: point), b.value(at: point), filletMM) }
    var bounds: Box { a.bounds.union(b.bounds).grown(by: filletMM / 4) }
}

/// The larger of two numbers, rounded off over `width` where they are alike (polynomial smooth maximum).
@inline(__always) func smoothMaximum(_ a: Double, _ b: Double, _ width: Double) -> Double {
    let h = max(width - abs(a - b), 0) / width
    return max(a, b) + h * h * width / 4
}

/// A body whose surface lies `mm` further in.
struct Inset<Base: ImplicitShape>: ImplicitShape {
    var base: Base
    var mm: Double
    func value(at point: SIMD3<Double>) -> Double { base.value(at: point) - mm }
    var bounds: Box { base.bounds.grown(by: max(-mm, 0)) }
}

/// A body with an uneven surface: waves of `amplitudeMM` over about `cell` millimetres.
struct Uneven<Base: ImplicitShape>: ImplicitShape {
    var base: Base
    var noise: ValueNoise
    var amplitudeMM: Double

    init(_ base: Base, amplitudeMM: Double, cell: Double, seed: UInt64) {
        (self.base, self.amplitudeMM, noise) = (base, amplitudeMM, ValueNoise(seed: seed, cell: cell))
    }
    func value(at point: SIMD3<Double>) -> Double {
        let value = base.value(at: point)
        // Far away the waves cannot matter, and the noise costs more than most bodies.
        return abs(value) > 4 * amplitudeMM ? value - (value > 0 ? amplitudeMM : -amplitudeMM) : value + amplitudeMM * noise(point)
    }
    var bounds: Box { base.bounds.grown(by: amplitudeMM) }
}
