import ImagingCore
import Testing
@testable import ImageSegmentation

/// Where ice can start, against the nearest of many points on the shafts.
@Suite struct IceOriginsTests {
    @Test func distancesAreThoseToTheNearestShaftAndActiveEnd() throws {
        let grid = try AnalyticScan.grid(30, 26, 10)
        let probes = [
            Probe(tip: PatientPoint(-3, 2, 1), tail: PatientPoint(50, 40, 30), source: .given),
            Probe(tip: PatientPoint(4, -3, -2), tail: PatientPoint(4, -3, 90), source: .given),
            // Its end lies within the grid.
            Probe(tip: PatientPoint(-10, -9, -4), tail: PatientPoint(-4, -8, -3), source: .given),
        ]
        let (toOrigin, toAxis) = IceOrigins(probes: probes, seeds: [], in: grid).distances(on: grid)
        func points(_ probe: Probe, _ lengthMM: Double) -> [PatientPoint] {
            stride(from: 0, through: lengthMM, by: 0.05).map { probe.point(atDepthMM: $0) }
        }
        let shafts = probes.flatMap { points($0, $0.lengthMM) }, ends = probes.flatMap { points($0, min(IceOrigins.activeLengthMM, $0.lengthMM)) }
        for offset in stride(from: 0, to: grid.size.voxelCount, by: 61) {
            let voxel = grid.size.index(atOffset: offset), place = grid.point(voxel)
            #expect(abs(Double(toAxis[voxel]) - shafts.map { $0.distance(to: place) }.min()!) < 0.03)
            #expect(abs(Double(toOrigin[voxel]) - ends.map { $0.distance(to: place) }.min()!) < 0.03)
        }
    }

    @Test func withoutProbesNoShaftIsNear() throws {
        let grid = try AnalyticScan.grid(9, 9, 5), seed = PatientPoint(1, 0, -1)
        let (toOrigin, toAxis) = IceOrigins(probes: [], seeds: [seed], in: grid).distances(on: grid)
        let voxel = VoxelIndex(1, 7, 2)
        #expect(toAxis[voxel] == .greatestFiniteMagnitude)
        #expect(abs(Double(toOrigin[voxel]) - grid.point(voxel).distance(to: seed)) < 1e-4)
    }
}
