import Foundation

/// A cryoprobe in a scan's frame: a straight metal shaft from `tip` to `tail` (outside the body).
struct ProbePose: Sendable, Hashable {
    var tip, tail: SIMD3<Double>
    /// 17 gauge is 1.47 mm across.
    var diameterMM = 1.5

    /// From tip to tail.
    var direction: SIMD3<Double> { normalize(tail - tip) }
    var shaft: Cylinder { Cylinder(start: tip, end: tail, radius: diameterMM / 2) }
}

/// A frozen region, or what became of one: the zero of `value` is its edge, the 0 °C front while it is frozen.
///
/// Around each probe's active part lies a drop, an ellipsoid of revolution that is blunter towards the tip; drops melt
/// together, warm vessels press dents into them, and the whole surface waves a little.
struct IceShape: ImplicitShape {
    struct Drop: Sendable {
        var center, axis: SIMD3<Double>
        /// Semi-axes across the probe, towards its tip and towards its tail, in millimetres.
        var across, towardsTip, towardsTail: Double
    }
    /// A vessel that keeps the tissue around it warm.
    struct HeatSink: Sendable {
        var vessel: Capsule
        /// By how much the front is pushed back at the vessel's wall, and over what distance that fades.
        var depthMM, reachMM: Double
    }

    var drops: [Drop]
    var heatSinks: [HeatSink] = []
    /// How much every semi-axis is longer (or shorter) than the drops say.
    var growthMM = 0.0
    var filletMM = 2.5
    var waves = ValueNoise(seed: 0, cell: 12)
    var waveAmplitudeMM = 0.0

    /// The shortest semi-axis that growth may leave.
    static let smallestSemiAxisMM = 3.0

    func value(at point: SIMD3<Double>) -> Double {
        var largest = -Double.infinity, sum = 0.0
        for index in drops.indices {
            let value = value(of: drops[index], at: point)
            // Log-sum-exp: symmetric in the probes, and exactly the drop itself when there is one.
            if value > largest {
                sum = sum * exp((largest - value) / filletMM) + 1
                largest = value
            } else {
                sum += exp((value - largest) / filletMM)
            }
        }
        var value = drops.count == 1 ? largest : largest + filletMM * log(sum)
        guard abs(value) < 25 else { return value }
        for index in heatSinks.indices {
            let sink = heatSinks[index], distance = max(-sink.vessel.value(at: point), 0)
            value -= sink.depthMM * exp(-(distance * distance) / (sink.reachMM * sink.reachMM))
        }
        return waveAmplitudeMM > 0 ? value + waveAmplitudeMM * waves(point) : value
    }

    private func value(of drop: Drop, at point: SIMD3<Double>) -> Double {
        let d = point - drop.center
        let along = dot(d, drop.axis), across = length(d - along * drop.axis)
        let a = max(drop.across + growthMM, Self.smallestSemiAxisMM)
        let b = max((along < 0 ? drop.towardsTip : drop.towardsTail) + growthMM, Self.smallestSemiAxisMM)
        let (u, v) = (across / a, along / b)
        let k0 = (u * u + v * v).squareRoot(), k1 = (u / a * (u / a) + v / b * (v / b)).squareRoot()
        return k1 > 1e-9 ? k0 * (1 - k0) / k1 : a
    }

    var bounds: Box {
        let boxes = drops.map { drop in
            let reach = max(drop.across, drop.towardsTip, drop.towardsTail) + max(growthMM, 0) + filletMM * log(Double(drops.count))
                + waveAmplitudeMM + 1
            return Box(low: drop.center - reach, high: drop.center + reach)
        }
        return boxes.dropFirst().reduce(boxes[0]) { $0.union($1) }
    }
}
