import Foundation
import ImagingCore
import Reporting
import Testing

@testable import VerificationPipeline

@Suite struct CaseProvenanceTests {
    private static let description = CaseDescription(
        id: "c", site: "liver", planning: .init(folder: URL(filePath: "/data/DOE^JOHN/planning"), seriesUID: "1.2"),
        treated: .init(folder: URL(filePath: "/data/DOE^JOHN/ice")),
        tumours: [.init(id: "T1", source: .mask(.init(source: .nifti(URL(filePath: "/data/DOE.nii")), frame: .planning)))])

    private static func record() throws -> CaseReport.Provenance {
        let profile = try SiteProfile.load("liver", relativeTo: URL(filePath: "/"))
        return try CaseProvenance(description: description, profile: profile).record([], started: Date())
    }

    @Test func theWholeProfileAndCaseAreRecorded() throws {
        guard case .object(let parameters) = try Self.record().parameters, case .object(let profile) = parameters["resolvedProfile"],
            case .object(let recorded) = parameters["case"]
        else { throw CocoaError(.coderReadCorrupt) }
        #expect(profile["requiredMarginMM"] == 5 && profile["zone"] == "visible-ice" && profile["name"] == "liver")
        #expect(recorded["planning"] == ["folder": .null, "seriesUID": "1.2", "description": .null])
        #expect(recorded["tumours"] == [["id": "T1", "source": ["mask": ["frame": "planning", "source": ["nifti": .null]]]]])
        #expect(recorded["isFollowup"] == false)
    }

    /// Folders are often called after patients.
    @Test func pathsAreNotRecorded() throws {
        #expect(!"\(try Self.record())".contains("DOE"))
    }

    @Test func librariesAreNamedWithTheirVersions() throws {
        let libraries = try Self.record().libraries
        #expect(Set(libraries.keys) == ["dcmtk", "libpng", "zlib"] && libraries.values.allSatisfy { $0.contains(/^\d+\.\d+/) })
    }
}
