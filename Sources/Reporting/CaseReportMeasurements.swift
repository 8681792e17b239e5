import ImagingCore
import MarginAnalysis

/// What was measured: tumours, probes, ice, margins, structures.
extension CaseReport {
    /// A tumour as segmented on, or imported into, the planning scan.
    public struct Tumour: Hashable, Sendable, Codable {
        public var id: String
        public var volumeML: Double
        /// The largest distance between two points of the surface.
        public var longestDiameterMM: Double
        public var centroidLPS: PatientPoint

        public init(id: String, volumeML: Double, longestDiameterMM: Double, centroidLPS: PatientPoint) {
            self.id = id
            self.volumeML = volumeML
            self.longestDiameterMM = longestDiameterMM
            self.centroidLPS = centroidLPS
        }
    }

    public struct Probe: Hashable, Sendable, Codable {
        public var id: String
        public var tipLPS: PatientPoint
        public var tailLPS: PatientPoint
        /// `detected` or `given`.
        public var source: String

        public init(id: String, tipLPS: PatientPoint, tailLPS: PatientPoint, source: String) {
            (self.id, self.tipLPS, self.tailLPS, self.source) = (id, tipLPS, tailLPS, source)
        }
    }

    /// The visible ice, or the ablation zone of a follow-up scan.
    public struct Ice: Hashable, Sendable, Codable {
        /// `null` when none was found.
        public var volumeML: Double?
        /// `segmented`, or the mask that gave it.
        public var source: String
        /// The part of it inside the organ, and its share of the organ's volume; `null` when the case gives no organ.
        public var volumeInOrganML: Double?
        public var organShare: Double?

        public init(volumeML: Double?, source: String, inOrgan: (volumeML: Double, organVolumeML: Double)? = nil) {
            (self.volumeML, self.source) = (volumeML?.finite, source)
            volumeInOrganML = inOrgan?.volumeML.finite
            organShare = inOrgan.flatMap { $0.organVolumeML > 0 ? ($0.volumeML / $0.organVolumeML).finite : nil }
        }
    }

    /// A range of values, written as `[low, high]`; an end that is not known is `null`.
    public struct Interval: Hashable, Sendable, Codable {
        public var low: Double?
        public var high: Double?

        public init(low: Double?, high: Double?) { (self.low, self.high) = (low?.finite, high?.finite) }
        public init(_ range: ClosedRange<Double>) { self.init(low: range.lowerBound, high: range.upperBound) }

