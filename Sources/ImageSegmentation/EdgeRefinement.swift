import Foundation
import ImageFilters
import ImagingCore

/// Moves a surface onto the half-height of the edge that it lies near.
///
/// Along the normal through each voxel near the surface the image is read as a share between the local means inside and outside; the
/// share's integral says how far the half-height lies, using every sample of the profile rather than one crossing. The shifts are
/// averaged along the surface, weighted by how clear the edge is, so that stretches without an edge keep the shape they were given.
struct EdgeRefinement {
    /// What the surface is moved on, with holes (metal, streaks) marked in `validity` by 0.
    let image: Volume<Float>
    let validity: Volume<Float>?
    /// Where known, what speaks for the inside (up to 1) and for the outside (down to −1): what lies near the surface but speaks for
    /// neither (fat beside a kidney) has little part in the local means.
    var evidence: Volume<Float>?
    /// Where given, the mean of what `evidence` says for the inside behind an edge, and for the outside before it, from which on the edge
    /// counts fully; an edge with a side of which nothing is known belongs to tissue (that of fat beside muscle) rather than to ice.
    var leastTold: Float?
    /// Where given, an edge at which the image rises outwards by more than this is none of what is looked for.
    var largestRiseOutwards: Float?
    /// +1 when the inside is brighter, −1 when darker, 0 when either may hold.
    var polarity: Float = 0
    /// Standard deviation of the image's noise between neighbouring places.
    let noise: Float
    /// Where known, the step that the edge has beside usual outsides: what lies behind it (a tumour) may be of another level.
    var expectedStep: ExpectedStep?
    /// How far the local means inside and outside reach.
    var meanReachMM = 4.0
    /// How deep below the surface the inside is still taken to be as it is at the edge.
    var insideReachMM: Float = 8
    /// Where given, the inside's level is that of the first `rimMM` behind the edge: what lies deeper and differs from it by more than
    /// this share of the step (a tumour within the rim of ice that has filled lung) has little part in it.
    var rimShare: Float?
    /// Width of the averaging of shifts along the surface.
    var averagingMM = 2.0
    /// The surface moves no further than this from where it started.
    var largestShiftMM: Float = 3
    /// Readings of a profile count as no more than these, as shares from the level outside (0) to the level inside (1). Beyond 0 and 1 they
    /// may speak against noise and unlike neighbours; where a rim lies along the edge, brighter than what follows, they would be for it.
    var countedShares: ClosedRange<Float> = -0.5...1.5
    var passes = 5
    private static let undecidedShare: Float = 0.2, rimMM: Float = 1.5
    /// At these distances from an edge its sides are asked what they are: beyond its blur, and within a thin layer.
    private static let toldMM: [Float] = [1.5, 2.5, 3.5]
    /// Nothing farther from the surface has a part in moving it.
    private static let bandMM: Float = 9
    /// The scanner's blur in the slice plane (one standard deviation), for the bias of curved edges.
    var inPlaneBlurMM: Float = 0.6

    struct Outcome {
        let surface: Volume<Float>
        /// Area-weighted share of the surface that showed an edge.
        let visibleShare: Double
        /// Spread of the single profiles' shifts about the averaged surface.
        let residualMM: Double
        /// How clear an edge the surface lies on, 0 … 1, near the surface.
        let clarity: Volume<Float>
    }

    /// - Parameter start: positive inside, on the image's grid; any scale.
    func refine(_ start: Volume<Float>) -> Outcome {
        let spacing = image.geometry.spacing
        let roughness = SIMD3<Double>(repeating: 1).replacing(with: SIMD3(repeating: 0), where: spacing .> 3)
        let first = start.signedDistanceToZero(limitMM: Self.bandMM).gaussianSmoothed(sigmaMM: roughness)
            .signedDistanceToZero(limitMM: Self.bandMM)
        var surface = first
        var visible = 0.0, residual = 0.0, clarity = first
        for pass in 0..<passes {
            let shift = averagedShift(at: surface, averagingMM: pass == 0 ? 1.5 * averagingMM : averagingMM)
            (visible, residual, clarity) = (shift.visibleShare, shift.residualMM, shift.clarity)
            let limit = largestShiftMM
            surface = surface.combined(with: shift.field, first) { phi, shift, first in
                max(first - limit, min(first + limit, phi + shift))
            }.signedDistanceToZero(limitMM: Self.bandMM, isSmooth: pass == passes - 1)
        }
        return Outcome(surface: surface, visibleShare: visible, residualMM: residual, clarity: clarity)
    }

