import Foundation
import ImagingCore

/// How long, wide and thick a body is that may be an ablation zone.
///
/// One probe leaves an ellipsoid of up to 2.5 : 1 : 1, several side by side leave something rounder, and an organ's capsule or a large
/// vessel takes something off its thickness. Vessels, layers of muscle and loops of bowel are longer than that.
struct ZoneShape {
    /// The length of the ellipsoid that has the body's second moments.
    let lengthMM: Double
    /// The width of a round ellipsoid of that length and the body's volume.
    let widthMM: Double
    /// The diameter of the largest ball in it. In thick slices its middle lies between two: half their distance, at most, is missed.
    let thicknessMM: Double
    /// How far its farthest point lies from the nearest seed, and the two farthest seeds from each other.
    let reachMM, seedSpanMM: Double

    /// An ellipsoid of 2.5 : 1 : 1 of which 0.3 of the thickness, and so a fifth of the volume, is cut off. Of 211 synthetic zones that
    /// were found none was longer than 2.8 thicknesses and 2.4 widths.
    private static let mostPerThickness = 3.5, mostPerWidth = 3.0
    /// A whole ellipsoid; and what goes on where the search ends, and so is longer than was found: from seeds in the outer half of zones
    /// such were up to 2.0 thicknesses long, and 18 of 26 from seeds in normal tissue 2.3 or more.
    private static let usualPerThickness = 2.5, usualPerThicknessCut = 2.2

    /// - Parameter field: distances in millimetres, positive inside; somewhere it is.
    init(_ field: Volume<Float>, seeds: [PatientPoint]) {
        let spacing = field.geometry.spacing, inside = Mask(field) { $0 >= 0 }
        let places = seeds.map { field.geometry.continuousIndex($0).ijk * spacing }
        func square(_ v: SIMD3<Double>) -> Double { (v * v).sum() }
        let (sum, squares, mixed, deepest, reach) = field.withUnsafeVoxels { depths in
            var sum = SIMD3<Double>.zero, squares = SIMD3<Double>.zero, mixed = SIMD3<Double>.zero, deepest: Float = 0, reach = 0.0
            for offset in depths.indices where depths[offset] >= 0 {
                let index = field.size.index(atOffset: offset), p = SIMD3(Double(index.i), Double(index.j), Double(index.k)) * spacing
                sum += p
                squares += p * p
                mixed += p * SIMD3(p.y, p.z, p.x)
                deepest = max(deepest, depths[offset])
                reach = max(reach, places.map { square(p - $0) }.min() ?? 0)
            }
            return (sum, squares, mixed, deepest, reach)
        }
        let count = Double(max(inside.count, 1)), mean = sum / count
        // Voxels extend beyond their centres.
        let variances = squares / count - mean * mean + spacing * spacing / 12
        let products = mixed / count - mean * SIMD3(mean.y, mean.z, mean.x)
        lengthMM = 2 * (5 * Self.largestEigenvalue(diagonal: variances, xyYzZx: products)).squareRoot()
        widthMM = (6000 * inside.volumeML / (.pi * lengthMM)).squareRoot()
        thicknessMM = 2 * Double(deepest) + 0.5 * spacing.max()
        reachMM = reach.squareRoot()
        seedSpanMM = seeds.flatMap { a in seeds.map { a.distance(to: $0) } }.max() ?? 0
    }

    /// What it is longer than the seeds themselves say.
    private var unexplainedMM: Double { lengthMM - seedSpanMM }

    /// Why this is no zone; `nil` where it may be one.
    var refusal: String? {
        if thicknessMM < AblationZoneSegmentation.usableDiameterMM.lowerBound {
            return "what stands out there is no more than \(Self.rounded(thicknessMM)) mm thick"
        }
        guard unexplainedMM > Self.mostPerThickness * thicknessMM || unexplainedMM > Self.mostPerWidth * widthMM else { return nil }
        return "what stands out there is \(Int(lengthMM.rounded())) mm long and no more than \(Self.rounded(thicknessMM)) mm thick, "
            + "as vessels, muscles and bowel are"
    }

    /// Whether it is longer than what one probe leaves; and whether it is too long to be more than a part of something.
    var isLong: Bool { unexplainedMM > Self.usualPerThickness * thicknessMM }
    var isLongForCut: Bool { unexplainedMM > Self.usualPerThicknessCut * thicknessMM }

    private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    /// Of a symmetric matrix of 3 × 3, in closed form (Smith, Comm. ACM 4 (1961) 168).
    private static func largestEigenvalue(diagonal: SIMD3<Double>, xyYzZx: SIMD3<Double>) -> Double {
        let mean = diagonal.sum() / 3, rest = diagonal - mean, off = xyYzZx
        let scale = (((rest * rest).sum() + 2 * (off * off).sum()) / 6).squareRoot()
        guard scale > 1e-9 * mean else { return mean }
        let (a, b) = (rest / scale, off / scale)
        let determinant = a.x * a.y * a.z + 2 * b.x * b.y * b.z - a.x * b.y * b.y - a.y * b.z * b.z - a.z * b.x * b.x
        return mean + 2 * scale * cos(acos(max(-1, min(1, determinant / 2))) / 3)
    }
}

extension Volume<Float> {
    /// The root mean square distance in millimetres by which a ball inside a surface misses it: 0 for a ball and an ellipsoid that is no
    /// sharper, more for tips and ridges. No place counts for more than the ball's radius.
    ///
    /// The field holds distances in millimetres, positive inside.
    func sharpnessMM(ballMM: Double) -> Double {
        let ball = Float(ballMM), core = mapped { (depth: Float) -> Float in depth - ball }
        guard core.withUnsafeVoxels({ $0.contains { $0 >= 0 } }) else { return 0 }
        let half = Float(0.5 * geometry.spacing.min())
        let missed = combined(with: core.signedDistanceToZero()) { depth, core in
            abs(depth) < half ? Swift.min(Swift.max(depth - ball - core, 0), ball) : -1
        }
        let places = missed.withUnsafeVoxels { $0.filter { $0 >= 0 } }
        return (places.reduce(0) { $0 + Double($1 * $1) } / Double(Swift.max(places.count, 1))).squareRoot()
    }
}