        public init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            low = try container.decode(Double?.self)
            high = try container.decode(Double?.self)
        }
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try container.encode(low)
            try container.encode(high)
        }
    }

    /// The margin of one tumour in one zone. Positive where the zone exceeds the tumour.
    public struct Margin: Hashable, Sendable, Codable {
        /// The share of the tumour's surface area by signed margin in millimetres. The four add up to 1.
        public struct SurfaceFraction: Hashable, Sendable, Codable {
            public var below0: Double
            public var from0to5: Double
            public var from5to10: Double
            public var atLeast10: Double

            public init(below0: Double, from0to5: Double, from5to10: Double, atLeast10: Double) {
                (self.below0, self.from0to5, self.from5to10, self.atLeast10) = (below0, from0to5, from5to10, atLeast10)
            }
        }
        /// The share of the shell of thickness `marginMM` around the tumour (the tumour itself left out) that the zone covers.
        public struct ShellCoverage: Hashable, Sendable, Codable {
            public var marginMM: Double
            /// `null` when the shell holds nothing to cover.
            public var fraction: Double?

            public init(marginMM: Double, fraction: Double?) { (self.marginMM, self.fraction) = (marginMM, fraction?.finite) }
        }
        /// A connected part of the tumour's surface with less than the required margin.
        public struct Shortfall: Hashable, Sendable, Codable {
            public var worstPointLPS: PatientPoint
            public var worstMarginMM: Double
            public var areaMM2: Double
            /// By how much the zone would have to grow there.
            public var missingMM: Double
            /// Towards which side of the patient, for example `posterior-inferior`; `null` where the part goes around the tumour.
            public var direction: String?
            /// That the margin is below the required one where it is smallest.
            public var probability: Double?
            /// The nearest structure into which the zone would grow; `null` where none of the case's lies that way within 30 mm.
            public var ahead: Ahead?

            public struct Ahead: Hashable, Sendable, Codable {
                public var structure: String
                /// From the worst point.
                public var distanceMM: Double
                public init(structure: String, distanceMM: Double) { (self.structure, self.distanceMM) = (structure, distanceMM) }
            }

            public init(
                worstPointLPS: PatientPoint, worstMarginMM: Double, areaMM2: Double, missingMM: Double, direction: String?,
                probability: Double? = nil, ahead: Ahead? = nil
            ) {
                (self.worstPointLPS, self.worstMarginMM, self.areaMM2, self.missingMM, self.direction)
                    = (worstPointLPS, worstMarginMM, areaMM2, missingMM, direction)
                (self.probability, self.ahead) = (probability?.finite, ahead)
            }
        }
        /// How the tumour's surface divides by how sure it is that the margin there is enough; shares of its area.
        public struct SurfaceCertainty: Hashable, Sendable, Codable {
            /// Enough, or too small, with a probability of at least 97.5 %; `unsure` is the rest.
            public var enough, unsure, short: Double
            public init(enough: Double, unsure: Double, short: Double) { (self.enough, self.unsure, self.short) = (enough, unsure, short) }
        }
        /// The margin when surface that touches the organ's capsule is left out: there is no tissue to freeze beyond it.
        public struct Capsule: Hashable, Sendable, Codable {
            /// Surface less deep in the organ was left out.
            public var depthMM: Double
            /// The share of the tumour's surface area that was left out.
            public var excludedSurfaceFraction: Double
            /// `null` when nothing of the surface is left.
            public var minimumMarginMM: Double?
            public var minimumMarginIntervalMM: Interval?

            public init(
                depthMM: Double, excludedSurfaceFraction: Double, minimumMarginMM: Double?, minimumMarginIntervalMM: ClosedRange<Double>?
            ) {
                self.depthMM = depthMM
                self.excludedSurfaceFraction = excludedSurfaceFraction
                self.minimumMarginMM = minimumMarginMM?.finite
                self.minimumMarginIntervalMM = minimumMarginIntervalMM.map(Interval.init)
            }
        }
        /// The tumour's `id`.
        public var tumour: String
        /// `visible-ice`, `isotherm-20`, `isotherm-40` or `ablation-zone`.
        public var zone: String
        /// Where the zone comes from: `segmented`, the mask that gave it, `fixed set-back of 5 mm` inside the visible edge; `null` where
        /// not known.
        public var zoneSource: String?
        /// The smallest signed distance from the tumour's surface to the zone's; `null` when it cannot be evaluated.
        public var minimumMarginMM: Double?
        public var minimumMarginIntervalMM: Interval?
        /// That the true smallest margin is at least the required one; `null` where no margin is required, or the interval has no end.
        public var probabilityMet: Double?
        /// `null` where no margin is required.
        public var surfaceCertainty: SurfaceCertainty?
        /// The point of the tumour's surface where the margin is smallest.
        public var worstPointLPS: PatientPoint?
        public var surfaceFraction: SurfaceFraction?
        /// The share of the tumour's volume inside the zone.
        public var tumourCoverage: Double?
        public var tumourCoverageInterval: Interval?
        /// Tumour outside the zone.
        public var residualVolumeML: Double?
        public var shellCoverage: [ShellCoverage]
        /// The part that lacks most first; `null` where no margin is required.
        public var shortfalls: [Shortfall]?
        /// `null` when the case gives no organ.
        public var capsule: Capsule?

        public init(
            tumour: String, zone: String, zoneSource: String? = nil, minimumMarginMM: Double?,
            minimumMarginIntervalMM: ClosedRange<Double>?, worstPointLPS: PatientPoint?,
            surfaceFraction: SurfaceFraction?, tumourCoverage: Double?, residualVolumeML: Double?, shellCoverage: [ShellCoverage],
            tumourCoverageInterval: ClosedRange<Double>? = nil, probabilityMet: Double? = nil, surfaceCertainty: SurfaceCertainty? = nil,
            shortfalls: [Shortfall]? = nil, capsule: Capsule? = nil
        ) {
            self.tumour = tumour
            self.zone = zone
            self.zoneSource = zoneSource
            self.minimumMarginMM = minimumMarginMM?.finite
            self.minimumMarginIntervalMM = minimumMarginIntervalMM.map(Interval.init)
            self.worstPointLPS = worstPointLPS?.finite
            self.surfaceFraction = surfaceFraction
            self.tumourCoverage = tumourCoverage?.finite
            self.tumourCoverageInterval = tumourCoverageInterval.map(Interval.init)
            self.residualVolumeML = residualVolumeML?.finite
            self.shellCoverage = shellCoverage
            self.probabilityMet = probabilityMet?.finite
            self.surfaceCertainty = surfaceCertainty
            self.shortfalls = shortfalls
            self.capsule = capsule
        }
    }

    /// How long something was colder than a temperature.
    public struct TimeBelow: Hashable, Sendable, Codable {
        public var temperatureC, longestS: Double
        public init(temperatureC: Double, longestS: Double) { (self.temperatureC, self.longestS) = (temperatureC, longestS) }
    }

    /// How near a zone comes to a structure that should not freeze.
    public struct Structure: Hashable, Sendable, Codable {
        public var name: String
        /// A margin's zone name.
        public var zone: String
        /// From the zone's surface to the structure; 0 or negative where they overlap; `null` when it cannot be evaluated.
        public var minimumDistanceMM: Double?
        public var minimumDistanceIntervalMM: Interval?
        /// The point of the structure that is nearest to the zone.
        public var nearestPointLPS: PatientPoint?
        public var overlapVolumeML: Double?
        /// The lowest anywhere in it until the scan; `null` without a simulation that fits.
        public var lowestTemperatureC: Double?
        /// For how long any part of it was colder than each temperature, at most; `null` without a simulation that fits.
        public var timeBelow: [TimeBelow]?
        /// The distance to keep; `null` when the case gives none.
        public var limitMM: Double?
        /// Whether the limit is kept; `null` without a limit.
        public var status: Verdict.Status?

        public init(
            name: String, zone: String, minimumDistanceMM: Double?, minimumDistanceIntervalMM: ClosedRange<Double>?,
            nearestPointLPS: PatientPoint?,
            overlapVolumeML: Double?, lowestTemperatureC: Double? = nil, limitMM: Double? = nil, status: Verdict.Status? = nil
        ) {
            self.name = name
            self.zone = zone
            self.minimumDistanceMM = minimumDistanceMM?.finite
            self.minimumDistanceIntervalMM = minimumDistanceIntervalMM.map(Interval.init)
            self.nearestPointLPS = nearestPointLPS?.finite
            self.overlapVolumeML = overlapVolumeML?.finite
            self.lowestTemperatureC = lowestTemperatureC?.finite
            self.limitMM = limitMM
            self.status = status
        }
    }
}

extension PatientPoint {
    var finite: PatientPoint? { lps.sum().isFinite ? self : nil }
}
