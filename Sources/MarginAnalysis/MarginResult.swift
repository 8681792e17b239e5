import Foundation
import ImagingCore

/// The margins of one tumour in one zone.
public struct MarginResult: Sendable {
    /// The share of the tumour's surface area by signed margin; the four add up to 1.
    public struct SurfaceFraction: Sendable, Hashable {
        public var below0, from0to5, from5to10, atLeast10: Double
    }
    /// The share of the shell of thickness `marginMM` around the tumour, the tumour itself left out, that the zone covers.
    public struct ShellCoverage: Sendable, Hashable {
        public var marginMM: Double
        public var fraction: Double
    }

    public var zone: MarginZone
    /// The smallest signed distance from the tumour's surface to the zone's; positive where the zone exceeds the tumour.
    public var minimumMarginMM: Double
    /// 95 %. The upper end is `.infinity` when the zone is cut off by its grid just there.
    public var minimumMarginIntervalMM: ClosedRange<Double>
    /// The point of the tumour's surface with the smallest margin.
    public var worstPoint: PatientPoint
    /// The point of the zone's surface that is nearest to `worstPoint`.
    public var nearestZonePoint: PatientPoint
    public var surfaceFraction: SurfaceFraction
    /// The share of the tumour's volume inside the zone.
    public var tumourCoverage: Double
    /// 95 %, wider than needed: as if the whole surface of the zone were off by the error of the smallest margin.
    public var tumourCoverageInterval: ClosedRange<Double>
    /// Tumour outside the zone.
    public var residualVolumeML: Double
    public var tumourVolumeML: Double
    public var zoneVolumeML: Double
    /// At 1, 2 … 10 mm.
    public var shellCoverage: [ShellCoverage]
    /// Without the surface near the organ's capsule; `nil` when no organ was given.
    public var capsule: CapsuleMargin?
    public var map: MarginMap
    /// Whether tumour and zone lie wholly within what their images show. If not, see `findings`; no criterion can be met.
    public var isComplete: Bool
    public var findings: [Finding]
}

/// The signed margin at every vertex of the tumour's surface.
public struct MarginMap: Sendable {
    /// The tumour's surface in the zone's frame of reference, LPS millimetres.
    public var surface: TriangleMesh
    /// One per vertex, millimetres; positive inside the zone.
    public var marginsMM: [Double]
    /// The standard deviation of each margin, millimetres; empty where it was not asked for.
    public var deviationsMM: [Double]
    /// One per vertex, square millimetres: a third of the triangles around it.
    public var vertexAreasMM2: [Double]

    public init(surface: TriangleMesh, marginsMM: [Double], deviationsMM: [Double] = []) {
        precondition(surface.vertices.count == marginsMM.count && [0, marginsMM.count].contains(deviationsMM.count))
        (self.surface, self.marginsMM, self.deviationsMM) = (surface, marginsMM, deviationsMM)
        vertexAreasMM2 = surface.vertexAreas
    }

    /// The share of the surface's area with a margin below `thresholdMM`, the margin being linear across each triangle.
    public func areaFraction(below thresholdMM: Double) -> Double {
        var below = 0.0, total = 0.0
        for index in surface.triangles.indices {
            let corners = surface.triangles[index], area = surface.area(ofTriangle: index)
            total += area
            below += area * Self.share(
                below: thresholdMM, marginsMM[Int(corners.x)], marginsMM[Int(corners.y)], marginsMM[Int(corners.z)])
        }
        return total > 0 ? below / total : 0
    }

    /// The share of the surface's area of which a condition on point and margin holds; each triangle counts by its corners.
    func areaFraction(where holds: (PatientPoint, Double) -> Bool) -> Double {
        let held = zip(surface.vertices, marginsMM).map { holds($0, $1) ? 1.0 : 0 }
        var sum = 0.0, total = 0.0
        for index in surface.triangles.indices {
            let corners = surface.triangles[index], area = surface.area(ofTriangle: index)
            total += area
            sum += area * (held[Int(corners.x)] + held[Int(corners.y)] + held[Int(corners.z)]) / 3
        }
        return total > 0 ? sum / total : 0
    }

    /// The share of a triangle in which a linear function with these corner values is below `threshold`.
    static func share(below threshold: Double, _ a: Double, _ b: Double, _ c: Double) -> Double {
        let low = min(a, b, c), high = max(a, b, c)
        if threshold <= low { return 0 }
        if threshold > high { return 1 }
        let middle = a + b + c - low - high
        if threshold <= middle { return (threshold - low) * (threshold - low) / ((high - low) * (middle - low)) }
        return 1 - (high - threshold) * (high - threshold) / ((high - low) * (high - middle))
    }
}

extension MarginResult {
    /// The probability that the true smallest margin is at least `requiredMM`, its error taken for normal with the stated 95 % interval;
    /// `nil` when the interval has no end.
    public func probability(ofAtLeast requiredMM: Double) -> Double? {
        let interval = minimumMarginIntervalMM
        guard interval.lowerBound.isFinite, interval.upperBound.isFinite else { return nil }
        let deviation = max(1e-6, (interval.upperBound - interval.lowerBound) / (2 * MarginUncertainty.coverageFactor))
        let middle = (interval.lowerBound + interval.upperBound) / 2
        return 0.5 * erfc((requiredMM - middle) / (deviation * 2.0.squareRoot()))
    }
}
