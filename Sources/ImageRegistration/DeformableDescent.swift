import ImagingCore

/// Follows the local correlation of two images to a smooth displacement: Gauss–Newton steps on B-spline controls, each solved by
/// conjugate gradients, with the displacement's bending energy held down. Where nothing can be compared, bending alone decides.
struct DeformableDescent {
    /// The weight of the bending energy against the images.
    var stiffness: Float
    var iterations: Int
    /// No voxel moves farther than this in one step.
    var longestStepMM: Float = 6
    /// The search ends when no voxel moves farther than this.
    var toleranceMM: Float = 0.05
    static let solverIterations = 25

    /// Improves `controls` (millimetres along the grid's axes).
    func refine(
        _ controls: inout [SIMD4<Float>], _ lattice: BSplineLattice, _ similarity: inout LocalCorrelation, from rigid: AffineTransform
    ) -> Double {
        let bending = BendingEnergy(counts: lattice.counts)
        let perMM = SIMD4<Float>(SIMD3<Float>(1 / lattice.grid.spacing), 0)
        func evaluate(_ controls: [SIMD4<Float>]) -> LocalCorrelation.Comparison {
            var displacements = lattice.dense(controls)
            for index in displacements.indices { displacements[index] *= perMM }
            return displacements.withUnsafeBufferPointer { similarity.evaluate(rigid, displacements: $0.baseAddress!) }
        }
        let first = evaluate(controls)
        var cost = first.cost, step = solve(similarity.equations, lattice, bending, controls), share: Float = 1
        // What is left unexplained, as if always the same were compared, and what bending costs.
        func objective(_ cost: Double, _ controls: [SIMD4<Float>]) -> Double {
            cost * first.contrast + Double(stiffness) * bending.applied(to: controls).energy
        }
        var least = objective(cost, controls)
        for _ in 0..<iterations {
            let longest = lattice.dense(step).reduce(Float(0)) { max($0, ($1 * $1).sum()) }.squareRoot()
            let taken = min(share, longestStepMM / max(longest, .leastNormalMagnitude))
            let trial = controls.indices.map { controls[$0] + taken * step[$0] }
            let tried = evaluate(trial).cost, reached = objective(tried, trial)
            // Windows that overlap make a full step too long at times, and the next one would lead back, and beyond.
            if reached < least {
                (controls, cost, least) = (trial, tried, reached)
                if taken * longest < toleranceMM { break }
                step = solve(similarity.equations, lattice, bending, controls)
                share = min(1, 2 * share)
            } else {
                share = taken / 4
                if share * longest < toleranceMM { break }
            }
        }
        return cost
    }

    /// Solves (AᵀA + stiffness · B + small) step = Aᵀr − stiffness · B controls.
    private func solve(
        _ equations: [SIMD4<Float>], _ lattice: BSplineLattice, _ bending: BendingEnergy, _ controls: [SIMD4<Float>]
    ) -> [SIMD4<Float>] {
        let count = equations.count
        func map(_ body: (Int) -> SIMD4<Float>) -> [SIMD4<Float>] {
            [SIMD4<Float>](unsafeUninitializedCapacity: count) { buffer, initialized in
                nonisolated(unsafe) let output = buffer.baseAddress!
                forEachSlab(of: count, slab: 1 << 14) { range in for index in range { output[index] = body(index) } }
                initialized = count
            }
        }
        func product(_ v: [SIMD4<Float>]) -> [SIMD4<Float>] {
            let dense = lattice.dense(v)
            var result = lattice.gathered(map { index in
                let e = equations[index], d = dense[index]
                let along = e.x * d.x + e.y * d.y + e.z * d.z
                return along * SIMD4(e.x, e.y, e.z, 0)
            })
            let bent = bending.applied(to: v).product
            for index in result.indices { result[index] += stiffness * bent[index] + 1e-4 * v[index] }
            return result
        }
        func dot(_ a: [SIMD4<Float>], _ b: [SIMD4<Float>]) -> Double {
            var sum = SIMD4<Double>.zero
            for index in a.indices { sum += SIMD4<Double>(a[index] * b[index]) }
            return sum.sum()
        }
        var residual = lattice.gathered(map { index in
            let e = equations[index]
            return e.w * SIMD4(e.x, e.y, e.z, 0)
        })
        let bent = bending.applied(to: controls).product
        for index in residual.indices { residual[index] -= stiffness * bent[index] }
        var step = [SIMD4<Float>](repeating: .zero, count: controls.count), direction = residual
        var square = dot(residual, residual)
        let first = square
        for _ in 0..<Self.solverIterations where square > 1e-6 * first && square > 0 {
            let image = product(direction)
            let length = Float(square / dot(direction, image))
            for index in step.indices {
                step[index] += length * direction[index]
                residual[index] -= length * image[index]
            }
            let next = dot(residual, residual)
            let share = Float(next / square)
            for index in direction.indices { direction[index] = residual[index] + share * direction[index] }
            square = next
        }
        return step
    }
}
