import ImagingCore
import Testing
@testable import ImageSegmentation

/// What is found does not depend, to the last bit, on how many threads look for it.
@Suite struct ThreadCountTests {
    private static func sameForAnyThreadCount<Result: Equatable>(_ find: () throws -> Result) throws {
        let single = try KernelThreads.with(1, find)
        for count in [2, 3, 7] { #expect(try KernelThreads.with(count, find) == single, "\(count) threads") }
    }
    private static func values(_ result: SegmentationResult) -> [Float] {
        result.levelSet.field.withUnsafeVoxels { Array($0) } + [Float(result.edgeUncertaintyMM)]
    }

    @Test(arguments: [false, true]) func ice(earlierScan: Bool) throws {
        let scan = try IceSegmentationTests.scan(frozen: true, seed: 3)
        let before = earlierScan ? try IceSegmentationTests.scan(frozen: false, seed: 4) : nil
        try Self.sameForAnyThreadCount {
            Self.values(try IceSegmentation.segment(scan: scan, modality: .ct, probes: [IceSegmentationTests.probe], reference: before))
        }
    }

    @Test func tumourAndZone() throws {
        let ball = ellipsoid(SIMD3(2, -3, 1), SIMD3(11, 9, 12))
        let scan = AnalyticScan.make(try AnalyticScan.grid(90, 90, 30), noise: 15, seed: 8) { ball($0) > 0 ? 60 : 105 }
        try Self.sameForAnyThreadCount {
            Self.values(try TumourSegmentation.segment(scan: scan, modality: .ct, seed: PatientPoint(1, -2, 0), diameterMM: 24))
        }
        try Self.sameForAnyThreadCount {
            Self.values(try AblationZoneSegmentation.segment(scan: scan, modality: .ct, seeds: [PatientPoint(1, -2, 0)]))
        }
    }

    @Test func probes() throws {
        let scan = try IceSegmentationTests.scan(frozen: true, seed: 3)
        try Self.sameForAnyThreadCount { ProbeDetection.probes(in: scan, modality: .ct).flatMap { [$0.tip.lps, $0.tail.lps] } }
        #expect(!ProbeDetection.probes(in: scan, modality: .ct).isEmpty)
    }
}
