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

    /// The pieces of a region that come within 6 mm of an active end, or 10 mm of a seed where there is no probe.
    func nearby(_ region: Mask, toOrigin: Volume<Float>) -> Mask {
        let near: Float = probes.isEmpty ? 10 : 6, size = region.size
        let starts = toOrigin.withUnsafeVoxels { d in d.indices.filter { d[$0] <= near }.map { size.index(atOffset: $0) } }
        return region.joined(to: starts)
    }

    /// The middle of the ice that one probe makes lies about this far from its tip, and so far to either side it is about as thick.
    private static let middleDepthMM = 14.0, halfEvenLengthMM = 7.0

    /// The parts of the probes along which the ice is about evenly thick, or the seeds where there is no probe.
    private var middles: [(SIMD3<Double>, SIMD3<Double>)] {
        probes.isEmpty
            ? seeds.map { ($0.lps, $0.lps) }
            : probes.map {
                (
                    $0.point(atDepthMM: Self.middleDepthMM - Self.halfEvenLengthMM).lps,
                    $0.point(atDepthMM: Self.middleDepthMM + Self.halfEvenLengthMM).lps
                )
            }
    }

    /// The active ends in groups that share an iceball, each with a point well inside it: ends in one piece of `region` belong together.
    /// A probe outside every piece joins the nearest group within 20 mm; farther away it has no ice.
    func groups(in region: Mask) -> [IceGroup] {
        let pieces = region.pieces(), ends = middles
        let distances = pieces.map { piece in ends.map { piece.distance(toSegment: $0) } }
        var members = [[Int]](repeating: [], count: pieces.count)
        for end in ends.indices {
            // The larger of the pieces that an end touches; speckles beside a shaft are not ice.
            let near =
                pieces.indices.filter { distances[$0][end] < 3 }.first ?? pieces.indices.min { distances[$0][end] < distances[$1][end] }
            if let near, distances[near][end] < 20 { members[near].append(end) }
        }
        return pieces.indices.filter { !members[$0].isEmpty }.map { piece in
            let own = members[piece].map { ends[$0] }
            let middle = own.reduce(SIMD3<Double>.zero) { $0 + ($1.0 + $1.1) / 2 } / Double(own.count)
            return IceGroup(centre: probes.isEmpty ? pieces[piece].centroid : middle, ends: own)
        }
    }

    /// 0 where metal and its blooming hide the tissue, else 1.
    func usable(on grid: GridGeometry) -> Volume<Float> {
        let metal = IceEvidence.metalMM(on: grid)
        return distances(on: grid).toAxis.mapped { (axis: Float) -> Float in axis < metal ? 0 : 1 }
    }

    /// Millimetres from each voxel to the nearest active end or seed, and to the nearest probe's axis anywhere on its shaft
    /// (`.greatestFiniteMagnitude` without probes).
    func distances(on grid: GridGeometry) -> (toOrigin: Volume<Float>, toAxis: Volume<Float>) {
        func lps(_ probe: Probe, _ depthMM: Double) -> SIMD3<Double> { probe.point(atDepthMM: depthMM).lps }
        let active =
            probes.map { ($0.tip.lps, lps($0, min(Self.activeLengthMM, max($0.lengthMM, 1)))) } + seeds.map { ($0.lps, $0.lps) }
        return (Self.distance(to: active, on: grid), Self.distance(to: probes.map { ($0.tip.lps, $0.tail.lps) }, on: grid))
    }

    /// Millimetres from each voxel to the nearest middle of the ice that a probe makes, or seed where there is no probe.
    func distanceToMiddles(on grid: GridGeometry) -> Volume<Float> { Self.distance(to: middles, on: grid) }

    private static func distance(to segments: [(SIMD3<Double>, SIMD3<Double>)], on grid: GridGeometry) -> Volume<Float> {
        let size = grid.size, spacing = SIMD3<Float>(grid.spacing)
        func local(_ point: SIMD3<Double>) -> SIMD3<Float> { SIMD3<Float>(grid.continuousIndex(PatientPoint(point)).ijk) * spacing }
        let segments = segments.map { (local($0), local($1)) }
        return Volume(geometry: grid) { target in
            forEachSlab(of: size.k, slab: 1) { range in
                for k in range {
                    for j in 0..<size.j {
                        let row = target.baseAddress! + size.i &* (j &+ size.j &* k)
                        row.update(repeating: .greatestFiniteMagnitude, count: size.i)
                        for (a, b) in segments {
                            let axis = b - a, lengthSquared = (axis * axis).sum()
                            let y = Float(j) * spacing.y - a.y, z = Float(k) * spacing.z - a.z
                            for i in 0..<size.i {
                                let x = Float(i) * spacing.x - a.x, along = axis.x * x + axis.y * y + axis.z * z
                                let t = lengthSquared > 0 ? max(0, min(1, along / lengthSquared)) : 0
                                let dx = x - t * axis.x, dy = y - t * axis.y, dz = z - t * axis.z
                                row[i] = min(row[i], dx * dx + dy * dy + dz * dz)
                            }
                        }
                        if !segments.isEmpty { for i in 0..<size.i { row[i] = row[i].squareRoot() } }
                    }
                }
            }
        }
    }
}

/// Active ends that share an iceball.
struct IceGroup {
    /// A point well inside the ice.
    let centre: SIMD3<Double>
    /// Segments along which the ice is about evenly thick; a seed has no length.
    let ends: [(SIMD3<Double>, SIMD3<Double>)]
}

extension Mask {
    /// Millimetres from a segment to the nearest voxel inside, looked for in steps along the segment.
    fileprivate func distance(toSegment segment: (SIMD3<Double>, SIMD3<Double>)) -> Double {
        let points = (0...6).map { segment.0 + Double($0) / 6 * (segment.1 - segment.0) }
        let size = size, geometry = geometry
        return withUnsafeVoxels { voxels in
            var least = Double.infinity
            for offset in voxels.indices where voxels[offset] != 0 {
                let place = geometry.point(size.index(atOffset: offset)).lps
                for point in points { least = min(least, ((place - point) * (place - point)).sum()) }
            }
            return least.squareRoot()
        }
    }
}
