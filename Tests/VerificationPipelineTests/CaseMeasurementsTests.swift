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
            for offset in voxels.indices { voxels[offset] = Float(radius - grid.point(grid.size.index(atOffset: offset)).distance(to: center)) }
        }
        return CaseObject(
            name: name, levelSet: LevelSet(field: field), sampling: SurfaceSampling(.levelSet, on: grid), edgeUncertaintyMM: 0, source: "given",
            isInPlanningFrame: false, findings: [])
    }

    private func measure(fieldOfView: GridGeometry, doubts: [String] = []) throws -> CaseMeasurements {
        try CaseMeasurements(
            tumours: [ball("T1", radius: 8)], zone: ball("ice", radius: 16), zoneName: .visibleIce, fieldOfView: fieldOfView, structures: [],
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
        #expect(measured.margins.map(\.verdict.status) == [.met])
        #expect(abs(measured.margins[0].result.minimumMarginMM - 8) < 0.1)
    }

    @Test func aTumourThatTheIceScanDoesNotShowWhollyLeavesTheVerdictOpen() throws {
        let measured = try measure(fieldOfView: grid.cropped(0..<41, 0..<41, 0..<25))
        #expect(measured.margins.map(\.verdict.status) == [.indeterminate])
        #expect(measured.findings.contains { $0.code == "tumour-outside-zone-image" })
    }

    @Test func aDoubtLeavesTheVerdictOpen() throws {
        #expect(try measure(fieldOfView: grid, doubts: ["The patients differ."]).margins.map(\.verdict.status) == [.indeterminate])
    }
}
