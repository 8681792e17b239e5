import DescriptionFiles
import DICOMObjects
import Foundation
import ImageRegistration
import ImageSegmentation
import ImagingCore
import MarginAnalysis

/// Reading `case.yaml`. Paths in it are relative to the file.
extension CaseDescription {
    /// Reads a case file, or the `case.yaml` in a folder.
    public static func read(_ path: URL) throws -> CaseDescription {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder) else {
            throw DescriptionError.unreadable(file: path.path, reason: "no such case file or folder.")
        }
        let file = isFolder.boolValue ? path.appending(path: "case.yaml") : path
        guard let data = FileManager.default.contents(atPath: file.path) else {
            throw DescriptionError.unreadable(
                file: file.path, reason: isFolder.boolValue ? "the folder has no readable case.yaml." : "cannot be read.")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw DescriptionError.syntax(file: file.path, line: 1, problem: "the file is not UTF-8 text")
        }
        return try parse(text, file: file)
    }

    static func parse(_ text: String, file: URL) throws -> CaseDescription {
        let root = try StrictYAML.document(text, file: file.path, known: [
            "schema", "id", "site", "intent", "acceptIdentityDifferences", "planning", "prefreeze", "intraprocedural", "followup",
            "tumours", "structures", "organ",
            "ice", "ablationZone", "earlierZones", "probes", "probeModel", "probeModels", "registration", "protocol", "elapsed",
        ])
        let schema = try root.requiredString("schema")
        guard schema == Self.schema else { throw root.wrongValue("schema", expected: "“\(Self.schema)”, not “\(schema)”") }
        let folder = file.deletingLastPathComponent()

        let isFollowup = root.has("followup")
        let treatedKey = isFollowup ? "followup" : "intraprocedural"
        guard !(isFollowup && root.has("intraprocedural")) else {
            throw root.wrongValue("followup", expected: "left out when “intraprocedural” is given: a case has one of them")
        }
        guard let planning = try series("planning", of: root, in: folder) else { throw root.missing("planning") }
        let given = try series(treatedKey, of: root, in: folder), isPlan = given == nil
        if isPlan, let stray = ["ice", "elapsed", "registration", "prefreeze"].first(where: root.has) {
            throw root.wrongValue(stray, expected: "left out of a plan; or give the “intraprocedural” scan that it is about")
        }
        guard !(isFollowup ? root.has("ice") : root.has("ablationZone")) else {
            throw root.wrongValue(
                isFollowup ? "ice" : "ablationZone", expected: isFollowup ? "“ablationZone” in an audit" : "“ice” during a procedure")
        }

        let treatedFrame: Frame = isFollowup ? .followup : .intraprocedural
        func mask(_ entry: StrictYAML, default frame: Frame = .planning) throws -> FramedMask {
            try framedMask(entry, in: folder, frames: isPlan ? [.planning] : [.planning, treatedFrame], default: frame)
        }
        var description = CaseDescription(
            id: try identifier("id", of: root), site: try root.requiredString("site"), planning: planning,
            prefreeze: try series("prefreeze", of: root, in: folder), treated: given ?? planning, isFollowup: isFollowup,
            tumours: try tumours(of: root, mask: { try mask($0) }))
        description.isPlan = isPlan
        description.intent = try intent(of: root)
        description.acceptedIdentityDifferences = try identityDifferences(of: root)
        var names: Set<String> = []
        description.structures = try root.mappings("structures", known: maskKeys + ["name", "limit"]).map { entry in
            let name = try entry.requiredString("name")
            guard names.insert(name).inserted else {
                throw entry.wrongValue("name", expected: "different for each structure; “\(name)” stands twice")
            }
            return Structure(name: name, mask: try mask(entry), limitMM: try entry.positive("limit"))
        }
        description.organ = try root.mapping("organ", known: maskKeys).map { try mask($0) }
        description.zone = try root.mapping(isFollowup ? "ablationZone" : "ice", known: maskKeys).map {
            try mask($0, default: treatedFrame)
        }
        description.earlierZones = try root.mappings("earlierZones", known: maskKeys).map { try mask($0) }
        description.probes = try probes(of: root)
        description.probeModel = try root.string("probeModel")
        description.probeModels = try root.strings("probeModels").map { URL(filePath: $0, relativeTo: folder).standardizedFileURL }
        description.registration = try registration(of: root, treatedKey: treatedKey, in: folder)
        description.freezeProtocol = try root.mapping("protocol", known: ["freeze", "thaw", "refreeze"]).map { entry in
            guard let freeze = try entry.positive("freeze") else { throw entry.missing("freeze") }
            let thaw = try entry.zeroOrMore("thaw") ?? 0, refreeze = try entry.zeroOrMore("refreeze") ?? 0
            guard refreeze == 0 || thaw > 0 else { throw entry.wrongValue("refreeze", expected: "left out without a “thaw” before it") }
            return FreezeProtocol(freezeMinutes: freeze, thawMinutes: thaw, refreezeMinutes: refreeze)
        }
        description.elapsedMinutes = try root.zeroOrMore("elapsed")
        if isPlan, case .automatic = description.probes {
            throw root.missing("probes: a list of {tip, tail, model}, or intraprocedural (or followup)")
        }
        return description
    }

    private static func intent(of root: StrictYAML) throws -> TreatmentIntent {
        guard let text = try root.string("intent") else { return .curative }
        guard let intent = TreatmentIntent(rawValue: text) else {
            throw root.wrongValue("intent", expected: TreatmentIntent.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return intent
    }

    private static func identityDifferences(of root: StrictYAML) throws -> Set<PatientIdentity.Attribute> {
        Set(try root.strings("acceptIdentityDifferences").map { text in
            guard let attribute = PatientIdentity.Attribute(rawValue: text) else {
                throw root.wrongValue(
                    "acceptIdentityDifferences",
                    expected: "a list of \(PatientIdentity.Attribute.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return attribute
        })
    }

    private static let maskKeys = ["mask", "segmentation", "segment", "structureSet", "roi", "frame"]

    /// A name that can stand in a file name.
    private static func identifier(_ key: String, of entry: StrictYAML) throws -> String {
        let value = try entry.requiredString(key)
        guard isIdentifier(value) else {
            throw entry.wrongValue(key, expected: "1 to 64 letters, digits, “-”, “_” or “.”, not starting with “.”")
        }
        return value
    }
    /// Whether a case or tumour may be called `text`: it becomes part of file names.
    public static func isIdentifier(_ text: String) -> Bool {
        (1...64).contains(text.count) && !text.hasPrefix(".") && text.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII ? (
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil || "-_.".unicodeScalars.contains(scalar))
                : (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
        }
    }

    private static func series(_ key: String, of root: StrictYAML, in folder: URL) throws -> Series? {
        guard let entry = try root.mapping(key, known: ["series", "seriesUID", "description"]) else { return nil }
        return Series(
            folder: URL(filePath: try entry.requiredString("series"), relativeTo: folder).standardizedFileURL,
            seriesUID: try entry.string("seriesUID"), description: try entry.string("description"))
    }

    private static func tumours(of root: StrictYAML, mask: (StrictYAML) throws -> FramedMask) throws -> [Tumour] {
        let entries = try root.mappings("tumours", known: maskKeys + ["id"] + promptKeys)
        guard !entries.isEmpty else { throw root.missing("tumours") }
        var seen: Set<String> = []
        return try entries.map { entry in
            let id = try identifier("id", of: entry)
            guard seen.insert(id).inserted else {
                throw entry.wrongValue("id", expected: "different for each tumour; “\(id)” stands twice")
            }
            let kinds = ["seed", "axis", "mask", "segmentation", "structureSet"].filter(entry.has)
            guard kinds.count < 2 else {
                throw entry.wrongValue(kinds[0], expected: "left out when \(kinds[1]) is given: a tumour has one of them")
            }
            guard kinds == ["seed"] || kinds == ["axis"] else {
                if let stray = promptKeys.first(where: entry.has) {
                    throw entry.wrongValue(stray, expected: "left out, unless “seed” or “axis” is given")
                }
                return Tumour(id: id, source: .mask(try mask(entry)))
            }
            return Tumour(id: id, source: .prompt(try prompt(entry)))
        }
    }

    private static let promptKeys = ["seed", "diameter", "axis", "include", "exclude"]

    private static func prompt(_ entry: StrictYAML) throws -> TumourPrompt {
        let include = try entry.points("include"), exclude = try entry.points("exclude")
        if let seed = try entry.point("seed") {
            guard let diameter = try entry.positive("diameter") else { throw entry.missing("diameter") }
            return TumourPrompt(seed: seed, diameterMM: diameter, include: include, exclude: exclude)
        }
        let ends = try entry.points("axis")
        guard ends.count == 2 else { throw entry.wrongValue("axis", expected: "the two ends of the longest axis, [[L, P, S], [L, P, S]]") }
        guard !entry.has("diameter") else { throw entry.wrongValue("diameter", expected: "left out: the axis gives it") }
        return TumourPrompt(axis: .init(ends[0], ends[1]), include: include, exclude: exclude)
    }

    /// - Parameter frames: those of the scans that the case has.
    private static func framedMask(_ entry: StrictYAML, in folder: URL, frames: [Frame], default frame: Frame) throws -> FramedMask {
        func file(_ key: String) throws -> URL? {
            try entry.string(key).map { URL(filePath: $0, relativeTo: folder).standardizedFileURL }
        }
        let kinds = ["mask", "segmentation", "structureSet"].filter(entry.has)
        guard kinds.count == 1 else {
            throw kinds.isEmpty ? entry.missing("mask, segmentation or structureSet") : entry.wrongValue(
                kinds[1], expected: "left out: “\(kinds[0])” is given")
        }
        var given = frame
        if let name = try entry.string("frame") {
            guard let frame = Frame(rawValue: name), frames.contains(frame) else {
                throw entry.wrongValue("frame", expected: "a scan of this case: \(frames.map(\.rawValue).joined(separator: " or "))")
            }
            given = frame
        }
        if let mask = try file("mask") { return FramedMask(source: .nifti(mask), frame: given) }
        if let segmentation = try file("segmentation") {
            let segment: SegmentSelector? = if let number = try? entry.wholeNumber("segment") { .number(number) } else {
                try entry.string("segment").map { .label($0) }
            }
            return FramedMask(source: .segmentation(segmentation, segment: segment), frame: given)
        }
        return FramedMask(source: .structureSet(try file("structureSet")!, roi: try entry.requiredString("roi")), frame: given)
    }

    private static func registration(of root: StrictYAML, treatedKey: String, in folder: URL) throws -> RegistrationChoice {
        var choice = RegistrationChoice()
        guard let entry = try root.mapping(
            "registration", known: ["always", "kind", "initialTransform", "transform", "displacement", "landmarks"]
        ) else {
            return choice
        }
        choice.isAlways = try entry.flag("always") ?? false
        choice.isRigid = try registrationIsRigid("kind", of: entry)
        func file(_ key: String) throws -> URL? { try entry.string(key).map { URL(filePath: $0, relativeTo: folder).standardizedFileURL } }
        (choice.initialTransform, choice.transform, choice.displacement) = (
            try file("initialTransform"), try file("transform"), try file("displacement"))
        let given = ["displacement", "transform", "initialTransform"].filter(entry.has)
        guard given.count < 2 else { throw entry.wrongValue(given[1], expected: "left out: “\(given[0])” is given") }
        choice.landmarks = try entry.mappings("landmarks", known: ["planning", treatedKey]).map { pair in
            guard let planning = try pair.point("planning") else { throw pair.missing("planning") }
            guard let treated = try pair.point(treatedKey) else { throw pair.missing(treatedKey) }
            return LandmarkPair(fixed: treated, moving: planning)
        }
        return choice
    }

    /// What `rigid` or `deformable` under `key` says; `nil` without it.
    static func registrationIsRigid(_ key: String, of entry: StrictYAML) throws -> Bool? {
        switch try entry.string(key) {
        case nil: nil
        case "rigid": true
        case "deformable": false
        default: throw entry.wrongValue(key, expected: "“rigid” or “deformable”")
        }
    }

    private static func probes(of root: StrictYAML) throws -> Probes {
        guard root.has("probes") else { return .automatic }
        if let text = try? root.string("probes") {
            guard text == "auto" else { throw root.wrongValue("probes", expected: "“auto” or a list of {tip, tail, model}") }
            return .automatic
        }
        return .given(try root.mappings("probes", known: ["tip", "tail", "model"]).map { entry in
            guard let tip = try entry.point("tip") else { throw entry.missing("tip") }
            guard let tail = try entry.point("tail") else { throw entry.missing("tail") }
            guard tip.distance(to: tail) > 1 else { throw entry.wrongValue("tail", expected: "more than 1 mm from the tip") }
            return GivenProbe(tip: tip, tail: tail, model: try entry.string("model"))
        })
    }
}
