import DescriptionFiles
import ImagingCore

/// A number of a table, and where it comes from.
public struct SourcedNumber: Hashable, Sendable {
    public var value: Double
    /// The source's text; `nil` where the file names none.
    public var source: String?
}

/// Tissues by name, read from a file of schema `icemargin.tissues/1`; each number has its source beside it.
public struct TissueLibrary: Sendable {
    public static let schema = "icemargin.tissues/1"

    /// In the order of the file.
    public private(set) var tissues: [Tissue]
    /// Tissue → key → number with its source.
    public private(set) var sources: [String: [String: SourcedNumber]]

    public var names: [String] { tissues.map(\.name) }

    /// The tissues that come with the program.
    public static func builtIn() throws -> TissueLibrary { try TissueLibrary(builtInText, file: "built-in tissues") }
    /// The file of the built-in tissues: what a site copies to make its own.
    public static var builtInText: String { String(decoding: PackageResources.tissues_yaml, as: UTF8.self) }

    public init(_ text: String, file: String) throws {
        let root = try StrictYAML.document(text, file: file, known: ["schema", "sources", "tissues"])
        let schema = try root.requiredString("schema")
        guard schema == Self.schema else { throw root.wrongValue("schema", expected: "“\(Self.schema)”, not “\(schema)”") }
        let sources = try SourceList(root)
        let entries = try root.mappings("tissues", known: TissueReader.keys)
        guard !entries.isEmpty else { throw root.missing("tissues") }
        (tissues, self.sources) = ([], [:])
        for entry in entries { try add(entry, sources) }
    }

    /// The keys of a tissue.
    public static let keys = TissueReader.keys

    /// Adds tissues that a simulation's own description defines; one with a known name replaces it.
    public mutating func add(_ entries: [StrictYAML]) throws {
        for entry in entries { try add(entry, nil) }
    }

    private mutating func add(_ entry: StrictYAML, _ sources: SourceList?) throws {
        var reader = TissueReader(entry: entry, sources: sources)
        let tissue = try reader.tissue()
        if let index = tissues.firstIndex(where: { $0.name == tissue.name }) { tissues[index] = tissue } else { tissues.append(tissue) }
        self.sources[tissue.name] = reader.numbers
    }

    public func tissue(_ name: String) throws -> Tissue {
        guard let tissue = tissues.first(where: { $0.name == name }) else { throw SimulationError.unknownTissue(name, known: names) }
        return tissue
    }
}

/// The sources that a table's numbers cite, by their short names.
struct SourceList {
    private let texts: [String: String]

    init(_ root: StrictYAML) throws {
        var texts: [String: String] = [:]
        for entry in try root.mappings("sources", known: ["id", "text"]) {
            texts[try entry.requiredString("id")] = try entry.requiredString("text")
        }
        self.texts = texts
    }

    /// A number with its source, `key: [value, source]`, where the file has sources; else a bare number.
    func number(_ key: String, in entry: StrictYAML) throws -> SourcedNumber? {
        let expected = "a number with its source, [value, source], the source being one of \(texts.keys.sorted().joined(separator: ", "))"
        guard entry.has(key) else { return nil }
        guard let parts = try? entry.strings(key), parts.count == 2, let value = Double(parts[0]), value.isFinite,
            let source = texts[parts[1]]
        else {
            throw entry.wrongValue(key, expected: expected)
        }
        return SourcedNumber(value: value, source: source)
    }
}

/// Reads one tissue; what a file of sources must give as `[value, source]` a simulation's own description gives as a number.
private struct TissueReader {
    static let keys = [
        "name", "kind", "density", "specificHeat", "conductivity", "frozenSpecificHeat", "frozenConductivity", "frozenConductivityRise",
        "latentHeat", "freezing", "freezingCurve", "mushConductivity", "mushSpecificHeat", "perfusion", "metabolicHeat", "wallExchange",
    ]

    let entry: StrictYAML
    let sources: SourceList?
    var numbers: [String: SourcedNumber] = [:]

    init(entry: StrictYAML, sources: SourceList?) { (self.entry, self.sources) = (entry, sources) }

