import ImagingCore

/// A stretch of a straight line, in millimetres along a grid's own axes.
struct LineStretch {
    var origin: SIMD3<Double>
    /// Of length 1.
    var direction: SIMD3<Double>
    /// Along `direction` from `origin`.
    var range: ClosedRange<Double>

    var length: Double { range.upperBound - range.lowerBound }
    func position(of point: SIMD3<Double>) -> Double { ((point - origin) * direction).sum() }
    func point(at position: Double) -> SIMD3<Double> { origin + position * direction }
    /// The same place in the patient, for a line along this grid's axes.
    func point(at position: Double, in grid: GridGeometry) -> PatientPoint {
        grid.point(ContinuousIndex(point(at: position) / grid.spacing))
    }
    func offAxis(_ point: SIMD3<Double>) -> Double { (point - origin - position(of: point) * direction).length }

    /// Two unit vectors at right angles to the line and to each other; the first lies in the slice plane.
    var across: (SIMD3<Double>, SIMD3<Double>) {
        let inPlane = SIMD3(-direction.y, direction.x, 0)
        let u = inPlane.length > 1e-6 ? inPlane / inPlane.length : SIMD3(1, 0, 0)
        return (u, direction.cross(u))
    }
}

extension SIMD3<Double> {
    var length: Double { (self * self).sum().squareRoot() }
    func cross(_ other: SIMD3<Double>) -> SIMD3<Double> {
        SIMD3(y * other.z - z * other.y, z * other.x - x * other.z, x * other.y - y * other.x)
    }
}
