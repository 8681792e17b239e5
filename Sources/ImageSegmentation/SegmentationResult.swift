import ImageFilters
import ImagingCore

/// An object found in a scan.
public struct SegmentationResult: Sendable {
    /// The object's surface on a crop of the scan's own grid, whose thick slices may be subdivided.
    public let levelSet: LevelSet
    /// One standard deviation, in millimetres, of the surface's position along its normal: voxel size, noise, and how much of
    /// the surface had no visible edge.
    public let edgeUncertaintyMM: Double
    public var findings: [Finding]
    /// The object's separate pieces, the largest first.
    public var pieces: [Piece] = []
    /// How the object was found, in one sentence for a report.
    public let method: String

    /// One of several separate parts of an object.
    public struct Piece: Sendable, Hashable {
        public let volumeML: Double
        /// In the scan's frame of reference, LPS millimetres.
        public let centroid: PatientPoint

        public init(volumeML: Double, centroid: PatientPoint) {
            (self.volumeML, self.centroid) = (volumeML, centroid)
        }
    }

    public init(levelSet: LevelSet, edgeUncertaintyMM: Double, findings: [Finding] = [], method: String) {
        (self.levelSet, self.edgeUncertaintyMM, self.findings, self.method) = (levelSet, edgeUncertaintyMM, findings, method)
    }

    /// The voxels of the scan's grid whose centres lie inside.
    public func mask(on scan: GridGeometry) -> Mask {
        guard let part = scan.indexRanges(around: levelSet.geometry.cornerPoints, marginMM: 0) else { return Mask(empty: scan) }
        let grid = scan.cropped(part.i, part.j, part.k)
        return (grid.size == levelSet.geometry.size ? levelSet : levelSet.resampled(onto: grid)).mask.placed(in: scan)
    }
}
