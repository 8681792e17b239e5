/// How the cases of a batch are run, of what changes their results: the options of `icemargin verify` that a batch hands on.
public struct CaseOptions: Codable, Hashable, Sendable {
    public var simulates = true
    public var writesDICOM = true
    public var isIdentified = false
    public var forecastMinutes: Double?

    public init() {}

    /// As `icemargin verify` takes them; empty for what it does unasked.
    public var arguments: [String] {
        (simulates ? [] : ["--no-simulation"]) + (writesDICOM ? [] : ["--no-dicom"]) + (isIdentified ? ["--identified"] : [])
            + (forecastMinutes.map { ["--forecast", "\($0)"] } ?? [])
    }
}
