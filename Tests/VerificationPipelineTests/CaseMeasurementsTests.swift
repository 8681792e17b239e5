import Foundation
import ImagingCore
import MarginAnalysis
import Testing

@testable import VerificationPipeline

/// A tumour of 8 mm radius in ice of 16 mm radius about the same centre: 8 mm everywhere, where 5 mm is required.
@Suite struct CaseMeasurementsTests {
    private let grid: GridGeometry
    init() throws { grid = try GridGeometry(size: GridSize(41, 41, 41), spacing: SIMD3(1, 1, 1), origin: PatientPoint(-20, -20, -20)) }

    private func ball(_ name: String, radius: Double, center: PatientPoint = PatientPoint(0, 0, 0)) -> CaseObject {
        let grid = grid
        let field = Volume<Float>(geometry: grid) { voxels in
            for offset in voxels.indices {
                voxels[offset] = Float(radius - grid.point(grid.size.index(atOffset: offset)).distance(to: center))
            }
        }
        return CaseObject(
            name: name, levelSet: LevelSet(field: field), sampling: SurfaceSampling(.levelSet, on: grid), edgeUncertaintyMM: 0,
            source: "given",
            isInPlanningFrame: false, findings: [])
    }

    private func measure(fieldOfView: GridGeometry, doubts: [String] = []) throws -> CaseMeasurements {
        try CaseMeasurements(
            tumours: [ball("T1", radius: 8)], zones: [MeasuredZone(.visibleIce, ball("ice", radius: 16))], deciding: .visibleIce,
            fieldOfView: fieldOfView, structures: [],
            profile: SiteProfile.load("liver", relativeTo: URL(filePath: "/")), doubts: doubts)
    }

    @Test func tumoursThatShareTheirPlaceAreSaid() throws {
        let findings = LesionFindings(profile: try SiteProfile.load("liver", relativeTo: URL(filePath: "/")))
        func codes(apartMM: Double) -> [String] {
            findings.findings(for: [ball("T1", radius: 8), ball("T2", radius: 6, center: PatientPoint(apartMM, 0, 0))]).map(\.code)
        }
        // Balls of 8 and 6 mm touch at 14 mm; at 6 mm most of the smaller one lies in the larger.
        #expect(!codes(apartMM: 13).contains("tumours-overlap"))
        #expect(codes(apartMM: 6).contains("tumours-overlap"))
    }

    @Test func aCoveredTumourIsMet() throws {
        let measured = try measure(fieldOfView: grid)
        #expect(measured.margins.map(\.verdict?.status) == [.met])
        #expect(abs(try #require(measured.margins[0].result).minimumMarginMM - 8) < 0.1)
    }

    @Test func aTumourThatTheIceScanDoesNotShowWhollyLeavesTheVerdictOpen() throws {
        let measured = try measure(fieldOfView: grid.cropped(0..<41, 0..<41, 0..<25))
        #expect(measured.margins.map(\.verdict?.status) == [.indeterminate])
        #expect(measured.findings.contains { $0.code == "tumour-outside-zone-image" })
    }

    @Test func aDoubtLeavesTheVerdictOpen() throws {
        #expect(try measure(fieldOfView: grid, doubts: ["The patients differ."]).margins.map(\.verdict?.status) == [.indeterminate])
    }

