import DICOMObjects
import Foundation
import ImagingCore
import Reporting
import Testing
@testable import icemargin

@Suite struct InspectionTests {
    /// A small turned CT series with a long description, and a text file.
    private func catalog() throws -> SeriesCatalog {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("inspection-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let axes = try PatientAxes(rowDirection: PatientVector(0.6, 0.8, 0), columnDirection: PatientVector(-0.8, 0.6, 0))
        let geometry = try GridGeometry(
            size: GridSize(6, 5, 4), spacing: SIMD3(0.5, 0.75, 2), origin: PatientPoint(1, 2, 3), axes: axes, frameOfReferenceUID: "1.2.3")
        let header = ImageSeriesHeader(
            modality: .ct, patient: .init(name: "A^B", id: "P1", birthDate: "", sex: "O"), studyInstanceUID: "1.2.4", studyDate: "20250101",
            studyTime: "120000", studyDescription: "", seriesInstanceUID: "1.2.5", seriesNumber: 1,
            seriesDescription: "a description of the series that is rather long for a line", sliceThicknessMM: 2, windowCenter: 40,
            windowWidth: 400)
        try ImageSeriesWriter(header: header).write(.int16(Volume(geometry: geometry, repeating: 40)), to: folder)
        try Data("notes".utf8).write(to: folder.appendingPathComponent("notes.txt"))
        return try SeriesCatalog.scan(folder)
    }

    @Test func documentHasTheAgreedKeys() throws {
        let data = try ReportEncoder().encode(InspectionDocument(try catalog()))
        let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(Set(document.keys) == ["schema", "series", "findings"] && document["schema"] as? String == "icemargin.inspect/1")
        let series = try #require((document["series"] as? [[String: Any]])?.first)
        #expect(Set(series.keys) == [
            "seriesInstanceUID", "studyInstanceUID", "frameOfReferenceUID", "modality", "description", "files", "transferSyntaxes", "size",
            "spacingMM", "originLPS", "axes", "usable", "findings",
        ])
        #expect(series["size"] as? [Int] == [6, 5, 4] && series["spacingMM"] as? [Double] == [0.5, 0.75, 2])
        #expect(series["originLPS"] as? [Double] == [1, 2, 3] && series["usable"] as? Bool == true && series["files"] as? Int == 4)
        #expect(series["axes"] as? [[Double]] == [[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]], "columns are the directions of i, j and k")
        #expect((document["findings"] as? [[String: Any]])?.first?["code"] as? String == "not-dicom")
    }

    @Test func tableFitsAHundredColumns() throws {
        let lines = InspectionTable(try catalog()).text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 100 })
        #expect(lines.contains { $0.contains("6 × 5 × 4") && $0.contains("0.500 × 0.750 × 2") && $0.contains("axial") })
    }
}
