import Foundation
import ImagingCore
import Testing

@testable import ImageFilters

/// Masks of shapes in closed form go in; the surface that comes out is compared with the shape.
struct ShapeReconstructionTests {
    private struct Ellipsoid {
        var radii: SIMD3<Double>
        var center: SIMD3<Double>
        var turn = Matrix3.identity

        func isInside(_ p: SIMD3<Double>) -> Bool { level(p) >= 0 }
        /// 1 at the centre, 0 on the surface.
        func level(_ p: SIMD3<Double>) -> Double {
            let q = (turn * (p - center)) / radii
            return 1 - (q * q).sum().squareRoot()
        }
        /// The distance to the surface to first order: exact near it.
        func signedDistance(_ p: SIMD3<Double>) -> Double {
            let h = 1e-4
            var slope = SIMD3<Double>.zero
            for axis in 0..<3 {
                var step = SIMD3<Double>.zero
                step[axis] = h
                slope[axis] = (level(p + step) - level(p - step)) / (2 * h)
            }
            return level(p) / (slope * slope).sum().squareRoot()
        }
        var volume: Double { 4 / 3 * .pi * radii.x * radii.y * radii.z }

        func grid(_ spacing: SIMD3<Double>, shift: SIMD3<Double>) throws -> GridGeometry {
            let half = (radii.max() / spacing).rounded(.up) + 2
            let count = 2 * half + 1
            return try GridGeometry(
                size: GridSize(Int(count.x), Int(count.y), Int(count.z)), spacing: spacing,
                origin: PatientPoint(center + (shift - half) * spacing))
        }
        func mask(_ spacing: SIMD3<Double>, shift: SIMD3<Double>) throws -> Mask {
            let grid = try grid(spacing, shift: shift)
            return Mask(geometry: grid) { voxels in
                for offset in voxels.indices { voxels[offset] = isInside(grid.point(grid.size.index(atOffset: offset)).lps) ? 1 : 0 }
            }
        }
        /// The share of each voxel inside, by 6³ points.
        func fraction(_ spacing: SIMD3<Double>, shift: SIMD3<Double>) throws -> Volume<Float> {
            let grid = try grid(spacing, shift: shift)
            let offsets = (0..<216).map { (n: Int) -> SIMD3<Double> in
                let step = SIMD3(Double(n % 6), Double(n / 6 % 6), Double(n / 36))
                return (step + 0.5) / 6 - 0.5
            }
            return Volume(geometry: grid) { voxels in
                for offset in voxels.indices {
                    let p = grid.point(grid.size.index(atOffset: offset)).lps
                    voxels[offset] = Float(offsets.count { isInside(p + $0 * spacing) }) / 216
                }
            }
        }
    }

    private static let sphere = Ellipsoid(radii: SIMD3(9, 9, 9), center: SIMD3(4, -7, 30))
    private static let smallSphere = Ellipsoid(radii: SIMD3(5, 5, 5), center: .zero)
    private static let tilted = Ellipsoid(
        radii: SIMD3(12, 8, 7), center: SIMD3(-20, 3, 5), turn: .rotation(about: PatientVector(1, 2, 0.5), radians: 0.7))

    @Test(arguments: [
        (sphere, SIMD3(1.0, 1, 1), 0.09, 0.04), (smallSphere, SIMD3(1.0, 1, 1), 0.14, 0.07), (tilted, SIMD3(1.0, 1, 1), 0.09, 0.04),
        (sphere, SIMD3(0.7, 0.7, 2.5), 0.1, 0.03), (tilted, SIMD3(0.7, 0.7, 2.5), 0.1, 0.03), (sphere, SIMD3(0.8, 0.8, 5), 0.25, 0.1),
    ])
    private func surfaceFollowsTheShape(shape: Ellipsoid, spacing: SIMD3<Double>, rmsBarMM: Double, meanBarMM: Double) throws {
        var squares = 0.0, sum = 0.0, area = 0.0, volume = 0.0
        let shifts = [SIMD3(0.1, -0.3, 0.4), SIMD3(-0.4, 0.2, -0.1), SIMD3(0.33, 0.05, 0.2)]
        for shift in shifts {
            let surface = LevelSet(reconstructing: try shape.mask(spacing, shift: shift)).surface()
            for (vertex, weight) in zip(surface.vertices, surface.vertexAreas) {
                let error = shape.signedDistance(vertex.lps)
                squares += weight * error * error
                sum += weight * error
                area += weight
            }
            volume += surface.enclosedVolume / Double(shifts.count)
        }
        #expect((squares / area).squareRoot() < rmsBarMM, "root mean square \((squares / area).squareRoot()) mm")
        #expect(abs(sum / area) < meanBarMM, "mean \(sum / area) mm")
        #expect(abs(volume / shape.volume - 1) < 3 * meanBarMM / shape.radii.min())
    }

