import Foundation
import ImagingCore

/// Fits `ShaftModel` to a scan: the line first, on what lies between the ends, then where the rod ends.
struct ShaftFit {
    struct Sample {
        var position: SIMD3<Double>
        var value, background: Double
        /// Along the line that the samples were taken around.
        var along: Double
        /// What other rods add here.
        var others = 0.0
    }

    let scan: ScanVolume
    let contrast: ShaftContrast
    let spacing: SIMD3<Double>

    init(scan: ScanVolume, contrast: ShaftContrast) {
        (self.scan, self.contrast, spacing) = (scan, contrast, scan.geometry.spacing)
    }

    /// A fitted rod and how well the scan agrees with it.
    struct Outcome {
        var model: ShaftModel
        /// The share of the voxels' variance about the background that the rod explains, voxels beside it included.
        var explainedShare: Double
        /// How far the brightest voxels of each few millimetres stand out: the median along the rod.
        var typicalExcess: Double
        /// One standard deviation of either end, along the rod and in height, in millimetres.
        var endUncertaintyMM: (from: Double, to: Double)
        var leavesScan: (from: Bool, to: Bool)
        /// How far before its ends the rod begins to taper to points, as far as that shows.
        var pointsMM = (from: 0.0, to: 0.0)

        /// Where the rod is as thick as all along.
        var full: LineStretch {
            let from = model.from + pointsMM.from
            return LineStretch(origin: model.middle, direction: model.direction, range: from...max(from, model.to - pointsMM.to))
        }

        /// By how much the rod's axis would stand out if slices were no thicker than the rod is wide; thick ones dim a thin rod.
        func undimmedExcess(sliceSpacingMM: Double) -> Double {
            guard model.aspect != .dots else { return typicalExcess }
            let inPlane = SIMD2(model.direction.x, model.direction.y), thickness = min(model.sliceThicknessMM, 1.3 * sliceSpacingMM)
            return typicalExcess * max(
                1, thickness * (inPlane * inPlane).sum().squareRoot() / ((2 * Double.pi).squareRoot() * model.blurMM))
        }
    }

    private static let extensionMM = 24.0
    /// The background is read this near: ice around a tip need not reach further.
    private static let ringMM = 5.0
    private static let largestSampleCount = 2500

    /// - Parameters:
    ///   - others: rods already fitted, whose light is taken into account.
    ///   - isLast: whether the rod is placed where it is expected among all that agree with the scan, and not merely where it agrees best.
    ///   - widestBlurMM: the ends of what is wider are not looked for.
    ///   - isWanted: nor are those of a rod that, once placed, is of no use.
    /// - Returns: `nil` when nothing like a rod is left.
    func fit(
        _ line: LineStretch, others: [ShaftModel] = [], isLast: Bool = false, widestBlurMM: Double = .infinity,
        isWanted: (ShaftModel) -> Bool = { _ in true }
    ) -> Outcome? {
        guard var samples = samples(around: line, others: others) else { return nil }
        let inner = samples.filter {
            line.range.contains($0.along) && $0.along > line.range.lowerBound + 2 && $0.along < line.range.upperBound - 2
        }
        guard inner.count >= 30 else { return nil }
        let step = inner.count / Self.largestSampleCount + 1
        let used = step == 1 ? inner : stride(from: 0, to: inner.count, by: step).map { inner[$0] }
        let voxels = ShaftVoxels(used, around: line.origin)
        var model = lifted(start(line, used), voxels)
        guard refine(&model, voxels), model.blurMM < widestBlurMM else { return nil }
        var height = HeightSpread()
        if isLast { (model, height) = levelled(model, halfMM: max(voxels.halfSpanMM, 10)) { robustCost(withBestAmplitude($0, voxels), voxels) } }
        guard isWanted(model) else { return nil }
        let explained = explainedShare(model, inner)
        // The fitted line may have turned a little: positions along it are counted anew.
        let fitted = LineStretch(origin: model.middle, direction: model.direction, range: line.range)
        let shift = fitted.position(of: line.origin)
        for index in samples.indices { samples[index].along = fitted.position(of: samples[index].position) }
        let excess = typicalExcess(samples, in: line.range.lowerBound + shift...line.range.upperBound + shift)
        let scanRange = rangeInsideScan(fitted)
        var leaves = (from: false, to: false), spread = (from: 0.0, to: 0.0)
        let ends = mapSlabs(of: 2, slab: 1) { [model, samples] side in
            let isLower = side.lowerBound == 0
            return end(
                model, samples, excess: excess, near: (isLower ? line.range.lowerBound : line.range.upperBound) + shift, isLower: isLower)
        }
        (model.from, spread.from) = (ends[0].tipMM, ends[0].uncertaintyMM)
        (model.to, spread.to) = (ends[1].tipMM, ends[1].uncertaintyMM)
        let tolerance = 2.5 + 0.5 * spacing.z * abs(model.direction.z)
        if model.from < scanRange.lowerBound + tolerance { (model.from, leaves.from) = (scanRange.lowerBound, true) }
        if model.to > scanRange.upperBound - tolerance { (model.to, leaves.to) = (scanRange.upperBound, true) }
        guard model.to > model.from else { return nil }
        let points = (from: max(ends[0].bluntMM - model.from, 0), to: max(model.to - ends[1].bluntMM, 0))
        spread.from = hypot(spread.from, height.deviationMM(at: model.from))
        spread.to = hypot(spread.to, height.deviationMM(at: model.to))
        return Outcome(
            model: model, explainedShare: explained, typicalExcess: excess, endUncertaintyMM: spread, leavesScan: leaves,
            pointsMM: points)
    }

