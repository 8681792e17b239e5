import Foundation

/// A symmetric positive definite matrix C as the product of a lower triangular matrix L with its own transpose (Cholesky).
struct SymmetricFactor {
    let count: Int
    /// L row by row, each padded to whole vectors with zeros.
    private let pitch: Int
    private var rows: [Double]

    private typealias Lanes = SIMD8<Double>

    /// - Parameter element: of C, by row and column ≤ row.
    init(count: Int, _ element: (Int, Int) -> Double) {
        let lanes = Lanes.scalarCount, pitch = (count + lanes - 1) / lanes * lanes
        (self.count, self.pitch) = (count, pitch)
        rows = Array(repeating: 0, count: count * pitch)
        rows.withUnsafeMutableBufferPointer { rows in
            for i in 0..<count {
                let own = rows.baseAddress! + i * pitch
                for j in 0...i {
                    let other = rows.baseAddress! + j * pitch, rest = element(i, j) - Self.dot(own, other, j)
                    precondition(j < i || rest > 0, "a matrix that is not positive definite")
                    own[j] = j < i ? rest / other[j] : rest.squareRoot()
                }
            }
        }
    }

    /// The first `count` products; what lies beyond them in either row is not yet set, and 0 in one of both.
    private static func dot(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
        var sum = Lanes.zero, i = 0
        while i &+ Lanes.scalarCount <= count {
            sum += UnsafeRawPointer(a + i).loadUnaligned(as: Lanes.self) * UnsafeRawPointer(b + i).loadUnaligned(as: Lanes.self)
            i &+= Lanes.scalarCount
        }
        var total = sum.sum()
        while i < count {
            total += a[i] * b[i]
            i &+= 1
        }
        return total
    }

    /// L⁻¹ v: of unit covariance where v has the covariance C.
    func whitened(_ v: [Double]) -> [Double] {
        precondition(v.count == count)
        return rows.withUnsafeBufferPointer { rows in
            [Double](unsafeUninitializedCapacity: count) { result, initialized in
                for i in 0..<count {
                    let row = rows.baseAddress! + i * pitch
                    (result.baseAddress! + i).initialize(to: (v[i] - Self.dot(row, result.baseAddress!, i)) / row[i])
                }
                initialized = count
            }
        }
    }

    /// Lᵀ v: the product of two of these is that of the vectors with C between them.
    func spread(_ v: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: count)
        for i in 0..<count { for j in 0...i { result[j] += rows[i * pitch + j] * v[i] } }
        return result
    }

    /// ln |C|.
    var logDeterminant: Double { 2 * (0..<count).reduce(0) { $0 + log(rows[$1 * pitch + $1]) } }
}
