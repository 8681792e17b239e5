import Foundation

/// Least squares with a prior of spread 1 around 0 on every unknown, from residuals of unit covariance.
struct NormalEquations {
    private(set) var matrix: [[Double]]
    private var right: [Double]
    private let residualSum: Double

    init(columns: [[Double]], residuals: [Double]) {
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        matrix = columns.indices.map { a in columns.indices.map { b in (a == b ? 1 : 0) + dot(columns[a], columns[b]) } }
        right = columns.map { -dot($0, residuals) }
        residualSum = dot(residuals, residuals)
    }

    /// The step from `values` to the minimum.
    func solution(priorAt values: [Double]) -> [Double] {
        let inverse = covariance, gradient = zip(right, values).map { $0 - $1 }
        return inverse.map { row in zip(row, gradient).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    /// The least sum of squares of residuals and unknowns, all unknowns being 0 now.
    var leastCost: Double { residualSum - zip(right, solution(priorAt: right.map { _ in 0 })).reduce(0) { $0 + $1.0 * $1.1 } }

    /// ln of the matrix' determinant: by how much the data narrow the prior.
    var logDeterminant: Double { SymmetricFactor(count: matrix.count) { matrix[$0][$1] }.logDeterminant }

    /// The inverse of the matrix, which is positive definite by its prior.
    var covariance: [[Double]] {
        let count = matrix.count
        var work = matrix.enumerated().map { row, values in values + (0..<count).map { $0 == row ? 1.0 : 0 } }
        for pivot in 0..<count {
            let scale = work[pivot][pivot]
            for column in 0..<2 * count { work[pivot][column] /= scale }
            for row in 0..<count where row != pivot {
                let factor = work[row][pivot]
                for column in 0..<2 * count { work[row][column] -= factor * work[pivot][column] }
            }
        }
        return work.map { Array($0[count...]) }
    }
}
