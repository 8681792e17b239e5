import Foundation
import ImagingCore
import MarginAnalysis

/// What one run found out about one case: the document `report.json`, schema `icemargin.report/1`.
///
/// Every property is a key of the document, under the same name and in the same order. A key whose number has a unit ends in
/// it: `MM` millimetres, `ML` millilitres, `S` seconds, `C` degrees Celsius, `LPS` patient coordinates in millimetres as
/// `[left, posterior, superior]`. Fractions run from 0 to 1. A key is never left out: what is absent or could not be
/// evaluated is `null`, and a finding then says why.
///
/// The same values always give the same bytes (see `ReportEncoder`). Between two runs on the same inputs only `timingsS`,
/// `provenance.runID` and `provenance.created` differ.
public struct CaseReport: Hashable, Sendable, Codable {
    public static let currentSchema = "icemargin.report/1"

    public var schema = CaseReport.currentSchema
    public var `case`: CaseIdentity
    /// `null` unless a person asked for it.
    public var patient: Patient?
    public var inputs: [Input]
    public var tumours: [Tumour]
    public var probes: [Probe]
    public var ice: Ice
    public var registration: Registration
    /// `null` when no simulation was run.
    public var simulation: Simulation?
    /// `null` when none was asked for, or the simulation does not fit.
    public var forecast: Forecast?
    /// `null` unless the scan shows no ice and what probes and protocol would freeze could be simulated.
    public var plan: Plan?
    /// One entry per tumour and zone.
    public var margins: [Margin]
    /// One entry per structure and zone.
    public var structures: [Structure]
    public var verdict: Verdict
    public var findings: [Finding]
    /// Wall-clock seconds by stage.
    public var timingsS: [String: Double]
    public var provenance: Provenance

    public init(
        case identity: CaseIdentity, inputs: [Input] = [], tumours: [Tumour] = [], probes: [Probe] = [], ice: Ice, registration: Registration,
        simulation: Simulation? = nil, forecast: Forecast? = nil, plan: Plan? = nil, margins: [Margin] = [], structures: [Structure] = [],
        verdict: Verdict, findings: [Finding] = [],
        timingsS: [String: Double] = [:], provenance: Provenance
    ) {
        self.case = identity
        self.inputs = inputs
        self.tumours = tumours
        self.probes = probes
        self.ice = ice
        self.registration = registration
        self.simulation = simulation
        self.forecast = forecast
        self.plan = plan
        self.margins = margins
        self.structures = structures
        self.verdict = verdict
        self.findings = findings
        self.timingsS = timingsS
        self.provenance = provenance
    }

    /// The document as UTF-8 JSON.
    public func jsonData() throws -> Data { try ReportEncoder().encode(self) }

    /// Reads a document that `jsonData` wrote. A document of another schema is refused.
    public init(jsonData: Data) throws {
        struct Header: Decodable { var schema: String? }
        let header = try? JSONDecoder().decode(Header.self, from: jsonData)
        guard header?.schema == Self.currentSchema else { throw ReportError.unknownSchema(header?.schema) }
        do {
            self = try JSONDecoder().decode(CaseReport.self, from: jsonData)
        } catch {
            throw ReportError.malformed("\(error)")
        }
    }
}

extension CaseReport {
    public struct CaseIdentity: Hashable, Sendable, Codable {
        public var id: String
        /// The anatomical site that the case names, for example `liver`.
        public var site: String
        /// The name of the site profile that gave the criteria.
        public var profile: String
        /// What the treatment is for: `curative`, `debulking` or `immune-priming`.
        public var intent: TreatmentIntent

        public init(id: String, site: String, profile: String, intent: TreatmentIntent = .curative) {
            (self.id, self.site, self.profile, self.intent) = (id, site, profile, intent)
        }
    }

    /// The answer to the case's question.
    public typealias Verdict = MeasuredVerdict
}

/// Why a report cannot be read or written.
public enum ReportError: ReportableError, Hashable {
    case unknownSchema(String?)
    case malformed(String)
    case template(String)

    public var category: FailureCategory { if case .template = self { .internalError } else { .badData } }

    public var finding: Finding {
        switch self {
        case .unknownSchema(let schema):
            Finding(.error, "report-schema", "The document's schema is \(schema.map { "\"\($0)\"" } ?? "not given"), expected \"\(CaseReport.currentSchema)\".",
                    remedy: "Give a report.json that this version wrote, or run the case again.")
        case .malformed(let detail):
            Finding(.error, "report-malformed", "The report cannot be read: \(detail).", remedy: "Run the case again.")
        case .template(let detail):
            Finding(.error, "report-template", "The page of the report could not be made: \(detail).")
        }
    }
}
