import Foundation
import ImageFilters
import ImagingCore
import MarginAnalysis
import SyntheticStudies

/// The commissioning table: bodies whose margins are known in closed form, drawn on grids like those of scans, and what is measured from
/// them.
public struct CommissioningTable: Sendable, Encodable {
    /// One quantity of one pair of bodies on one grid.
    public struct Row: Sendable, Encodable {
        public let shape: String
        public let spacingMM: [Double]
        /// `mask` (voxels in or out) or `level-set` (sub-voxel).
        public let representation: String
        public let quantity: Quantity
        public let truth, measured: Double
        /// 95 %; only of what is stated with one.
        public let interval: [Double]?
        public let tolerance: Double
        /// Within the tolerance, and the truth within the interval.
        public let pass: Bool
    }

    public enum Quantity: String, Sendable, Encodable, CaseIterable {
        case minimumMarginMM, surfaceBelow0Percent, surface0To5Percent, surface5To10Percent, tumourCoveragePercent
        case shell5MMCoveragePercent, tumourVolumeML, structureDistanceMM
    }

    public let rows: [Row]
    public var passes: Bool { rows.allSatisfy(\.pass) }

    /// Millimetres: 1 mm cubes, a usual reconstruction, and thick slices.
    static let spacings = [SIMD3(1.0, 1, 1), SIMD3(0.7, 0.7, 2.5), SIMD3(0.8, 0.8, 5)]

    public init() throws {
        rows = try Self.spacings.flatMap { spacing in
            try [SurfaceSampling.Source.levelSet, .binaryMask].flatMap { source in
                let sampling = Sampling(spacing: spacing, source: source)
                return try [-1.0, 0, 4].flatMap { try sampling.ballInBall(marginMM: $0) } + sampling.ellipsoidInBall()
                    + sampling.ballInCapsule()
                    + sampling.vesselBesideBall()
            }
        }
    }
}

/// The pairs of bodies on one kind of grid.
private struct Sampling {
    let spacing: SIMD3<Double>
    let source: SurfaceSampling.Source

    func ballInBall(marginMM: Double) throws -> [CommissioningTable.Row] {
        // Offset obliquely: along the slices and across them.
        let offset = SIMD3(2.0, 1, 2), truth = BallInBall(radiusMM: 11, zoneRadiusMM: 11 + 3 + marginMM, offsetMM: 3)
        let tumour = AnalyticShape.ball(radiusMM: truth.radiusMM, at: PatientPoint(offset)),
            zone = AnalyticShape.ball(radiusMM: truth.zoneRadiusMM, at: PatientPoint(.zero))
        let result = try margins(of: tumour, in: zone), name = "\(tumour.name) in \(zone.name), 3 mm apart"
        let bands = (truth.surfaceShare(below: 0), truth.surfaceShare(below: 5), truth.surfaceShare(below: 10))
        return [
            margin(name, truth.minimumMarginMM, result),
            row(name, .surfaceBelow0Percent, 100 * bands.0, 100 * result.surfaceFraction.below0),
            row(name, .surface0To5Percent, 100 * (bands.1 - bands.0), 100 * result.surfaceFraction.from0to5),
            row(name, .surface5To10Percent, 100 * (bands.2 - bands.1), 100 * result.surfaceFraction.from5to10),
            row(name, .tumourCoveragePercent, 100 * truth.coverage, 100 * result.tumourCoverage),
            row(name, .shell5MMCoveragePercent, 100 * truth.shellCoverage(marginMM: 5), 100 * result.shellCoverage[4].fraction),
            row(name, .tumourVolumeML, tumour.volumeML, result.tumourVolumeML),
        ]
    }

    /// Concentric: the margin is what the zone's radius exceeds the longest semi-axis by.
    func ellipsoidInBall() throws -> [CommissioningTable.Row] {
        let tumour = AnalyticShape.ellipsoid(semiAxesMM: SIMD3(14, 10, 8), at: PatientPoint(.zero), turnedDegrees: (30, 40))
        let zone = AnalyticShape.ball(radiusMM: 16, at: PatientPoint(.zero)), name = "\(tumour.name) in \(zone.name)"
        let result = try margins(of: tumour, in: zone)
        return [margin(name, 2, result), row(name, .tumourVolumeML, tumour.volumeML, result.tumourVolumeML)]
    }

