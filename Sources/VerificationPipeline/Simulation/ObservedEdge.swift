import IceballSimulation
import ImageFilters
import ImagingCore

/// The visible edge of the ice as points with an uncertainty each, for a fit.
struct ObservedEdge {
    var points: [EdgeFit.EdgePoint] = []
    /// The share of the edge that is left out (metal, end of the scan), and that shows no change of grey level.
    var excludedShare = 0.0, hiddenShare = 0.0

    /// About so many points tell all that the edge has to tell.
    private static let pointCount = 500
    /// Streaks of the shafts, mm from their axes.
    private static let metalMM = 4.0
    /// Ice farther than this from every active part belongs to other probes, mm.
    private static let reachMM = 40.0
    /// Levels this far inside and outside are compared, mm.
    private static let sampleMM = 3.0
    /// An edge that changes by less than this share of what is usual is hidden; it was completed from what lies around it.
    private static let hiddenContrastShare = 0.3
    private static let hiddenUncertaintyMM = 3.0, leastUncertaintyMM = 0.4

    init(of ice: CaseObject, probes: [PlacedProbe], scan: ScanVolume) {
        let mesh = ice.surface, normals = mesh.vertexNormals, grid = scan.geometry
        let stride = max(1, mesh.vertices.count / Self.pointCount)
        let candidates = Swift.stride(from: 0, to: mesh.vertices.count, by: stride).map { $0 }
        let sampling = ice.sampling, base = max(ice.edgeUncertaintyMM, Self.leastUncertaintyMM)
        let kept = candidates.filter { index in
            let point = mesh.vertices[index], tails = probes.map { ($0.tip, $0.tip + 200 * $0.direction) }
            guard tails.allSatisfy({ point.distance(toSegment: $0.0, $0.1) > Self.metalMM }) else { return false }
            guard probes.contains(where: { point.distance(toSegment: $0.activeEnds.0, $0.activeEnds.1) < Self.reachMM }) else {
                return false
            }
            let place = grid.continuousIndex(point).ijk,
                last = SIMD3(Double(grid.size.i - 1), Double(grid.size.j - 1), Double(grid.size.k - 1))
            return place.min() > 1 && (last - place).min() > 1
        }
        // A mask's author saw the edge, or says so.
        let contrasts = ice.input == nil ? kept.map { Self.contrast(at: mesh.vertices[$0], normals[$0], scan) } : []
        let usual = contrasts.isEmpty ? 0 : contrasts.sorted()[contrasts.count / 2]
        points = kept.enumerated().map { number, index in
            let isHidden = !contrasts.isEmpty && contrasts[number] < Self.hiddenContrastShare * usual
            let sampled = sampling.standardDeviationMM(along: normals[index])
            if isHidden { hiddenShare += 1 / Double(max(1, kept.count)) }
            return .init(
                position: mesh.vertices[index],
                uncertaintyMM: max((base * base + sampled * sampled).squareRoot(), isHidden ? Self.hiddenUncertaintyMM : 0))
        }
        excludedShare = 1 - Double(kept.count) / Double(max(1, candidates.count))
    }

    private static func contrast(at point: PatientPoint, _ normal: PatientVector, _ scan: ScanVolume) -> Double {
        func level(_ range: [Double]) -> Double {
            let values = range.compactMap { depth -> Double? in
                let voxel = scan.geometry.continuousIndex(point + depth * normal).nearest
                return scan.geometry.size.contains(voxel) ? Double(scan.value(at: voxel)) : nil
            }
            return values.reduce(0, +) / Double(max(1, values.count))
        }
        let depths = [0.6, 0.8, 1, 1.2].map { $0 * sampleMM }
        return abs(level(depths) - level(depths.map { -$0 }))
    }
}
