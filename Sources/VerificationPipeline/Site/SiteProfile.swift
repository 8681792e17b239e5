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
        /// Whether it is the patient's outer surface, which the scan shows without a mask.
        public var isBodyOutline = false
        /// Below these distances the profile asks for a sensor at the structure, or for fluid between it and the ice.
        public var thermosensorBelowMM, hydrodissectionBelowMM: Double?
        public var source: String?
    }
    /// The share of a tumour's volume that is to freeze, in 0 … 1, where the intent is not to cure.
    public struct CoverageDemand: Sendable, Hashable {
        public var coverage: ClosedRange<Double>
        public var source: String?
    }
    /// Something that the site's team should think of.
    public struct Advice: Sendable, Hashable {
        public var text: String
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
    public var coverageDemands: [TreatmentIntent: CoverageDemand]
    public var advice: [Advice]
    /// The simulation's tissue where the ice forms, and of what looks as soft around it, by their names in the table of tissues.
    public var tissue: String
    public var softTissue: String
    /// The file that it was read from; `nil` for one that comes with the program.
    public var file: URL?
}

extension SiteProfile {
    /// The profiles that come with the program, by name.
    static let builtIn: [String: String] = [
        "liver": text(PackageResources.liver_yaml), "liver-hcc": text(PackageResources.liver_hcc_yaml),
        "liver-crlm": text(PackageResources.liver_crlm_yaml), "kidney": text(PackageResources.kidney_yaml),
        "lung": text(PackageResources.lung_yaml),
        "pleura": text(PackageResources.pleura_yaml), "breast": text(PackageResources.breast_yaml),
        "bone": text(PackageResources.bone_yaml),
        "spine": text(PackageResources.spine_yaml), "pelvis": text(PackageResources.pelvis_yaml),
        "acetabulum": text(PackageResources.acetabulum_yaml), "long-bone": text(PackageResources.long_bone_yaml),
        "rib": text(PackageResources.rib_yaml),
    ]
    public static var builtInNames: [String] { builtIn.keys.sorted() }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Where a site keeps profiles of its own: `folder` if given, else `ICEMARGIN_PROFILES`, else `icemargin/profiles` in the user's
    /// configuration folder.
    public static func ownFolder(_ folder: URL? = nil, environment: [String: String] = ProcessInfo.processInfo.environment) -> URL? {
        if let folder { return folder }
        if let path = environment["ICEMARGIN_PROFILES"], !path.isEmpty { return URL(filePath: path) }
        let configuration = environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? environment["HOME"].map { $0 + "/.config" }
        return configuration.map { URL(filePath: $0).appending(path: "icemargin/profiles") }
    }

    /// The text of a profile by its name, a site's own one before the one that comes with the program: what a site copies to make its own.
    public static func text(_ name: String, ownFolder: URL? = nil) throws -> (text: String, file: URL?) {
        if let file = ownFolder?.appending(path: "\(name).yaml"), FileManager.default.fileExists(atPath: file.path) {
            return (try StrictYAML.text(of: file, what: "the profile"), file)
        }
        guard let text = builtIn[name] else {
            throw DescriptionError.unreadable(
                file: name,
                reason: "no such site profile. Built in: \(builtInNames.joined(separator: ", ")); or give the path of a profile file.")
        }
        return (text, nil)
    }

    /// A profile by name, or a profile file (a path that ends in .yaml or .yml, or has a “/”), relative to `folder`.
    ///
    /// - Parameter ownFolder: where `NAME.yaml` takes the place of the built-in profile NAME.
    public static func load(_ site: String, relativeTo folder: URL, ownFolder: URL? = nil) throws -> SiteProfile {
        let (text, file) = try text(of: site, relativeTo: folder, ownFolder: ownFolder)
        return try parse(text, file: file?.path ?? "profile \(site)", origin: file)
    }

    /// The text that `load` reads, and the file that has it; `nil` for a built-in profile.
    public static func text(of site: String, relativeTo folder: URL, ownFolder: URL? = nil) throws -> (text: String, file: URL?) {
        guard site.contains("/") || site.hasSuffix(".yaml") || site.hasSuffix(".yml") else { return try text(site, ownFolder: ownFolder) }
        let file = URL(filePath: site, relativeTo: folder).standardizedFileURL
        return (try StrictYAML.text(of: file, what: "the profile"), file)
    }

    /// The distance that ice should keep from the structure called `name` (compared without case); `nil` when the profile has none.
    public func limitMM(forStructure name: String) -> Double? { limit(forStructure: name)?.limitMM }

    func limit(forStructure name: String) -> StructureLimit? { structures.first { $0.name.lowercased() == name.lowercased() } }
}
