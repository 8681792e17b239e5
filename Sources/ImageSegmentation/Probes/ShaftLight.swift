import Foundation
import ImagingCore

/// What a rod adds to many voxels, in single precision and without branches, so that a processor takes several at once.
extension ShaftModel.Projection {
    /// The `share` of each voxel of a rod that goes on to both sides, to 10⁻⁶.
    ///
    /// - Parameter origin: where the voxels' places are counted from.
    func shares(of voxels: ShaftVoxels.Rows, around origin: SIMD3<Double>, to shares: UnsafeMutablePointer<Float>) {
        let away = middle - origin, place = (x: Float(away.x), y: Float(away.y), z: Float(away.z))
        let (xs, ys, zs) = (voxels.x, voxels.y, voxels.z), count = voxels.count
        let (ex, ey, half) = (Float(ex), Float(ey), Float(half)), perSquare = Float(perSquare), farthest = ShaftModel.farthest
        switch aspect {
        case .dots:
            let perRise = Float(1 / direction.z), shift = (x: Float(direction.x), y: Float(direction.y))
            let held = 2 * self.half / abs(direction.z)
            let variance = blurMM * blurMM + (1 - direction.z * direction.z) * held * held / 12
            let perVariance = Float(1 / (2 * variance))
            for n in 0..<count {
                let t = (zs[n] - place.z) * perRise, x = xs[n] - place.x - t * shift.x, y = ys[n] - place.y - t * shift.y
                let exponent = (x * x + y * y) * perVariance, light = exponential(-exponent)
                shares[n] = exponent > farthest ? 0 : light
            }
        case .streaks:
            // The ends of the stretch that the slice holds, in the plane.
            let perRise = Float(inPlane / direction.z), reach = abs(half * perRise), perSpread = Float(1 / streakSpread)
            for n in 0..<count {
                let x = xs[n] - place.x, y = ys[n] - place.y, across = x * ey - y * ex, exponent = across * across * perSquare
                let from = (zs[n] - place.z) * perRise - (x * ex + y * ey)
                let light = exponential(-exponent) * (step((from + reach) * perSpread) - step((from - reach) * perSpread))
                shares[n] = exponent < farthest ? light : 0
            }
        case .line:
            let climb = Float(direction.z / inPlane), perSoftness = Float(1 / softness), reach = half + Float(4 * softness)
            for n in 0..<count {
                let x = xs[n] - place.x, y = ys[n] - place.y, across = x * ey - y * ex, exponent = across * across * perSquare
                let height = (x * ex + y * ey) * climb - (zs[n] - place.z)
                let light = exponential(-exponent) * (step((height + half) * perSoftness) - step((height - half) * perSoftness))
                let inReach = abs(height) < reach ? light : 0
                shares[n] = exponent < farthest ? inReach : 0
            }
        }
    }
}

extension ShaftModel.Section {
    /// The `share` of rods that end at evenly spaced places, within `whereEndsMatter`, and go on to the other side, to 10⁻⁶.
    func shares(endingAt first: Double, step stepMM: Double, isLower: Bool, to shares: UnsafeMutableBufferPointer<Float>) {
        let range = whereEndsMatter
        guard aspect != .dots else {
            for number in shares.indices {
                let end = min(max(first + Double(number) * stepMM, range.lowerBound), range.upperBound)
                shares[number] = Float(isLower ? share(from: end, to: .infinity) : share(from: -.infinity, to: end))
            }
            return
        }
        func place(_ end: Double) -> Float { Float((end * inPlane - along) / spread) }
        let from = place(range.lowerBound), to = place(range.upperBound), start = place(first), per = Float(stepMM * inPlane / spread)
        let other = step(isLower ? place(high) : place(low)), light = Float(isLower ? -brightness : brightness)
        for number in 0..<shares.count {
            shares[number] = light * (step(min(max(start + per * Float(Int32(truncatingIfNeeded: number)), from), to)) - other)
        }
    }
}

/// e to a power from -80 to 0, to 2·10⁻⁷ of itself: a power of two and the Taylor series of the rest.
@inline(__always)
private func exponential(_ power: Float) -> Float {
    let wholes: Float = 12_582_912  // 1.5·2²³: what is added to it is rounded to a whole number.
    let twos = max(power, -80) * 1.442695041, shifted = twos + wholes, rest = twos - (shifted - wholes)
    let series = 1 + rest * (0.6931471806 + rest * (0.2402265070 + rest * (0.0555041087
        + rest * (0.0096181291 + rest * (0.0013333558 + rest * 0.0001540353)))))
    return series * Float(bitPattern: (shifted.bitPattern &<< 23) &+ 0x3F80_0000)
}

/// The normal distribution's integral, to 2·10⁻⁷ (Abramowitz & Stegun 1964, 7.1.26); 0 and 1 where the model has it so.
@inline(__always)
private func step(_ x: Float) -> Float {
    let t = 1 / (1 + 0.231641889 * abs(x))
    let tail = t * (0.127414796 + t * (-0.142248368 + t * (0.7107068705 + t * (-0.7265760135 + t * 0.5307027145))))
        * exponential(-0.5 * x * x)
    let outer = abs(x) < ShaftModel.widestStep ? tail : 0
    return x > 0 ? 1 - outer : outer
}
