import Foundation
import GRDB
import Reporting

extension StudyArchive {
    /// Every case with its latest run, sorted by key: what a group report is made of.
    ///
    /// - Parameters:
    ///   - page: where the page of a case lies, by its key, relative to the report.
    ///   - messages: where lies what a failed run of a case said.
    public func groupCases(page: (String) -> String, messages: (String) -> String) throws(ArchiveError) -> [GroupCase] {
        try reading { db in
            let columns = Dictionary(uniqueKeysWithValues: try StudyRow.fetchAll(db).map { ($0.key, $0) })
            var latest: [String: RunRow] = [:]
            for run in try RunRow.order(Column("finished"), Column.rowID).fetchAll(db) { latest[run.study] = run }
            let withResults = try String.fetchSet(
                db, sql: "SELECT study FROM run WHERE state = ?", arguments: [RunRecord.State.done.rawValue])
            let current = latest.values.map(\.id)
            let margins = Dictionary(
                grouping: try MarginRow.filter(current.contains(Column("run"))).order(Column.rowID).fetchAll(db), by: \.run)
            let structures = Dictionary(
                grouping: try StructureRow.filter(current.contains(Column("run"))).order(Column.rowID).fetchAll(db), by: \.run)
            let timings = Dictionary(grouping: try TimingRow.filter(current.contains(Column("run"))).fetchAll(db), by: \.run)
            return try latest.sorted { $0.key < $1.key }.map { key, run in
                var entry = GroupCase(
                    key: key, source: columns[key]?.source ?? "", page: run.state == RunRecord.State.done.rawValue ? page(key) : nil,
                    columns: columns[key]?.columns ?? [:], version: run.version, finished: run.finished, seconds: run.seconds)
                if let failure = try run.decoded().failure {
                    entry.failure = .init(message: failure.message, remedy: failure.remedy)
                    entry.messages = messages(key)
                    if withResults.contains(key) { entry.earlierPage = page(key) }
                }
                (entry.site, entry.profile, entry.verdict) = (columns[key]?.site, run.profile, run.verdict)
                (entry.registrationMethod, entry.registrationTrusted) = (run.registrationMethod, run.registrationTrusted)
                (entry.registrationErrorMM, entry.iceVolumeML, entry.probeCount) = (
                    run.registrationErrorMM, run.iceVolumeML, run.probeCount
                )
                (entry.decidingZone, entry.requiredMarginMM) = (run.decidingZone, run.requiredMarginMM)
                entry.stageSeconds = Dictionary(uniqueKeysWithValues: (timings[run.id] ?? []).map { ($0.stage, $0.seconds) })
                entry.margins = (margins[run.id] ?? []).map(\.groupMargin)
                entry.structures = (structures[run.id] ?? []).map(\.groupStructure)
                return entry
            }
        }
    }
}

extension MarginRow {
    fileprivate var groupMargin: GroupCase.Margin {
        .init(
            tumour: tumour, zone: zone, zoneSource: zoneSource, minimumMarginMM: minimumMarginMM, lowMM: lowMM, highMM: highMM,
            probabilityMet: probabilityMet,
            tumourCoverage: tumourCoverage, residualVolumeML: residualVolumeML, tumourVolumeML: tumourVolumeML,
            tumourDiameterMM: tumourDiameterMM)
    }
}

extension StructureRow {
    fileprivate var groupStructure: GroupCase.Structure {
        .init(name: name, zone: zone, minimumDistanceMM: minimumDistanceMM, lowMM: lowMM, highMM: highMM, limitMM: limitMM, status: status)
    }
}