    private mutating func number(_ key: String) throws -> Double? {
        let number = try sources.map { try $0.number(key, in: entry) } ?? entry.number(key).map { SourcedNumber(value: $0, source: nil) }
        numbers[key] = number
        return number?.value
    }
    private mutating func positive(_ key: String) throws -> Double {
        guard let value = try number(key) else { throw entry.missing(key) }
        guard value > 0 else { throw entry.wrongValue(key, expected: "greater than 0, not \(value)") }
        return value
    }
    private mutating func zeroOrMore(_ key: String) throws -> Double {
        let value = try number(key) ?? 0
        guard value >= 0 else { throw entry.wrongValue(key, expected: "0 or more, not \(value)") }
        return value
    }

    mutating func tissue() throws -> Tissue {
        let name = try entry.requiredString("name"), kind = try kind()
        let density = try positive("density"), specificHeat = try positive("specificHeat"), conductivity = try positive("conductivity")
        guard kind == .solid else {
            // Neither a vessel nor a gas ever freezes: the frozen constants stand for nothing.
            let table = EnthalpyTable(
                liquidHeatCapacity: density * specificHeat, liquidConductivity: conductivity, frozenHeatCapacity: density * specificHeat,
                frozenConductivity: conductivity, frozenConductivityRise: 0, latentHeat: 1, freezingCurve: [(0, 0), (-1, 1)],
                mushHeatCapacity: density * specificHeat, mushConductivity: conductivity)
            return Tissue(name: name, kind: kind, table: table)
        }
        let frozenSpecificHeat = try positive("frozenSpecificHeat"), frozenConductivity = try positive("frozenConductivity")
        let mushConductivity = entry.has("mushConductivity") ? try positive("mushConductivity") : nil
        let mushSpecificHeat = entry.has("mushSpecificHeat") ? try positive("mushSpecificHeat") : (specificHeat + frozenSpecificHeat) / 2
        let table = EnthalpyTable(
            liquidHeatCapacity: density * specificHeat, liquidConductivity: conductivity, frozenHeatCapacity: density * frozenSpecificHeat,
            frozenConductivity: frozenConductivity, frozenConductivityRise: try zeroOrMore("frozenConductivityRise"),
            latentHeat: 1e6 * (try positive("latentHeat")), freezingCurve: try freezingCurve(),
            mushHeatCapacity: density * mushSpecificHeat,
            mushConductivity: mushConductivity)
        return Tissue(
            name: name, kind: kind, table: table, perfusion: try zeroOrMore("perfusion"), metabolicHeat: try zeroOrMore("metabolicHeat"))
    }

    private mutating func kind() throws -> Tissue.Kind {
        switch try entry.string("kind") ?? "solid" {
        case "solid": .solid
        case "vessel": .vessel(exchange: entry.has("wallExchange") ? try positive("wallExchange") : nil)
        case "gas": .gas
        default: throw entry.wrongValue("kind", expected: "solid, vessel or gas")
        }
    }

    /// `freezing: [liquidus, solidus]`, or `freezingCurve: [[temperature, released share], …]`.
    private func freezingCurve() throws -> [(temperatureC: Double, share: Double)] {
        if let range = try entry.numbers("freezing") {
            guard !entry.has("freezingCurve") else { throw entry.wrongValue("freezingCurve", expected: "absent where “freezing” is given") }
            guard range.count == 2, range[0] >= range[1] else {
                throw entry.wrongValue("freezing", expected: "[liquidus, solidus] in °C, the solidus not above the liquidus")
            }
            return [(range[0], 0), (range[1], 1)]
        }
        let rows = try entry.numberLists("freezingCurve")
        guard !rows.isEmpty else { throw entry.missing("freezing") }
        let expected = "[[liquidus, 0], …, [solidus, 1]]: falling temperatures in °C with the rising share of the latent heat released"
        guard rows.count >= 2, rows.allSatisfy({ $0.count == 2 }), rows.first![1] == 0, rows.last![1] == 1,
            zip(rows, rows.dropFirst()).allSatisfy({ $0[0] >= $1[0] && $0[1] <= $1[1] })
        else { throw entry.wrongValue("freezingCurve", expected: expected) }
        return rows.map { ($0[0], $0[1]) }
    }
}