    /// A tumour of 8 mm radius around ice of 7 mm radius: (7/8)³ = 67.0 % is frozen, the edge being sure to within about 0.3 mm.
    @Test(arguments: [
        (TreatmentIntent.curative, 60.0...100, Verdict.Status.notMet), (.debulking, 50...100, .met), (.debulking, 67...100, .indeterminate),
        (.debulking, 80...100, .notMet), (.immunePriming, 40...85, .met), (.immunePriming, 10...50, .notMet),
    ])
    func theIntentDecidesWhatIsAskedFor(intent: TreatmentIntent, percent: ClosedRange<Double>, expected: Verdict.Status) throws {
        var profile = try SiteProfile.load("bone", relativeTo: URL(filePath: "/"))
        profile.coverageDemands[intent] = .init(coverage: percent.lowerBound / 100...percent.upperBound / 100)
        let measured = try CaseMeasurements(
            tumours: [ball("T1", radius: 8)], zones: [MeasuredZone(.visibleIce, ball("ice", radius: 7))], deciding: .visibleIce,
            fieldOfView: grid,
            structures: [], profile: profile, intent: intent, doubts: [])
        let margin = measured.margins[0], result = try #require(margin.result)
        #expect(margin.verdict?.status == expected)
        #expect(abs(result.tumourCoverage - 0.670) < 0.01)
        let halfWidth = (result.minimumMarginIntervalMM.upperBound - result.minimumMarginIntervalMM.lowerBound) / 2
        #expect(abs(result.tumourCoverageInterval.lowerBound - pow((7 - halfWidth) / 8, 3)) < 0.02)
        #expect(abs(result.tumourCoverageInterval.upperBound - pow((7 + halfWidth) / 8, 3)) < 0.02)
        profile.coverageDemands = [:]
        let unsaid = try CaseMeasurements(
            tumours: [ball("T1", radius: 8)], zones: [MeasuredZone(.visibleIce, ball("ice", radius: 7))], deciding: .visibleIce,
            fieldOfView: grid,
            structures: [], profile: profile, intent: intent, doubts: [])
        #expect(unsaid.margins[0].verdict?.status == (intent == .curative ? .notMet : .indeterminate))
    }

    /// Ice of 9 mm radius, 3 mm of it outside the organ's ball of 18 mm radius; what an earlier ablation destroyed does not count.
    @Test func theFrozenShareOfTheOrganIsKnown() throws {
        let ice = ball("ice", radius: 9, center: PatientPoint(8, 0, 0))
        let measured = try CaseMeasurements(
            tumours: [ball("T1", radius: 4)],
            zones: [MeasuredZone(.visibleIce, ice).united(with: [ball("earlier zone 1", radius: 6, center: PatientPoint(-12, 0, 0))])],
            deciding: .visibleIce, fieldOfView: grid, structures: [], organ: ball("organ", radius: 18, center: PatientPoint(-4, 0, 0)),
            ownZone: ice,
            profile: SiteProfile.load("liver", relativeTo: URL(filePath: "/")), doubts: [])
        // Two balls of radii r and R whose centres are d apart share π (R + r − d)² (d² + 2d(r + R) − 3(r − R)²) / 12 d.
        let (r, R, d) = (9.0, 18.0, 12.0)
        let shared = Double.pi * pow(R + r - d, 2) * (d * d + 2 * d * (r + R) - 3 * pow(r - R, 2)) / (12 * d) / 1000
        let inOrgan = try #require(measured.zoneInOrgan)
        #expect(abs(inOrgan.volumeML - shared) < 0.01 * shared)
        #expect(abs(inOrgan.organVolumeML - 4 / 3 * Double.pi * pow(R, 3) / 1000) < 0.02 * inOrgan.organVolumeML)
    }

