import Foundation
import ImageFilters
import ImagingCore
import Testing

@testable import MarginAnalysis

/// Expectations are closed forms for spheres: a tumour of radius r in a zone of radius R whose centre lies d away has its smallest
/// margin, R − d − r, on the far side.
struct MarginAnalysisTests {
    @Test(arguments: [
        (spacing: SIMD3(1.0, 1, 1), axis: 0, margin: 4.0, meanBarMM: 0.1, worstBarMM: 0.3),
        (spacing: SIMD3(1.0, 1, 1), axis: 2, margin: -1.0, meanBarMM: 0.1, worstBarMM: 0.3),
        (spacing: SIMD3(1.0, 1, 1), axis: 1, margin: 0.0, meanBarMM: 0.1, worstBarMM: 0.3),
        (spacing: SIMD3(0.7, 0.7, 2.5), axis: 2, margin: 4.0, meanBarMM: 0.3, worstBarMM: 0.8),
        (spacing: SIMD3(0.7, 0.7, 2.5), axis: 0, margin: -1.0, meanBarMM: 0.2, worstBarMM: 0.5),
    ])
    func minimumMarginFromMasksIsUnbiased(spacing: SIMD3<Double>, axis: Int, margin: Double, meanBarMM: Double, worstBarMM: Double) throws {
        var random = SeededGenerator(seed: 20)
        var errors: [Double] = []
        for _ in 0..<4 {
            let tumourRadius = 9.0, offset = 3.0
            var direction = SIMD3<Double>.zero
            direction[axis] = 1
            let grid = try AnalyticShape.grid(spacing: spacing, halfWidthMM: 21, shift: random.shift())
            let tumour = AnalyticShape.sphere(radius: tumourRadius, at: offset * direction)
            let zone = AnalyticShape.sphere(radius: tumourRadius + offset + margin, at: .zero)
            let result = try MarginAnalysis.margins(
                ofTumour: LevelSet(reconstructing: tumour.mask(on: grid)), in: LevelSet(reconstructing: zone.mask(on: grid)),
                zone: .visibleIce)
            errors.append(result.minimumMarginMM - margin)
        }
        #expect(abs(errors.reduce(0, +) / Double(errors.count)) < meanBarMM, "errors \(errors)")
        #expect(errors.map(abs).max()! < worstBarMM, "errors \(errors)")
    }

