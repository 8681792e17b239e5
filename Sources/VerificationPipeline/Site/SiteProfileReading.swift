import DescriptionFiles
import Foundation
import IceballSimulation
import MarginAnalysis

/// Reading a profile file.
extension SiteProfile {
    /// - Parameters:
    ///   - file: its name in messages.
    ///   - origin: the file itself; `nil` for one that comes with the program.
    static func parse(_ text: String, file: String, origin: URL? = nil) throws -> SiteProfile {
        let root = try StrictYAML.document(text, file: file, known: [
            "schema", "name", "title", "margin", "intents", "window", "lesion", "registration", "structures", "advice", "simulation",
        ])
        let schema = try root.requiredString("schema")
        guard schema == Self.schema else { throw root.wrongValue("schema", expected: "“\(Self.schema)”, not “\(schema)”") }
        guard let margin = try root.mapping("margin", known: ["zone", "required", "target", "capsuleDepth", "source"]) else {
            throw root.missing("margin")
        }
        let zoneName = try margin.string("zone") ?? MarginZone.visibleIce.rawValue
        guard let zone = MarginZone(rawValue: zoneName) else {
            throw margin.wrongValue("zone", expected: MarginZone.allCases.map(\.rawValue).joined(separator: ", "))
        }
        guard let required = try margin.number("required") else { throw margin.missing("required") }
        let target = try margin.number("target") ?? required
        guard required >= 0, target >= required else {
            throw margin.wrongValue("target", expected: "at least “required”, which is at least 0")
        }
        let tissues = try tissues(of: root)
        let window = try root.mapping("window", known: ["center", "width"])
        let name = try root.requiredString("name")
        return SiteProfile(
            name: name, title: try root.string("title") ?? name, zone: zone, requiredMarginMM: required, targetMarginMM: target,
            marginSource: try margin.string("source"), capsuleDepthMM: try margin.positive("capsuleDepth"),
            windowCenter: try window?.number("center") ?? 40, windowWidth: try window?.positive("width") ?? 400,
            lesion: try root.mapping(
                "lesion", known: ["recommendedDiameter", "cautionDiameter", "maximumCount", "inBone", "source"]
            ).map(lesion),
            isRegistrationRigid: try CaseDescription.registrationIsRigid("registration", of: root) ?? false,
            structures: try root.mappings("structures", known: structureKeys).map(structure),
            coverageDemands: try coverageDemands(of: root),
            advice: try root.mappings("advice", known: ["text", "source"]).map {
                Advice(text: try $0.requiredString("text"), source: try $0.string("source"))
            }, tissue: tissues.own, softTissue: tissues.soft, file: origin)
    }

    /// Where a profile names none.
    private static let usualTissue = "muscle"

    private static func tissues(of root: StrictYAML) throws -> (own: String, soft: String) {
        guard let entry = try root.mapping("simulation", known: ["tissue", "softTissue"]) else { return (usualTissue, usualTissue) }
        let known = try TissueLibrary.builtIn().tissues.filter(\.isSolid).map(\.name)
        func name(_ key: String) throws -> String? {
            guard let name = try entry.string(key) else { return nil }
            guard known.contains(name) else {
                throw entry.wrongValue(key, expected: "one of \(known.joined(separator: ", ")), not “\(name)”")
            }
            return name
        }
        guard let own = try name("tissue") else { throw entry.missing("tissue") }
        return (own, try name("softTissue") ?? own)
    }

    private static func lesion(_ entry: StrictYAML) throws -> Lesion {
        guard let recommended = try entry.positive("recommendedDiameter") else { throw entry.missing("recommendedDiameter") }
        return Lesion(
            recommendedDiameterMM: recommended, cautionDiameterMM: try entry.positive("cautionDiameter") ?? recommended,
            maximumCount: try entry.wholeNumber("maximumCount") ?? Int.max, mayLieInBone: try entry.flag("inBone") ?? false,
            source: try entry.string("source"))
    }

    private static let structureKeys = ["name", "limit", "from", "thermosensorBelow", "hydrodissectionBelow", "source"]

    private static func structure(_ entry: StrictYAML) throws -> StructureLimit {
        guard let limit = try entry.positive("limit") else { throw entry.missing("limit") }
        let from = try entry.string("from")
        guard from == nil || from == "body-outline" else {
            throw entry.wrongValue("from", expected: "“body-outline”, or left out where the case gives a mask")
        }
        return StructureLimit(
            name: try entry.requiredString("name"), limitMM: limit, isBodyOutline: from != nil,
            thermosensorBelowMM: try entry.positive("thermosensorBelow"),
            hydrodissectionBelowMM: try entry.positive("hydrodissectionBelow"),
            source: try entry.string("source"))
    }

    /// The intents that ask for a share of the tumour rather than for a margin.
    private static let volumeIntents: [TreatmentIntent] = [.debulking, .immunePriming]

    private static func coverageDemands(of root: StrictYAML) throws -> [TreatmentIntent: CoverageDemand] {
        guard let intents = try root.mapping("intents", known: volumeIntents.map(\.rawValue)) else { return [:] }
        var demands: [TreatmentIntent: CoverageDemand] = [:]
        for intent in volumeIntents {
            guard let entry = try intents.mapping(intent.rawValue, known: ["coverage", "source"]) else { continue }
            guard let percent = try entry.numbers("coverage") else { throw entry.missing("coverage") }
            guard percent.count == 2, percent[0] >= 0, percent[0] < percent[1], percent[1] <= 100 else {
                throw entry.wrongValue("coverage", expected: "the least and the largest share of the tumour in percent, [70, 100]")
            }
            demands[intent] = CoverageDemand(coverage: percent[0] / 100...percent[1] / 100, source: try entry.string("source"))
        }
        return demands
    }
}
