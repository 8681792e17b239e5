import Foundation
import ImageFilters
import ImagingCore

/// Unfrozen tissue as an earlier scan in the same frame of reference shows it.
///
/// The earlier scan may be of another contrast phase or, on MR, of another gain: its grey levels are mapped to those of the ice scan by the
/// conditional median over the voxels away from the probes. Where its own edges are steep, small motion alone makes differences; such
/// voxels count for little.
struct ReferenceTissue: UnfrozenTissue {
    private let reference: Volume<Float>
    private let mapping: GreyLevelMapping
    private let bright: Float
    private let motionMM: Float
    private let modality: Modality
    /// What the ice scan's voxels would read unfrozen.
    private let expected: Volume<Float>
    private var change: FreezingChange

    /// `nil` when the earlier scan misses the middle of the region, or lies in another frame of reference.
    init?(
        _ scan: ScanVolume, work: Volume<Float>, modality: Modality, toOrigin: Volume<Float>, toAxis: Volume<Float>,
        toMiddle: Volume<Float>, parameters: IceSegmentation.Parameters
    ) {
        guard (try? scan.geometry.requireSameFrame(as: work.geometry)) != nil,
            let box = scan.geometry.indexRanges(around: work.geometry.cornerPoints, marginMM: 4)
        else { return nil }
        let part = scan.floats(in: box.i, box.j, box.k)
        let blur = SIMD3<Double>(repeating: 0.7).replacing(with: SIMD3(repeating: 0), where: part.geometry.spacing .> 2)
        reference = part.gaussianSmoothed(sigmaMM: blur)
        self.modality = modality
        let before = reference.read(on: work.geometry, outside: .nan)
        let near = Mask(toOrigin) { $0 < 15 }
        let covered = before.values(in: near).count { !$0.isNaN }
        guard Double(covered) > 0.8 * Double(min(near.count, 40_000)) else { return nil }
        let away = Mask(before.combined(with: toOrigin) { value, distance in distance > 26 && !value.isNaN ? 1 : 0 }) { $0 > 0 }
        mapping = GreyLevelMapping(from: before, to: work, over: away, multiplicative: modality == .mr)
        bright = work.quantile(0.9, in: away) ?? 1
        motionMM = Self.motion(
            from: mapping.applied(to: before), to: work, over: away, toleratedChange: Self.tolerated(modality, bright: bright),
            expectedMM: Float(parameters.expectedMotionMM))
        // Active ends are longer than what freezes around many of them: their ends lie in tissue that has not frozen.
        let frozen = Mask(toMiddle.combined(with: toAxis) { d, axis in d < 9 && axis > Self.shadowMM ? 1 : 0 }) { $0 > 0 }
        expected = mapping.applied(to: before)
        change = FreezingChange(
            softDropHU: Float(parameters.freezingDropHU), noiseHU: Self.noise(from: expected, to: work, over: away),
            frozen: Self.pairs(expected, work, in: frozen))
    }

    /// Reads by how much fat changes from where it has surely frozen, once that is roughly known.
    ///
    /// - Parameter depth: millimetres inside the ice, on the grid of `work`, as `toAxis` is.
    mutating func readFat(of work: Volume<Float>, depth: Volume<Float>, toAxis: Volume<Float>) {
        let frozen = Mask(depth.combined(with: toAxis) { d, axis in d > Self.surelyFrozenMM && axis > Self.shadowMM ? 1 : 0 }) { $0 > 0 }
        change.readFat(from: Self.pairs(expected, work, in: frozen))
    }
    /// Beside metal nothing is read; and the ice, roughly known, is wrong by a millimetre or two, and takes as much to change wholly.
    private static let shadowMM: Float = 3, surelyFrozenMM: Float = 3

    private static func pairs(
        _ before: Volume<Float>, _ now: Volume<Float>, in mask: Mask
    ) -> some Sequence<(tissue: Float, value: Float)> {
        zip(before.values(in: mask), now.values(in: mask)).lazy.map { (tissue: $0, value: $1) }
    }

    /// The change that freezing is surely told from.
    private static func tolerated(_ modality: Modality, bright: Float) -> Float { modality == .ct ? 30 : 0.2 * bright }

    /// Where tissue is evenly steep, the change divided by the steepness is how far it moved along the slope.
    ///
    /// Measured away from the ice: two thirds of the places moved by less. What is not measured well is taken to have moved as is usual.
    private static func motion(
        from before: Volume<Float>, to work: Volume<Float>, over away: Mask, toleratedChange: Float, expectedMM: Float
    ) -> Float {
        let filled = before.mapped { (v: Float) -> Float in v.isNaN ? 0 : v }
        let moved = filled.combined(with: work, filled.gradientLengths()) { before, now, slope in
            (0.5 * toleratedChange ... 5 * toleratedChange).contains(slope) ? abs(now - before) / slope : -1
        }
        let measured = moved.values(in: away).filter { $0 >= 0 }
        guard measured.count >= fewestSteep, let usual = measured.quantile(0.68) else { return expectedMM }
        return max(leastMotionShare * expectedMM, min(2 * expectedMM, usual))
    }

    /// By how much soft tissue, fat and bone differ between the scans where nothing has frozen (one standard deviation, robust).
    private static func noise(from expected: Volume<Float>, to work: Volume<Float>, over away: Mask) -> Float {
        let apart = expected.combined(with: work) { before, now in tissueHU.contains(before) ? abs(now - before) : -1 }
        return max(1, 1.4826 * (apart.values(in: away).filter { $0 >= 0 }.median ?? usualNoiseHU))
    }
    private static let tissueHU: ClosedRange<Float> = -200...450, usualNoiseHU: Float = 15

