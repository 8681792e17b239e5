import Foundation

/// The group as a tidy table: a row for each tumour and zone, and one without a tumour for a case that has no margin.
public enum GroupTable {
    /// The columns, in order: name, what it means, and its value.
    static let columns: [(name: String, meaning: String, value: @Sendable (GroupCase, GroupCase.Margin?) -> String?)] = [
        ("case", "name of the case's folder of results", { c, _ in c.key }),
        ("source", "where the case comes from", { c, _ in c.source }),
        ("state", "done, or failed when the latest run gave no report", { c, _ in c.failure == nil ? "done" : "failed" }),
        ("site", "the anatomical site that the case names", { c, _ in c.site }),
        ("profile", "the site profile with its criteria", { c, _ in c.profile }),
        ("verdict", "met, not-met or indeterminate, of the whole case", { c, _ in c.verdict }),
        ("tumour", "the tumour's name in the case", { _, m in m?.tumour }),
        ("zone", "visible-ice, isotherm-20, isotherm-40 or ablation-zone", { _, m in m?.zone }),
        ("zone_source", "where the zone comes from", { _, m in m?.zoneSource }),
        ("decides", "yes where the verdict rests on this zone", { c, m in m.map { $0.zone == c.decidingZone ? "yes" : "no" } }),
        ("required_margin_mm", "the margin that the zone that decides has to have", { c, _ in number(c.requiredMarginMM) }),
        (
            "minimum_margin_mm", "smallest signed distance from tumour to zone; negative where tumour is outside",
            { _, m in number(m?.minimumMarginMM) }
        ),
        ("minimum_margin_low_mm", "low end of its 95 % interval", { _, m in number(m?.lowMM) }),
        ("minimum_margin_high_mm", "high end of its 95 % interval", { _, m in number(m?.highMM) }),
        ("probability_met", "that the margin is at least the required one", { _, m in number(m?.probabilityMet) }),
        ("tumour_coverage", "share of the tumour's volume in the zone, 0 to 1", { _, m in number(m?.tumourCoverage) }),
        ("residual_volume_ml", "tumour outside the zone", { _, m in number(m?.residualVolumeML) }),
        ("tumour_volume_ml", "volume of the tumour", { _, m in number(m?.tumourVolumeML) }),
        ("tumour_diameter_mm", "longest diameter of the tumour", { _, m in number(m?.tumourDiameterMM) }),
        ("ice_volume_ml", "volume of the visible ice or the ablation zone", { c, _ in number(c.iceVolumeML) }),
        ("probe_count", "number of probes", { c, _ in c.probeCount.map(String.init) }),
        ("registration_method", "how planning and treated scan were brought together", { c, _ in c.registrationMethod }),
        ("registration_trusted", "yes where margins may rest on it", { c, _ in c.registrationTrusted.map { $0 ? "yes" : "no" } }),
        ("registration_error_mm", "expected error at the tumour, one standard deviation", { c, _ in number(c.registrationErrorMM) }),
        ("seconds", "duration of the run", { c, _ in number(c.seconds) }),
        ("version", "version of IceMargin", { c, _ in c.version }),
        ("finished", "when the run ended, UTC", { c, _ in c.finished }),
        ("failure", "why the latest run gave no report", { c, _ in c.failure?.message }),
    ]

    private static func number(_ value: Double?) -> String? {
        value.map { ($0 * 1e4).rounded() / 1e4 }.map { $0 == $0.rounded() ? String(Int($0)) : "\($0)" }
    }

    /// The columns that tables add, by name.
    static func tableColumns(_ cases: [GroupCase]) -> [String] {
        Set(cases.flatMap(\.columns.keys)).subtracting(columns.map(\.name)).sorted()
    }

    /// The table as comma-separated values, UTF-8.
    public static func csv(_ cases: [GroupCase]) -> String {
        let added = tableColumns(cases)
        var text = line(columns.map(\.name) + added)
        for entry in cases {
            for margin in entry.margins.isEmpty ? [nil] : entry.margins.map(Optional.init) {
                text += line(columns.map { $0.value(entry, margin) ?? "" } + added.map { entry.columns[$0] ?? "" })
            }
        }
        return text
    }

    /// One row (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe.
    private static func line(_ fields: [String]) -> String {
        fields.map { field in
            let isFormula = field.first.map { "=+@\t\r".contains($0) } == true || field.hasPrefix("-") && Double(field) == nil
            let safe = isFormula ? "'" + field : field
            return safe.contains { "\",;\n\r\t\r\n".contains($0) } ? "\"\(safe.replacing("\"", with: "\"\""))\"" : safe
        }.joined(separator: ",") + "\n"
    }
}
