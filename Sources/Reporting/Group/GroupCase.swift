import Foundation

/// One case of a group report: its latest run and what that found.
public struct GroupCase: Sendable, Hashable {
    /// The margin of one tumour in one zone.
    public struct Margin: Sendable, Hashable {
        public var tumour, zone: String
        public var zoneSource: String?
        public var minimumMarginMM, lowMM, highMM, probabilityMet, tumourCoverage, residualVolumeML, tumourVolumeML,
            tumourDiameterMM: Double?

        public init(
            tumour: String, zone: String, zoneSource: String?, minimumMarginMM: Double?, lowMM: Double?, highMM: Double?,
            probabilityMet: Double?,
            tumourCoverage: Double?, residualVolumeML: Double?, tumourVolumeML: Double?, tumourDiameterMM: Double?
        ) {
            (self.tumour, self.zone, self.zoneSource) = (tumour, zone, zoneSource)
            (self.minimumMarginMM, self.lowMM, self.highMM, self.probabilityMet) = (minimumMarginMM, lowMM, highMM, probabilityMet)
            (self.tumourCoverage, self.residualVolumeML) = (tumourCoverage, residualVolumeML)
            (self.tumourVolumeML, self.tumourDiameterMM) = (tumourVolumeML, tumourDiameterMM)
        }
    }
    /// How near the zone that decides comes to a structure.
    public struct Structure: Sendable, Hashable {
        public var name, zone: String
        public var minimumDistanceMM, lowMM, highMM, limitMM: Double?
        public var status: String?

        public init(
            name: String, zone: String, minimumDistanceMM: Double?, lowMM: Double?, highMM: Double?, limitMM: Double?, status: String?
        ) {
            (self.name, self.zone, self.status) = (name, zone, status)
            (self.minimumDistanceMM, self.lowMM, self.highMM, self.limitMM) = (minimumDistanceMM, lowMM, highMM, limitMM)
        }
    }
    public struct Failure: Sendable, Hashable {
        public var message, remedy: String

        public init(message: String, remedy: String) { (self.message, self.remedy) = (message, remedy) }
    }

    public var key, source: String
    /// The page of the latest run, relative to the group report; `nil` where it gave none.
    public var page: String?
    /// Where the latest run failed: the page of an earlier run, and what the failed one said; `nil` where there is none.
    public var earlierPage, messages: String?
    /// `nil` when the latest run gave a report.
    public var failure: Failure?
    public var site, profile: String?
    /// `met`, `not-met` or `indeterminate`.
    public var verdict: String?
    /// What tables say about the case.
    public var columns: [String: String]
    public var version: String
    /// When the run ended, ISO 8601 in UTC.
    public var finished: String
    public var seconds: Double
    public var stageSeconds: [String: Double]
    public var registrationMethod: String?
    public var registrationTrusted: Bool?
    public var registrationErrorMM, iceVolumeML: Double?
    public var probeCount: Int?
    /// The zone whose margin decides, and the margin that it has to have.
    public var decidingZone: String?
    public var requiredMarginMM: Double?
    public var margins: [Margin]
    public var structures: [Structure]

    public init(key: String, source: String, page: String?, columns: [String: String], version: String, finished: String, seconds: Double) {
        (self.key, self.source, self.page, self.columns) = (key, source, page, columns)
        (self.version, self.finished, self.seconds) = (version, finished, seconds)
        (stageSeconds, margins, structures) = ([:], [], [])
    }
}

extension GroupCase {
    /// The margins in the zone that decides.
    var decidingMargins: [Margin] { margins.filter { $0.zone == decidingZone } }

    /// The tumour with the smallest margin in the zone that decides; `nil` where none was measured.
    var worstMargin: Margin? { decidingMargins.filter { $0.minimumMarginMM != nil }.min { $0.minimumMarginMM! < $1.minimumMarginMM! } }

    /// The class of the case's marks on the page.
    var style: String { ["met": "met", "not-met": "not-met"][verdict] ?? "open" }

    /// A date of treatment that a table gives: the column `date`, as YYYY-MM-DD or YYYYMMDD.
    var date: Date? {
        guard let text = columns["date"]?.filter(\.isNumber), text.count == 8, let number = Int(text) else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = DateComponents(year: number / 10000, month: number / 100 % 100, day: number % 100)
        guard parts.isValidDate(in: calendar) else { return nil }
        return calendar.date(from: parts)
    }

    /// Whether the tumour came back, from the column `recurrence`; `nil` where it does not say.
    var hasRecurred: Bool? {
        switch columns["recurrence"]?.lowercased() {
        case "1", "yes", "y", "true": true
        case "0", "no", "n", "false": false
        default: nil
        }
    }

    /// Months to the recurrence or to the last look, from the column `months`, `recurrence_months` or `follow_up_months`.
    var followUpMonths: Double? {
        ["months", "recurrence_months", "follow_up_months"].lazy.compactMap { self.columns[$0] }.compactMap {
            Double($0.replacing(",", with: "."))
        }
        .first { $0.isFinite && $0 >= 0 }
    }
}

extension CaseReport {
    /// The zone whose margin decides: the one that a margin is required in, else the first that was measured.
    public var decidingZone: String? {
        let zones = Set(margins.map(\.zone))
        if let zone = margins.first(where: { $0.probabilityMet != nil })?.zone { return zone }
        if case .object(let parameters) = provenance.parameters, case .string(let zone)? = parameters["zone"], zones.contains(zone) {
            return zone
        }
        return margins.first?.zone
    }

    /// The margin that the zone has to have; `nil` where the report does not say.
    public var requiredMarginMM: Double? {
        guard case .object(let parameters) = provenance.parameters, case .number(let value)? = parameters["requiredMarginMM"] else {
            return nil
        }
        return value
    }
}