    private static let fewestSteep = 300, leastMotionShare: Float = 0.35

    let polarity: Float = 1
    /// Many voxels of less add up to what none of them says; from the second on they count fully.
    private static let leastConfidence: ClosedRange<Float> = 0.02...0.1

    func evidence(of image: Volume<Float>) -> Volume<Float> {
        let (iceness, confidence) = iceness(of: image)
        return iceness.combined(with: confidence) { h, w in
            let least = Self.leastConfidence, counted = (w - least.lowerBound) / (least.upperBound - least.lowerBound)
            return w * max(-1, min(1, 2 * h - 1)) * max(0, min(1, counted))
        }
    }

    func edgeImage(of fine: Volume<Float>) -> (Volume<Float>, validity: Volume<Float>) {
        let (iceness, confidence) = iceness(of: fine)
        return (
            iceness.mapped { (h: Float) -> Float in max(-1.5, min(4, h)) }, confidence.mapped { (w: Float) -> Float in w < 0.2 ? 0 : 1 })
    }

    func iceness(of image: Volume<Float>) -> (Volume<Float>, confidence: Volume<Float>) {
        let before = reference.read(on: image.geometry, outside: .nan)
        let expected = mapping.applied(to: before), doubt = mapping.spread(of: before)
        let steepness = expected.mapped { (v: Float) -> Float in v.isNaN ? 0 : v }.gradientLengths()
        let tolerated = Self.tolerated(modality, bright: bright)
        var confidence = expected
        let iceness = image.withUnsafeVoxels { image in
            expected.withUnsafeVoxels { expected in
                doubt.withUnsafeVoxels { doubt in
                    steepness.withUnsafeVoxels { steepness in
                        confidence.withUnsafeMutableVoxels { confidence in
                            Volume<Float>(geometry: before.geometry) { target in
                                for offset in 0..<image.count {
                                    let tissue = expected[offset]
                                    guard !tissue.isNaN else {
                                        (target[offset], confidence[offset]) = (0.5, 0)
                                        continue
                                    }
                                    let (h, w) = modality == .ct
                                        ? change.iceness(image[offset], tissue: tissue)
                                        : SignalLoss.iceness(image[offset], tissue: tissue, bright: bright)
                                    let moved = steepness[offset] * motionMM / tolerated, unsure = doubt[offset] / tolerated
                                    target[offset] = h
                                    confidence[offset] = w / ((1 + moved * moved) * (1 + unsure * unsure))
                                }
                            }
                        }
                    }
                }
            }
        }
        return (iceness, confidence)
    }
}

/// The grey level that each grey level of one scan has in another, as a table.
struct GreyLevelMapping {
    private let lowest: Float, scale: Float
    private let table: [Float], spreads: [Float]
    private static let bins = 64

    /// Conditional medians over `mask`; grey levels that are rare there follow the common shift (or factor, when `multiplicative`).
    init(from source: Volume<Float>, to target: Volume<Float>, over mask: Mask, multiplicative: Bool) {
        let from = source.values(in: mask), to = target.values(in: mask)
        let lowest = from.quantile(0.005) ?? 0
        let highest = max(from.quantile(0.995) ?? 1, lowest + 1)
        let scale = Float(Self.bins - 1) / (highest - lowest)
        (self.lowest, self.scale) = (lowest, scale)
        var samples = [[Float]](repeating: [], count: Self.bins)
        for (a, b) in zip(from, to) where a >= lowest && a <= highest {
            samples[Int((a - lowest) * scale + 0.5)].append(b)
        }
        let common: Float = multiplicative
            ? zip(from, to).filter { $0.0 > lowest + 0.2 * (highest - lowest) }.map { $0.1 / $0.0 }.median ?? 1
            : zip(from, to).filter { $0.0 > -250 && $0.0 < 400 }.map { $0.1 - $0.0 }.median ?? 0
        let medians = samples.map(\.median)
        table = medians.enumerated().map { bin, median in
            let level = lowest + Float(bin) / scale
            let plain = multiplicative ? level * common : level + common
            guard let median else { return plain }
            let weight = Float(samples[bin].count) / Float(samples[bin].count + 60)
            return plain + weight * (median - plain)
        }
        let deviations = zip(samples, medians).map { values, median in
            median.flatMap { median in values.map { abs($0 - median) }.median }
        }
        // Noise spreads every level; only what exceeds the usual spread means that a level stands for several tissues.
        let usual = deviations.compactMap { $0 }.median ?? 0
        spreads = deviations.map { max(0, ($0 ?? usual) - 1.5 * usual) }
    }

    /// By how much (median deviation beyond noise) voxels of each grey level differ in the other scan.
    func spread(of volume: Volume<Float>) -> Volume<Float> {
        spreads.withUnsafeBufferPointer { spreads in
            volume.mapped { (value: Float) -> Float in
                value.isNaN ? 0 : spreads[Int(max(0, min(Float(Self.bins - 1), (value - lowest) * scale + 0.5)))]
            }
        }
    }

    /// Levels beyond the table keep the shift of its ends. NaN stays NaN.
    func applied(to volume: Volume<Float>) -> Volume<Float> {
        let last = Float(Self.bins - 1)
        return table.withUnsafeBufferPointer { table in
            volume.mapped { (value: Float) -> Float in
                guard !value.isNaN else { return value }
                let position = (value - lowest) * scale, held = max(0, min(last, position))
                let bin = min(Int(held), Self.bins - 2), share = held - Float(bin)
                return table[bin] + share * (table[bin + 1] - table[bin]) + (position - held) / scale
            }
        }
    }
}
