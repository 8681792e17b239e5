import ImageFilters
import ImagingCore

/// How near a zone comes to a structure that must not freeze.
public struct StructureDistance: Sendable, Hashable {
    public var zone: MarginZone
    /// Between the two surfaces; where they overlap, minus the depth to which the structure lies in the zone.
    public var minimumDistanceMM: Double
    /// 95 %.
    public var minimumDistanceIntervalMM: ClosedRange<Double>
    /// The point of the structure's surface that is nearest to, or deepest in, the zone.
    public var nearestPoint: PatientPoint
    public var overlapVolumeML: Double
    public var findings: [Finding]

    /// Measures from the structure's surface to the zone's.
    ///
    /// The two may live on different grids of one frame of reference. In `uncertainty`, "tumour" stands for the structure.
    /// - Throws: `MarginError` when either is empty, `GeometryError` when they lie in different frames of reference.
    public static func measure(
        to structure: LevelSet, named name: String, from zoneSurface: LevelSet, zone: MarginZone,
        uncertainty: MarginUncertainty = MarginUncertainty()
    ) throws -> StructureDistance {
        try structure.geometry.requireSameFrame(as: zoneSurface.geometry)
        let structureMesh = structure.surface(), zoneMesh = zoneSurface.surface()
        guard !structureMesh.isEmpty else { throw MarginError.structureEmpty(name) }
        guard !zoneMesh.isEmpty else { throw MarginError.zoneEmpty(zone) }

        // The largest signed depth of the structure's surface in the zone is the smallest distance with its sign turned.
        let measure = SignedMarginMeasure(of: zoneSurface, mesh: zoneMesh)
        let depths = measure.marginsMM(at: structureMesh.vertices).map { -$0 }
        let map = MarginMap(surface: structureMesh, marginsMM: depths), nearest = measure.minimum(over: map, turned: true)
        let error = uncertainty.smallestMarginError(
            over: map, worst: nearest, measure: measure, tumour: structure.geometry, zone: zoneSurface.geometry, turned: true)
        let cut = !GridBorder.touched(by: zoneSurface).isEmpty
        let findings = cut ? [Finding(
            .warning, MarginFinding.zoneCut,
            "The \(zone.phrase) reaches the edge of its image; it may come nearer to \(name) than measured.",
            remedy: "Use an image that shows the whole zone.")] : []
        return StructureDistance(
            zone: zone, minimumDistanceMM: nearest.marginMM,
            minimumDistanceIntervalMM: (nearest.marginMM - error.belowMM)...(nearest.marginMM + error.aboveMM),
            nearestPoint: nearest.point, overlapVolumeML: overlapML(structure, structureMesh, zoneSurface), findings: findings)
    }

    /// The volume inside both, which may live on different grids of one frame of reference.
    ///
    /// - Throws: `GeometryError` when they lie in different frames of reference.
    public static func overlapVolumeML(of zone: LevelSet, with organ: LevelSet) throws -> Double {
        try zone.geometry.requireSameFrame(as: organ.geometry)
        return overlapML(zone, zone.surface(), organ)
    }

    /// The volume inside both, by half-voxel cells of the structure's grid around its surface's box.
    private static func overlapML(_ structure: LevelSet, _ mesh: TriangleMesh, _ zone: LevelSet) -> Double {
        guard let box = structure.geometry.indexRanges(around: mesh.vertices, marginMM: structure.geometry.spacing.max()) else { return 0 }
        let grid = structure.geometry.cropped(box.i, box.j, box.k)
        let steps = (grid.spacing / max(0.5, grid.spacing.min())).rounded(.up)
        var offsets: [SIMD3<Double>] = []
        for c in 0..<Int(steps.z) {
            for b in 0..<Int(steps.y) {
                for a in 0..<Int(steps.x) { offsets.append((SIMD3(Double(a), Double(b), Double(c)) + 0.5) / steps - 0.5) }
            }
        }
        let size = grid.size
        let rampMM = (grid.spacing / steps).max()
        let sums = FieldSampler.with(structure) { a in
            FieldSampler.with(zone) { b in
                mapSlabs(of: size.k, slab: 1) { slices in
                    var sum = 0.0
                    for k in slices { for j in 0..<size.j { for i in 0..<size.i {
                        for offset in offsets {
                            let point = grid.point(ContinuousIndex(SIMD3(Double(i), Double(j), Double(k)) + offset))
                            let depth = min(a.value(at: point), b.value(at: point))
                            sum += min(1, max(0, 0.5 + depth / rampMM))
                        }
                    } } }
                    return sum
                }
            }
        }
        return sums.reduce(0, +) * grid.voxelVolume / Double(offsets.count) / 1000
    }
}
