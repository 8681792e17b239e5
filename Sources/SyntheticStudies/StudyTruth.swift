import ImagingCore

/// What is true of a synthetic study, from its geometry (`truth.json`, schema `icemargin.truth/1`).
///
/// Points are LPS millimetres in the scan named beside them; keys that a report has too have the report's names and meanings.
public struct StudyTruth: Codable, Sendable {
    public struct Case: Codable, Sendable { public var id, site: String }
    public struct Scan: Codable, Sendable {
        /// planning, prefreeze, intraprocedural or followup.
        public var role, folder, modality: String
        public var studyInstanceUID, seriesInstanceUID, frameOfReferenceUID: String
        /// Columns, rows, slices.
        public var size: [Int]
        public var spacingMM: [Double]
        public var sliceThicknessMM: Double
        public var originLPS: PatientPoint
        /// The directions of columns, rows and slices.
        public var axes: [[Double]]
    }
    public struct Tumour: Codable, Sendable {
        public var id: String
        public var volumeML, longestDiameterMM: Double
        /// Planning.
        public var centroidLPS: PatientPoint
        /// Planning: a point well inside, as a reader would click it.
        public var seedLPS: PatientPoint
        /// Intraprocedural.
        public var intraproceduralCentroidLPS: PatientPoint
        public var intraproceduralVolumeML: Double
        /// HU or signal: the tumour less the tissue around it, on the planning scan, without noise.
        public var planningContrast: Double
    }
    public struct Probe: Codable, Sendable {
        public var id: String
        public var tipLPS, tailLPS: PatientPoint
        public var diameterMM: Double
        public var source: String
    }
    public struct Ice: Codable, Sendable {
        /// What the 0 °C front encloses.
        public var volumeML: Double
        /// The corners of the smallest box around it.
        public var lowestLPS, highestLPS: PatientPoint
        /// The image changes from unfrozen to frozen evenly over this depth below the front.
        public var edgeBandMM: Double
        public var source: String
    }
    public struct Registration: Codable, Sendable {
        public struct Rigid: Codable, Sendable {
            /// 4 × 4 by rows, planning → intraprocedural.
            public var matrix: [[Double]]
        }
        public struct Deformable: Codable, Sendable {
            /// Length of the displacement that the rigid part leaves at the tumour's surface.
            public var meanDisplacementMM, maximumDisplacementMM: Double
        }
        public struct Landmark: Codable, Sendable { public var planningLPS, intraproceduralLPS: PatientPoint }
        public var rigid: Rigid
        public var deformable: Deformable?
        /// Points of the tumour's surface in both scans.
        public var tumourSurface: [Landmark]
    }
    public struct SurfaceFraction: Codable, Sendable { public var below0, from0to5, from5to10, atLeast10: Double }
    public struct ShellCoverage: Codable, Sendable { public var marginMM, fraction: Double }
    public struct Margins: Codable, Sendable {
        public var tumour, zone: String
        public var minimumMarginMM: Double
        public var worstPointLPS: PatientPoint
        public var surfaceFraction: SurfaceFraction
        public var tumourCoverage, residualVolumeML: Double
        public var shellCoverage: [ShellCoverage]
    }
    public struct Structure: Codable, Sendable {
        public var name, zone: String
        public var minimumDistanceMM: Double
        public var nearestPointLPS: PatientPoint
        public var overlapVolumeML, limitMM: Double
    }

    public var schema = "icemargin.truth/1"
    public var `case`: Case
    public var options: StudyOptions
    public var scans: [Scan]
    public var tumours: [Tumour]
    public var probes: [Probe]
    public var ice: Ice?
    public var registration: Registration
    public var margins: [Margins]
    public var structures: [Structure]
}
