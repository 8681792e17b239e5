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
    /// Where a Gaussian's exponent exceeds this, its light counts as none.
    static let farthest: Float = 12

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
    func share(at point: SIMD3<Double>) -> Double { Projection(of: self).share(at: point) }

    /// What of a rod is the same for every voxel, worked out once.
    struct Projection {
        let amplitude: Double
        let middle: SIMD3<Double>, direction: SIMD3<Double>
        fileprivate let from, to: Double
        let aspect: Aspect, blurMM: Double
        fileprivate let sliceThicknessMM: Double
        let inPlane, ex, ey, half, perSquare, softness, streakSpread: Double

        init(of model: ShaftModel) {
            (amplitude, middle, direction, from, to) = (model.amplitude, model.middle, model.direction, model.from, model.to)
            (aspect, blurMM, sliceThicknessMM) = (model.aspect, model.blurMM, model.sliceThicknessMM)
            inPlane = (direction.x * direction.x + direction.y * direction.y).squareRoot()
            (ex, ey, half, perSquare) = (direction.x / inPlane, direction.y / inPlane, sliceThicknessMM / 2, 1 / (2 * blurMM * blurMM))
            let rise = blurMM * direction.z / inPlane, slanted = softnessMM * inPlane / direction.z
            softness = (softnessMM * softnessMM + rise * rise).squareRoot()
            streakSpread = (blurMM * blurMM + slanted * slanted).squareRoot()
        }

        /// How much the rod adds at the centre of a voxel for an amplitude of 1.
        func share(at point: SIMD3<Double>) -> Double { Section(of: self, at: point).map { $0.share(from: from, to: to) } ?? 0 }
    }

    /// What a voxel sees of the rod, but for where the rod ends.
    struct Section {
        let aspect: Aspect
        /// The stretch of the rod that the slice holds.
        let low, high: Double
        /// How bright the voxel is where the rod goes on to both sides (but for dots).
        let brightness: Double
        /// In the plane, along the rod: the voxel, the rod's millimetres, and how softly it ends.
        let along, inPlane, spread: Double
        /// Dots: the rod's middle as seen from the voxel, and its shape.
        private let offset: SIMD2<Double>, direction: SIMD3<Double>, blurMM, sliceThicknessMM: Double

        /// `nil` where the rod's light does not reach.
        init?(of rod: Projection, at point: SIMD3<Double>) {
            (aspect, direction, blurMM, sliceThicknessMM) = (rod.aspect, rod.direction, rod.blurMM, rod.sliceThicknessMM)
            let half = rod.half, away = point - rod.middle
            inPlane = rod.inPlane
            offset = SIMD2(away.x, away.y)
            guard aspect != .dots else {
                let t = away.z / direction.z
                (low, high) = (t - half / abs(direction.z), t + half / abs(direction.z))
                (brightness, along, spread) = (1, 0, 0)
                return
            }
            let across = away.x * rod.ey - away.y * rod.ex, exponent = across * across * rod.perSquare
            guard exponent < Double(ShaftModel.farthest) else { return nil }
            along = away.x * rod.ex + away.y * rod.ey
            if aspect == .line {
                let height = along / inPlane * direction.z - away.z, softness = rod.softness
                guard abs(height) < half + 4 * softness else { return nil }
                brightness = exp(-exponent) * (ShaftModel.step((height + half) / softness) - ShaftModel.step((height - half) / softness))
                (low, high, spread) = (-.infinity, .infinity, blurMM)
            } else {
                let a = (away.z - half) / direction.z, b = (away.z + half) / direction.z
                (low, high) = (min(a, b), max(a, b))
                brightness = exp(-exponent)
                spread = rod.streakSpread
            }
        }

        /// An end before or after this stretch of the rod might as well lie at its end.
        var whereEndsMatter: ClosedRange<Double> {
            guard aspect == .line else { return low...high }
            let a = (along - Double(ShaftModel.widestStep) * spread) / inPlane, b = (along + Double(ShaftModel.widestStep) * spread) / inPlane
            return a...b
        }

        /// How much a rod of amplitude 1 with these ends adds to the voxel.
        func share(from: Double, to: Double) -> Double {
            let low = max(low, from), high = min(high, to)
            guard high > low else { return 0 }
            guard aspect == .dots else {
                return brightness * (ShaftModel.step((high * inPlane - along) / spread) - ShaftModel.step((low * inPlane - along) / spread))
            }
            let rise = direction.z, held = (high - low) * abs(rise) / sliceThicknessMM, middle = (low + high) / 2
            let x = offset.x - middle * direction.x, y = offset.y - middle * direction.y
            let variance = blurMM * blurMM + (1 - rise * rise) * (high - low) * (high - low) / 12
            let exponent = (x * x + y * y) / (2 * variance)
            return exponent > Double(ShaftModel.farthest) ? 0 : held * exp(-exponent)
        }
    }

    /// The normal distribution's integral, to 10⁻⁶: asked for so often that it is read from a table.
    private static func step(_ x: Double) -> Double {
        guard x > -widest else { return 0 }
        guard x < widest else { return 1 }
        let place = (x + widest) * perUnit, index = Int(place), share = place - Double(index)
        return steps.withUnsafeBufferPointer { $0[index] + share * ($0[index + 1] - $0[index]) }
    }
    private static let perUnit = 256.0, widest = Double(widestStep)
    /// Beyond so many standard deviations a step is over.
    static let widestStep: Float = 4
    private static let steps = (0...Int(2 * widest * perUnit) + 1).map {
        0.5 + 0.5 * erf((Double($0) / perUnit - widest) * 0.5.squareRoot())
    }
}
