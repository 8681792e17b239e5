import Foundation
import ImagingCore
import Testing

@testable import ImageRegistration

@Suite struct SharedFrameCheckTests {
    static let center = PatientPoint(10, -20, 40)

    static func grid(spacing: SIMD3<Double>, sideMM: Double = 160) -> GridGeometry {
        let size = (sideMM / spacing).rounded(.up)
        return try! GridGeometry(
            size: GridSize(Int(size.x), Int(size.y), Int(size.z)), spacing: spacing,
            origin: center - PatientVector(SIMD3(repeating: sideMM / 2)),
            frameOfReferenceUID: "1.2.3")
    }

    /// Soft tissue with structure of 15–40 mm, at patient positions moved by `motion`, with a little deterministic noise.
    static func tissue(on grid: GridGeometry, motion: PatientVector, ice: Double, seed: UInt64, flat: Bool = false) -> ScanVolume {
        var state = seed
        return .float32(Volume(geometry: grid) { voxels in
            for offset in voxels.indices {
                let point = grid.point(grid.size.index(atOffset: offset))
                let p = (point - motion).lps
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let noise = Double(state >> 40) / Double(1 << 24) * 20 - 10
                let waves = sin(0.21 * p.x + 0.1 * p.y) + cos(0.17 * p.y - 0.12 * p.z) + sin(0.3 * p.z + 0.08 * p.x + 1)
                    + cos(0.4 * p.x) * sin(0.35 * p.y)
                let frozen = point.distance(to: center) < ice
                voxels[offset] = Float((flat ? 50 : 50 + 25 * waves) + noise - (frozen ? 85 : 0))
            }
        })
    }
    static func ball(_ radius: Double, on grid: GridGeometry) -> LevelSet {
        LevelSet(field: Volume(geometry: grid) { voxels in
            for offset in voxels.indices {
                voxels[offset] = Float(radius - grid.point(grid.size.index(atOffset: offset)).distance(to: center))
            }
        })
    }
    static func check(motion: PatientVector, flat: Bool = false) throws -> SharedFrameCheck {
        let planning = grid(spacing: SIMD3(1.25, 1.25, 2)), treated = grid(spacing: SIMD3(1, 1, 3), sideMM: 150)
        return try SharedFrameCheck(
            planning: tissue(on: planning, motion: PatientVector(0, 0, 0), ice: 0, seed: 1, flat: flat),
            treated: tissue(on: treated, motion: motion, ice: 18, seed: 2, flat: flat), modality: .ct,
            tumour: ball(12, on: planning), zone: ball(18, on: treated))
    }

    @Test func stillTissueIsTrustedWithASmallError() throws {
        let check = try Self.check(motion: PatientVector(0, 0, 0))
        #expect(check.isTrusted && check.expectedErrorMM < 0.6)
        #expect(check.findings.isEmpty)
    }

    @Test func motionIsMeasuredAndNotTrusted() throws {
        let motion = PatientVector(0, 2, 6)
        let check = try Self.check(motion: motion)
        #expect(!check.isTrusted)
        // The planning scan shows the tissue where the treated scan has it, less the motion.
        #expect((try #require(check.translation).shift + motion).length < 0.7)
        #expect(abs(check.expectedErrorMM - motion.length) < 0.7)
        #expect(check.findings.map(\.code) == ["anatomy-moved"])
    }

    @Test func tissueWithoutStructureGetsTheAssumedError() throws {
        let check = try Self.check(motion: PatientVector(0, 0, 6), flat: true)
        #expect(check.translation == nil && check.expectedErrorMM == 2)
        #expect(check.findings.map(\.code) == ["alignment-not-measured"])
    }
}
