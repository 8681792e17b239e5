import ImagingCore

/// Two points of the body that are the same place in the fixed and in the moving scan.
public struct LandmarkPair: Sendable, Hashable {
    public var fixed, moving: PatientPoint

    public init(fixed: PatientPoint, moving: PatientPoint) { (self.fixed, self.moving) = (fixed, moving) }
}

extension ImagingCore.AffineTransform {
    /// Points on a line, and few on nearly one, leave a turn about it open: the share of the largest eigenvalue by which it must exceed the
    /// next.
    private static let leastGap = 0.003

    /// The rigid motion that brings `from` nearest to `to`, in the mean square (Horn, JOSA A 4:629, 1987).
    ///
    /// Points that leave the turn open (fewer than three, or on a line) give a shift alone; none give the identity.
    public init(rigidlyFrom from: [SIMD3<Double>], to: [SIMD3<Double>]) {
        precondition(from.count == to.count)
        guard !from.isEmpty else {
            self = .identity
            return
        }
        let count = Double(from.count)
        let a = from.reduce(.zero, +) / count, b = to.reduce(.zero, +) / count
        var (x, y, z) = (SIMD3<Double>.zero, SIMD3<Double>.zero, SIMD3<Double>.zero)
        for (p, q) in zip(from, to) {
            x += (p.x - a.x) * (q - b)
            y += (p.y - a.y) * (q - b)
            z += (p.z - a.z) * (q - b)
        }
        let products = [
            [x.x + y.y + z.z, y.z - z.y, z.x - x.z, x.y - y.x],
            [y.z - z.y, x.x - y.y - z.z, x.y + y.x, z.x + x.z],
            [z.x - x.z, x.y + y.x, -x.x + y.y - z.z, y.z + z.y],
            [x.y - y.x, z.x + x.z, y.z + z.y, -x.x - y.y + z.z],
        ]
        let (values, vectors) = Self.eigen(products)
        let order = values.indices.sorted { values[$0] > values[$1] }
        let (largest, next) = (values[order[0]], values[order[1]])
        var rotation = Matrix3.identity
        if largest > 0, largest - next > Self.leastGap * largest {
            let q = (0..<4).map { vectors[$0][order[0]] }
            rotation = Matrix3(
                rows: SIMD3(
                    q[0] * q[0] + q[1] * q[1] - q[2] * q[2] - q[3] * q[3], 2 * (q[1] * q[2] - q[0] * q[3]),
                    2 * (q[1] * q[3] + q[0] * q[2])),
                SIMD3(
                    2 * (q[1] * q[2] + q[0] * q[3]), q[0] * q[0] - q[1] * q[1] + q[2] * q[2] - q[3] * q[3],
                    2 * (q[2] * q[3] - q[0] * q[1])),
                SIMD3(
                    2 * (q[1] * q[3] - q[0] * q[2]), 2 * (q[2] * q[3] + q[0] * q[1]),
                    q[0] * q[0] - q[1] * q[1] - q[2] * q[2] + q[3] * q[3]))
        }
        self.init(rotation: rotation, about: PatientPoint(a), translation: PatientVector(b - a))
    }

    /// Fixed frame → moving frame.
    public init(fittedTo landmarks: [LandmarkPair]) {
        self.init(rigidlyFrom: landmarks.map(\.fixed.lps), to: landmarks.map(\.moving.lps))
    }

    /// Eigenvalues and, in columns, eigenvectors of a symmetric matrix (Jacobi's rotations).
    private static func eigen(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
        let n = matrix.count
        var a = matrix, v = (0..<n).map { row in (0..<n).map { $0 == row ? 1.0 : 0 } }
        for _ in 0..<30 {
            for p in 0..<n - 1 {
                for q in p + 1..<n where abs(a[p][q]) > 1e-300 {
                    let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
                    let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
                    let c = 1 / (t * t + 1).squareRoot(), s = t * c
                    for k in 0..<n { (a[k][p], a[k][q]) = (c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]) }
                    for k in 0..<n { (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]) }
                    for k in 0..<n { (v[k][p], v[k][q]) = (c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]) }
                }
            }
        }
        return ((0..<n).map { a[$0][$0] }, v)
    }
}
