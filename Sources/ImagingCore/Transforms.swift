import Foundation

/// A mapping of patient space onto patient space, in LPS millimetres.
public protocol SpatialTransform: Sendable {
    func callAsFunction(_ point: PatientPoint) -> PatientPoint
}

/// A 3 × 3 matrix by rows, acting on LPS vectors.
public struct Matrix3: Hashable, Sendable {
    public var rows: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)

    public static let identity = Matrix3(rows: SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1))

    public init(rows x: SIMD3<Double>, _ y: SIMD3<Double>, _ z: SIMD3<Double>) { rows = (x, y, z) }
    public init(columns x: SIMD3<Double>, _ y: SIMD3<Double>, _ z: SIMD3<Double>) {
        self.init(rows: SIMD3(x.x, y.x, z.x), SIMD3(x.y, y.y, z.y), SIMD3(x.z, y.z, z.z))
    }

    /// A turn by `radians` about `axis` (right-hand rule).
    public static func rotation(about axis: PatientVector, radians: Double) -> Matrix3 {
        guard let unit = axis.normalized?.lps else { return .identity }
        let (c, s) = (cos(radians), sin(radians))
        let t = (1 - c) * unit
        return Matrix3(
            rows: SIMD3(t.x * unit.x + c, t.x * unit.y - s * unit.z, t.x * unit.z + s * unit.y),
            SIMD3(t.y * unit.x + s * unit.z, t.y * unit.y + c, t.y * unit.z - s * unit.x),
            SIMD3(t.z * unit.x - s * unit.y, t.z * unit.y + s * unit.x, t.z * unit.z + c))
    }

    public var columns: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>) {
        let t = transposed.rows
        return (t.0, t.1, t.2)
    }
    public var transposed: Matrix3 { Matrix3(columns: rows.0, rows.1, rows.2) }
    public var determinant: Double { PatientVector(rows.0).dot(PatientVector(rows.1).cross(PatientVector(rows.2))) }
    /// `nil` when the matrix is singular.
    public var inverse: Matrix3? {
        let determinant = determinant
        guard determinant != 0, determinant.isFinite else { return nil }
        let (x, y, z) = (PatientVector(rows.0), PatientVector(rows.1), PatientVector(rows.2))
        return Matrix3(
            columns: y.cross(z).lps / determinant, z.cross(x).lps / determinant, x.cross(y).lps / determinant)
    }

    public static func * (m: Matrix3, v: SIMD3<Double>) -> SIMD3<Double> {
        SIMD3((m.rows.0 * v).sum(), (m.rows.1 * v).sum(), (m.rows.2 * v).sum())
    }
    public static func * (a: Matrix3, b: Matrix3) -> Matrix3 {
        let c = b.columns
        return Matrix3(columns: a * c.0, a * c.1, a * c.2)
    }
    public static func == (a: Matrix3, b: Matrix3) -> Bool { a.rows == b.rows }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(rows.0)
        hasher.combine(rows.1)
        hasher.combine(rows.2)
    }
}

/// `x ↦ matrix · x + translation` in LPS millimetres.
public struct AffineTransform: SpatialTransform, Hashable {
    public var matrix: Matrix3
    public var translation: PatientVector

    public static let identity = AffineTransform(matrix: .identity, translation: PatientVector(.zero))

    public init(matrix: Matrix3, translation: PatientVector) { (self.matrix, self.translation) = (matrix, translation) }

    /// A turn about `center` followed by a shift.
    public init(rotation: Matrix3, about center: PatientPoint, translation: PatientVector) {
        self.init(matrix: rotation, translation: PatientVector(center.lps - rotation * center.lps + translation.lps))
    }

    public func callAsFunction(_ point: PatientPoint) -> PatientPoint {
        PatientPoint(matrix * point.lps + translation.lps)
    }
    /// `nil` when the matrix is singular.
    public var inverse: AffineTransform? {
        guard let inverse = matrix.inverse else { return nil }
        return AffineTransform(matrix: inverse, translation: PatientVector(-(inverse * translation.lps)))
    }
    /// The transform that applies `self` first and `next` after it.
    public func followed(by next: AffineTransform) -> AffineTransform {
        AffineTransform(
            matrix: next.matrix * matrix, translation: PatientVector(next.matrix * translation.lps) + next.translation)
    }
    /// Whether the matrix is a rotation (orthonormal, determinant +1) to within `tolerance`.
    public func isRigid(tolerance: Double = 1e-6) -> Bool {
        let product = matrix * matrix.transposed
        let deviation = zip(
            [product.rows.0, product.rows.1, product.rows.2], [Matrix3.identity.rows.0, Matrix3.identity.rows.1, Matrix3.identity.rows.2])
            .map { ($0 - $1).max() - ($0 - $1).min() }.max()!
        return deviation <= 2 * tolerance && matrix.determinant > 0
    }
}