    private func averagedShift(
        at surface: Volume<Float>, averagingMM: Double
    ) -> (field: Volume<Float>, visibleShare: Double, residualMM: Double, clarity: Volume<Float>) {
        let outside = localMean(at: surface, sign: -1), inside = localMean(at: surface, sign: 1, opposite: outside)
        var (weighted, weight, band) = profileShifts(surface, inside, outside)
        let raw = weighted, rawWeight = weight
        weighted = weighted.gaussianSmoothed(sigmaMM: averagingMM)
        weight = weight.gaussianSmoothed(sigmaMM: averagingMM)
        band = band.gaussianSmoothed(sigmaMM: averagingMM)
        let smooth = weighted.combined(with: weight, band) { w, n, b in w / max(n + 0.02 * b, 1e-6) }
        let (visibleShare, residual) = agreement(of: raw, weight: rawWeight, with: smooth, at: surface)
        return (smooth, visibleShare, residual, weight.combined(with: band) { n, b in b > 1e-4 ? n / b : 0 })
    }

    /// The share of surface voxels with an edge, and the weighted spread of single shifts about the averaged ones.
    private func agreement(
        of shifts: Volume<Float>, weight: Volume<Float>, with smooth: Volume<Float>, at surface: Volume<Float>
    ) -> (visibleShare: Double, residualMM: Double) {
        shifts.withUnsafeVoxels { shifts in
            weight.withUnsafeVoxels { weight in
                smooth.withUnsafeVoxels { smooth in
                    surface.withUnsafeVoxels { surface in
                        var total = 0.0, seen = 0.0, squares = 0.0
                        for offset in 0..<shifts.count where abs(surface[offset]) < 1 {
                            total += 1
                            let w = Double(weight[offset])
                            guard w > 0 else { continue }
                            seen += w
                            let difference = Double(shifts[offset]) / w - Double(smooth[offset])
                            squares += w * difference * difference
                        }
                        return (seen / max(total, 1), (squares / max(seen, 1e-9)).squareRoot())
                    }
                }
            }
        }
    }

    /// The mean of the valid image a little inside (`sign` 1) or outside (−1) of the surface, by normalised convolution; `opposite` is the
    /// other side's.
    private func localMean(at surface: Volume<Float>, sign: Float, opposite: Volume<Float>? = nil) -> Volume<Float> {
        let gap = Float(0.8 + 0.35 * image.geometry.spacing.max())
        let deepest = surface.withUnsafeVoxels { $0.reduce(Float(0)) { max($0, sign * $1) } }
        let near = min(gap, 0.5 * deepest), far = sign > 0 ? max(insideReachMM, gap + 2) : gap + 3.5
        var weight = surface.mapped { (phi: Float) -> Float in
            let depth = sign * phi
            return depth > near && depth < far ? 1 : 0
        }
        if let validity { weight = weight.combined(with: validity) { $0 * $1 } }
        if let evidence { weight = weight.combined(with: evidence) { $0 * (Self.undecidedShare + max(0, sign * $1)) } }
        func mean(_ weight: Volume<Float>) -> Volume<Float> {
            let reach = meanReachMM
            let sum = image.combined(with: weight) { $0 * $1 }.gaussianSmoothed(sigmaMM: reach)
            return sum.combined(with: weight.gaussianSmoothed(sigmaMM: reach)) { s, w in w > 1e-4 ? s / w : .nan }
        }
        if let rimShare, let opposite {
            let rim = mean(weight.combined(with: surface) { w, phi in sign * phi < near + Self.rimMM ? w : 0 })
            let tolerance = rim.combined(with: opposite) { rim, outside in rimShare * abs(rim - outside) }
            let unlike = image.combined(with: rim, tolerance) { value, rim, tolerance in (value - rim) / max(tolerance, 1e-6) }
            return mean(weight.combined(with: unlike) { w, d in d.isNaN ? w : w / (1 + d * d * d * d) })
        }
        let plain = mean(weight)
        let scale = 1 / max(6 * noise, 1e-6)
        return mean(weight.combined(with: image, plain) { w, value, mean in
            guard w > 0, !mean.isNaN else { return w }
            let deviation = (value - mean) * scale
            return w / (1 + deviation * deviation * deviation * deviation)
        })
    }

    /// The variance, in squares of the spacing, that linear interpolation adds at places of one axis (in voxels): its mean over those about
    /// a foot where an edge with a voxel's width shows.
    @inline(__always)
    private static func meanInterpolation(_ foot: Float, halfWidth: Float) -> Float {
        var sum: Float = 0
        for n in -2...2 {
            let place = foot + 0.4 * Float(n) * halfWidth, part = place - place.rounded(.down)
            sum += part * (1 - part)
        }
        return sum / 5
    }

