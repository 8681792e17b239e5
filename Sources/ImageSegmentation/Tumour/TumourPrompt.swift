import ImagingCore

/// What a person points at to have a tumour found: a point and a size, or the two ends of its longest axis, and strokes that correct.
public struct TumourPrompt: Sendable, Hashable {
    /// The two ends of a tumour's longest axis, on its surface, as a reader measures a diameter.
    public struct LongestAxis: Sendable, Hashable {
        public var first, second: PatientPoint
        public init(_ first: PatientPoint, _ second: PatientPoint) { (self.first, self.second) = (first, second) }

        public var middle: PatientPoint { first + 0.5 * (second - first) }
        public var lengthMM: Double { first.distance(to: second) }
    }

    /// A point inside the tumour; up to 40 % of the radius off its middle does no harm.
    public var seed: PatientPoint
    /// The approximate longest diameter; ±25 % does no harm where the edge shows.
    public var diameterMM: Double
    /// Further points inside the tumour: the part around each of them belongs to it.
    public var include: [PatientPoint]
    /// Points of neighbours: what lies around each of them, up to its edge or half way to the tumour, does not belong to it.
    public var exclude: [PatientPoint]
    /// Where given, the surface passes close to both ends.
    public let axis: LongestAxis?

    public init(seed: PatientPoint, diameterMM: Double, include: [PatientPoint] = [], exclude: [PatientPoint] = []) {
        (self.seed, self.diameterMM, self.include, self.exclude, axis) = (seed, diameterMM, include, exclude, nil)
    }

    /// The seed is the middle of the axis, the diameter its length.
    public init(axis: LongestAxis, include: [PatientPoint] = [], exclude: [PatientPoint] = []) {
        (self.include, self.exclude, self.axis) = (include, exclude, axis)
        (seed, diameterMM) = (axis.middle, axis.lengthMM)
    }

    /// Points of opposite meaning this close, or in one voxel, contradict each other.
    static let contradictionMM = 1.5

    /// Refuses what cannot be right whatever the scan shows.
    func check(in geometry: GridGeometry, usableDiameterMM: ClosedRange<Double>) throws(SegmentationError) {
        let extent = geometry.spacing * SIMD3(Double(geometry.size.i), Double(geometry.size.j), Double(geometry.size.k))
        let largest = min(usableDiameterMM.upperBound, max(extent.x, extent.y, extent.z))
        guard diameterMM.isFinite, diameterMM >= usableDiameterMM.lowerBound, diameterMM <= largest else {
            throw .diameterNotUsable(
                millimetres: diameterMM, allowed: usableDiameterMM.lowerBound...max(largest, usableDiameterMM.lowerBound))
        }
        guard geometry.contains(seed) else { throw .seedOutsideScan(PlaceOutsideScan(seed, scan: geometry)) }
        for end in axis.map({ [$0.first, $0.second] }) ?? [] {
            guard geometry.contains(end) else { throw .pointOutsideScan(PlaceOutsideScan(end, scan: geometry), role: .axisEnd) }
        }
        for point in include {
            guard geometry.contains(point) else { throw .pointOutsideScan(PlaceOutsideScan(point, scan: geometry), role: .include) }
            guard point.distance(to: seed) <= 1.5 * diameterMM else { throw .includeTooFar(point, seed: seed, diameterMM: diameterMM) }
        }
        for point in exclude {
            guard geometry.contains(point) else { throw .pointOutsideScan(PlaceOutsideScan(point, scan: geometry), role: .exclude) }
            let voxel = geometry.continuousIndex(point).nearest
            if let inside = ([seed] + include).first(where: {
                $0.distance(to: point) < Self.contradictionMM || geometry.continuousIndex($0).nearest == voxel
            }) {
                throw .pointsContradict(inside: inside, outside: point)
            }
        }
    }
}
