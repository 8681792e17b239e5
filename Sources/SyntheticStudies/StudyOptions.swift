import ImagingCore

/// The part of the body that a synthetic study treats.
public enum StudySite: String, Sendable, CaseIterable, Codable {
    case liver, kidney, lung, spine
}

/// How the patient lies in the intraprocedural scan, compared with the planning scan.
public enum MotionKind: String, Sendable, CaseIterable, Codable {
    /// As in planning; both scans share one frame of reference.
    case none
    /// Another position on another table: turned and shifted.
    case rigid
    /// Turned and shifted, and organs displaced smoothly, most by breathing.
    case smooth
}

/// How large the images are.
public enum StudySize: String, Sendable, CaseIterable, Codable {
    /// A region of some 17 cm around the tumour.
    case small
    /// The whole trunk: CT 512 × 512 × 200 for planning, 512 × 512 × 120 for the ice.
    case full
}

/// What a synthetic study is to show. Lengths are in millimetres, noise and contrast in HU (CT) or signal units (MR).
public struct StudyOptions: Sendable, Hashable, Codable {
    public var site: StudySite
    public var modality: Modality
    public var seed: UInt64
    public var size: StudySize = .small
    /// The true minimum margin that the ice is grown to; `nil` leaves the ice as the seed gives it.
    public var marginMM: Double?
    public var motion: MotionKind = .none
    public var motionDegrees = 8.0
    public var motionMM = 25.0
    /// The largest smooth displacement.
    public var breathingMM = 10.0
    /// `nil`: 12 HU in CT; in MR 16 units.
    public var noise: Double?
    /// Tumour less the tissue around it on the planning scan; `nil` leaves it to the site.
    public var contrast: Double?
    public var tumourDiameterMM: Double?
    /// 0 makes the tumour an ellipsoid, 1 lobulated.
    public var irregularity = 1.0
    public var probeCount = 2
    public var hasIce = true
    public var hasPrefreezeScan = false
    public var hasFollowUpScan = false
    public var hasCracks = false
    /// The depth over which the image changes from unfrozen to frozen; `nil`: 1.75 mm in CT (7 °C at 4 °C per mm), 0.7 mm in MR.
    public var edgeBandMM: Double?
    /// Strength of the streaks around probes on CT; 1 is usual, 0 none.
    public var streaks = 1.0

    public init(site: StudySite, modality: Modality = .ct, seed: UInt64 = 1) {
        (self.site, self.modality, self.seed) = (site, modality, seed)
    }

    /// The band over which ice appears, in millimetres below the 0 °C front.
    public var iceEdgeBandMM: Double { edgeBandMM ?? (modality == .ct ? 1.75 : 0.7) }
    public var noiseLevel: Double { noise ?? (modality == .ct ? 12 : 16) }

    /// Throws `StudyOptionError` for values that make no study.
    public func validate() throws(StudyOptionError) {
        func require(_ name: String, _ value: Double?, in range: ClosedRange<Double>) throws(StudyOptionError) {
            guard let value else { return }
            guard range.contains(value) else { throw StudyOptionError(option: name, value: value, range: range) }
        }
        try require("number of probes", Double(probeCount), in: 1...4)
        try require("margin", marginMM, in: -15...20)
        try require("noise", noise, in: 0...200)
        try require("contrast", contrast, in: -1000...1000)
        try require("tumour diameter", tumourDiameterMM, in: 5...60)
        try require("irregularity", irregularity, in: 0...2)
        try require("rotation", motionDegrees, in: 0...30)
        try require("shift", motionMM, in: 0...120)
        try require("breathing", breathingMM, in: 0...25)
        try require("edge band", edgeBandMM, in: 0.05...6)
        try require("streak strength", streaks, in: 0...5)
    }
}

/// A value that no synthetic study can have.
public struct StudyOptionError: ReportableError, Hashable {
    public var option: String
    public var value: Double
    public var range: ClosedRange<Double>

    public var category: FailureCategory { .usage }
    public var finding: Finding {
        Finding(
            .error, "phantom-option", "The \(option) is \(value).", remedy: "Give a value from \(range.lowerBound) to \(range.upperBound).")
    }
}

extension Modality: CaseIterable {
    public static let allCases: [Modality] = [.ct, .mr]
}
