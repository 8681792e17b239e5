import ImagingCore
import Testing

@testable import ImageSegmentation

/// A round body of 90 mm radius in air.
@Suite struct BodySurfaceTests {
    private static let radiusMM = 90.0
    private let grid: GridGeometry

    init() throws {
        grid = try GridGeometry(size: GridSize(130, 150, 12), spacing: SIMD3(1.6, 1.6, 5), origin: PatientPoint(-104, -104, -30))
    }

    /// Values from how much of a voxel is body, and where it lies. The edge is as wide as a voxel, as partial volume makes it.
    private func scan(on grid: GridGeometry, _ value: (_ share: Double, _ point: SIMD3<Double>, _ radius: Double) -> Double) -> ScanVolume {
        .float32(Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices {
                let point = grid.point(grid.size.index(atOffset: offset)).lps
                let radius = (point.x * point.x + point.y * point.y).squareRoot()
                voxels[offset] = Float(value(min(1, max(0, 0.5 + (Self.radiusMM - radius) / 1.6)), point, radius))
            }
        })
    }

    /// With lung in the body, on a dense table.
    private func ct(on grid: GridGeometry) -> ScanVolume {
        scan(on: grid) { share, point, radius in
            let isLung = abs(point.x) < 50 && point.y < -10 && radius < 70, isTable = point.y > 99 && point.y < 105
            return isLung ? -850 : isTable ? -50 : -1000 + 1040 * share
        }
    }

    /// Twice as bright towards the coil on one side, with noise, lung, a ball of ice of 20 mm radius at `iceX` on the x axis, and a probe's
    /// track of 4 mm on the y axis.
    private func mr(iceX: Double, on grid: GridGeometry) -> ScanVolume {
        var random = SeededGenerator(seed: 11)
        return scan(on: grid) { share, point, radius in
            let isLung = abs(point.x) < 50 && point.y < -10 && radius < 70
            let isIce = ((point.x - iceX) * (point.x - iceX) + point.y * point.y).squareRoot() < 20
            let isTrack = point.y > 40 && abs(point.x) < 2
            let signal = isLung || isIce || isTrack ? 0 : 400 * share * (1.5 + 0.5 * point.x / Self.radiusMM),
                noise = (20 * random.normal(), 20 * random.normal())
            return ((signal + noise.0) * (signal + noise.0) + noise.1 * noise.1).squareRoot()
        }
    }

    /// Where the surface lies that the grid's end does not close.
    private func radii(of outside: LevelSet) -> [(radius: Double, point: PatientPoint)] {
        let size = outside.geometry.size
        return outside.surface().vertices.filter { point in
            let ijk = outside.geometry.continuousIndex(point).ijk
            return ijk.min() > 0 && ijk.x < Double(size.i - 1) && ijk.y < Double(size.j - 1) && ijk.z < Double(size.k - 1)
        }.map { (($0.lps.x * $0.lps.x + $0.lps.y * $0.lps.y).squareRoot(), $0) }
    }

    @Test(arguments: [Modality.ct, .mr])
    func theSkinIsFoundToAFractionOfAVoxelAndTheTableIsNot(modality: Modality) throws {
        let outside = try #require(BodySurface.outside(
            of: modality == .ct ? ct(on: grid) : mr(iceX: 55, on: grid), modality: modality,
            around: [PatientPoint(60, 0, 0), PatientPoint(0, 60, 0)], marginMM: 45))
        let surface = radii(of: outside)
        #expect(surface.count > 500)
        // A probe's track is bridged to within a voxel, on the near side.
        let (track, skin) = (
            surface.filter { modality == .mr && abs($0.point.lps.x) < 4 }, surface.filter { modality == .ct || abs($0.point.lps.x) >= 4 })
        #expect(skin.allSatisfy { abs($0.radius - Self.radiusMM) < (modality == .ct ? 0.3 : 0.8) })
        #expect(track.allSatisfy { -2.1...0.8 ~= $0.radius - Self.radiusMM })
        // Positive outside the body, and nowhere in its lung and ice.
        #expect(outside.field.withUnsafeVoxels { $0.contains { $0 > 0 } })
        let grid = outside.geometry
        let inside = (0..<grid.size.voxelCount).map(grid.size.index(atOffset:)).filter { index in
            let point = grid.point(index).lps
            return (point.x * point.x + point.y * point.y).squareRoot() < Self.radiusMM - 5
        }
        #expect(inside.allSatisfy { outside.field[$0] < -1 })
    }

    /// Where no tissue is left between ice and air on MR, the surface is nowhere taken to be farther than it may be.
    @Test func theSkinIsNotFartherThanIceThatReachesItOnMR() throws {
        let outside = try #require(BodySurface.outside(
            of: mr(iceX: 80, on: grid), modality: .mr, around: [PatientPoint(80, 0, 0)], marginMM: 40))
        let surface = radii(of: outside)
        #expect(surface.allSatisfy { $0.radius < Self.radiusMM + 0.8 })
        let away = surface.filter { abs($0.point.lps.y) > 28 }
        #expect(away.count > 100 && away.allSatisfy { abs($0.radius - Self.radiusMM) < 0.8 })
    }

    @Test(arguments: [Modality.ct, .mr])
    func thereIsNoSkinDeepInTheBody(modality: Modality) {
        let scan = modality == .ct ? ct(on: grid) : mr(iceX: 0, on: grid)
        #expect(BodySurface.outside(of: scan, modality: modality, around: [PatientPoint(0, 30, 0)], marginMM: 20) == nil)
    }

    /// The image begins within the lung, far from the skin on its other side: on CT lung is denser than air, on MR nothing tells them
    /// apart.
    @Test(arguments: [Modality.ct, .mr])
    func lungCutOpenByTheImagesSideIsNotOutside(modality: Modality) throws {
        let part = grid.cropped(40..<100, 30..<75, 0..<12)
        let scan = modality == .ct ? ct(on: part) : mr(iceX: 20, on: part)
        #expect(BodySurface.outside(of: scan, modality: modality, around: [PatientPoint(0, 0, 0)], marginMM: 60) == nil)
    }
}
