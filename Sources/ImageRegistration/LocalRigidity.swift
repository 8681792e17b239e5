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
        var points: [(before: SIMD3<Double>, after: SIMD3<Double>)] = []
        for k in ranges.k {
            for j in ranges.j {
                for i in ranges.i {
                    let point = grid.point(VoxelIndex(i, j, k))
                    guard point.distance(to: center) <= radiusMM else { continue }
                    let d = vectors[grid.size.offset(VoxelIndex(i, j, k))]
                    points.append((point.lps, point.lps + SIMD3(Double(d.x), Double(d.y), Double(d.z))))
                }
            }
        }
        guard points.count >= 8 else { return nil }
        let count = Double(points.count)
        let before = points.reduce(SIMD3<Double>.zero) { $0 + $1.before } / count
        let after = points.reduce(SIMD3<Double>.zero) { $0 + $1.after } / count
        // Turns are small: Gauss–Newton steps about the centre reach the best one.
        var rotation = Matrix3.identity
        for _ in 0..<6 {
            var xx = SIMD3<Double>.zero, xy = SIMD3<Double>.zero, moment = SIMD3<Double>.zero
            for point in points {
                let q = rotation * (point.before - before), miss = (point.after - after) - q
                xx += q * q
                xy += SIMD3(q.x * q.y, q.x * q.z, q.y * q.z)
                moment += PatientVector(q).cross(PatientVector(miss)).lps
            }
            let inertia = Matrix3(
                rows: SIMD3(xx.y + xx.z, -xy.x, -xy.y), SIMD3(-xy.x, xx.x + xx.z, -xy.z), SIMD3(-xy.y, -xy.z, xx.x + xx.y))
            guard let turn = inertia.inverse.map({ PatientVector($0 * moment) }), turn.length > 1e-12 else { break }
            rotation = Matrix3.rotation(about: turn, radians: turn.length) * rotation
        }
        return AffineTransform(rotation: rotation, about: PatientPoint(before), translation: PatientVector(after - before))
    }
}
