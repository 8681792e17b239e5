/// Small dense systems of linear equations.
enum LinearSystem {
    /// Gaussian elimination with pivots; `nil` when the matrix (by rows) is singular.
    static func solution(_ matrix: [Double], _ right: [Double]) -> [Double]? {
        let n = right.count
        var a = matrix, b = right
        for column in 0..<n {
            let pivot = (column..<n).max { abs(a[n * $0 + column]) < abs(a[n * $1 + column]) }!
            guard abs(a[n * pivot + column]) > 1e-12 else { return nil }
            if pivot != column {
                for k in 0..<n { a.swapAt(n * pivot + k, n * column + k) }
                b.swapAt(pivot, column)
            }
            for row in column + 1..<max(n, column + 1) {
                let factor = a[n * row + column] / a[n * column + column]
                guard factor != 0 else { continue }
                for k in column..<n { a[n * row + k] -= factor * a[n * column + k] }
                b[row] -= factor * b[column]
            }
        }
        for row in (0..<n).reversed() {
            for k in row + 1..<max(n, row + 1) { b[row] -= a[n * row + k] * b[k] }
            b[row] /= a[n * row + row]
        }
        return b
    }
}
