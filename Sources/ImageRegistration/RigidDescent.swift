import ImagingCore

/// Follows the local correlation of two images to the nearest rigid motion that is best (Gauss–Newton with Levenberg's damping).
struct RigidDescent {
    var iterations: Int
    /// A step whose effect at `reachMM` from the centre is below this ends the search.
    var toleranceMM = 0.02
    private let reachMM = 100.0
    /// A step moves no point at `reachMM` from the centre farther than this: windows tell nothing about what lies beyond them.
    var longestStepMM: Double

    /// - Parameter center: a point of the fixed frame about which turns are made.
    func refine(
        _ start: AffineTransform, _ similarity: inout LocalCorrelation, about center: PatientPoint
    ) -> (transform: AffineTransform, cost: Double, overlap: Double) {
        var current = start
        let first = similarity.evaluate(current)
        var (cost, overlap) = (first.cost, first.overlap)
        var damping = 1e-3
        var system = NormalEquations(similarity, center: center)
        for _ in 0..<iterations {
            guard let step = system.solved(damping: damping) else { break }
            let trial = Self.step(shortened(step), about: center, axes: similarity.grid.axes).followed(by: current)
            let tried = similarity.evaluate(trial), (trialCost, trialOverlap) = (tried.cost, tried.overlap)
            // What fits better because less is compared is no better.
            if PoseSearch.explained(cost: trialCost, overlap: trialOverlap) > PoseSearch.explained(cost: cost, overlap: overlap)
                || trialOverlap > overlap && trialCost < cost + 0.02 {
                (current, cost, overlap) = (trial, trialCost, trialOverlap)
                damping = max(damping / 4, 1e-6)
                if length(step) < toleranceMM { break }
                system = NormalEquations(similarity, center: center)
            } else {
                damping *= 16
                if damping > 1e3 { break }
            }
        }
        return (current, cost, overlap)
    }

    /// How far a step moves what lies at `reachMM` from the centre, at most.
    private func length(_ step: [Double]) -> Double {
        let turn = SIMD3(step[0], step[1], step[2]), shift = SIMD3(step[3], step[4], step[5])
        return (turn * turn).sum().squareRoot() * reachMM + (shift * shift).sum().squareRoot()
    }
    private func shortened(_ step: [Double]) -> [Double] {
        let factor = min(1, longestStepMM / max(length(step), .leastNormalMagnitude))
        return step.map { factor * $0 }
    }

    /// The small motion of the fixed frame that `parameters` (turn in radians, shift in millimetres, along the grid's axes) describe.
    private static func step(_ parameters: [Double], about center: PatientPoint, axes: PatientAxes) -> AffineTransform {
        let handedness = axes.isRightHanded ? 1.0 : -1
        let turn = axes.vector(SIMD3(parameters[0], parameters[1], parameters[2]))
        let shift = axes.vector(SIMD3(parameters[3], parameters[4], parameters[5]))
        return AffineTransform(rotation: .rotation(about: turn, radians: handedness * turn.length), about: center, translation: shift)
    }
}

/// The least-squares problem of a rigid motion in six unknowns.
struct NormalEquations {
    /// By rows.
    var matrix = [Double](repeating: 0, count: 36)
    var right = [Double](repeating: 0, count: 6)

    init(_ similarity: LocalCorrelation, center: PatientPoint) {
        let grid = similarity.grid, size = grid.size
        let middle = SIMD3<Float>(grid.continuousIndex(center).ijk * grid.spacing), spacing = SIMD3<Float>(grid.spacing)
        let partial = similarity.equations.withUnsafeBufferPointer { equations in
            mapSlabs(of: size.j * size.k, slab: 32) { rows -> [Double] in
                var sums = [Double](repeating: 0, count: 27)
                for row in rows {
                    let y = Float(row % size.j) * spacing.y - middle.y, z = Float(row / size.j) * spacing.z - middle.z
                    // Products of one row in single precision, added up in double.
                    var a = SIMD8<Float>.zero, b = SIMD8<Float>.zero, c = SIMD8<Float>.zero, d = SIMD4<Float>.zero
                    for i in 0..<size.i {
                        let equation = equations[row &* size.i &+ i]
                        guard equation != .zero else { continue }
                        let (gx, gy, gz, r) = (equation.x, equation.y, equation.z, equation.w)
                        let x = Float(i) * spacing.x - middle.x
                        let (tx, ty, tz) = (y * gz - z * gy, z * gx - x * gz, x * gy - y * gx)
                        a += SIMD8(tx, tx, tx, tx, tx, tx, ty, ty) * SIMD8(tx, ty, tz, gx, gy, gz, ty, tz)
                        b += SIMD8(ty, ty, ty, tz, tz, tz, tz, gx) * SIMD8(gx, gy, gz, tz, gx, gy, gz, gx)
                        c += SIMD8(gx, gx, gy, gy, gz, tx, ty, tz) * SIMD8(gy, gz, gy, gz, gz, r, r, r)
                        d += SIMD4(gx, gy, gz, 0) * r
                    }
                    for n in 0..<8 {
                        sums[n] += Double(a[n])
                        sums[8 + n] += Double(b[n])
                        sums[16 + n] += Double(c[n])
                    }
                    for n in 0..<3 { sums[24 + n] += Double(d[n]) }
                }
                return sums
            }
        }
        var sums = [Double](repeating: 0, count: 27)
        for part in partial { for n in 0..<27 { sums[n] += part[n] } }
        var next = 0
        for row in 0..<6 {
            for column in row..<6 {
                matrix[row * 6 + column] = sums[next]
                matrix[column * 6 + row] = sums[next]
                next += 1
            }
        }
        right = Array(sums[21...])
    }

    /// The unknowns, with `damping` times the diagonal added to it; `nil` when the images say too little.
    func solved(damping: Double) -> [Double]? {
        var a = matrix
        for n in 0..<6 { a[n * 7] *= 1 + damping }
        // Cholesky.
        for column in 0..<6 {
            for row in column..<6 {
                var sum = a[row * 6 + column]
                for n in 0..<column { sum -= a[row * 6 + n] * a[column * 6 + n] }
                if row == column {
                    guard sum > 1e-12 * matrix[row * 7], sum > 0 else { return nil }
                    a[row * 6 + row] = sum.squareRoot()
                } else {
                    a[row * 6 + column] = sum / a[column * 6 + column]
                }
            }
        }
        var x = right
        for row in 0..<6 {
            for n in 0..<row { x[row] -= a[row * 6 + n] * x[n] }
            x[row] /= a[row * 7]
        }
        for row in (0..<6).reversed() {
            for n in row + 1..<6 { x[row] -= a[n * 6 + row] * x[n] }
            x[row] /= a[row * 7]
        }
        return x
    }
}
