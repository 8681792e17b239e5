import Foundation
import ImagingCore

/// What a thin straight rod looks like in a scan: a line of `amplitude`, blurred in the slice plane, averaged over a slice's thickness.
///
/// Lengths are millimetres along the grid's own axes; a slice's plane is x, y. A rod of radius r under a blur σ looks like a line under
/// √(σ² + r²/4); what it holds below saturation is all that the fit uses.
struct ShaftModel {
    var middle: SIMD3<Double>
    /// Of length 1.
    var direction: SIMD3<Double>
    /// Where the rod ends, along `direction` from `middle`.
    var from = -Double.infinity, to = Double.infinity
    var amplitude: Double
    var blurMM: Double
    var sliceThicknessMM: Double
    let aspect: Aspect

    /// How the rod lies to the slices decides which closed form holds.
    enum Aspect {
        /// Nearly along z: a dot in each slice.
        case dots
        /// Slanting: a streak in each slice, as long as the slice is thick.
        case streaks
        /// Nearly in plane: a long line that fades from slice to slice.
        case line
    }

    private static let softnessMM = 0.4

    init(middle: SIMD3<Double>, direction: SIMD3<Double>, amplitude: Double, blurMM: Double, sliceThicknessMM: Double) {
        (self.middle, self.direction) = (middle, direction)
        (self.amplitude, self.blurMM, self.sliceThicknessMM) = (amplitude, blurMM, sliceThicknessMM)
        let inPlane = (direction.x * direction.x + direction.y * direction.y).squareRoot(), rise = abs(direction.z)
        aspect = inPlane * sliceThicknessMM < 0.8 * rise ? .dots : rise > 0.4 * inPlane ? .streaks : .line
    }

    var line: LineStretch { LineStretch(origin: middle, direction: direction, range: max(from, -1e4)...min(to, 1e4)) }

    func distance(to point: SIMD3<Double>) -> Double {
        let offset = point - middle, along = min(max((offset * direction).sum(), from), to)
        return (offset - along * direction).length
    }

    /// How much the rod adds at the centre of a voxel.
    func excess(at point: SIMD3<Double>) -> Double { amplitude * share(at: point) }

    /// `excess` for an amplitude of 1.
    func share(at point: SIMD3<Double>) -> Double { aspect == .dots ? dotShare(point) : trackShare(point) }

    private func dotShare(_ point: SIMD3<Double>) -> Double {
        let rise = direction.z, half = sliceThicknessMM / 2
        let t = (point.z - middle.z) / rise
        let low = max(t - half / abs(rise), from), high = min(t + half / abs(rise), to)
        guard high > low else { return 0 }
        let held = (high - low) * abs(rise) / sliceThicknessMM, foot = middle + (low + high) / 2 * direction
        let x = point.x - foot.x, y = point.y - foot.y
        let variance = blurMM * blurMM + (1 - rise * rise) * (high - low) * (high - low) / 12
        let exponent = (x * x + y * y) / (2 * variance)
        return exponent > 12 ? 0 : held * exp(-exponent)
    }

    private func trackShare(_ point: SIMD3<Double>) -> Double {
        let inPlane = (direction.x * direction.x + direction.y * direction.y).squareRoot()
        let ex = direction.x / inPlane, ey = direction.y / inPlane
        let x = point.x - middle.x, y = point.y - middle.y
        let along = x * ex + y * ey, across = x * ey - y * ex
        let exponent = across * across / (2 * blurMM * blurMM)
        guard exponent < 12 else { return 0 }
        let half = sliceThicknessMM / 2, z = point.z - middle.z
        if aspect == .line {
            let height = along / inPlane * direction.z - z
            let spread = (Self.softnessMM * Self.softnessMM + pow(blurMM * direction.z / inPlane, 2)).squareRoot()
            guard abs(height) < half + 4 * spread else { return 0 }
            let held = Self.step((height + half) / spread) - Self.step((height - half) / spread)
            return exp(-exponent) * held * within(along, from * inPlane, to * inPlane, blurMM)
        }
        let a = (z - half) / direction.z, b = (z + half) / direction.z
        let low = max(min(a, b), from), high = min(max(a, b), to)
        guard high > low else { return 0 }
        let spread = (blurMM * blurMM + pow(Self.softnessMM * inPlane / direction.z, 2)).squareRoot()
        return exp(-exponent) * within(along, low * inPlane, high * inPlane, spread)
    }

    /// The share of a Gaussian around `x` that lies between two ends.
    private func within(_ x: Double, _ low: Double, _ high: Double, _ spread: Double) -> Double {
        Self.step((high - x) / spread) - Self.step((low - x) / spread)
    }

    /// The normal distribution's integral, to 10⁻⁶: asked for so often that it is read from a table.
    private static func step(_ x: Double) -> Double {
        guard x > -4 else { return 0 }
        guard x < 4 else { return 1 }
        let place = (x + 4) * perUnit, index = Int(place), share = place - Double(index)
        return steps.withUnsafeBufferPointer { $0[index] + share * ($0[index + 1] - $0[index]) }
    }
    private static let perUnit = 256.0
    private static let steps = (0...Int(8 * perUnit) + 1).map { 0.5 + 0.5 * erf((Double($0) / perUnit - 4) * 0.5.squareRoot()) }
}