    /// The margin is the capsule's radius less the ball's radius and its distance from the capsule's axis.
    func ballInCapsule() throws -> [CommissioningTable.Row] {
        let tumour = AnalyticShape.ball(radiusMM: 10, at: PatientPoint(0, 4, 3))
        let zone = AnalyticShape.capsule(from: PatientPoint(-12, 0, 0), to: PatientPoint(12, 0, 0), radiusMM: 18)
        return [margin("\(tumour.name) in \(zone.name), 5 mm off its axis", 3, try margins(of: tumour, in: zone))]
    }

    /// A straight tube of 3 mm radius beside a ball of 14 mm, axis 21 mm from its centre: 4 mm.
    func vesselBesideBall() throws -> [CommissioningTable.Row] {
        let zone = AnalyticShape.ball(radiusMM: 14, at: PatientPoint(.zero)), place = SIMD3(1.0, 2, 2) / 3 * 21,
            along = SIMD3(2.0, 1, -2) / 3 * 15
        let vessel = AnalyticShape.capsule(from: PatientPoint(place - along), to: PatientPoint(place + along), radiusMM: 3)
        let seen = (vessel: try surface(of: vessel), zone: try surface(of: zone))
        let found = try StructureDistance.measure(
            to: seen.vessel, named: "vessel", from: seen.zone, zone: .visibleIce, uncertainty: uncertainty)
        let interval = found.minimumDistanceIntervalMM
        return [row(
            "\(vessel.name) beside \(zone.name)", .structureDistanceMM, 4, found.minimumDistanceMM,
            interval: [interval.lowerBound, interval.upperBound])]
    }

    private func surface(of shape: AnalyticShape) throws -> LevelSet {
        let grid = try AnalyticShape.grid(holding: [shape], spacing: spacing, shift: SIMD3(0.31, -0.17, 0.23))
        return source == .levelSet ? shape.levelSet(on: grid) : LevelSet(reconstructing: shape.mask(on: grid))
    }

    private var uncertainty: MarginUncertainty {
        let sampling = SurfaceSampling(source, spacingMM: spacing)
        return MarginUncertainty(tumourSampling: sampling, zoneSampling: sampling)
    }

    private func margins(of tumour: AnalyticShape, in zone: AnalyticShape) throws -> MarginResult {
        try MarginAnalysis.margins(
            ofTumour: try surface(of: tumour), in: try surface(of: zone), zone: .visibleIce, uncertainty: uncertainty)
    }

    private func margin(_ name: String, _ truth: Double, _ result: MarginResult) -> CommissioningTable.Row {
        let interval = result.minimumMarginIntervalMM
        return row(name, .minimumMarginMM, truth, result.minimumMarginMM, interval: [interval.lowerBound, interval.upperBound])
    }

    private func row(
        _ name: String, _ quantity: CommissioningTable.Quantity, _ truth: Double, _ measured: Double, interval: [Double]? = nil
    ) -> CommissioningTable.Row {
        let tolerance = tolerance(for: quantity, truth: truth)
        let holds = interval.map { $0[0] <= truth && truth <= $0[1] } ?? true
        return .init(
            shape: name, spacingMM: [spacing.x, spacing.y, spacing.z], representation: source == .levelSet ? "level-set" : "mask",
            quantity: quantity,
            truth: truth, measured: measured, interval: interval, tolerance: tolerance, pass: abs(measured - truth) <= tolerance && holds)
    }

    /// What a department may ask for: from sub-voxel surfaces a seventh of a millimetre; from masks a share of what the slices leave open.
    private func tolerance(for quantity: CommissioningTable.Quantity, truth: Double) -> Double {
        let isMask = source == .binaryMask, thickness = spacing.max()
        switch quantity {
        case .minimumMarginMM, .structureDistanceMM: return isMask ? 0.35 * thickness : 0.05 + 0.1 * thickness
        case .surfaceBelow0Percent, .surface0To5Percent, .surface5To10Percent: return isMask ? 4 * thickness : 1 + (thickness - 1)
        case .tumourCoveragePercent: return isMask ? 0.5 * thickness : 0.5
        case .shell5MMCoveragePercent: return isMask ? 1.5 * thickness : 1 + 0.5 * (thickness - 1)
        case .tumourVolumeML: return truth * (isMask ? 0.015 : 0.01) * thickness
        }
    }
}
