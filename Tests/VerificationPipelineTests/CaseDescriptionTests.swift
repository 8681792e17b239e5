import DescriptionFiles
import Foundation
import ImageRegistration
import ImageSegmentation
import ImagingCore
import Testing

@testable import VerificationPipeline

@Suite struct CaseDescriptionTests {
    static let file = URL(filePath: "/cases/liver-01/case.yaml")
    static let whole = """
        schema: icemargin.case/1
        id: liver-01
        site: liver
        planning: {series: planning, seriesUID: 1.2.3}
        prefreeze: {series: ../shared/prefreeze}
        intraprocedural: {series: /archive/intraop}
        tumours:
          - {id: T1, seed: [12.5, -80.0, 431.0], diameter: 24}
          - {id: T2, mask: tumour.nii.gz}
          - {id: T3, segmentation: seg.dcm, segment: 2, frame: intraprocedural}
          - {id: T4, structureSet: rt.dcm, roi: GTV}
        structures:
          - {name: bile duct, mask: duct.nii.gz, frame: planning, limit: 5}
        organ: {segmentation: seg.dcm, segment: Liver}
        probes:
          - {tip: [1, 2, 3], tail: [1, 2, 103], model: IceRod}
        registration: {kind: rigid, always: true, initialTransform: start.tfm, landmarks: [{planning: [1, 2, 3], intraprocedural: [4, 5, 6]}]}
        protocol: {freeze: 10, thaw: 5, refreeze: 10}
        elapsed: 10
        intent: immune-priming
        earlierZones: [{mask: zone-2025.nii.gz, frame: intraprocedural}]
        acceptIdentityDifferences: [patientID, sex]
        """

    @Test func everyKeyIsRead() throws {
        let description = try CaseDescription.parse(Self.whole, file: Self.file)
        #expect(description.id == "liver-01" && description.site == "liver" && !description.isFollowup)
        #expect(
            description.earlierZones == [.init(source: .nifti(URL(filePath: "/cases/liver-01/zone-2025.nii.gz")), frame: .intraprocedural)])
        #expect(description.intent == .immunePriming && description.acceptedIdentityDifferences == [.patientID, .sex])
        #expect(description.planning == .init(folder: URL(filePath: "/cases/liver-01/planning"), seriesUID: "1.2.3"))
        #expect(description.prefreeze?.folder.path == "/cases/shared/prefreeze")
        #expect(description.treated.folder.path == "/archive/intraop")
        #expect(description.tumours.map(\.id) == ["T1", "T2", "T3", "T4"])
        #expect(description.tumours[0].source == .prompt(TumourPrompt(seed: PatientPoint(12.5, -80, 431), diameterMM: 24)))
        #expect(
            description.tumours[1].source == .mask(.init(source: .nifti(URL(filePath: "/cases/liver-01/tumour.nii.gz")), frame: .planning)))
        #expect(
            description.tumours[2].source == .mask(.init(
                source: .segmentation(URL(filePath: "/cases/liver-01/seg.dcm"), segment: .number(2)), frame: .intraprocedural)))
        #expect(
            description.tumours[3].source == .mask(.init(
                source: .structureSet(URL(filePath: "/cases/liver-01/rt.dcm"), roi: "GTV"), frame: .planning)))
        #expect(description.structures.map(\.limitMM) == [5])
        #expect(description.organ?.source == .segmentation(URL(filePath: "/cases/liver-01/seg.dcm"), segment: .label("Liver")))
        #expect(description.probes == .given([.init(tip: PatientPoint(1, 2, 3), tail: PatientPoint(1, 2, 103), model: "IceRod")]))
        #expect(description.registration.isRigid == true && description.registration.isAlways)
        #expect(description.registration.initialTransform?.path == "/cases/liver-01/start.tfm" && description.registration.transform == nil)
        #expect(description.registration.landmarks == [LandmarkPair(fixed: PatientPoint(4, 5, 6), moving: PatientPoint(1, 2, 3))])
        #expect(description.freezeProtocol?.thawMinutes == 5 && description.elapsedMinutes == 10)
    }

    @Test func aTumourIsPointedAtByItsAxisAndCorrectedByPoints() throws {
        let axis = Self.whole.replacing(
            "seed: [12.5, -80.0, 431.0], diameter: 24",
            with: "axis: [[0, -80, 431], [24, -80, 431]], include: [[1, 2, 3]], exclude: [[4, 5, 6], [7, 8, 9]]")
        guard case .prompt(let prompt) = try CaseDescription.parse(axis, file: Self.file).tumours[0].source else {
            return #expect(Bool(false), "not a prompt")
        }
        #expect(prompt.seed == PatientPoint(12, -80, 431) && prompt.diameterMM == 24)
        #expect(prompt.include == [PatientPoint(1, 2, 3)] && prompt.exclude == [PatientPoint(4, 5, 6), PatientPoint(7, 8, 9)])
    }

    /// What is replaced in the whole case, by what, and what the message must name.
    @Test(arguments: [
        ("site: liver", "siet: liver", ["line 3", "siet", "site"]),
        ("limit: 5", "limt: 5", ["line 13", "limt", "structures[0]"]),
        ("diameter: 24", "diameter: -3", ["line 8", "diameter"]),
        ("diameter: 24", "diameter: [", ["line"]),
        ("[12.5, -80.0, 431.0]", "[12.5, -80.0]", ["line 8", "seed"]),
        ("[12.5, -80.0, 431.0]", "[12.5, .nan, 1]", ["line 8", "seed"]),
        ("diameter: 24", "diameter: 24, exclude: [1, 2, 3]", ["line 8", "exclude", "list of points"]),
        ("diameter: 24", "axis: [[1, 2, 3], [4, 5, 6]]", ["line 8", "axis"]),
        ("seed: [12.5, -80.0, 431.0], diameter: 24", "axis: [[1, 2, 3]]", ["line 8", "axis", "two ends"]),
        ("id: T2", "id: T2, include: [[1, 2, 3]]", ["include"]),
        ("id: T2", "id: T1", ["T1"]),
        ("thaw: 5, refreeze", "refreeze", ["refreeze", "thaw"]),
        ("frame: intraprocedural}", "frame: followup}", ["line 10", "frame", "planning or intraprocedural"]),
        ("limit: 5}", "limit: 5}\n  - {name: bile duct, mask: other.nii.gz}", ["line 14", "bile duct"]),
        ("thaw: 5", "thaw: -5", ["thaw", "0 or more"]),
        ("id: liver-01", "id: ../evil", ["line 2", "id"]),
        ("icemargin.case/1", "icemargin.case/2", ["line 1", "schema", "icemargin.case/1"]),
        ("intraprocedural: {series: /archive/intraop}", "elapsed: 3", ["elapsed"]),
        ("intraprocedural: {series", "followup: {series: x}\nintraprocedural: {series", ["followup"]),
        ("mask: tumour.nii.gz", "mask: tumour.nii.gz, structureSet: a.dcm", ["structureSet"]),
        ("frame: planning", "frame: nowhere", ["frame", "planning", "intraprocedural"]),
        ("segment: 2, frame: intraprocedural", "segment: 2, seed: [1, 2, 3], diameter: 4", ["seed"]),
        ("tail: [1, 2, 103]", "tail: [1, 2, 3]", ["tail"]),
        ("kind: rigid", "kind: affine", ["line 17", "kind", "deformable"]),
        ("always: true", "transform: a.tfm", ["line 17", "initialTransform", "transform"]),
        ("intraprocedural: [4, 5, 6]", "intraprocedural: [4, 5]", ["line 17", "intraprocedural"]),
    ])
    func mistakesAreNamedWithTheirLine(replace: String, by: String, named: [String]) {
        let text = Self.whole.replacingOccurrences(of: replace, with: by)
        #expect(text != Self.whole)
        do {
            _ = try CaseDescription.parse(text, file: Self.file)
            Issue.record("accepted: \(by)")
        } catch {
            for name in named { #expect("\(error)".contains(name), "“\(error)” does not name \(name)") }
        }
    }

    @Test func emptyAndMissingFilesAreErrors() {
        #expect(throws: DescriptionError.self) { try CaseDescription.parse("", file: Self.file) }
        #expect(throws: DescriptionError.self) { try CaseDescription.read(URL(filePath: "/nowhere/at/all")) }
    }
}