    @Test func marginsFromLevelSetsOnDifferentGridsAreExact() throws {
        let tumour = AnalyticShape.sphere(radius: 8, at: SIMD3(3, 0, 0)).levelSet(
            on: try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 13))
        let zone = AnalyticShape.sphere(radius: 15, at: .zero)
            .levelSet(on: try AnalyticShape.grid(spacing: SIMD3(0.8, 0.8, 1.5), halfWidthMM: 19, shift: SIMD3(0.3, -0.2, 0.4)))
        let result = try MarginAnalysis.margins(ofTumour: tumour, in: zone, zone: .visibleIce)
        #expect(abs(result.minimumMarginMM - 4) < 0.05)
        #expect(length(result.worstPoint.lps - SIMD3(11, 0, 0)) < 1.5)
        #expect(result.minimumMarginIntervalMM.contains(4))
        // The margin at angle θ from the offset is 15 − √(9 + 64 + 48 cos θ); it is below 5 mm where cos θ > 27 ⁄ 48.
        #expect(abs(result.surfaceFraction.below0) < 1e-9)
        #expect(abs(result.surfaceFraction.from0to5 - (1 - 27.0 / 48) / 2) < 0.01)
        #expect(abs(result.surfaceFraction.atLeast10 - 0) < 0.005)
        #expect(abs(result.tumourCoverage - 1) < 0.001)
        #expect(result.residualVolumeML < 0.005)
    }

    @Test func residualIsTheLensOutsideTheZone() throws {
        let grid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 22)
        let tumour = AnalyticShape.sphere(radius: 10, at: SIMD3(0, 7, 0)), zone = AnalyticShape.sphere(radius: 12, at: .zero)
        let result = try MarginAnalysis.margins(
            ofTumour: tumour.levelSet(on: grid), in: zone.levelSet(on: grid), zone: .isotherm20)
        // Two spheres, d apart, share π (R + r − d)² (d² + 2d(R + r) − 3(R − r)²) ⁄ 12d.
        let (d, r, R) = (7.0, 10.0, 12.0)
        let gap: Double = R + r - d
        let sum: Double = d * d + 2 * d * (r + R) - 3 * (r - R) * (r - R)
        let overlap: Double = .pi * gap * gap * sum / (12 * d)
        let volume: Double = 4 / 3 * .pi * r * r * r
        #expect(abs(result.tumourCoverage - overlap / volume) < 0.003)
        #expect(abs(result.residualVolumeML - (volume - overlap) / 1000) < 0.02)
        #expect(abs(result.minimumMarginMM + 5) < 0.05)
        #expect(abs(result.tumourVolumeML - volume / 1000) < 0.05)
    }

    @Test func shellCoverageFollowsConcentricSpheres() throws {
        let grid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 22)
        let (r, R) = (8.0, 12.0)
        let result = try MarginAnalysis.margins(
            ofTumour: AnalyticShape.sphere(radius: r, at: .zero).levelSet(on: grid),
            in: AnalyticShape.sphere(radius: R, at: .zero).levelSet(on: grid), zone: .visibleIce)
        #expect(result.shellCoverage.map(\.marginMM) == Array(stride(from: 1.0, through: 10, by: 1)))
        for shell in result.shellCoverage {
            func cube(_ x: Double) -> Double { x * x * x }
            let covered: Double = cube(min(R, r + shell.marginMM)) - cube(r)
            let expected: Double = covered / (cube(r + shell.marginMM) - cube(r))
            #expect(abs(shell.fraction - expected) < 0.006, "\(shell.marginMM) mm: \(shell.fraction), expected \(expected)")
        }
    }

    @Test func tumourFarFromTheZoneReadsItsFarthestPoint() throws {
        let grid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 30)
        let result = try MarginAnalysis.margins(
            ofTumour: AnalyticShape.sphere(radius: 5, at: SIMD3(20, 0, 0)).levelSet(on: grid),
            in: AnalyticShape.sphere(radius: 8, at: .zero).levelSet(on: grid), zone: .visibleIce)
        #expect(abs(result.minimumMarginMM + 17) < 0.1)
        #expect(result.surfaceFraction.below0 == 1)
        #expect(result.tumourCoverage < 1e-6)
    }

    @Test func severalPiecesOfIceCountTogether() throws {
        let grid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 26)
        let pieces = [AnalyticShape.sphere(radius: 9, at: .zero), AnalyticShape.sphere(radius: 4, at: SIMD3(19, 0, 0))]
        let both = AnalyticShape(
            signedDistance: { point in pieces.map { $0.signedDistance(point) }.max()! }, center: .zero, reachMM: 24)
        let result = try MarginAnalysis.margins(
            ofTumour: AnalyticShape.sphere(radius: 5, at: SIMD3(1, 0, 0)).levelSet(on: grid), in: both.levelSet(on: grid),
            zone: .visibleIce)
        #expect(abs(result.minimumMarginMM - 3) < 0.05)
    }

    @Test func emptyTumourOrZoneAndForeignFramesAreRefused() throws {
        let grid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 8)
        let ball = AnalyticShape.sphere(radius: 4, at: .zero).levelSet(on: grid)
        let nothing = LevelSet(field: Volume(geometry: grid, repeating: -5))
        #expect(throws: MarginError.tumourEmpty) { try MarginAnalysis.margins(ofTumour: nothing, in: ball, zone: .visibleIce) }
        #expect(throws: MarginError.zoneEmpty(.isotherm40)) { try MarginAnalysis.margins(ofTumour: ball, in: nothing, zone: .isotherm40) }
        let here = LevelSet(field: ball.field.with(frameOfReferenceUID: "1.2.3")),
            there = LevelSet(field: ball.field.with(frameOfReferenceUID: "1.2.4"))
        #expect(throws: GeometryError.framesOfReferenceDiffer("1.2.3", "1.2.4")) {
            try MarginAnalysis.margins(ofTumour: here, in: there, zone: .visibleIce)
        }
    }

    @Test func iceCutByItsImageMakesTheMarginThereUncertain() throws {
        let tumourGrid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 12)
        let wide = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 20)
        let cut = wide.cropped(0..<wide.size.i, 0..<wide.size.j, 0..<32)
        let zone = AnalyticShape.sphere(radius: 15, at: .zero).mask(on: cut)
        let result = try MarginAnalysis.margins(
            ofTumour: AnalyticShape.sphere(radius: 8, at: .zero).levelSet(on: tumourGrid), in: LevelSet(reconstructing: zone),
            zone: .visibleIce)
        #expect(!result.isComplete)
        // Of the sphere of 8 mm what lies nearer than the true margin of 7 mm to the plane at 10.5 mm: (1 − 3.5 / 8) / 2 of its surface.
        let finding = try #require(result.findings.first { $0.code == "zone-touches-scan-edge" })
        let percent = try #require(finding.message.firstMatch(of: /at (\d+) %/).flatMap { Double($0.1) })
        #expect(abs(percent - 28) < 3, "\(finding.message)")
        // Truth is 7 mm; the cut plane lies only 2.5 mm from the tumour.
        #expect(result.minimumMarginIntervalMM.lowerBound < 3)
        #expect(result.minimumMarginIntervalMM.upperBound > 6.5)
        let verdict = Verdict(tumour: "T1", result, criterion: MarginCriterion(zone: .visibleIce, requiredMarginMM: 1))
        #expect(verdict.status == .indeterminate)
    }

    /// The tumour's image ends 4.5 mm above its centre; the part that it shows lies 7 mm deep in the zone.
    @Test func tumourCutByItsImageIsNeverMet() throws {
        let wide = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 20)
        let cut = wide.cropped(0..<wide.size.i, 0..<wide.size.j, 0..<(wide.size.k / 2 + 5))
        let result = try MarginAnalysis.margins(
            ofTumour: LevelSet(reconstructing: AnalyticShape.sphere(radius: 8, at: .zero).mask(on: cut)),
            in: AnalyticShape.sphere(radius: 15, at: .zero).levelSet(on: wide), zone: .visibleIce)
        #expect(result.findings.contains { $0.code == "tumour-touches-scan-edge" } && !result.isComplete)
        #expect(result.minimumMarginIntervalMM.lowerBound == -.infinity && result.minimumMarginIntervalMM.upperBound > 6.5)
        #expect(Verdict(tumour: "T1", result, criterion: MarginCriterion(zone: .visibleIce, requiredMarginMM: 5)).status == .indeterminate)
    }

    /// Where one place is by far the worst, one of three equal components of the registration's error lies along its normal: σ ⁄ √3 there,
    /// times 1.96 for 95 %.
    @Test func registrationErrorWidensTheInterval() throws {
        let grid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 22)
        let tumour = AnalyticShape.sphere(radius: 6, at: SIMD3(10, 0, 0)).levelSet(on: grid)
        let zone = AnalyticShape.sphere(radius: 20, at: .zero).levelSet(on: grid)
        func halfWidth(_ errorMM: Double, edgeMM: Double = 0) throws -> Double {
            let result = try MarginAnalysis.margins(
                ofTumour: tumour, in: zone, zone: .visibleIce,
                uncertainty: MarginUncertainty(tumourEdgeMM: edgeMM, registrationErrorMM: errorMM))
            let below = result.minimumMarginMM - result.minimumMarginIntervalMM.lowerBound
            // Upwards it is wider still, for the smallest of many.
            #expect(0.85 * below..<1.4 * below ~= result.minimumMarginIntervalMM.upperBound - result.minimumMarginMM)
            return below
        }
        #expect(abs(try halfWidth(2) - 1.96 * 2 / 3.0.squareRoot()) < 0.05)
        // Independent errors add in squares.
        #expect(abs(try halfWidth(2, edgeMM: 0.7) - 1.96 * (4.0 / 3 + 0.49).squareRoot()) < 0.05)
        #expect(try halfWidth(0) < 0.3)
    }

    /// Wherever a tumour is moved from the middle of its ice, it comes nearer to one side: by the length of the shift, whose 97.5 % point
    /// is 3.058 standard deviations of one component (χ with 3 degrees of freedom).
    @Test func inTheMiddleOfTheIceTheTrueMarginMayBeLargerByTheWholeShift() throws {
        let grid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 28)
        let result = try MarginAnalysis.margins(
            ofTumour: AnalyticShape.sphere(radius: 15, at: .zero).levelSet(on: grid),
            in: AnalyticShape.sphere(radius: 25, at: .zero).levelSet(on: grid),
            zone: .visibleIce, uncertainty: MarginUncertainty(registrationErrorMM: 2))
        #expect(abs(result.minimumMarginIntervalMM.upperBound - result.minimumMarginMM - 3.058 * 2 / 3.0.squareRoot()) < 0.35)
    }

    /// The zone's image ends 9.5 mm above its centre, the tumour at 13 mm: what lies beyond may be covered or not.
    @Test func tumourOutsideTheZonesImageLeavesTheVerdictOpen() throws {
        let grid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 20)
        let tumour = AnalyticShape.sphere(radius: 8, at: SIMD3(0, 0, 5)).levelSet(on: grid)
        let zone = AnalyticShape.sphere(radius: 9, at: .zero).levelSet(on: grid)
        func verdict(_ fieldOfView: GridGeometry) throws -> Verdict {
            let result = try MarginAnalysis.margins(ofTumour: tumour, in: zone, zone: .visibleIce, zoneFieldOfView: fieldOfView)
            return Verdict(tumour: "T1", result, criterion: MarginCriterion(zone: .visibleIce, requiredMarginMM: -3.5))
        }
        #expect(try verdict(grid).status == .notMet)  // 9 − 5 − 8 = −4 mm
        let upToNine = grid.cropped(0..<grid.size.i, 0..<grid.size.j, 0..<(grid.size.k / 2 + 10))
        let open = try verdict(upToNine)
        #expect(open.status == .indeterminate && open.reasons.contains { $0.contains("lies outside the image") })
    }
}

