import Foundation
import GRDB
import ImagingCore
import Reporting

/// A case that the archive knows.
struct StudyRow: Codable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "study"

    var key: String
    var source: String
    var site: String?
    var columns: [String: String]

    init(_ record: RunRecord, site: String?) { (key, source, self.site, columns) = (record.key, record.source, site, record.columns) }

    /// A run that failed does not know the site: an earlier one may have.
    func upsertKeepingSite(_ db: Database) throws {
        var row = self
        if row.site == nil { row.site = try StudyRow.fetchOne(db, key: key)?.site }
        try row.upsert(db)
    }
}

/// One run of a case.
struct RunRow: Codable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "run"

    var id: String
    var study: String
    var state: String
    var verdict: String?
    var failureCode: String?
    var due: String
    var version: String
    var profile: String?
    var started: String
    var finished: String
    var seconds: Double
    var peakMemoryMB: Double?
    var registrationMethod: String?
    var registrationTrusted: Bool?
    var registrationErrorMM: Double?
    var iceVolumeML: Double?
    var probeCount: Int?
    /// The zone whose margin decides, and the margin that it has to have.
    var decidingZone: String?
    var requiredMarginMM: Double?
    /// The whole `RunRecord` as JSON.
    var record: String

    init(_ record: RunRecord, report: CaseReport?) throws {
        (id, study, state, due, version, profile) = (
            record.id, record.key, record.state.rawValue, record.due, record.version, record.profile
        )
        (started, finished, seconds, peakMemoryMB) = (record.started, record.finished, record.seconds, record.peakMemoryMB)
        failureCode = record.failure?.code
        verdict = report?.verdict.status.rawValue
        registrationMethod = report?.registration.quality.method
        registrationTrusted = report?.registration.quality.trusted
        registrationErrorMM = report?.registration.quality.expectedErrorMM
        iceVolumeML = report?.ice.volumeML
        probeCount = report?.probes.count
        (decidingZone, requiredMarginMM) = (report?.decidingZone, report?.requiredMarginMM)
        self.record = String(decoding: try record.jsonData(), as: UTF8.self)
    }

    /// The run's record.
    func decoded() throws -> RunRecord { try JSONDecoder().decode(RunRecord.self, from: Data(record.utf8)) }
}

/// The margin of one tumour in one zone.
struct MarginRow: Codable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "margin"

    var run: String
    var tumour: String
    var zone: String
    var zoneSource: String?
    var minimumMarginMM: Double?
    var lowMM: Double?
    var highMM: Double?
    var probabilityMet: Double?
    var tumourCoverage: Double?
    var residualVolumeML: Double?
    var tumourVolumeML: Double?
    var tumourDiameterMM: Double?

    init(_ margin: CaseReport.Margin, of tumour: CaseReport.Tumour?, run: String) {
        (self.run, self.tumour, zone, zoneSource) = (run, margin.tumour, margin.zone, margin.zoneSource)
        (minimumMarginMM, lowMM, highMM) = (
            margin.minimumMarginMM, margin.minimumMarginIntervalMM?.low, margin.minimumMarginIntervalMM?.high
        )
        (probabilityMet, tumourCoverage, residualVolumeML) = (margin.probabilityMet, margin.tumourCoverage, margin.residualVolumeML)
        (tumourVolumeML, tumourDiameterMM) = (tumour?.volumeML, tumour?.longestDiameterMM)
    }
}

/// How near a zone comes to one structure.
struct StructureRow: Codable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "structure"

    var run: String
    var name: String
    var zone: String
    var minimumDistanceMM: Double?
    var lowMM: Double?
    var highMM: Double?
    var overlapVolumeML: Double?
    var limitMM: Double?
    var status: String?

    init(_ structure: CaseReport.Structure, run: String) {
        (self.run, name, zone) = (run, structure.name, structure.zone)
        (minimumDistanceMM, lowMM, highMM) = (
            structure.minimumDistanceMM, structure.minimumDistanceIntervalMM?.low, structure.minimumDistanceIntervalMM?.high
        )
        (overlapVolumeML, limitMM, status) = (structure.overlapVolumeML, structure.limitMM, structure.status?.rawValue)
    }
}

struct FindingRow: Codable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "finding"

    var run: String
    var severity: String
    var code: String
    var message: String
    var remedy: String

    init(_ finding: Finding, run: String) {
        (self.run, severity, code, message, remedy) = (run, finding.severity.rawValue, finding.code, finding.message, finding.remedy)
    }
}

struct TimingRow: Codable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "timing"

    var run: String
    var stage: String
    var seconds: Double
}
