import DICOMObjects
import Foundation
import ImagingCore

extension SyntheticStudy {
    /// Writes every series, `case.yaml` (with a follow-up scan `case-followup.yaml` too) and `truth.json` into `folder`, which must exist.
    ///
    /// Series go into folders named after their role. The same study gives the same bytes. `structureMasks` names, by structure,
    /// mask files that the caller puts beside them, for the case description. Throws `ImageWritingError`.
    public func write(
        to folder: URL, transferSyntax: WritableTransferSyntax = .explicitLittleEndian, structureMasks: [String: String] = [:]
    ) throws {
        for scan in scans {
            let series = folder.appendingPathComponent(scan.role)
            try FileManager.default.createDirectory(at: series, withIntermediateDirectories: true)
            try ImageSeriesWriter(header: scan.header, transferSyntax: transferSyntax).write(scan.volume, to: series)
        }
        try Data(caseDescription(structureMasks: structureMasks).utf8).write(to: folder.appendingPathComponent("case.yaml"))
        if options.hasFollowUpScan {
            try Data(
                caseDescription(structureMasks: structureMasks, isFollowUp: true).utf8
            ).write(to: folder.appendingPathComponent("case-followup.yaml"))
        }
        try Data(truthDocument().utf8).write(to: folder.appendingPathComponent("truth.json"))
    }

    /// `truth` as a JSON document, numbers to six decimals.
    public func truthDocument() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(truth.rounded()), as: UTF8.self) + "\n"
    }

    /// The case as `icemargin verify` takes it (schema `icemargin.case/1`); files relative to its own folder.
    public func caseDescription(structureMasks: [String: String] = [:], isFollowUp: Bool = false) -> String {
        func list(_ point: PatientPoint) -> String {
            "[\([point.lps.x, point.lps.y, point.lps.z].map { String(format: "%.1f", $0) }.joined(separator: ", "))]"
        }
        let tumour = truth.tumours[0]
        var lines = [
            "schema: icemargin.case/1", "id: \(truth.case.id)\(isFollowUp ? "-followup" : "")", "site: \(truth.case.site)",
            "planning: {series: planning}"
        ]
        if isFollowUp {
            lines.append("followup: {series: followup}")
        } else {
            if options.hasPrefreezeScan { lines.append("prefreeze: {series: prefreeze}") }
            lines.append("intraprocedural: {series: intraprocedural}")
        }
        lines += ["tumours:", "  - {id: \(tumour.id), seed: \(list(tumour.seedLPS)), diameter: \(Int(tumour.longestDiameterMM.rounded()))}"]
        let masked = structures.filter { structureMasks[$0.name] != nil }
        if !masked.isEmpty {
            lines.append("structures:")
            lines += masked.map { "  - {name: \($0.name), mask: \(structureMasks[$0.name]!), frame: planning, limit: \(Int($0.limitMM))}" }
        }
        if isFollowUp { return lines.joined(separator: "\n") + "\n" }
        // Metal casts no signal in MR, so there the probes are given.
        if options.modality == .ct {
            lines.append("probes: auto")
        } else {
            lines.append("probes:")
            lines += truth.probes.map { "  - {tip: \(list($0.tipLPS)), tail: \(list($0.tailLPS))}" }
        }
        lines += ["protocol: {freeze: 10, thaw: 5, refreeze: 10}", "elapsed: 10"]
        return lines.joined(separator: "\n") + "\n"
    }

    /// What a mask of a study shows.
    public enum MaskSubject: Hashable, Sendable {
        case tumour, ice, ablationZone
        case structure(name: String)
    }

    /// The subject as voxels of the scan with that role: those whose centres lie inside. Nothing when there is no such scan or subject.
    public func mask(of subject: MaskSubject, inScan role: String) -> Mask? {
        guard let scan = scans.first(where: { $0.role == role }) else { return nil }
        let motion = scan.motion, tumour = tumour
        switch subject {
        case .tumour: return Self.mask(scan.volume.geometry) { tumour.value(at: motion.planningPoint(of: $0)) }
        case .ice:
            guard let ice, role == "intraprocedural" else { return nil }
            return Self.mask(scan.volume.geometry) { ice.value(at: $0) }
        case .ablationZone:
            guard role == ScanPlan.Role.followup.rawValue else { return nil }
            let zone = zone
            return Self.mask(scan.volume.geometry) { zone.value(at: motion.planningPoint(of: $0)) }
        case .structure(let name):
            guard let structure = structures.first(where: { $0.name == name }) else { return nil }
            return Self.mask(scan.volume.geometry) { structure.tube.value(at: motion.planningPoint(of: $0)) }
        }
    }
    /// The names of the tubes that must not freeze.
    public var structureNames: [String] { structures.map(\.name) }

    private static func mask(_ geometry: GridGeometry, where function: @Sendable (SIMD3<Double>) -> Double) -> Mask {
        let size = geometry.size
        return Mask(geometry: geometry) { voxels in
            nonisolated(unsafe) let voxels = voxels
            forEachSlab(of: size.k, slab: 1) { range in
                for j in 0..<size.j {
                    for i in 0..<size.i {
                        let index = VoxelIndex(i, j, range.lowerBound)
                        voxels[size.offset(index)] = function(geometry.point(index).lps) >= 0 ? 1 : 0
                    }
                }
            }
        }
    }
}

extension StudyTruth {
    /// The same with lengths to 0.1 µm and the like, so that the file can be read.
    func rounded() throws -> JSONValue {
        let data = try JSONEncoder().encode(self)
        return try JSONDecoder().decode(JSONValue.self, from: data).rounded()
    }
}

/// Any JSON document.
enum JSONValue: Codable {
    case null, bool(Bool), int(Int), uint(UInt64), number(Double), string(String), array([JSONValue]), object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .int(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .uint(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .uint(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
    func rounded() -> JSONValue {
        switch self {
        case .number(let value): .number((value * 1e6).rounded() / 1e6)
        case .array(let values): .array(values.map { $0.rounded() })
        case .object(let members): .object(members.mapValues { $0.rounded() })
        default: self
        }
    }
}
