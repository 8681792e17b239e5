import ImagingCore

/// Where ice can start: the active ends of probes, and points.
struct IceOrigins {
    /// Ice forms around this much of a shaft from its tip; longer active zones reach little further.
    static let activeLengthMM = 40.0

    let probes: [Probe]
    let seeds: [PatientPoint]

    /// Probes whose active end lies in the scan at least in part, and seeds within it.
    init(probes: [Probe], seeds: [PatientPoint], in scan: GridGeometry) {
        self.probes = probes.filter { probe in
            stride(from: 0.0, through: Self.activeLengthMM, by: 5).contains { scan.contains(probe.point(atDepthMM: $0)) }
        }
        self.seeds = seeds.filter { scan.contains($0) }
    }

    var isEmpty: Bool { probes.isEmpty && seeds.isEmpty }
    var points: [PatientPoint] { seeds + probes.flatMap { [$0.tip, $0.point(atDepthMM: min(Self.activeLengthMM, max($0.lengthMM, 1)))] } }

    /// Millimetres from each voxel to the nearest active end or seed, and to the nearest probe's axis anywhere on its shaft
    /// (`.greatestFiniteMagnitude` without probes).
    func distances(on grid: GridGeometry) -> (toOrigin: Volume<Float>, toAxis: Volume<Float>) {
        let size = grid.size, spacing = SIMD3<Float>(grid.spacing)
        func local(_ point: PatientPoint) -> SIMD3<Float> { SIMD3<Float>(grid.continuousIndex(point).ijk) * spacing }
        let active = probes.map { (local($0.tip), local($0.point(atDepthMM: min(Self.activeLengthMM, max($0.lengthMM, 1))))) } + seeds.map { (local($0), local($0)) }
        let shafts = probes.map { (local($0.tip), local($0.tail)) }
        func nearest(_ segments: [(SIMD3<Float>, SIMD3<Float>)]) -> Volume<Float> {
            Volume(geometry: grid) { target in
                forEachSlab(of: size.k, slab: 1) { range in
                    for k in range {
                        for j in 0..<size.j {
                            for i in 0..<size.i {
                                let point = SIMD3(Float(i), Float(j), Float(k)) * spacing
                                var least = Float.greatestFiniteMagnitude
                                for (a, b) in segments {
                                    let axis = b - a, offset = point - a
                                    let lengthSquared = (axis * axis).sum()
                                    let t = lengthSquared > 0 ? max(0, min(1, (axis * offset).sum() / lengthSquared)) : 0
                                    let away = offset - t * axis
                                    least = min(least, (away * away).sum())
                                }
                                target[i &+ size.i &* (j &+ size.j &* k)] = least == .greatestFiniteMagnitude ? least : least.squareRoot()
                            }
                        }
                    }
                }
            }
        }
        return (nearest(active), nearest(shafts))
    }
}
