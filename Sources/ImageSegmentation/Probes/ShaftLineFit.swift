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
    func lifted(_ model: ShaftModel, _ voxels: ShaftVoxels) -> ShaftModel {
        guard model.aspect == .line else { return model }
        let half = max(voxels.halfSpanMM, 10), heights = [-0.4, -0.2, 0, 0.2, 0.4]
        let tried = [model] + heights.flatMap { low in
            heights.map { high in
                var next = model
                next.middle.z += (low + high) / 2 * spacing.z
                next.direction.z += (high - low) * spacing.z / (2 * half)
                next.direction /= next.direction.length
                return next
            }
        }
        let costs = mapSlabs(of: tried.count, slab: heights.count) { $0.map { robustCost(tried[$0], voxels) } }.flatMap { $0 }
        return tried[costs.indices.min { costs[$0] < costs[$1] }!]
    }

    /// What one of the voxels is predicted to read.
    func predicted(_ excess: Double, _ sample: Sample) -> Double {
        min(sample.background + excess + sample.others, contrast.saturation)
    }

    /// Levenberg–Marquardt on seven numbers: shift and turn across the line, amplitude, blur and slice thickness (the last three as
    /// logarithms).
    func refine(_ model: inout ShaftModel, _ voxels: ShaftVoxels) -> Bool {
        let half = max(voxels.halfSpanMM, 10)
        let steps = [0.05, 0.05, 0.05 / half, 0.05 / half, 0.02, 0.02, 0.02]
        var damping = 1e-2, cost = robustCost(model, voxels)
        for _ in 0..<12 {
            let (normal, gradient) = normalEquations(model, voxels, steps)
            var improved = false
            for _ in 0..<4 {
                var damped = normal
                for index in 0..<7 { damped[8 * index] += damping * normal[8 * index] + 1e-9 }
                guard let change = LinearSystem.solution(damped, gradient) else { return false }
                let next = model.changed(
                    by: change.enumerated().map { $0.offset < 4 ? $0.element : max(-0.5, min(0.5, $0.element)) }, spacing: spacing)
                let nextCost = robustCost(next, voxels)
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

    private static let amplitudeIndex = 4

    /// The normal equations of the weighted residuals.
    private func normalEquations(_ model: ShaftModel, _ voxels: ShaftVoxels, _ steps: [Double]) -> ([Double], [Double]) {
        let rod = ShaftModel.Projection(of: model)
        let moved = steps.indices.map { ShaftModel.Projection(of: model.moved(at: $0, by: steps[$0])) }
        var normal = [Double](repeating: 0, count: 49), gradient = [Double](repeating: 0, count: 7)
        let chunk = ShaftVoxels.chunk
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 10 * chunk) { buffer in
            let slopes = buffer.baseAddress!, residuals = slopes + 7 * chunk, values = residuals + chunk, scales = values + chunk
            voxels.forEachChunk { rows in
                rod.shares(of: rows, around: voxels.origin, to: values)
                for index in 0..<7 {
                    let slope = slopes + index * chunk
                    if index == Self.amplitudeIndex {
                        slope.update(from: values, count: rows.count)
                    } else {
                        moved[index].shares(of: rows, around: voxels.origin, to: slope)
                    }
                }
                weigh(rows, rod, values, residuals, scales)
                for index in 0..<7 {
                    let slope = slopes + index * chunk, amplitude = Float(moved[index].amplitude), perStep = Float(1 / steps[index])
                    let brightest = Float(contrast.saturation)
                    for n in 0..<rows.count {
                        slope[n] = (min(rows.ground[n] + amplitude * slope[n], brightest) - values[n]) * (scales[n] * perStep)
                    }
                }
                for row in 0..<7 {
                    for column in 0...row {
                        normal[7 * row + column] += Self.product(slopes + row * chunk, slopes + column * chunk, rows.count)
                    }
                    gradient[row] += Self.product(slopes + row * chunk, residuals, rows.count)
                }
            }
        }
        for row in 0..<7 { for column in 0..<row { normal[7 * column + row] = normal[7 * row + column] } }
        return (normal, gradient)
    }

    /// The rod as bright as the voxels ask for where it lies: a Gauss–Newton step of the amplitude alone.
    ///
    /// A rod at a slice's edge has to be brighter than one in its middle; heights compared at one amplitude speak for the one it was
    /// fitted at.
    func withBestAmplitude(_ model: ShaftModel, _ voxels: ShaftVoxels) -> ShaftModel {
        let rod = ShaftModel.Projection(of: model)
        var square = 1e-9, gradient = 0.0
        let chunk = ShaftVoxels.chunk
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 4 * chunk) { buffer in
            let shares = buffer.baseAddress!, values = shares + chunk, residuals = values + chunk, scales = residuals + chunk
            voxels.forEachChunk { rows in
                rod.shares(of: rows, around: voxels.origin, to: shares)
                values.update(from: shares, count: rows.count)
                weigh(rows, rod, values, residuals, scales)
                for n in 0..<rows.count { shares[n] *= scales[n] }
                square += Self.product(shares, shares, rows.count)
                gradient += Self.product(shares, residuals, rows.count)
            }
        }
        var copy = model
        copy.amplitude *= max(1 - Self.largestChange, min(1 + Self.largestChange, 1 + gradient / (square * model.amplitude)))
        return copy
    }
    private static let largestChange = 0.3

    /// From the rod's shares the values predicted, the residuals in standard deviations and what turns a change of a value into one of
    /// the residual, both by the root of the residual's weight.
    private func weigh(
        _ rows: ShaftVoxels.Rows, _ rod: ShaftModel.Projection, _ values: UnsafeMutablePointer<Float>,
        _ residuals: UnsafeMutablePointer<Float>, _ scales: UnsafeMutablePointer<Float>
    ) {
        let amplitude = Float(rod.amplitude), brightest = Float(contrast.saturation), scatter = Float(contrast.scatter)
        for n in 0..<rows.count {
            let value = min(rows.ground[n] + amplitude * values[n], brightest)
            let perSigma = 1 / (scatter + 0.1 * abs(value - rows.background[n])), residual = (rows.value[n] - value) * perSigma
            let root = (1 / (1 + residual * residual * (1 / 9))).squareRoot()
            // A saturated voxel where the model is saturated says nothing.
            let weight = min(value, rows.value[n]) < brightest ? root : 0
            (values[n], residuals[n], scales[n]) = (value, weight * residual, weight * perSigma)
        }
    }

    /// The scalar product of two rows.
    private static func product(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Double {
        var sums = (SIMD4<Float>.zero, SIMD4<Float>.zero), rest: Float = 0
        func lanes(_ row: UnsafePointer<Float>, _ n: Int) -> SIMD4<Float> { UnsafeRawPointer(row + n).loadUnaligned(as: SIMD4<Float>.self) }
        let whole = count & ~7
        for n in stride(from: 0, to: whole, by: 8) {
            sums.0 += lanes(a, n) * lanes(b, n)
            sums.1 += lanes(a, n &+ 4) * lanes(b, n &+ 4)
        }
        for n in whole..<count { rest += a[n] * b[n] }
        return Double((sums.0 + sums.1).sum() + rest)
    }

    /// How badly a rod agrees with the voxels; one that is far off counts little (Cauchy's weight, at three standard deviations).
    func robustCost(_ model: ShaftModel, _ voxels: ShaftVoxels) -> Double {
        let rod = ShaftModel.Projection(of: model)
        let amplitude = Float(rod.amplitude), brightest = Float(contrast.saturation), scatter = Float(contrast.scatter)
        var sum = 0.0
        withUnsafeTemporaryAllocation(of: Float.self, capacity: ShaftVoxels.chunk) { buffer in
            let factors = buffer.baseAddress!
            voxels.forEachChunk { rows in
                rod.shares(of: rows, around: voxels.origin, to: factors)
                for n in 0..<rows.count {
                    let value = min(rows.ground[n] + amplitude * factors[n], brightest)
                    let residual = (rows.value[n] - value) / (scatter + 0.1 * abs(value - rows.background[n]))
                    factors[n] = 1 + residual * residual * (1 / 9)
                }
                sum += Self.logarithm(ofProduct: factors, rows.count)
            }
        }
        return sum
    }

    /// The logarithm of a product of sixteen is as good as the sum of theirs.
    private static func logarithm(ofProduct factors: UnsafePointer<Float>, _ count: Int) -> Double {
        func lanes(_ n: Int) -> SIMD4<Float> { UnsafeRawPointer(factors + n).loadUnaligned(as: SIMD4<Float>.self) }
        var sum = 0.0, rest = 1.0
        let whole = count & ~15
        for n in stride(from: 0, to: whole, by: 16) {
            // Four of them keep within single precision.
            let four = lanes(n) * lanes(n &+ 4) * lanes(n &+ 8) * lanes(n &+ 12)
            sum += log(Double(four.x) * Double(four.y) * Double(four.z) * Double(four.w))
        }
        for n in whole..<count { rest *= Double(factors[n]) }
        return sum + log(rest)
    }
}

extension ShaftModel {
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
