import Foundation
import ImageFilters
import ImageSegmentation
import ImagingCore
import VerificationPipeline

/// What `segment --json` prints and `segment.json` holds.
struct SegmentDocument: Encodable {
    let schema = "icemargin.segment/1"
    let object: String
    let seriesInstanceUID: String?
    let modality: String
    let volumeML, longestDiameterMM: Double?
    let centroidLPS: PatientPoint?
    /// One standard deviation of the surface along its normal.
    let edgeUncertaintyMM: Double?
    /// The separate parts of the object, the largest first; `nil` for what is always one.
    let pieces: [PieceEntry]?
    let method: String?
    let probes: [ProbeEntry]
    let findings: [Finding]

    struct PieceEntry: Encodable {
        let volumeML: Double
        let centroidLPS: PatientPoint
    }

    /// As in the report.
    struct ProbeEntry: Encodable {
        let id: String
        let tipLPS, tailLPS: PatientPoint
        let source: String
        /// One standard deviation, mostly along the shaft.
        let tipUncertaintyMM: Double?
    }

    /// - Parameter surface: of the level set that was found.
    init(object: String, scan: StageScan, _ found: SegmentCommand.Found, surface: TriangleMesh?) {
        (self.object, seriesInstanceUID, modality) = (object, scan.seriesInstanceUID, scan.modality.rawValue)
        (volumeML, longestDiameterMM, centroidLPS) = (
            surface.map { $0.enclosedVolume / 1000 }, surface?.longestDiameterMM, surface?.centroid)
        (edgeUncertaintyMM, method) = (found.result?.edgeUncertaintyMM, found.result?.method)
        pieces = found.result.flatMap {
            $0.pieces.isEmpty ? nil : $0.pieces.map { PieceEntry(volumeML: $0.volumeML, centroidLPS: $0.centroid) }
        }
        probes = found.probes.enumerated().map {
            ProbeEntry(id: "P\($0.offset + 1)", tipLPS: $0.element.tip, tailLPS: $0.element.tail, source: $0.element.source.rawValue,
                tipUncertaintyMM: $0.element.tipUncertaintyMM)
        }
        findings = scan.findings + found.findings + (found.result?.findings ?? [])
    }

    /// For a person.
    var text: String {
        var lines: [String] = []
        if let volumeML, let longestDiameterMM, let edgeUncertaintyMM {
            lines.append(
                "\(object): \(String(format: "%.1f mL, longest diameter %.1f mm, edge ± %.1f mm", volumeML, longestDiameterMM, edgeUncertaintyMM))")
        }
        func point(_ p: PatientPoint) -> String { String(format: "%.1f, %.1f, %.1f", p.lps.x, p.lps.y, p.lps.z) }
        if let pieces, pieces.count > 1 {
            lines += pieces.map { "  a separate part of \(String(format: "%.1f", $0.volumeML)) mL around \(point($0.centroidLPS))" }
        }
        lines += probes.map { "probe \($0.id): tip \(point($0.tipLPS)), tail \(point($0.tailLPS)) (\($0.source))" }
        if object == SegmentCommand.Object.probes.rawValue, probes.isEmpty { lines.append("no probes found") }
        lines += findings.map(\.line)
        return lines.joined(separator: "\n")
    }
}

extension Finding {
    /// For a terminal.
    var line: String { "\(severity.rawValue): \(message)\(remedy.isEmpty ? "" : " \(remedy)")" }
}
