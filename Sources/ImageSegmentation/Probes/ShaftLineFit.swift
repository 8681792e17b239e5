import Foundation
import ImagingCore

/// The line that a rod runs along: where `ShaftModel` agrees best with voxels that lie between its ends.
extension ShaftFit {
    func start(_ line: LineStretch, _ samples: [Sample]) -> ShaftModel {
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
    func lifted(_ model: ShaftModel, _ samples: [Sample]) -> ShaftModel {
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
    func predicted(_ excess: Double, _ sample: Sample) -> Double {
        min(sample.background + excess + sample.others, contrast.saturation)
    }
    @inline(__always)
    private func tolerance(_ predicted: Double, _ sample: Sample) -> Double { contrast.scatter + 0.1 * abs(predicted - sample.background) }

    /// Levenberg–Marquardt on seven numbers: shift and turn across the line, amplitude, blur and slice thickness (the last three as
    /// logarithms).
    func refine(_ model: inout ShaftModel, _ samples: [Sample]) -> Bool {
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

    func robustCost(_ model: ShaftModel, _ samples: [Sample]) -> Double {
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
}

extension ShaftModel {
    func halfSpan(of samples: [ShaftFit.Sample]) -> Double { samples.reduce(0) { max($0, abs($1.along)) } }

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
}