    /// Two balls of 8 mm radius beside each other; each holds a tumour.
    @Test func anEarlierAblationCountsWithTheIce() throws {
        let ice = MeasuredZone(.visibleIce, ball("ice", radius: 8, center: PatientPoint(9, 0, 0)))
        let small = try GridGeometry(size: GridSize(30, 30, 30), spacing: SIMD3(1, 1, 1), origin: PatientPoint(-28, -14.5, -14.5))
        var earlier = ball("earlier zone 1", radius: 8, center: PatientPoint(-9, 0, 0))
        earlier.levelSet = earlier.levelSet.resampled(onto: small)
        earlier.edgeUncertaintyMM = 0.5
        let united = ice.united(with: [earlier])
        #expect(united.source == "given, with an earlier zone" && united.object.edgeUncertaintyMM == 0.5)
        #expect(abs(united.object.surface.enclosedVolume / (8 / 3 * Double.pi * 512) - 1) < 0.02)
        let measured = try CaseMeasurements(
            tumours: [ball("T1", radius: 4, center: PatientPoint(-9, 0, 0)), ball("T2", radius: 3, center: PatientPoint(9, 0, 0))],
            zones: [united], deciding: .visibleIce, fieldOfView: grid, structures: [],
            profile: SiteProfile.load("liver", relativeTo: URL(filePath: "/")), doubts: [])
        let margins = try measured.margins.map { try #require($0.result).minimumMarginMM }
        #expect(abs(margins[0] - 4) < 0.2 && abs(margins[1] - 5) < 0.2)
    }

    /// A cord of 3 mm radius, 11 mm from the ice: the profile wants 10 mm kept, fluid below 10 mm and a sensor below 15 mm.
    @Test func structuresAreMeasuredInEachZoneAndProtectionIsAskedFor() throws {
        let measured = try CaseMeasurements(
            tumours: [ball("T1", radius: 4, center: PatientPoint(-9, 0, 0))],
            zones: MeasuredZone.withSetBacks(ball("ice", radius: 8, center: PatientPoint(-9, 0, 0))), deciding: .visibleIce,
            fieldOfView: grid,
            structures: [(ball("Spinal cord", radius: 3, center: PatientPoint(13, 0, 0)), 10)],
            profile: SiteProfile.load("spine", relativeTo: URL(filePath: "/")), doubts: [])
        // The −40 °C isotherm, 10 mm further in, does not exist in ice of 8 mm radius.
        #expect(measured.structures.map(\.zone) == ["visible-ice", "isotherm-20"])
        for (structure, expected) in zip(measured.structures, [11.0, 16]) {
            #expect(abs((structure.minimumDistanceMM ?? 0) - expected) < 0.2)
        }
        #expect(measured.structures.map(\.limitMM) == [10, nil] && measured.structures[0].status == .met)
        let codes = measured.findings.map(\.code)
        #expect(
            codes.contains("structure-thermosensor") && !codes.contains("structure-hydrodissection")
                && !codes.contains("structure-near-zone"))
    }

    /// The ice ends 8 mm outside the tumour; 5 mm further in 3 mm are left, 10 mm further in 2 mm are missing, and each is less sure.
    @Test func isothermsAreSetBackAsTheyAreNamed() throws {
        func measure(deciding: MarginZone, ice: Double) throws -> CaseMeasurements {
            try CaseMeasurements(
                tumours: [ball("T1", radius: 8)], zones: MeasuredZone.withSetBacks(ball("ice", radius: ice)), deciding: deciding,
                fieldOfView: grid,
                structures: [], profile: SiteProfile.load("liver", relativeTo: URL(filePath: "/")), doubts: [])
        }
        let measured = try measure(deciding: .isotherm40, ice: 16)
        #expect(measured.margins.map(\.zone.name) == [.visibleIce, .isotherm20, .isotherm40])
        #expect(measured.margins.map(\.zone.source) == ["given", "fixed set-back of 5 mm", "fixed set-back of 10 mm"])
        let results = try measured.margins.map { try #require($0.result) }
        for (result, expected) in zip(results, [8.0, 3, -2]) { #expect(abs(result.minimumMarginMM - expected) < 0.15) }
        let widths = results.map { $0.minimumMarginIntervalMM.upperBound - $0.minimumMarginIntervalMM.lowerBound }
        // 1.96 standard deviations of a quarter of the set-back to either side.
        #expect(widths[0] < 1 && abs(widths[1] - 4.9) < 0.5 && abs(widths[2] - 9.8) < 0.8)
        #expect(measured.margins.map(\.verdict?.status) == [nil, nil, .notMet])
        #expect(try measure(deciding: .isotherm20, ice: 16).margins.map(\.verdict?.status) == [nil, .indeterminate, nil])

        // Ice of 9 mm has nothing 10 mm inside its edge.
        let small = try measure(deciding: .isotherm40, ice: 9)
        #expect(small.margins[2].result == nil && small.margins[2].verdict?.status == .notMet)
        #expect(small.findings.contains { $0.code == "zone-empty" })
    }
}
