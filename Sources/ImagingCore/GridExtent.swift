import Foundation

extension GridGeometry {
    /// The least and the greatest of the voxel centres' coordinates along L, P and S, in millimetres.
    public var extent: (low: SIMD3<Double>, high: SIMD3<Double>) {
        let corners = cornerPoints.map(\.lps)
        return (corners.reduce(corners[0], pointwiseMin), corners.reduce(corners[0], pointwiseMax))
    }
    /// The extent for a person, in whole millimetres: “(-172, -250, -549) to (78, 0, -374)”.
    public var extentText: String {
        let (low, high) = extent
        return String(format: "(%.0f, %.0f, %.0f) to (%.0f, %.0f, %.0f)", low.x, low.y, low.z, high.x, high.y, high.z)
    }
}