    /// How badly rods, each as bright as suits it, agree with what lies along a stretch.
    func costs(of models: [ShaftModel], along stretch: LineStretch, others: [ShaftModel]) -> [Double]? {
        guard let samples = samples(around: stretch, others: others) else { return nil }
        let voxels = ShaftVoxels(samples.filter { stretch.range.contains($0.along) }, around: stretch.origin)
        return models.map { model in
            var endless = model
            (endless.from, endless.to) = (-.infinity, .infinity)
            for _ in 0..<3 { endless = withBestAmplitude(endless, voxels) }
            return robustCost(endless, voxels)
        }
    }

    // MARK: Samples

    /// The voxels around a line and beyond its ends, each with the background that surrounds the line at its height.
    private func samples(around line: LineStretch, others: [ShaftModel]) -> [Sample]? {
        let geometry = scan.geometry
        let low = line.range.lowerBound - Self.extensionMM, high = line.range.upperBound + Self.extensionMM
        let corners = [low, high].map { line.point(at: $0, in: geometry) }
        guard let box = geometry.indexRanges(around: corners, marginMM: 7.5 + spacing.z) else { return nil }
        let (u, v) = line.across, thick = abs(v.z) * spacing.z
        let binMM = 2.5, bins = Int((high - low) / binMM) + 1
        var ring = [[Float]](repeating: [], count: bins)
        var result: [Sample] = []
        let near = others.filter { $0.mayReach(line, low, high) }.map(ShaftModel.Projection.init)
        for k in box.k {
            for j in box.j {
                let first = SIMD3(0, Double(j), Double(k)) * spacing - line.origin
                for i in Self.columns(of: box.i, spacing.x, [
                    (from: low, to: high, at: (first * line.direction).sum(), slope: line.direction.x),
                    (from: -6, to: 6, at: (first * u).sum(), slope: u.x),
                    (from: -6 - 0.8 * thick, to: 6 + 0.8 * thick, at: (first * v).sum(), slope: v.x),
                ]) {
                    let position = SIMD3(Double(i), Double(j), Double(k)) * spacing, from = position - line.origin
                    let along = (from * line.direction).sum()
                    guard along > low, along < high else { continue }
                    let a = abs((from * u).sum()), b = abs((from * v).sum())
                    guard a < 6, b < 6 + 0.8 * thick else { continue }
                    let value = scan.value(at: VoxelIndex(i, j, k))
                    if a < 4.5, b < 4.5 + 0.8 * thick {
                        result.append(Sample(position: position, value: Double(value), background: 0, along: along))
                    }
                    let beyond = max(b - 0.75 * thick, 0)
                    if a > 3.2 || beyond > 3.2, a * a + beyond * beyond < Self.ringMM * Self.ringMM {
                        ring[Int((along - low) / binMM)].append(value)
                    }
                }
            }
        }
        let medians = ring.map { $0.count >= 5 ? Double($0.median!) : Double.nan }
        let fallback = medians.filter { !$0.isNaN }.sorted()
        guard let typical = fallback.isEmpty ? nil : fallback[fallback.count / 2] else { return nil }
        let levels = medians.map { $0.isNaN ? typical : $0 }
        for index in result.indices {
            let place = min(max((result[index].along - low) / binMM - 0.5, 0), Double(bins - 1)), bin = min(Int(place), max(bins - 2, 0))
            result[index].background = levels[bin] + (place - Double(bin)) * (levels[min(bin + 1, bins - 1)] - levels[bin])
            for other in near { result[index].others += other.amplitude * other.share(at: result[index].position) }
        }
        return result
    }

