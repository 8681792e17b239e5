import Foundation
import MarginAnalysis

/// Cases whose margins can be compared with one another: of one site, measured in one zone.
///
/// Sites differ in what they ask for and reach. Pooled, their differences would pass for change over time, and hide it.
struct GroupStratum {
    var name: String
    var cases: [GroupCase]

    /// The strata of the cases that have a margin, by name; one without a name where all can be compared.
    static func strata(of cases: [GroupCase]) -> [GroupStratum] {
        let measured = cases.filter { $0.worstMargin != nil }
        let sites = Set(measured.map(\.site)), zones = Set(measured.map(\.decidingZone))
        func name(_ entry: GroupCase) -> String {
            let zone = entry.decidingZone.map { MarginZone(rawValue: $0)?.phrase ?? $0 }
            return [sites.count > 1 ? entry.site ?? "no site" : nil, zones.count > 1 ? zone : nil].compactMap { $0 }.joined(separator: ", ")
        }
        return Dictionary(grouping: measured, by: name).sorted { $0.key < $1.key }.map { GroupStratum(name: $0.key, cases: $0.value) }
    }

    /// The cases with a date and a margin in order of time.
    static func inTime(_ cases: [GroupCase]) -> [GroupCase] {
        cases.filter { $0.date != nil && $0.worstMargin != nil }.sorted { ($0.date!, $0.key) < ($1.date!, $1.key) }
    }
}
