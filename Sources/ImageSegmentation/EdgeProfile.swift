import Foundation
import ImagingCore

/// The mean of an image along lines that cross an edge, from one side to the other.
struct EdgeProfile {
    static let reachMM: Float = 4.6, stepMM: Float = 0.2
    /// Beyond this the edge itself has ended.
    private static let plateauMM: Float = 2.8
    static let count = 2 * Int((reachMM / stepMM).rounded()) + 1

    private var sums = [Float](repeating: 0, count: count), used = [Float](repeating: 0, count: count)
    private(set) var lines = 0

    static func place(_ n: Int) -> Float { (Float(n) - Float(count / 2)) * stepMM }

    /// - Parameter read: the image at a distance along the line in millimetres; `nil` where it cannot be used.
    mutating func add(_ read: (Float) -> Float?) {
        for n in 0..<Self.count {
            guard let value = read(Self.place(n)) else { continue }
            sums[n] += value
            used[n] += 1
        }
        lines += 1
    }

    /// The mean levels on both sides of a single line, as `rise` has them: soon read where most lines cross no edge worth reading.
    static func levels(_ read: (Float) -> Float) -> (before: Float, after: Float) {
        let width = Int((reachMM - plateauMM) / stepMM)
        var before: Float = 0, after: Float = 0
        for n in 0..<width {
            before += read(place(n))
            after += read(place(count - width + n))
        }
        return (before / Float(width), after / Float(width))
    }

    /// The mean levels on both sides, by what share of the step levels slope within a side, and where half of the way from the one to the
    /// other is reached. `nil` where a side is missing or the edge is not crossed once.
    var rise: (before: Float, after: Float, unevenness: Float, middleMM: Float)? {
        guard let means else { return nil }
        let width = Int((Self.reachMM - Self.plateauMM) / Self.stepMM)
        let low = means.prefix(width), high = means.suffix(width)
        let before = low.reduce(0, +) / Float(width), after = high.reduce(0, +) / Float(width), contrast = after - before
        guard contrast != 0 else { return nil }
        func crossing(_ share: Float) -> Float? {
            let level = before + share * contrast
            // From the middle outwards, for the sides are noisy.
            let middle = Self.count / 2
            func crosses(_ n: Int) -> Bool { (means[n - 1] - level) / contrast < 0 && (means[n] - level) / contrast >= 0 }
            func place(_ n: Int) -> Float { Self.place(n - 1) + Self.stepMM * (level - means[n - 1]) / (means[n] - means[n - 1]) }
            for away in 0...middle {
                if away < middle, crosses(middle - away) { return place(middle - away) }
                if crosses(middle + away) { return place(middle + away) }
            }
            return nil
        }
        guard let first = crossing(0.16), let middle = crossing(0.5), let last = crossing(0.84), last > first else { return nil }
        func tilt(_ side: ArraySlice<Float>) -> Float {
            let half = side.count / 2
            return abs(side.prefix(half).reduce(0, +) - side.suffix(half).reduce(0, +)) / Float(half)
        }
        let unevenness = max(tilt(low), tilt(high)) / abs(contrast)
        return (before, after, unevenness, middle)
    }

    /// The mean along the lines; `nil` where a place was hardly read.
    var means: [Float]? {
        lines > 0 && used.allSatisfy { 3 * $0 > Float(lines) } ? zip(sums, used).map { $0 / $1 } : nil
    }

    /// The half rise, half the distance between 16 % and 84 % of an edge's step: the standard deviation of a Gaussian blur.
    ///
    /// Behind a thin bright layer, as fat behind skin, the level falls again: then from the edge's lower half alone, from 16 % to 50 % of
    /// the way up to that layer. `nil` where a side is missing or the edge is not crossed.
    var halfRiseMM: Float? {
        guard let means else { return nil }
        let width = Int((Self.reachMM - Self.plateauMM) / Self.stepMM), middle = Self.count / 2
        let before = means.prefix(width).reduce(0, +) / Float(width), after = means.suffix(width).reduce(0, +) / Float(width)
        let layer = means[middle..<middle + Int(Self.layerMM / Self.stepMM)].max()!
        let isThin = layer - after > Self.brightLayer * (after - before), top = isThin ? layer : after
        func crossing(_ share: Float) -> Float? {
            let level = before + share * (top - before)
            // The first from the middle outwards, for the sides are noisy.
            for away in 0..<middle {
                for n in [middle - away, middle + away + 1] where means[n - 1] < level && means[n] >= level {
                    return Self.place(n - 1) + Self.stepMM * (level - means[n - 1]) / (means[n] - means[n - 1])
                }
            }
            return nil
        }
        guard top > before, let first = crossing(0.16), let half = crossing(0.5), let last = isThin ? half : crossing(0.84), half > first
        else { return nil }
        return isThin ? half - first : (last - first) / 2
    }
    /// How thick a bright layer is at most, and by what share of the step it is brighter than what lies behind.
    private static let layerMM: Float = 2.4, brightLayer: Float = 0.04

    /// The half rise of a ramp of some width seen with a Gaussian blur.
    static func halfRise(ofRampMM width: Double, blurMM sigma: Double) -> Double {
        guard width > 1e-3 else { return sigma * 0.99446 }
        func integral(_ z: Double) -> Double {
            z * 0.5 * erfc(-z / 2.0.squareRoot()) + exp(-0.5 * z * z) / (2 * Double.pi).squareRoot()
        }
        func share(_ t: Double) -> Double { sigma / width * (integral((t + width / 2) / sigma) - integral((t - width / 2) / sigma)) }
        var (low, high) = (0.0, width + 3 * sigma)
        for _ in 0..<40 {
            let middle = (low + high) / 2
            if share(middle) < 0.84 { low = middle } else { high = middle }
        }
        return low
    }
}
