import DescriptionFiles
import ImagingCore

/// What a cryoprobe is: its shaft, the part of it that freezes, and how cold it gets. Unknown figures stay `nil` until a site fills them
/// in.
public struct ProbeModel: Hashable, Sendable {
    public var name: String
    public var diameterMM: Double?
    /// The part that freezes.
    public var activeLengthMM: Double?
    /// From the tip of the shaft to the active part.
    public var activeStartMM: Double
    /// The temperature that cools its surface, °C: of the surface itself when `resistance` is 0, else that of the coolant behind it.
    public var coolantC: Double?
    /// How well that temperature is known, one standard deviation, K; `nil` where nothing is said, as of most probes: needles of one kind
    /// differ, and so does the gas that they are given.
    public var coolantUncertaintyK: Double?
    /// Between coolant and surface, K·m/W: the surface is warmer than the coolant by this times the power per metre.
    public var resistance: Double
    /// The most heat it can take, W/m.
    public var largestPower: Double?
    /// In which the coolant reaches its temperature after it is switched on, s.
    public var rampS: Double
    /// Of its surface when it is warmed, °C.
    public var thawC: Double?

    public init(
        name: String, diameterMM: Double?, activeLengthMM: Double?, activeStartMM: Double = 0, coolantC: Double?, resistance: Double = 0,
        largestPower: Double? = nil, rampS: Double = 0, thawC: Double? = nil
    ) {
        (self.name, self.diameterMM, self.activeLengthMM, self.activeStartMM) = (name, diameterMM, activeLengthMM, activeStartMM)
        (self.coolantC, self.resistance, self.largestPower, self.rampS, self.thawC) = (coolantC, resistance, largestPower, rampS, thawC)
    }

    /// The figures without which it cannot freeze.
    public var missing: [String] {
        [("diameter", diameterMM), ("activeLength", activeLengthMM), ("coolant", coolantC)].filter { $0.1 == nil }.map(\.0)
    }

    /// The keys of a description, which may also stand in a probe's own entry.
    public static let keys = [
        "diameter", "gauge", "activeLength", "activeStart", "coolant", "coolantUncertainty", "resistance", "largestPower", "ramp",
        "thawTemperature",
    ]
    /// Outer diameters by gauge, mm (hypodermic tubing, regular wall).
    static let diametersByGauge = [8: 4.19, 10: 3.40, 11: 3.05, 12: 2.77, 13: 2.41, 14: 2.11, 15: 1.83, 16: 1.65, 17: 1.47, 18: 1.27]
}

/// Probe models by name, read from a file of schema `icemargin.probes/1`; each number has its source beside it.
public struct ProbeLibrary: Sendable {
    public static let schema = "icemargin.probes/1"

    public private(set) var models: [ProbeModel]
    public var names: [String] { models.map(\.name) }

    /// The models that come with the program.
    public static func builtIn() throws -> ProbeLibrary { try ProbeLibrary(builtInText, file: "built-in probes") }
    /// The file of the built-in models: what a site copies to fill in its own.
    public static var builtInText: String { String(decoding: PackageResources.probes_yaml, as: UTF8.self) }

    public init(_ text: String, file: String) throws {
        let root = try StrictYAML.document(text, file: file, known: ["schema", "sources", "probes"])
        let schema = try root.requiredString("schema")
        guard schema == Self.schema else { throw root.wrongValue("schema", expected: "“\(Self.schema)”, not “\(schema)”") }
        let sources = try SourceList(root)
        models = try root.mappings("probes", known: ["name"] + ProbeModel.keys).map { entry in
            try ProbeModel(name: try entry.requiredString("name"), entry) { key in try sources.number(key, in: entry)?.value }
        }
    }

    /// Adds the models of another file; one with a known name replaces it.
    public mutating func add(_ other: ProbeLibrary) {
        models = models.filter { !other.names.contains($0.name) } + other.models
    }

    public func model(_ name: String) throws -> ProbeModel {
        guard let model = models.first(where: { $0.name == name }) else { throw SimulationError.unknownProbeModel(name, known: names) }
        return model
    }
}

extension ProbeModel {
    /// Reads the figures of `entry`; those it lacks are those of `base`.
    public init(name: String, _ entry: StrictYAML, base: ProbeModel? = nil, number: (String) throws -> Double?) throws {
        self = base ?? ProbeModel(name: name, diameterMM: nil, activeLengthMM: nil, coolantC: nil)
        self.name = name
        func checked(_ key: String, atLeast least: Double, isStrict: Bool = false) throws -> Double? {
            guard let value = try number(key) else { return nil }
            guard isStrict ? value > least : value >= least else {
                throw entry.wrongValue(key, expected: "\(isStrict ? "greater than" : "at least") \(least), not \(value)")
            }
            return value
        }
        if let gauge = try number("gauge") {
            guard let diameter = Self.diametersByGauge[Int(gauge)] else {
                throw entry.wrongValue(
                    "gauge",
                    expected:
                        "one of \(Self.diametersByGauge.keys.sorted().map(String.init).joined(separator: ", ")); or give the diameter in mm"
                )
            }
            diameterMM = diameter
        }
        diameterMM = try checked("diameter", atLeast: 0, isStrict: true) ?? diameterMM
        activeLengthMM = try checked("activeLength", atLeast: 0, isStrict: true) ?? activeLengthMM
        activeStartMM = try checked("activeStart", atLeast: 0) ?? activeStartMM
        coolantC = try checked("coolant", atLeast: -273.15) ?? coolantC
        coolantUncertaintyK = try checked("coolantUncertainty", atLeast: 0, isStrict: true) ?? coolantUncertaintyK
        resistance = try checked("resistance", atLeast: 0) ?? resistance
        largestPower = try checked("largestPower", atLeast: 0, isStrict: true) ?? largestPower
        rampS = try checked("ramp", atLeast: 0) ?? rampS
        thawC = try checked("thawTemperature", atLeast: -273.15) ?? thawC
    }
}
