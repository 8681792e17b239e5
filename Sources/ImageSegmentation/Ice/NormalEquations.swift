/// Weighted least squares with a quadratic prior about zero.
struct NormalEquations {
    private let count: Int
    /// The lower triangle, row by row in full rows; after `solve` its Cholesky factor.
    private var matrix: [Double]
    private var right: [Double]

    /// - Parameter diagonal: the prior's precisions.
    init(diagonal: [Double]) {
        count = diagonal.count
        (matrix, right) = ([Double](repeating: 0, count: count * count), [Double](repeating: 0, count: count))
        for n in 0..<count { matrix[n * count + n] = diagonal[n] }
    }

    /// One observation: Σ row · unknowns = value.
    mutating func add(_ row: ArraySlice<Double>, value: Double, weight: Double) {
        let count = count
        row.withUnsafeBufferPointer { row in
            right.withUnsafeMutableBufferPointer { right in
                matrix.withUnsafeMutableBufferPointer { matrix in
                    for a in 0..<count {
                        let wa = weight * row[a]
                        right[a] += wa * value
                        for b in 0...a { matrix[a &* count &+ b] += wa * row[b] }
                    }
                }
            }
        }
    }

    mutating func solve() -> [Double] {
        let count = count
        matrix.withUnsafeMutableBufferPointer { m in
            for i in 0..<count {
                for j in 0...i {
                    var sum = m[i &* count &+ j]
                    for k in 0..<j { sum -= m[i &* count &+ k] * m[j &* count &+ k] }
                    m[i &* count &+ j] = i == j ? max(sum, 1e-12).squareRoot() : sum / m[j &* count &+ j]
                }
            }
        }
        var x = forward(right)
        for i in (0..<count).reversed() {
            for k in i + 1..<max(i + 1, count) { x[i] -= matrix[k * count + i] * x[k] }
            x[i] /= matrix[i * count + i]
        }
        return x
    }

    /// After `solve`: the posterior standard deviation of Σ row · unknowns.
    func deviation(of row: ArraySlice<Double>) -> Double {
        forward(Array(row)).reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    private func forward(_ values: [Double]) -> [Double] {
        var y = values
        let count = count
        matrix.withUnsafeBufferPointer { m in
            y.withUnsafeMutableBufferPointer { y in
                for i in 0..<count {
                    var sum = y[i]
                    for k in 0..<i { sum -= m[i &* count &+ k] * y[k] }
                    y[i] = sum / m[i &* count &+ i]
                }
            }
        }
        return y
    }
}