    /// Between two slices, or beyond the last, a broad cap is as round as the slices below it say.
    @Test(arguments: [(11.0, 0.25), (22.0, 0.35)])
    func endsBetweenSlicesAreRounded(radius: Double, barMM: Double) throws {
        let ball = Ellipsoid(radii: SIMD3(repeating: radius), center: .zero)
        for phase in stride(from: -0.5, to: 0.5, by: 0.25) {
            let surface = LevelSet(reconstructing: try ball.mask(SIMD3(0.7, 0.7, 2.5), shift: SIMD3(0.2, -0.4, phase))).surface()
            let heights = surface.vertices.map(\.lps.z)
            #expect(abs(heights.max()! - radius) < barMM, "top at \(heights.max()!), slices shifted by \(phase)")
            #expect(abs(heights.min()! + radius) < barMM, "bottom at \(heights.min()!), slices shifted by \(phase)")
        }
    }

    /// A lobe is neither flattened nor sharpened: the most that voxels allow is not what is likeliest.
    @Test func lobesKeepTheirReach() throws {
        let grid = try GridGeometry(size: GridSize(61, 61, 19), spacing: SIMD3(0.7, 0.7, 2.5), origin: PatientPoint(-21, -21, -22.5))
        func radius(_ u: SIMD3<Double>) -> Double {
            13 * (1 + 0.08 * cos(3 * atan2(u.y, u.x)) * (1 - u.z * u.z) + 0.06 * u.z * (5 * u.z * u.z - 3))
        }
        var errors: [Double] = []
        for shift in [SIMD3(0.1, 0.2, 0.3), SIMD3(-0.2, 0.1, -0.9), SIMD3(0.3, -0.1, 1.1)] {
            let mask = Mask(geometry: grid) { voxels in
                for offset in voxels.indices {
                    let p = grid.point(grid.size.index(atOffset: offset)).lps - shift, r = length(p)
                    voxels[offset] = r < 1e-6 || r <= radius(p / r) ? 1 : 0
                }
            }
            for vertex in LevelSet(reconstructing: mask).surface().vertices {
                let p = vertex.lps - shift, r = length(p)
                // Where the outline reaches farthest out.
                if radius(p / r) > 13.6 { errors.append(r - radius(p / r)) }
            }
        }
        let mean = errors.reduce(0, +) / Double(errors.count)
        let rms = (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
        #expect(abs(mean) < 0.03, "mean \(mean)")
        #expect(rms < 0.12, "root mean square \(rms)")
    }

    @Test func everyVoxelCentreNearlyKeepsItsSide() throws {
        let mask = try Self.tilted.mask(SIMD3(0.7, 0.7, 2.5), shift: SIMD3(0.2, 0.1, -0.3))
        let field = LevelSet(reconstructing: mask).field
        let size = mask.size
        var worst = 0.0
        for offset in 0..<size.voxelCount {
            let voxel = size.index(atOffset: offset)
            let index = field.geometry.continuousIndex(mask.geometry.point(voxel))
            guard field.size.contains(index.nearest) else {
                #expect(!mask[voxel])
                continue
            }
            // A voxel centre of the mask is one of the result's.
            #expect(length(index.ijk - ContinuousIndex(index.nearest).ijk) < 1e-6)
            let value = Double(field[index.nearest])
            worst = max(worst, mask[voxel] ? -value : value)
        }
        #expect(worst < 0.1)
    }

    @Test func partialVolumesLocateTheSurface() throws {
        let shape = Self.sphere
        var errors: [Double] = []
        for shift in [SIMD3(0.1, -0.3, 0.4), SIMD3(-0.4, 0.2, -0.1)] {
            let surface = LevelSet(reconstructing: try shape.fraction(SIMD3(1, 1, 1), shift: shift)).surface()
            errors += surface.vertices.map { shape.signedDistance($0.lps) }
        }
        let mean = errors.reduce(0, +) / Double(errors.count)
        #expect(abs(mean) < 0.05)
        #expect((errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot() < 0.1)
    }

    @Test(arguments: [
        (i: 5..<6, j: 5..<6, k: 5..<6), (i: 3..<9, j: 3..<9, k: 5..<6), (i: 5..<6, j: 2..<10, k: 5..<6), (i: 4..<6, j: 4..<6, k: 4..<6),
    ])
    func thinObjectsKeepTheirVolume(i: Range<Int>, j: Range<Int>, k: Range<Int>) throws {
        let grid = try GridGeometry(size: GridSize(12, 12, 12), spacing: SIMD3(1, 1, 3), origin: PatientPoint(0, 0, 0))
        var mask = Mask(empty: grid)
        for k in k { for j in j { for i in i { mask[VoxelIndex(i, j, k)] = true } } }
        let levelSet = LevelSet(reconstructing: mask)
        let surface = levelSet.surface()
        #expect(!surface.isEmpty)
        #expect(surface.enclosedVolume > 0.4 * mask.volumeML * 1000 && surface.enclosedVolume < 1.6 * mask.volumeML * 1000)
        #expect(surface.vertices.allSatisfy { grid.contains($0) })
    }

    @Test func piecesAndHolesRemain() throws {
        let grid = try GridGeometry(size: GridSize(40, 24, 24), spacing: SIMD3(1, 1, 1), origin: PatientPoint(0, 0, 0))
        let mask = Mask(geometry: grid) { voxels in
            for offset in voxels.indices {
                let p = grid.point(grid.size.index(atOffset: offset)).lps
                let a = length(p - SIMD3(12, 12, 12)), b = length(p - SIMD3(31, 12, 12))
                voxels[offset] = (a <= 9 && a >= 4) || b <= 5 ? 1 : 0
            }
        }
        let levelSet = LevelSet(reconstructing: mask)
        let expected: Double = 4 / 3 * .pi * 790  // 9³ − 4³ + 5³
        #expect(abs(levelSet.surface().enclosedVolume / expected - 1) < 0.03)
        #expect(levelSet.mask.connectedComponents(.six).components.count == 2)
    }

    @Test func objectCutByTheGridStaysCut() throws {
        let mask = try Self.sphere.mask(SIMD3(1, 1, 1), shift: .zero)
        let cut = mask.cropped(0..<mask.size.i, 0..<mask.size.j, 0..<15)
        #expect(LevelSet(reconstructing: cut).touchesGridEdge)
        #expect(!LevelSet(reconstructing: mask).touchesGridEdge)
    }

    /// Half a space, and a ball of which the lower half lies beyond the grid: their edges are where they are with all of it.
    @Test(arguments: [SIMD3(1.0, 1, 1), SIMD3(0.7, 0.7, 2.5)])
    func whatLiesBeyondTheGridDoesNotMoveTheEdge(spacing: SIMD3<Double>) throws {
        let grid = try GridGeometry(size: GridSize(40, 40, 16), spacing: spacing, origin: PatientPoint(0, 0, 0))
        func surface(_ isInside: (SIMD3<Double>) -> Bool) -> [SIMD3<Double>] {
            LevelSet(reconstructing: Mask(geometry: grid) { voxels in
                for offset in voxels.indices { voxels[offset] = isInside(grid.point(grid.size.index(atOffset: offset)).lps) ? 1 : 0 }
            }).surface().vertices.map(\.lps).filter { $0.z > 1.5 * spacing.z && $0.z < 14 * spacing.z }
        }
        let middle = 18.5 * spacing.x, plane = surface { $0.x < middle }.filter { $0.x > 3 && $0.y > 4 && $0.y < 34 * spacing.y }
        // Along the grid itself nothing but the pairs of voxels tells where between them it is.
        let away = plane.map { $0.x - middle }
        #expect(
            !away.isEmpty && abs(away.reduce(0, +) / Double(away.count)) < 0.2 && away.allSatisfy { abs($0) < 0.5 },
            "\(away.min()!) … \(away.max()!) mm")
        let center = SIMD3(20.2 * spacing.x, 19.7 * spacing.y, -3)
        let errors = surface { length($0 - center) < 12 }.map { length($0 - center) - 12 }
        #expect(abs(errors.reduce(0, +) / Double(errors.count)) < 0.05 * spacing.z)
    }

    @Test func emptyMaskHasNoSurface() throws {
        let grid = try GridGeometry(size: GridSize(4, 4, 4), spacing: SIMD3(1, 1, 1), origin: PatientPoint(0, 0, 0))
        #expect(LevelSet(reconstructing: Mask(empty: grid)).surface().isEmpty)
    }
}

private func length(_ v: SIMD3<Double>) -> Double { (v * v).sum().squareRoot() }
