import ArgumentParser
import DICOMObjects
import Foundation
import ImagingCore
import Reporting

/// `icemargin inspect`: the series in a folder, and what can be done with them.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "List the DICOM series in a folder: geometry, what can be used, what is wrong and what to do.",
        discussion: "Reads every file under PATH, however nested and named. Nothing is written.")

    @Argument(help: ArgumentHelp("A folder with DICOM files, or one file.", valueName: "path"))
    var path: String

    @Flag(help: "Print one JSON document (icemargin.inspect/1) instead of the table.")
    var json = false

    func run() async throws {
        let catalog = try SeriesCatalog.scan(URL(fileURLWithPath: path))
        guard !catalog.series.isEmpty || !catalog.findings.isEmpty else {
            throw DICOMError(
                Finding(.error, "input-missing", "There are no files in \(path).", remedy: "Give the folder that holds the DICOM files."),
                category: .inputMissing)
        }
        if json {
            try StandardOutput.write(try ReportEncoder().encode(InspectionDocument(catalog)))
        } else {
            try StandardOutput.write(InspectionTable(catalog).text)
        }
    }
}

/// The document of `inspect --json`.
struct InspectionDocument: Encodable {
    struct Series: Encodable {
        let seriesInstanceUID, studyInstanceUID: String
        let frameOfReferenceUID: String?
        let modality, description: String
        let files: Int
        let transferSyntaxes: [String]
        let size: [Int]?
        let spacingMM: [Double]?
        let originLPS: [Double]?
        /// Three rows, whose columns are the directions of i, j and k.
        let axes: [[Double]]?
        let usable: Bool
        let findings: [Finding]
    }

    let schema = "icemargin.inspect/1"
    let series: [Series]
    let findings: [Finding]

    init(_ catalog: SeriesCatalog) {
        series = catalog.series.map(Series.init)
        findings = catalog.findings
    }
}

extension InspectionDocument.Series {
    init(_ entry: SeriesEntry) {
        func array(_ vector: SIMD3<Double>) -> [Double] { [vector.x, vector.y, vector.z] }
        (seriesInstanceUID, studyInstanceUID) = (entry.seriesInstanceUID, entry.studyInstanceUID)
        frameOfReferenceUID = entry.frameOfReferenceUID
        (modality, description) = (entry.modality, entry.description)
        files = entry.files.count
        transferSyntaxes = entry.transferSyntaxes
        size = entry.size.map { [$0.i, $0.j, $0.k] }
        spacingMM = entry.geometry.map { array($0.spacing) }
        originLPS = entry.geometry.map { array($0.origin.lps) }
        axes = entry.geometry.map { geometry in
            let (i, j, k) = (array(geometry.axes.i.lps), array(geometry.axes.j.lps), array(geometry.axes.k.lps))
            return (0..<3).map { [i[$0], j[$0], k[$0]] }
        }
        usable = entry.usable
        findings = entry.findings
    }
}