    /// For each voxel near the surface: weight × outward shift, weight, and 1.
    private func profileShifts(
        _ surface: Volume<Float>, _ inside: Volume<Float>, _ outside: Volume<Float>
    ) -> (Volume<Float>, Volume<Float>, Volume<Float>) {
        let size = image.size, spacing = SIMD3<Float>(image.geometry.spacing)
        var weighted = Volume<Float>(geometry: image.geometry, repeating: 0), weight = weighted, band = weighted
        let slices = size.k, strideJ = size.i, strideK = size.i * size.j
        let blurInPlane = inPlaneBlurMM * inPlaneBlurMM
        // The box profile of a voxel widens the edge, and so does the trilinear reading between voxels; between slices only as far as a
        // profile leaves its slice.
        let variance = SIMD3<Float>(blurInPlane, blurInPlane, 0) + spacing * spacing * SIMD3(0.25, 0.25, 1.0 / 12)
        image.withUnsafeVoxels { imageVoxels in
        (validity ?? image).withUnsafeVoxels { validVoxels in
        surface.withUnsafeVoxels { phi in
        inside.withUnsafeVoxels { inside in
        outside.withUnsafeVoxels { outside in
        (evidence ?? image).withUnsafeVoxels { evidenceVoxels in
        weighted.withUnsafeMutableVoxels { weighted in
        weight.withUnsafeMutableVoxels { weight in
        band.withUnsafeMutableVoxels { band in
            let sample = TrilinearSampler(imageVoxels, size: size), valid = TrilinearSampler(validVoxels, size: size)
            let told = TrilinearSampler(evidenceVoxels, size: size)
            let masked = validity != nil, leastTold = evidence == nil ? nil : self.leastTold
            let largestRise = largestRiseOutwards ?? .infinity
            forEachSlab(of: slices, slab: 1) { range in
                for k in range where k > 0 && k < slices - 1 {
                    for j in 1..<max(1, size.j - 1) {
                        for i in 1..<max(1, size.i - 1) {
                            let here = i &+ j &* strideJ &+ k &* strideK
                            let distance = phi[here]
                            guard abs(distance) < 6 else { continue }
                            var gradient = SIMD3(
                                phi[here &+ 1] - phi[here &- 1], phi[here &+ strideJ] - phi[here &- strideJ],
                                phi[here &+ strideK] - phi[here &- strideK]) / (2 * spacing)
                            let length = (gradient * gradient).sum().squareRoot()
                            guard length > 0.3 else { continue }
                            gradient /= length
                            let outward = -gradient
                            let thickness = ((outward * spacing) * (outward * spacing)).sum().squareRoot()
                            guard abs(distance) < max(1.0, 0.75 * thickness) else { continue }
                            band[here] = 1
                            let a = inside[here], b = outside[here]
                            guard !a.isNaN, !b.isNaN, b - a <= largestRise else { continue }
                            let contrast = expectedStep?.believed(a - b, outside: b) ?? a - b
                            guard polarity == 0 || contrast * polarity > 0 else { continue }
                            let clear = contrast * contrast / (contrast * contrast + 4 * noise * noise)
                            let reach = 1.6 + 0.6 * thickness
                            let steps = Int((reach / 0.4).rounded(.up)), step = reach / Float(steps)
                            let perVoxel = outward / spacing
                            // Start on the surface itself, not at the voxel, so that every profile is centred on what it corrects.
                            let foot = SIMD3<Float>(Float(i), Float(j), Float(k)) + distance * perVoxel
                            var sum: Float = 0, used: Float = 0
                            var outwardBroken = false, inwardBroken = false
                            @inline(__always) func share(_ t: Float, _ broken: inout Bool, _ beyond: Float) -> Float {
                                if broken { return beyond }
                                let place = foot + t * perVoxel
                                let w = masked ? valid(place) : 1
                                guard w > 0.7 else { return .nan }
                                let value = (sample(place) - b) / contrast
                                if abs(value - 0.5) > 0.9 + 2 * noise / abs(contrast) && abs(t) > 1 {
                                    broken = true
                                    return beyond
                                }
                                return min(max(value, countedShares.lowerBound), countedShares.upperBound)
                            }
                            for n in 0..<steps {
                                let t = (Float(n) + 0.5) * step
                                let out = share(t, &outwardBroken, 0), inn = share(-t, &inwardBroken, 1)
                                if !out.isNaN { sum += out; used += 1 }
                                if !inn.isNaN { sum += inn - 1; used += 1 }
                            }
                            let completeness = used / Float(2 * steps)
                            guard completeness > 0.6 else { continue }
                            var shift = sum * step / completeness
                            let second = SIMD3(
                                phi[here &+ 1] + phi[here &- 1] - 2 * distance, phi[here &+ strideJ] + phi[here &- strideJ] - 2 * distance,
                                phi[here &+ strideK] + phi[here &- strideK] - 2 * distance) / (spacing * spacing)
                            let between = spacing.z * spacing.z * Self.meanInterpolation(
                                distance * perVoxel.z, halfWidth: 0.5 * outward.z * outward.z)
                            let widened = variance + SIMD3(0, 0, between)
                            shift += max(-1, min(1, -0.5 * (widened * second).sum()))
                            var w = clear * completeness
                            if let leastTold {
                                var inn: Float = 0, out: Float = 0
                                for t in Self.toldMM {
                                    inn += max(0, told(foot - t * perVoxel))
                                    out += max(0, -told(foot + t * perVoxel))
                                }
                                let enough = leastTold * Float(Self.toldMM.count)
                                w *= min(1, inn / enough) * min(1, out / enough)
                            }
                            weighted[here] = w * shift
                            weight[here] = w
                        }
                    }
                }
            }
        }}}}}}}}}
        return (weighted, weight, band)
    }
}
