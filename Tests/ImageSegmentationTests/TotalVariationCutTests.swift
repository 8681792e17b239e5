import ImagingCore
import Testing
@testable import ImageSegmentation

/// The iteration, in which rows are passed over, against the same over every voxel.
@Suite struct TotalVariationCutTests {
    /// A ball that is wanted, noise around it, and nothing wanted far away.
    private static func force() throws -> Volume<Float> {
        let grid = try AnalyticScan.grid(31, 28, 17), size = grid.size
        var random = SeededGenerator(seed: 3)
        return Volume(geometry: grid) { target in
            for offset in target.indices {
                let index = size.index(atOffset: offset), place = grid.point(index).lps, away = (place * place).sum().squareRoot()
                let noise = Float.random(in: -0.9...0.9, using: &random)
                target[offset] = away < 6 ? 0.6 + noise : away < 9 ? -0.4 + noise : -1.5
            }
        }
    }

    @Test(arguments: [3, 40]) func regionIsThatOfTheIterationOverAllVoxels(iterations: Int) throws {
        let force = try Self.force(), found = TotalVariationCut.solve(force: force, iterations: iterations)
        let expected = Self.solved(force, iterations)
        let values = found.withUnsafeVoxels { Array($0) }
        #expect(zip(values, expected).allSatisfy { abs(Double($0) - $1) < 1e-4 })
        #expect((50..<values.count / 2).contains(values.count { $0 > 0.5 }))
    }

    /// Chambolle & Pock 2011, algorithm 1, with forward differences.
    private static func solved(_ force: Volume<Float>, _ iterations: Int) -> [Double] {
        let size = force.size, h = force.geometry.spacing
        let strides = [1, size.i, size.i * size.j], counts = [size.i, size.j, size.k]
        let step = 1 / (4 * (1 / (h * h)).sum()).squareRoot()
        let force = force.withUnsafeVoxels { $0.map(Double.init) }
        func place(_ offset: Int, _ axis: Int) -> Int { offset / strides[axis] % counts[axis] }
        var u = force.map { $0 > 0 ? 1.0 : 0 }, ahead = u
        var dual = [[Double]](repeating: [Double](repeating: 0, count: u.count), count: 3)
        for _ in 0..<iterations {
            for offset in u.indices {
                let raised = (0..<3).map { axis -> Double in
                    guard place(offset, axis) + 1 < counts[axis] else { return 0 }
                    return dual[axis][offset] + step / h[axis] * (ahead[offset + strides[axis]] - ahead[offset])
                }
                let length = max(1, raised.reduce(0) { $0 + $1 * $1 }.squareRoot())
                for axis in 0..<3 { dual[axis][offset] = raised[axis] / length }
            }
            for offset in u.indices {
                let divergence = (0..<3).reduce(0.0) { sum, axis in
                    let before = place(offset, axis) > 0 ? dual[axis][offset - strides[axis]] : 0
                    return sum + (dual[axis][offset] - before) / h[axis]
                }
                let moved = max(0, min(1, u[offset] + step * (divergence + force[offset])))
                ahead[offset] = 2 * moved - u[offset]
                u[offset] = moved
            }
        }
        return u
    }
}
