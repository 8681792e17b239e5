import Foundation
import ImagingCore

/// Branching vessels grown inside an organ.
struct VesselTree {
    private(set) var segments: [Capsule] = []

    /// Grows a tree from `root` along `direction`; a branch ends where it would leave `organ` by more than `leewayMM`.
    init(
        root: SIMD3<Double>, direction: SIMD3<Double>, radius: Double, length: Double, generations: Int, inside organ: some ImplicitShape,
        leewayMM: Double = 0, generator: inout SeededGenerator
    ) {
        grow(from: root, along: normalize(direction), radius: radius, length: length, left: generations, organ, leewayMM, &generator)
    }

    private mutating func grow(
        from start: SIMD3<Double>, along direction: SIMD3<Double>, radius: Double, length: Double, left: Int, _ organ: some ImplicitShape,
        _ leewayMM: Double, _ generator: inout SeededGenerator
    ) {
        guard left > 0, radius > 0.45 else { return }
        let (u, v) = perpendiculars(to: direction)
        // Two pieces with a slight bend between them.
        let bend = 0.12 * length * (generator.uniform(-1...1) * u + generator.uniform(-1...1) * v)
        let middle = start + 0.5 * length * direction + bend, end = start + length * direction
        guard organ.value(at: end) > -leewayMM else {
            if left > 1, length > 8 {
                grow(
                    from: start, along: direction, radius: radius * 0.8, length: length * 0.55, left: left - 1, organ, leewayMM, &generator)
            }
            return
        }
        let thin = radius * 0.88
        segments.append(Capsule(start: start, end: middle, startRadius: radius, endRadius: (radius + thin) / 2))
        segments.append(Capsule(start: middle, end: end, startRadius: (radius + thin) / 2, endRadius: thin))
        let turn = generator.uniform(0...2 * .pi)
        for side in [0, Double.pi] {
            let angle = generator.uniform(0.35...0.75), around = turn + side + generator.uniform(-0.4...0.4)
            let next = cos(angle) * direction + sin(angle) * (cos(around) * u + sin(around) * v)
            grow(
                from: end, along: normalize(next), radius: thin * generator.uniform(0.66...0.84),
                length: length * generator.uniform(0.68...0.88),
                left: left - 1, organ, leewayMM, &generator)
        }
    }
}

/// A tube through points: a duct, a vessel, the cord, a loop of bowel.
struct Tube: Sendable {
    var points: [SIMD3<Double>]
    var radius: Double

    var segments: [Capsule] {
        zip(points, points.dropFirst()).map { Capsule(start: $0, end: $1, startRadius: radius, endRadius: radius) }
    }
    func layers(_ tissue: Tissue, insetMM: Double = 0) -> [Layer] {
        segments.map { Layer(Capsule(start: $0.start, end: $0.end, startRadius: radius - insetMM, endRadius: radius - insetMM), tissue) }
    }
    func value(at point: SIMD3<Double>) -> Double { segments.reduce(-Double.infinity) { max($0, $1.value(at: point)) } }

    /// A smooth tube through `corners` (Catmull–Rom), with `pieces` straight pieces between each two.
    init(through corners: [SIMD3<Double>], radius: Double, pieces: Int = 5) {
        self.radius = radius
        var points: [SIMD3<Double>] = []
        for index in 0..<corners.count - 1 {
            let (p0, p1) = (corners[max(index - 1, 0)], corners[index])
            let (p2, p3) = (corners[index + 1], corners[min(index + 2, corners.count - 1)])
            for piece in 0..<pieces {
                let t = Double(piece) / Double(pieces)
                let linear = (p2 - p0) * t
                let quadratic = (2 * p0 - 5 * p1 + 4 * p2 - p3) * (t * t)
                let cubic = (3 * p1 - p0 - 3 * p2 + p3) * (t * t * t)
                points.append(p1 + 0.5 * (linear + quadratic + cubic))
            }
        }
        self.points = points + [corners.last!]
    }
}
