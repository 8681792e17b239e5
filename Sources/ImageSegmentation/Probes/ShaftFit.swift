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
    private let spacing: SIMD3<Double>

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
        /// One standard deviation of either end along the rod, in millimetres.
        var endUncertaintyMM: (from: Double, to: Double)
        var leavesScan: (from: Bool, to: Bool)

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
    /// - Returns: `nil` when nothing like a rod is left.
    func fit(_ line: LineStretch, others: [ShaftModel] = [], isLast: Bool = false) -> Outcome? {
        guard var samples = samples(around: line, others: others) else { return nil }
        let inner = samples.filter {
            line.range.contains($0.along) && $0.along > line.range.lowerBound + 2 && $0.along < line.range.upperBound - 2
        }
        guard inner.count >= 30 else { return nil }
        let step = inner.count / Self.largestSampleCount + 1
        let used = step == 1 ? inner : stride(from: 0, to: inner.count, by: step).map { inner[$0] }
        var model = lifted(start(line, used), used)
        guard refine(&model, used) else { return nil }
        if isLast { model = levelled(model, halfMM: max(model.halfSpan(of: used), 10)) { robustCost($0, used) } }
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
        (model.from, spread.from) = ends[0]
        (model.to, spread.to) = ends[1]
        let tolerance = 2.5 + 0.5 * spacing.z * abs(model.direction.z)
        if model.from < scanRange.lowerBound + tolerance { (model.from, leaves.from) = (scanRange.lowerBound, true) }
        if model.to > scanRange.upperBound - tolerance { (model.to, leaves.to) = (scanRange.upperBound, true) }
        guard model.to > model.from else { return nil }
        return Outcome(model: model, explainedShare: explained, typicalExcess: excess, endUncertaintyMM: spread, leavesScan: leaves)
    }

    // MARK: Samples

    /// The voxels around a line and beyond its ends, each with the background that surrounds the line at its height.
    private func samples(around line: LineStretch, others: [ShaftModel]) -> [Sample]? {
        let geometry = scan.geometry
        let low = line.range.lowerBound - Self.extensionMM, high = line.range.upperBound + Self.extensionMM
        let corners = [line.point(at: low), line.point(at: high)].map { geometry.point(ContinuousIndex($0 / spacing)) }
        guard let box = geometry.indexRanges(around: corners, marginMM: 7.5 + spacing.z) else { return nil }
        let voxels = scan.floats(in: box.i, box.j, box.k)
        let (u, v) = line.across, thick = abs(v.z) * spacing.z
        let binMM = 2.5, bins = Int((high - low) / binMM) + 1
        var ring = [[Float]](repeating: [], count: bins)
        var result: [Sample] = []
        let near = others.filter { $0.mayReach(line, low, high) }.map(ShaftModel.Projection.init)
        voxels.withUnsafeVoxels { values in
            var offset = 0
            for k in box.k {
                for j in box.j {
                    for i in box.i {
                        let value = values[offset]
                        offset += 1
                        let position = SIMD3(Double(i), Double(j), Double(k)) * spacing, from = position - line.origin
                        let along = (from * line.direction).sum()
                        guard along > low, along < high else { continue }
                        let a = abs((from * u).sum()), b = abs((from * v).sum())
                        guard a < 6, b < 6 + 0.8 * thick else { continue }
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

    // MARK: Line

    private func start(_ line: LineStretch, _ samples: [Sample]) -> ShaftModel {
        var model = ShaftModel(middle: line.origin, direction: line.direction, amplitude: 1, blurMM: 0.9, sliceThicknessMM: spacing.z)
        // The amplitude that explains the brightest voxels where the model is bright.
        let rod = ShaftModel.Projection(of: model)
        let ratios = samples.compactMap { sample -> Double? in
            let share = rod.share(at: sample.position)
            return share > 0.3 ? (sample.value - sample.background) / share : nil
        }.sorted()
        model.amplitude = max(ratios.isEmpty ? 500 : ratios[ratios.count * 3 / 4], 300)
        return model
    }

    /// A rod that lies nearly in the slice plane may run through one slice only: then its height shows in a little light in the next,
    /// which a small step from the wrong height does not meet. Heights and slopes are tried out.
    private func lifted(_ model: ShaftModel, _ samples: [Sample]) -> ShaftModel {
        guard model.aspect == .line else { return model }
        let half = max(model.halfSpan(of: samples), 10)
        var best = (model, robustCost(model, samples))
        for low in stride(from: -0.4, through: 0.4, by: 0.2) {
            for high in stride(from: -0.4, through: 0.4, by: 0.2) {
                var next = model
                next.middle.z += (low + high) / 2 * spacing.z
                next.direction.z += (high - low) * spacing.z / (2 * half)
                next.direction /= next.direction.length
                let cost = robustCost(next, samples)
                if cost < best.1 { best = (next, cost) }
            }
        }
        return best.0
    }

    @inline(__always)
    private func predicted(_ excess: Double, _ sample: Sample) -> Double {
        min(sample.background + excess + sample.others, contrast.saturation)
    }
    @inline(__always)
    private func tolerance(_ predicted: Double, _ sample: Sample) -> Double { contrast.scatter + 0.1 * abs(predicted - sample.background) }

    /// Levenberg–Marquardt on seven numbers: shift and turn across the line, amplitude, blur and slice thickness (the last three as
    /// logarithms).
    private func refine(_ model: inout ShaftModel, _ samples: [Sample]) -> Bool {
        let half = max(model.halfSpan(of: samples), 10)
        let steps = [0.05, 0.05, 0.05 / half, 0.05 / half, 0.02, 0.02, 0.02]
        var damping = 1e-2, cost = robustCost(model, samples)
        for _ in 0..<12 {
            let (normal, gradient) = normalEquations(model, samples, steps)
            var improved = false
            for _ in 0..<4 {
                var damped = normal
                for index in 0..<7 { damped[8 * index] += damping * normal[8 * index] + 1e-9 }
                guard let change = LinearSystem.solution(damped, gradient) else { return false }
                let next = model.changed(
                    by: change.enumerated().map { $0.offset < 4 ? $0.element : max(-0.5, min(0.5, $0.element)) }, spacing: spacing)
                let nextCost = robustCost(next, samples)
                if nextCost < cost {
                    improved = nextCost < 0.9995 * cost
                    (model, cost, damping) = (next, nextCost, max(damping / 5, 1e-5))
                    break
                }
                damping *= 6
            }
            if !improved { break }
        }
        return true
    }

    private static let slab = 256

    /// The normal equations of the weighted residuals.
    private func normalEquations(_ model: ShaftModel, _ samples: [Sample], _ steps: [Double]) -> ([Double], [Double]) {
        let rods = [ShaftModel.Projection(of: model)] + steps.indices.map { ShaftModel.Projection(of: model.moved(at: $0, by: steps[$0])) }
        let parts = mapSlabs(of: samples.count, slab: Self.slab) { normalEquations(rods, samples[$0], steps) }
        let gradient = parts.reduce(SIMD8<Double>.zero) { $0 + $1.gradient }
        let rows = (0..<7).map { row in parts.reduce(SIMD8<Double>.zero) { $0 + $1.rows[row] } }
        return (rows.flatMap { row in (0..<7).map { row[$0] } }, (0..<7).map { gradient[$0] })
    }

    private static let amplitudeIndex = 4

    /// The share of some samples in them, by rows of eight (the last number is empty).
    ///
    /// - Parameter rods: the model, and with each of the seven numbers moved on.
    private func normalEquations(
        _ rods: [ShaftModel.Projection], _ samples: ArraySlice<Sample>, _ steps: [Double]
    ) -> (rows: [SIMD8<Double>], gradient: SIMD8<Double>) {
        var rows = [SIMD8<Double>](repeating: .zero, count: 7), gradient = SIMD8<Double>.zero
        for sample in samples {
            let share = rods[0].share(at: sample.position)
            let value = predicted(rods[0].amplitude * share, sample), sigma = tolerance(value, sample)
            // A saturated voxel where the model is saturated says nothing.
            guard value < contrast.saturation || sample.value < contrast.saturation else { continue }
            let residual = (sample.value - value) / sigma, weight = 1 / (1 + residual * residual / 9)
            var slope = SIMD8<Double>.zero
            for index in 0..<7 {
                let rod = rods[index + 1], moved = rod.amplitude * (index == Self.amplitudeIndex ? share : rod.share(at: sample.position))
                slope[index] = (predicted(moved, sample) - value) / (steps[index] * sigma)
            }
            guard slope != .zero else { continue }
            gradient += weight * residual * slope
            for row in 0..<7 { rows[row] += (weight * slope[row]) * slope }
        }
        return (rows, gradient)
    }

    private func robustCost(_ model: ShaftModel, _ samples: [Sample]) -> Double {
        let rod = ShaftModel.Projection(of: model)
        return mapSlabs(of: samples.count, slab: 2 * Self.slab) { range in
            // The logarithm of a product of sixteen is as good as the sum of theirs.
            var sum = 0.0, product = 1.0, factors = 0
            for sample in samples[range] {
                let value = predicted(rod.amplitude * rod.share(at: sample.position), sample)
                let residual = (sample.value - value) / tolerance(value, sample)
                product *= 1 + residual * residual / 9
                factors += 1
                if factors == 16 { (sum, product, factors) = (sum + log(product), 1, 0) }
            }
            return sum + log(product)
        }.reduce(0, +)
    }

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
    fileprivate func halfSpan(of samples: [ShaftFit.Sample]) -> Double { samples.reduce(0) { max($0, abs($1.along)) } }

    /// A model with one of the seven numbers moved on.
    fileprivate func moved(at index: Int, by step: Double) -> ShaftModel {
        var change = [Double](repeating: 0, count: 7)
        change[index] = step
        return changed(by: change, spacing: nil)
    }

    fileprivate func changed(by change: [Double], spacing: SIMD3<Double>?) -> ShaftModel {
        var copy = self
        let (u, v) = LineStretch(origin: middle, direction: direction, range: 0...0).across
        copy.middle += change[0] * u + change[1] * v
        copy.direction += change[2] * u + change[3] * v
        copy.direction /= copy.direction.length
        copy.amplitude *= exp(change[4])
        copy.blurMM *= exp(change[5])
        copy.sliceThicknessMM *= exp(change[6])
        if let spacing {
            copy.amplitude = min(max(copy.amplitude, 50), 60_000)
            copy.blurMM = min(max(copy.blurMM, 0.35), 4)
            copy.sliceThicknessMM = min(max(copy.sliceThicknessMM, 0.7 * spacing.z), 2 * spacing.z + 0.5)
        }
        return copy
    }

    /// Whether this rod's light may fall on voxels around a stretch of a line.
    fileprivate func mayReach(_ other: LineStretch, _ low: Double, _ high: Double) -> Bool {
        stride(from: low, through: high, by: 5).contains { position in
            distance(to: other.point(at: position)) < 16 + sliceThicknessMM
        }
    }
}
