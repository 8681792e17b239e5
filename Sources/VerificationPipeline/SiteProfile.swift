import DescriptionFiles
import Foundation
import ImagingCore
import MarginAnalysis

/// What a site asks of a treatment: the margin that counts, what must not freeze, how images are shown. Each value has its source.
public struct SiteProfile: Sendable, Hashable {
    public static let schema = "icemargin.profile/1"

    /// The distance that ice should keep from one kind of structure.
    public struct StructureLimit: Sendable, Hashable {
        public var name: String
        public var limitMM: Double
        public var source: String?
    }
    /// The tumours that the site treats: diameters up to which it recommends treatment, and treats with caution; how many in a case.
    public struct Lesion: Sendable, Hashable {
        public var recommendedDiameterMM: Double
        public var cautionDiameterMM: Double
        public var maximumCount: Int
        /// Whether a tumour may lie in bone, so that a seed on bone is no mistake.
        public var mayLieInBone: Bool
        public var source: String?
    }

    public var name: String
    public var title: String
    /// The zone whose margin decides.
    public var zone: MarginZone
    public var requiredMarginMM: Double
    public var targetMarginMM: Double
    public var marginSource: String?
    /// Where the case gives the organ, tumour surface less deep in it than this does not count: there is no tissue beyond to freeze; `nil`
    /// where all surface counts.
    public var capsuleDepthMM: Double?
    /// The CT window for pictures, HU.
    public var windowCenter: Double
    public var windowWidth: Double
    public var lesion: Lesion?
    /// Whether scans are registered by a rigid motion only.
    public var isRegistrationRigid: Bool
    public var structures: [StructureLimit]
}

extension SiteProfile {
    /// The profiles that come with the program, by name.
    static let builtIn: [String: String] = [
        "liver": text(PackageResources.liver_yaml), "kidney": text(PackageResources.kidney_yaml), "lung": text(PackageResources.lung_yaml),
        "bone": text(PackageResources.bone_yaml), "spine": text(PackageResources.spine_yaml), "breast": text(PackageResources.breast_yaml),
        "pleura": text(PackageResources.pleura_yaml),
    ]
    public static var builtInNames: [String] { builtIn.keys.sorted() }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The text of a built-in profile: what a site copies to make its own.
    public static func builtInText(_ name: String) throws -> String {
        guard let text = builtIn[name] else { throw unknown(name) }
        return text
    }

    private static func unknown(_ name: String) -> DescriptionError {
        .unreadable(file: name, reason: "no such site profile. Built in: \(builtInNames.joined(separator: ", ")); or give the path of a profile file.")
    }

    /// A built-in profile by name, or a profile file (a path that ends in .yaml or .yml, or has a “/”), relative to `folder`.
    public static func load(_ site: String, relativeTo folder: URL) throws -> SiteProfile {
        if let text = builtIn[site] { return try parse(text, file: "profile \(site)") }
        guard site.contains("/") || site.hasSuffix(".yaml") || site.hasSuffix(".yml") else { throw unknown(site) }
        let file = URL(filePath: site, relativeTo: folder)
        guard let data = FileManager.default.contents(atPath: file.path), let text = String(data: data, encoding: .utf8) else {
            throw DescriptionError.unreadable(file: file.path, reason: "the profile cannot be read.")
        }
        return try parse(text, file: file.path)
    }

    static func parse(_ text: String, file: String) throws -> SiteProfile {
        let root = try StrictYAML.document(text, file: file, known: ["schema", "name", "title", "margin", "window", "lesion", "registration", "structures"])
        let schema = try root.requiredString("schema")
        guard schema == Self.schema else { throw root.wrongValue("schema", expected: "“\(Self.schema)”, not “\(schema)”") }
        guard let margin = try root.mapping("margin", known: ["zone", "required", "target", "capsuleDepth", "source"]) else { throw root.missing("margin") }
        let zoneName = try margin.string("zone") ?? MarginZone.visibleIce.rawValue
        guard let zone = MarginZone(rawValue: zoneName) else {
            throw margin.wrongValue("zone", expected: MarginZone.allCases.map(\.rawValue).joined(separator: ", "))
        }
        guard let required = try margin.number("required") else { throw margin.missing("required") }
        let target = try margin.number("target") ?? required
        guard required >= 0, target >= required else { throw margin.wrongValue("target", expected: "at least “required”, which is at least 0") }
        let window = try root.mapping("window", known: ["center", "width"])
        let name = try root.requiredString("name")
        return SiteProfile(
            name: name, title: try root.string("title") ?? name, zone: zone, requiredMarginMM: required, targetMarginMM: target,
            marginSource: try margin.string("source"), capsuleDepthMM: try margin.positive("capsuleDepth"), windowCenter: try window?.number("center") ?? 40, windowWidth: try window?.positive("width") ?? 400,
            lesion: try root.mapping("lesion", known: ["recommendedDiameter", "cautionDiameter", "maximumCount", "inBone", "source"]).map(lesion),
            isRegistrationRigid: try CaseDescription.registrationIsRigid("registration", of: root) ?? false,
            structures: try root.mappings("structures", known: ["name", "limit", "source"]).map { entry in
                guard let limit = try entry.positive("limit") else { throw entry.missing("limit") }
                return StructureLimit(name: try entry.requiredString("name"), limitMM: limit, source: try entry.string("source"))
            })
    }

    private static func lesion(_ entry: StrictYAML) throws -> Lesion {
        guard let recommended = try entry.positive("recommendedDiameter") else { throw entry.missing("recommendedDiameter") }
        return Lesion(
            recommendedDiameterMM: recommended, cautionDiameterMM: try entry.positive("cautionDiameter") ?? recommended,
            maximumCount: try entry.wholeNumber("maximumCount") ?? Int.max, mayLieInBone: try entry.flag("inBone") ?? false, source: try entry.string("source"))
    }

    /// The distance that ice should keep from the structure called `name` (compared without case); `nil` when the profile has none.
    public func limitMM(forStructure name: String) -> Double? {
        structures.first { $0.name.lowercased() == name.lowercased() }?.limitMM
    }
}
