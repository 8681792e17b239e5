import DICOMObjects
import Foundation
import ImagingCore

/// What `inspect` shows to people: a line for each series, then what was found, at most 100 columns wide.
struct InspectionTable {
    private static let width = 100

    private let catalog: SeriesCatalog
    init(_ catalog: SeriesCatalog) { self.catalog = catalog }

    var text: String {
        var lines = [summary]
        if !catalog.series.isEmpty { lines += [""] + table }
        for (index, entry) in catalog.series.enumerated() where !entry.findings.isEmpty {
            lines += ["", "Series \(index + 1): \(entry.seriesInstanceUID.isEmpty ? "no Series Instance UID" : entry.seriesInstanceUID)"]
            lines += entry.findings.sorted { $0.severity > $1.severity }.flatMap(Self.lines)
        }
        if !catalog.findings.isEmpty {
            lines += ["", "Other files:"] + catalog.findings.flatMap(Self.lines)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var summary: String {
        let count = catalog.series.count, usable = catalog.series.filter(\.usable).count
        guard count > 0 else { return "No DICOM series." }
        return "\(count) series, \(usable == count ? "all" : usable == 0 ? "none" : "\(usable)") of them usable as \(usable == 1 ? "a volume" : "volumes")."
    }

    private var table: [String] {
        let header = ["#", "usable", "kind", "files", "voxels", "spacing (mm)", "plane", "description"]
        let rows = catalog.series.enumerated().map { index, entry in
            [
                "\(index + 1)", entry.usable ? "yes" : "no", entry.modality.isEmpty ? "–" : entry.modality, "\(entry.files.count)",
                entry.size.map { "\($0.i) × \($0.j) × \($0.k)" } ?? "–", entry.geometry.map { Self.lengths($0.spacing) } ?? "–",
                entry.geometry.map(Self.plane) ?? "–", entry.description,
            ]
        }
        // The last column is as long as it is.
        let widths = header.indices.dropLast().map { column in ([header] + rows).map { $0[column].count }.max()! }
        return ([header] + rows).map { row in
            let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) } + [row.last!]
            return Self.cut(cells.joined(separator: "  ").trimmingCharacters(in: .whitespaces))
        }
    }

    private static func lengths(_ spacing: SIMD3<Double>) -> String {
        [spacing.x, spacing.y, spacing.z].map { value in
            let text = String(format: "%.3f", value)
            return text.hasSuffix(".000") ? String(text.dropLast(4)) : text
        }.joined(separator: " × ")
    }

    private static func plane(_ geometry: GridGeometry) -> String {
        let normal = geometry.axes.k.lps
        let nearest = [(abs(normal.x), "sagittal"), (abs(normal.y), "coronal"), (abs(normal.z), "axial")].max { $0.0 < $1.0 }!
        return nearest.0 > 0.9962 ? nearest.1 : "oblique"
    }

    private static func cut(_ line: String) -> String { line.count <= width ? line : String(line.prefix(width - 1)) + "…" }

    private static func lines(_ finding: Finding) -> [String] {
        let label = "  " + finding.severity.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0)
        var lines = wrapped(finding.message, width: width - label.count).enumerated().map { index, line in
            (index == 0 ? label : String(repeating: " ", count: label.count)) + line
        }
        if !finding.remedy.isEmpty {
            lines += wrapped("→ " + finding.remedy, width: width - label.count).map { String(repeating: " ", count: label.count) + $0 }
        }
        return lines
    }

    private static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = [], line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty && line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return lines + [line]
    }
}
