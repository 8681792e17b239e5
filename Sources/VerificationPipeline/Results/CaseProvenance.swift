import CDCMTK
import FigureRendering
import Foundation
import ImagingCore
import NIfTIFormat
import Reporting

/// With what, from what and when a result was made.
struct CaseProvenance {
    let description: CaseDescription
    let profile: SiteProfile

    /// - Parameter inputs: the scans and masks that were read.
    func record(_ inputs: [CaseReport.Input], started: Date) throws -> CaseReport.Provenance {
        let given = description.registration
        let transforms = [
            ("initialTransform", given.initialTransform), ("transform", given.transform), ("displacement", given.displacement),
        ]
        let hashes = try transforms.compactMap { name, file in try file.map { (name, try sha256(ofFiles: [$0])) } }
        let models = description.probeModels.isEmpty ? [] : [("probeModels", try sha256(ofFiles: description.probeModels))]
        let dcmtk = String(cString: cdcmtk_version())
        return .init(
            version: iceMarginVersion, dcmtk: dcmtk,
            libraries: ["dcmtk": dcmtk, "libpng": RGBImage.libraryVersion, "zlib": NIfTIFile.compressionLibraryVersion],
            runID: UUID().uuidString, created: started.formatted(.iso8601),
            parameters: [
                "profile": .string(profile.name == description.site ? profile.name : description.site),
                "zone": .string(profile.zone.rawValue),
                "requiredMarginMM": .number(profile.requiredMarginMM), "targetMarginMM": .number(profile.targetMarginMM),
                "registration": .string(given.isRigid ?? profile.isRegistrationRigid ? "rigid" : "deformable"),
                "resolvedProfile": JSONValue(reflecting: profile), "case": JSONValue(reflecting: description),
                // No stage draws random numbers.
                "randomSeeds": [],
            ],
            inputSHA256: Dictionary(inputs.map { ($0.role, $0.sha256) } + hashes + models) { $1 })
    }
}

extension JSONValue {
    /// All stored properties of a value, by their names: what is added to a type is recorded without further ado.
    ///
    /// Paths are left out: they differ between machines and may say who the patient is; what they lead to is recorded by its hash.
    init(reflecting value: Any) {
        switch value {
        case let value as Bool: self = .bool(value)
        case let value as Int: self = .number(Double(value))
        case let value as Double: self = value.isFinite ? .number(value) : .null
        case let value as String: self = .string(value)
        case is URL: self = .null
        case let value as PatientPoint: self = .array([value.lps.x, value.lps.y, value.lps.z].map(JSONValue.number))
        case let value as ClosedRange<Double>: self = .array([.number(value.lowerBound), .number(value.upperBound)])
        case let value as any RawRepresentable<String>: self = .string(value.rawValue)
        default: self.init(membersOf: value)
        }
    }

    private init(membersOf value: Any) {
        let mirror = Mirror(reflecting: value)
        let children = mirror.children.map { (name: $0.label, value: $0.value) }
        switch mirror.displayStyle {
        case .optional: self = children.first.map { JSONValue(reflecting: $0.value) } ?? .null
        case .collection, .tuple: self = .array(children.map { JSONValue(reflecting: $0.value) })
        case .set: self = .array(children.map { String(describing: $0.value) }.sorted().map(JSONValue.string))
        case .dictionary:
            self = .object(
                Dictionary(
                    children.map { pair in
                        let entry = Mirror(reflecting: pair.value).children.map(\.value)
                        return (String(describing: entry[0]), JSONValue(reflecting: entry[1]))
                    }
                ) { $1 })
        case .enum where children.isEmpty: self = .string(String(describing: value))
        default: self = .object(Dictionary(children.map { ($0.name ?? "", JSONValue(reflecting: $0.value)) }) { $1 })
        }
    }
}