struct VerdictTests {
    private func result(_ interval: ClosedRange<Double>, isComplete: Bool = true) -> MarginResult {
        MarginResult(
            zone: .visibleIce, minimumMarginMM: (interval.lowerBound + interval.upperBound) / 2, minimumMarginIntervalMM: interval,
            worstPoint: PatientPoint(0, 0, 0), nearestZonePoint: PatientPoint(0, 0, 0),
            surfaceFraction: .init(below0: 0, from0to5: 1, from5to10: 0, atLeast10: 0), tumourCoverage: 1, tumourCoverageInterval: 1...1,
            residualVolumeML: 0,
            tumourVolumeML: 1, zoneVolumeML: 2, shellCoverage: [], map: MarginMap(surface: TriangleMesh(), marginsMM: []),
            isComplete: isComplete, findings: [])
    }

    /// Of a normal distribution: half at its middle, 97.5 % at the interval's lower end.
    @Test func theProbabilityFollowsTheInterval() throws {
        let margin = result(3.0...7.0)
        for (required, probability) in [(5.0, 0.5), (3.0, 0.975), (7.0, 0.025), (5 + 2 / 1.96, 0.1587)] {
            #expect(abs(try #require(margin.probability(ofAtLeast: required)) - probability) < 0.001)
        }
        #expect(result(3.0 ... .infinity).probability(ofAtLeast: 5) == nil)
    }

