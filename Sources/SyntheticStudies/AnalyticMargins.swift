import Foundation
import ImagingCore

/// Closed forms for a ball (a tumour) in a larger ball (ice) whose centre lies `offsetMM` away.
public struct BallInBall: Sendable {
    public let radiusMM, zoneRadiusMM, offsetMM: Double

    public init(radiusMM: Double, zoneRadiusMM: Double, offsetMM: Double) {
        (self.radiusMM, self.zoneRadiusMM, self.offsetMM) = (radiusMM, zoneRadiusMM, offsetMM)
    }

    public var minimumMarginMM: Double { zoneRadiusMM - offsetMM - radiusMM }

    /// The share of the inner ball's surface with a margin below a limit: a cap on the side of the offset.
    public func surfaceShare(below marginMM: Double) -> Double {
        guard zoneRadiusMM > marginMM else { return 1 }
        let reach = zoneRadiusMM - marginMM
        let cosine = (reach * reach - offsetMM * offsetMM - radiusMM * radiusMM) / (2 * offsetMM * radiusMM)
        return (1 - min(1, max(-1, cosine))) / 2
    }

    /// The share of the inner ball's volume inside the zone.
    public var coverage: Double { overlap(radiusMM) / Self.volume(radiusMM) }
    public var residualVolumeML: Double { (Self.volume(radiusMM) - overlap(radiusMM)) / 1000 }

    /// The share of the shell of this thickness around the inner ball that the zone covers.
    public func shellCoverage(marginMM: Double) -> Double {
        let outer = radiusMM + marginMM
        return (overlap(outer) - overlap(radiusMM)) / (Self.volume(outer) - Self.volume(radiusMM))
    }

    private static func volume(_ radius: Double) -> Double { 4 / 3 * .pi * radius * radius * radius }

    /// What a ball about the inner centre and the zone have in common, mm³.
    private func overlap(_ r: Double) -> Double {
        let d = offsetMM, R = zoneRadiusMM
        if d <= abs(R - r) { return Self.volume(min(r, R)) }
        guard d < R + r else { return 0 }
        let gap: Double = R + r - d, sum: Double = d * d + 2 * d * (r + R) - 3 * (r - R) * (r - R)
        return .pi * gap * gap * sum / (12 * d)
    }
}

/// A tumour in a zone as a segmentation and a registration would show them, with the true smallest margin.
public struct RandomMarginCase: Sendable {
    public let trueMinimumMarginMM: Double
    /// As they are seen, on grids of their own.
    public let tumour, zone: LevelSet
    public let tumourMask, zoneMask: Mask
    public let spacingMM: SIMD3<Double>
    /// One standard deviation of each surface's displacement.
    public let tumourEdgeMM, zoneEdgeMM: Double
    /// Root mean square length of the tumour's misplacement.
    public let registrationErrorMM: Double

    /// A ball or an ellipsoid in a ball or a capsule; voxels of 0.7 to 1 mm, slices of 1 to 5 mm.
    public init(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed, purpose: "margin case")
        let inPlane = random.uniform(0.7...1)
        let spacingMM = SIMD3(inPlane, inPlane, random.uniform(1...5))
        let edges = (tumour: random.uniform(0...0.8), zone: random.uniform(0...0.8)), registrationMM = random.uniform(0...3)

        let tumourCenter = PatientPoint(random.direction() * random.uniform(0...5)), marginMM = random.uniform(-3...9)
        let isBall = random.unit() < 0.5
        let radiusMM = random.uniform(5...15),
            axes = isBall ? SIMD3(repeating: radiusMM) : radiusMM * SIMD3(1, random.uniform(0.6...1), random.uniform(0.6...1))
        func tumourShape(at center: PatientPoint, turn: (z: Double, x: Double)) -> AnalyticShape {
            .ellipsoid(semiAxesMM: axes, at: center, turnedDegrees: turn)
        }
        let turn = (z: random.uniform(0...180), x: random.uniform(0...180))
        let tumour = tumourShape(at: tumourCenter, turn: turn)

        // The zone about the origin is as large as the wanted margin needs.
        let halfAxis = random.unit() < 0.5 ? SIMD3<Double>.zero : random.direction() * random.uniform(2...10)
        let reach = tumour.farthest(fromSegment: halfAxis)
        let zone = AnalyticShape.capsule(from: PatientPoint(-halfAxis), to: PatientPoint(halfAxis), radiusMM: max(3, reach + marginMM))
        trueMinimumMarginMM = max(3, reach + marginMM) - reach

        let misplacement = SIMD3(random.normal(), random.normal(), random.normal()) * (registrationMM / 3.0.squareRoot())
        func roughness(_ deviationMM: Double) -> SurfaceRoughness {
            SurfaceRoughness(deviationMM: deviationMM, commonShare: random.unit(), correlationMM: random.uniform(4...10), random: &random)
        }
        let rough = (tumour: roughness(edges.tumour), zone: roughness(edges.zone))
        func shift() -> SIMD3<Double> { SIMD3(random.unit(), random.unit(), random.unit()) - 0.5 }
        let seen = tumourShape(at: PatientPoint(tumourCenter.lps + misplacement), turn: turn)
        func grid(_ shape: AnalyticShape) throws -> GridGeometry {
            try AnalyticShape.grid(holding: [shape], spacing: spacingMM, shift: shift(), marginMM: 8 + spacingMM.z)
        }
        let grids = (try grid(seen), try grid(zone))
        (tumourMask, zoneMask) = (seen.mask(on: grids.0, roughness: rough.tumour), zone.mask(on: grids.1, roughness: rough.zone))
        (self.tumour, self.zone) = (seen.levelSet(on: grids.0, roughness: rough.tumour), zone.levelSet(on: grids.1, roughness: rough.zone))
        (self.spacingMM, tumourEdgeMM, zoneEdgeMM, registrationErrorMM) = (spacingMM, edges.tumour, edges.zone, registrationMM)
    }
}

extension AnalyticShape {
    /// The largest distance of the surface of an ellipsoid from the segment between −`half` and `half`, by dense sampling.
    fileprivate func farthest(fromSegment half: SIMD3<Double>) -> Double {
        guard let ellipsoid = body as? Ellipsoid else { preconditionFailure("an ellipsoid") }
        let segment = Capsule(start: -half, end: half, startRadius: 0, endRadius: 0)
        func distance(_ direction: SIMD3<Double>) -> Double {
            let local = direction * ellipsoid.semiAxes
            return -segment.value(at: ellipsoid.center + local.x * ellipsoid.x + local.y * ellipsoid.y + local.z * ellipsoid.z)
        }
        // Points spread evenly over the sphere by the golden angle; with 20,000 the largest is missed by less than 1 µm per 10 mm.
        let count = 20_000, golden = Double.pi * (3 - 5.0.squareRoot())
        return (0..<count).reduce(0) { largest, index in
            let z = 1 - (2 * Double(index) + 1) / Double(count), r = (1 - z * z).squareRoot(), angle = golden * Double(index)
            return max(largest, distance(SIMD3(r * cos(angle), r * sin(angle), z)))
        }
    }
}
