import ImagingCore

extension DisplacementField {
    /// How far beyond a rigid ball the displacement has turned into what it was.
    static let blendMM = 20.0
    /// How far around its radius a ball is rigid, so that cells on its edge are too.
    static let rigidRimMM = 6.0

    /// The same displacement, but within a ball the rigid motion that comes nearest to it, which fades out around the ball.
    func madeRigid(around center: PatientPoint, radiusMM: Double) -> DisplacementField {
        let radius = radiusMM + Self.rigidRimMM
        guard let motion = rigidMotion(around: center, radiusMM: radius) else { return self }
        let grid = grid, size = grid.size
        guard let ranges = grid.indexRanges(around: [center], marginMM: radius + Self.blendMM) else { return self }
        var vectors = vectors
        for k in ranges.k {
            for j in ranges.j {
                for i in ranges.i {
                    let point = grid.point(VoxelIndex(i, j, k))
                    let beyond = (point.distance(to: center) - radius) / Self.blendMM
                    guard beyond < 1 else { continue }
                    let t = Float(max(0, beyond)), keep = t * t * t * (t * (6 * t - 15) + 10)
                    let offset = size.offset(VoxelIndex(i, j, k))
                    let rigid = SIMD4(SIMD3<Float>((motion(point) - point).lps), 0)
                    vectors[offset] = rigid + keep * (vectors[offset] - rigid)
                }
            }
        }
        return DisplacementField(grid: grid, vectors: vectors)
    }

    /// The rigid motion nearest to the displacement within a ball, in the mean square; `nil` when the ball holds too few voxels.
    func rigidMotion(around center: PatientPoint, radiusMM: Double) -> AffineTransform? {
        guard let ranges = grid.indexRanges(around: [center], marginMM: radiusMM) else { return nil }
        var before: [SIMD3<Double>] = [], after: [SIMD3<Double>] = []
        for k in ranges.k {
            for j in ranges.j {
                for i in ranges.i {
                    let point = grid.point(VoxelIndex(i, j, k))
                    guard point.distance(to: center) <= radiusMM else { continue }
                    let d = vectors[grid.size.offset(VoxelIndex(i, j, k))]
                    before.append(point.lps)
                    after.append(point.lps + SIMD3(Double(d.x), Double(d.y), Double(d.z)))
                }
            }
        }
        return before.count >= 8 ? AffineTransform(rigidlyFrom: before, to: after) : nil
    }
}
