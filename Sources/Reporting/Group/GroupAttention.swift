import Foundation

/// The cases of a group whose results a person should look at, and why; the gravest first.
struct GroupAttention {
    struct Entry {
        var entry: GroupCase
        var reasons: [String]
        fileprivate var rank: Int
    }

    let entries: [Entry]

    /// How the margins of a stratum vary.
    private struct Ranges {
        let margins: Spread?
        let limits: ControlLimits?

        init(_ cases: [GroupCase]) {
            margins = Spread(cases.compactMap { $0.worstMargin?.minimumMarginMM })
            limits = ControlLimits(GroupStratum.inTime(cases).compactMap { $0.worstMargin?.minimumMarginMM })
        }
    }

    init(_ cases: [GroupCase]) {
        let strata = GroupStratum.strata(of: cases)
        let ranges = strata.map { Ranges($0.cases) }
        let stratumOf = Dictionary(strata.enumerated().flatMap { index, stratum in stratum.cases.map { ($0.key, index) } }) { first, _ in
            first
        }
        let errors = Spread(cases.compactMap(\.registrationErrorMM)), seconds = Spread(cases.filter { $0.failure == nil }.map(\.seconds))
        entries = cases.filter { $0.failure == nil }.compactMap { entry -> Entry? in
            var reasons: [String] = []
            var rank = 9
            func add(_ place: Int, _ reason: String) {
                reasons.append(reason)
                rank = min(rank, place)
            }
            if entry.verdict == "indeterminate" { add(1, "Indeterminate") }
            if entry.registrationTrusted == false { add(2, "Registration not trusted") }
            if let margin = entry.worstMargin?.minimumMarginMM {
                let range = stratumOf[entry.key].map { ranges[$0] }
                if range?.margins?.isOutlying(margin) == true { add(3, "Margin far from the others: \(GroupCharts.text(margin)) mm") }
                if let limits = range?.limits, entry.date != nil, margin < limits.low || margin > limits.high {
                    add(3, "Margin outside the control limits: \(GroupCharts.text(margin)) mm")
                }
            } else {
                add(1, "No margin was measured")
            }
            if let error = entry.registrationErrorMM, errors?.isOutlying(error) == true {
                add(4, "Registration error far from the others: \(GroupCharts.text(error)) mm")
            }
            for structure in entry.structures where structure.status == "not-met" && structure.zone == entry.decidingZone {
                add(5, "Too near to the \(structure.name)\(structure.minimumDistanceMM.map { ": \(GroupCharts.text($0)) mm" } ?? "")")
            }
            if entry.verdict == "not-met" { add(6, "Margin not met") }
            if seconds?.isOutlying(entry.seconds) == true {
                add(7, "Run unusually long or short: \(GroupCharts.text(entry.seconds)) s")
            }
            return reasons.isEmpty ? nil : Entry(entry: entry, reasons: reasons, rank: rank)
        }.sorted {
            ($0.rank, $0.entry.worstMargin?.minimumMarginMM ?? -.infinity, $0.entry.key) < (
                $1.rank, $1.entry.worstMargin?.minimumMarginMM ?? -.infinity, $1.entry.key
            )
        }
    }
}