    @Test(arguments: [
        (interval: 5.1...6.0, isComplete: true, doubts: [String](), expected: Verdict.Status.met),
        (interval: 4.9...6.0, isComplete: true, doubts: [String](), expected: Verdict.Status.indeterminate),
        (interval: 3.0...4.9, isComplete: true, doubts: [String](), expected: Verdict.Status.notMet),
        (interval: 5.1...6.0, isComplete: false, doubts: [String](), expected: Verdict.Status.indeterminate),
        (interval: 5.1...6.0, isComplete: true, doubts: ["The registration failed."], expected: Verdict.Status.indeterminate),
        (interval: 3.0...4.9, isComplete: true, doubts: ["The registration failed."], expected: Verdict.Status.indeterminate),
    ])
    func followsTheIntervalAndDoubts(interval: ClosedRange<Double>, isComplete: Bool, doubts: [String], expected: Verdict.Status) {
        let verdict = Verdict(
            tumour: "T1", result(interval, isComplete: isComplete), criterion: MarginCriterion(zone: .visibleIce, requiredMarginMM: 5),
            doubts: doubts)
        #expect(verdict.status == expected)
        #expect(!verdict.reasons.isEmpty)
    }
}

struct StructureDistanceTests {
    @Test(arguments: [(center: 20.0, distance: 4.0), (center: 13.0, distance: -3.0), (center: 6.0, distance: -10.0)])
    func distanceToASphereIsTheGapOrMinusTheDepth(center: Double, distance: Double) throws {
        let grid = try AnalyticShape.grid(spacing: SIMD3(1, 1, 1), halfWidthMM: 28)
        let measured = try StructureDistance.measure(
            to: AnalyticShape.sphere(radius: 4, at: SIMD3(0, center, 0)).levelSet(on: grid), named: "duct",
            from: AnalyticShape.sphere(radius: 12, at: .zero).levelSet(on: grid), zone: .visibleIce)
        #expect(abs(measured.minimumDistanceMM - distance) < 0.06)
        #expect(measured.minimumDistanceIntervalMM.contains(distance))
        #expect(length(measured.nearestPoint.lps - SIMD3(0, center - 4, 0)) < 1.5)
        if center == 20 { #expect(measured.overlapVolumeML < 1e-6) }
        if center == 6 { #expect(abs(measured.overlapVolumeML - 0.2681) < 0.01) }  // 4⁄3 π 4³ mm³
    }
}