    /// The columns of a row of voxels in which some distances, that change evenly along it, may lie in their ranges; some beside them too.
    private static func columns(
        of row: Range<Int>, _ spacing: Double, _ distances: [(from: Double, to: Double, at: Double, slope: Double)]
    ) -> Range<Int> {
        var low = Double(row.lowerBound), high = Double(row.upperBound - 1)
        for distance in distances where abs(distance.slope) > 1e-6 {
            let perMM = 1 / (distance.slope * spacing)
            let a = (distance.from - distance.at) * perMM, b = (distance.to - distance.at) * perMM
            (low, high) = (max(low, min(a, b) - 1), min(high, max(a, b) + 1))
        }
        return low <= high ? Int(low)..<Int(high) + 1 : 0..<0
    }

    private func rangeInsideScan(_ line: LineStretch) -> ClosedRange<Double> {
        let size = scan.geometry.size
        let low = SIMD3(repeating: -0.5) * spacing, high = (SIMD3(Double(size.i), Double(size.j), Double(size.k)) - 0.5) * spacing
        var from = -1e4, to = 1e4
        for axis in 0..<3 where abs(line.direction[axis]) > 1e-6 {
            let a = (low[axis] - line.origin[axis]) / line.direction[axis], b = (high[axis] - line.origin[axis]) / line.direction[axis]
            (from, to) = (max(from, min(a, b)), min(to, max(a, b)))
        }
        return from...max(from, to)
    }

    // MARK: Agreement

    private func explainedShare(_ model: ShaftModel, _ samples: [Sample]) -> Double {
        let rod = ShaftModel.Projection(of: model)
        var left = 0.0, all = 0.0
        for sample in samples {
            let residual = sample.value - predicted(rod.amplitude * rod.share(at: sample.position), sample)
            let plain = sample.value - min(sample.background + sample.others, contrast.saturation)
            left += residual * residual
            all += plain * plain
        }
        return all > 0 ? 1 - left / all : 0
    }

    private func typicalExcess(_ samples: [Sample], in range: ClosedRange<Double>) -> Double {
        let bin = 3 + spacing.z / 2
        var highest: [Int: Double] = [:]
        for sample in samples where range.contains(sample.along) {
            highest[Int(((sample.along - range.lowerBound) / bin)), default: -.infinity] = max(
                highest[Int(((sample.along - range.lowerBound) / bin)), default: -.infinity], sample.value - sample.background)
        }
        let sorted = highest.values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}

extension ShaftModel {
    /// Whether this rod's light may fall on voxels around a stretch of a line.
    fileprivate func mayReach(_ other: LineStretch, _ low: Double, _ high: Double) -> Bool {
        stride(from: low, through: high, by: 5).contains { position in
            distance(to: other.point(at: position)) < 16 + sliceThicknessMM
        }
    }
}
