import FigureRendering
import Foundation
import ImagingCore
import MarginAnalysis
import Testing

@testable import Reporting

@Suite struct SceneTests {
    private func scan(_ axes: PatientAxes = .identity, spacing: SIMD3<Double> = SIMD3(0.7, 0.8, 2.5)) throws -> GridGeometry {
        try GridGeometry(
            size: GridSize(400, 380, 120), spacing: spacing, origin: PatientPoint(-140.3, -151.7, -149.2), axes: axes,
            frameOfReferenceUID: "1.2")
    }

    @Test func aScanAlongThePatientsAxesKeepsItsVoxels() throws {
        let flipped = try PatientAxes(i: PatientVector(-1, 0, 0), j: PatientVector(0, 0, -1), k: PatientVector(0, -1, 0))
        for axes in [PatientAxes.identity, flipped] {
            let scan = try scan(axes), center = scan.center
            let grid = SceneGrid.grid(of: scan, around: [center], and: [center + PatientVector(10, -12, 8)], mostVoxels: 2_000_000)
            for corner in grid.cornerPoints {
                let index = scan.continuousIndex(corner).ijk
                #expect((index - index.rounded(.toNearestOrEven)).min() > -1e-6 && (index - index.rounded(.toNearestOrEven)).max() < 1e-6)
                #expect(scan.contains(corner))
            }
            #expect(grid.axes == .identity && grid.contains(center + PatientVector(29, -31, 27)))
        }
    }

    @Test func anObliqueScanIsCoveredInThePatientsPlanes() throws {
        let turned = try PatientAxes(
            rowDirection: PatientVector(0.9396926, 0.3420201, 0), columnDirection: PatientVector(-0.3420201, 0.9396926, 0))
        let scan = try scan(turned), grid = SceneGrid.grid(of: scan, around: [scan.center], and: [], mostVoxels: 2_000_000)
        #expect(grid.axes == .identity && grid.contains(scan.center + PatientVector(19, -19, 19)))
        #expect(abs(grid.spacing.z - 2.5) < 1e-9 && grid.spacing.x <= 0.8)
    }

    @Test func tooManyVoxelsAreMadeFewerFromTheFinestDirectionOn() throws {
        let scan = try scan(), far = PatientVector(60, 60, 60)
        let grid = SceneGrid.grid(of: scan, around: [scan.center - far, scan.center + far], and: [], mostVoxels: 400_000)
        #expect(grid.size.voxelCount <= 400_000 && grid.size.voxelCount > 250_000)
        #expect(grid.spacing.z == 2.5 && grid.spacing.x > 0.8)
        #expect([grid.origin, grid.cornerPoints.last!].allSatisfy(scan.contains))
    }

    @Test func aDistantSecondIceballDoesNotWidenTheScene() throws {
        let scan = try scan(), near = SceneGrid.grid(of: scan, around: [scan.center], and: [], mostVoxels: 2_000_000)
        let far = SceneGrid.grid(of: scan, around: [scan.center], and: [scan.center + PatientVector(120, 0, 0)], mostVoxels: 2_000_000)
        #expect(Double(far.size.i - near.size.i) * 0.7 <= SceneGrid.reachMM + 1)
    }

    @Test func noiseDoesNotMakeThePageLargerThanItMayBe() throws {
        var scene = try SceneExample.scene()
        let grid = try GridGeometry(
            size: GridSize(120, 110, 100), spacing: SIMD3(0.7, 0.7, 1), origin: SceneExample.grid.origin, frameOfReferenceUID: "1.2.3")
        var state: UInt64 = 1
        let noise = Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                voxels[offset] = Float(state >> 52) - 1024
            }
        }
        scene.images = [.init(name: "ice scan", modality: .ct, volume: noise), .init(name: "planning scan", modality: .mr, volume: noise)]
        let packed = PackedScene(scene, share: 0.5)
        #expect(packed.blobs.reduce(0) { $0 + $1.utf8.count } < PackedScene.imageBytes * 4 / 6 + 400_000)
        #expect(packed.description.images[0].step > 1)
    }

    @Test func theHistogramHasTheSharesOfTheSurface() throws {
        let svg = try #require(MarginPlots(scene: try SceneExample.scene()).histogram)
        let heights = svg.matches(of: /<rect [^>]*height="([0-9.]+)"/).compactMap { Double($0.1) }, whole = heights.reduce(0, +)
        // Seen from the ice's middle a point of the ball lies 7 to 11 mm away; its square is spread evenly from 49 to 121 over the surface
        // (Archimedes).
        let expected = [21.0 / 72, 19.0 / 72, 17.0 / 72, 15.0 / 72]
        // The mesh may reach a hair beyond 3 and 7 mm.
        let bars = heights.filter { $0 > 0.01 * whole }
        #expect(bars.count == 4)
        for (height, share) in zip(bars, expected) { #expect(abs(height / whole - share) < 0.01) }
    }

    @Test func everyZoneHasItsCurves() throws {
        let plots = MarginPlots(scene: try SceneExample.scene())
        for svg in [plots.cumulative, plots.shells] { #expect(try #require(svg).matches(of: /<polyline/).count == 2) }
        #expect(plots.cumulative?.contains("−40 °C isotherm") == true)
    }

    @Test func theSameReportIsTheSamePage() throws {
        let pages = try (0..<2).map { _ in try HTMLReport.render(try exampleReport(), figures: [], scenes: [try SceneExample.scene()]) }
        #expect(pages[0] == pages[1])
    }
}
