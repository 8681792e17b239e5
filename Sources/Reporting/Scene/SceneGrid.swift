import ImagingCore

/// Which part of a scan the viewer gets, and how finely.
public enum SceneGrid {
    /// What is left around the objects where the scan has it.
    static let surroundingsMM = 20.0
    /// How far from the tumour others may widen the part, so that a distant second iceball does not cost its detail.
    static let reachMM = 40.0
    /// Directions that differ by less are taken for the same: the cosine is nearer to 1 than this.
    private static let alignment = 1e-5

    /// A grid along the patient's axes (columns to the left, rows to the back, slices to the head) around `first` and what lies near it.
    ///
    /// Where the scan's own axes are the patient's, its voxels are kept; a scan that lies obliquely is meant to be interpolated at its own
    /// spacing.
    /// With more than `mostVoxels` the finest directions are made coarser.
    /// - Parameters:
    ///   - first: the tumour; decides alone how far the part may reach.
    public static func grid(of scan: GridGeometry, around first: [PatientPoint], and others: [PatientPoint], mostVoxels: Int)
        -> GridGeometry
    {
        var (low, high) = box(first.isEmpty ? [scan.center] : first)
        if !others.isEmpty {
            let other = box(others), (near, far) = (low - reachMM, high + reachMM)
            low = pointwiseMin(low, pointwiseMax(other.low, near))
            high = pointwiseMax(high, pointwiseMin(other.high, far))
        }
        let whole = box(scan.cornerPoints)
        low = pointwiseMax(low - surroundingsMM, whole.low)
        high = pointwiseMin(high + surroundingsMM, whole.high)
        // Objects beside the scan: its nearest part.
        low = pointwiseMin(low, whole.high)
        high = pointwiseMax(high, low)

        let axes = [PatientVector(1, 0, 0), PatientVector(0, 1, 0), PatientVector(0, 0, 1)]
        let own = [scan.axes.i, scan.axes.j, scan.axes.k]
        var spacing = SIMD3<Double>(), start = low
        let isAligned = own.allSatisfy { axis in axes.contains { abs($0.dot(axis)) > 1 - alignment } }
        for index in 0..<3 {
            let nearest = (0..<3).max { abs(own[$0].dot(axes[index])) < abs(own[$1].dot(axes[index])) }!
            spacing[index] = scan.spacing[nearest]
            // On the scan's own voxel centres.
            if isAligned {
                start[index] = whole.low[index] + ((low[index] - whole.low[index]) / spacing[index]).rounded(.down) * spacing[index]
            }
        }
        func counts() -> SIMD3<Double> { ((high - start) / spacing + 1e-6).rounded(.down) + 1 }
        while counts().x * counts().y * counts().z > Double(mostVoxels) {
            let finest = spacing.min()
            for index in 0..<3 where spacing[index] < 1.05 * finest { spacing[index] = 1.1 * finest }
        }
        let count = counts()
        // Sound because the scan's grid is.
        return try! GridGeometry(
            size: GridSize(Int(count.x), Int(count.y), Int(count.z)), spacing: spacing, origin: PatientPoint(start),
            frameOfReferenceUID: scan.frameOfReferenceUID)
    }

    private static func box(_ points: [PatientPoint]) -> (low: SIMD3<Double>, high: SIMD3<Double>) {
        points.reduce((points[0].lps, points[0].lps)) { (pointwiseMin($0.0, $1.lps), pointwiseMax($0.1, $1.lps)) }
    }
}
