/// Least squares with a prior of spread 1 around 0 on every unknown.
struct NormalEquations {
    private var matrix: [[Double]]
    private var right: [Double]

    init(columns: [[Double]], residuals: [Double], weights: [Double]) {
        let count = columns.count
        matrix = (0..<count).map { row in (0..<count).map { $0 == row ? 1 : 0 } }
        right = Array(repeating: 0, count: count)
        for a in columns.indices {
            for b in columns.indices {
                for point in residuals.indices { matrix[a][b] += columns[a][point] * columns[b][point] * weights[point] }
            }
            for point in residuals.indices { right[a] -= columns[a][point] * residuals[point] * weights[point] }
        }
    }

    /// The step from `values` to the minimum.
    func solution(priorAt values: [Double]) -> [Double] {
        let inverse = covariance, gradient = zip(right, values).map { $0 - $1 }
        return inverse.map { row in zip(row, gradient).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    /// How many unknowns the data rather than the prior determine.
    var determinedCount: Double {
        let inverse = covariance
        return inverse.indices.reduce(0) { $0 + 1 - inverse[$1][$1] }
    }

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