@Suite struct SiteProfileTests {
    @Test(arguments: SiteProfile.builtInNames)
    func builtInProfilesAreComplete(name: String) throws {
        let profile = try SiteProfile.load(name, relativeTo: URL(filePath: "/"))
        #expect(profile.name == name)
        #expect(profile.requiredMarginMM > 0 && profile.targetMarginMM >= profile.requiredMarginMM)
        #expect(profile.marginSource != nil && profile.lesion?.source != nil)
        #expect(profile.structures.allSatisfy { $0.source != nil })
    }

    @Test func aSitesOwnProfileTakesThePlaceOfTheBuiltInOne() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "profiles-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let own = try SiteProfile.text("liver").text.replacingOccurrences(of: "required: 5", with: "required: 7")
        try own.write(to: folder.appending(path: "liver.yaml"), atomically: true, encoding: .utf8)
        let found = SiteProfile.ownFolder(environment: ["ICEMARGIN_PROFILES": folder.path])
        let profile = try SiteProfile.load("liver", relativeTo: URL(filePath: "/"), ownFolder: found)
        #expect(profile.requiredMarginMM == 7 && profile.file?.lastPathComponent == "liver.yaml")
        #expect(try SiteProfile.load("kidney", relativeTo: URL(filePath: "/"), ownFolder: found).file == nil)
        #expect(SiteProfile.ownFolder(environment: ["HOME": "/home/a"])?.path == "/home/a/.config/icemargin/profiles")
        #expect(SiteProfile.ownFolder(folder, environment: ["ICEMARGIN_PROFILES": "/b"]) == folder)
    }

    @Test func ownProfilesAreReadAndUnknownKeysRefused() throws {
        let text = try SiteProfile.text("liver").text.replacingOccurrences(of: "required: 5", with: "required: 3")
        #expect(try SiteProfile.parse(text, file: "own.yaml").requiredMarginMM == 3)
        #expect(try SiteProfile.parse(text, file: "own.yaml").limitMM(forStructure: "Bile Duct") == 5)
        #expect(try !SiteProfile.parse(text, file: "own.yaml").isRegistrationRigid)
        #expect(try SiteProfile.parse(text + "\nregistration: rigid", file: "own.yaml").isRegistrationRigid)
        #expect(throws: DescriptionError.self) { try SiteProfile.parse(text + "\nmargins: {}", file: "own.yaml") }
        let intents = text.replacingOccurrences(of: "debulking: {coverage: [70, 100]", with: "debulking: {coverage: [65, 90]")
        #expect(try SiteProfile.parse(intents, file: "own.yaml").coverageDemands[.debulking]?.coverage == 0.65...0.9)
        for wrong in ["[90, 65]", "[65]", "[65, 120]"] {
            #expect(throws: DescriptionError.self) {
                try SiteProfile.parse(text.replacingOccurrences(of: "coverage: [70, 100]", with: "coverage: \(wrong)"), file: "own.yaml")
            }
        }
        #expect(throws: DescriptionError.self) { try SiteProfile.load("livre", relativeTo: URL(filePath: "/")) }
    }
}
