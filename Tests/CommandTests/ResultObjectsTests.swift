import DICOMObjects
import Foundation
import ImagingCore
import NIfTIFormat
import Testing

/// What `verify` writes beside the report: DICOM objects, images, and who may be named where.
@Suite struct ResultObjectsTests {
    static let liver = VerifyCommandTests.liver

    /// Of the liver study's patient, and of its study.
    static let identity = ["Phantom^Liver", "PHANTOM-liver-ct-12", "19560401", "20240304"]

    private static func files(in folder: URL) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    }

    private static func isFolder(_ url: URL) -> Bool {
        (try? url.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory ?? false
    }

    /// The bytes of a file, decompressed.
    private static func content(of file: URL) throws -> Data {
        guard file.pathExtension == "gz" else { return try Data(contentsOf: file) }
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = ["-dc", file.path]
        process.standardOutput = pipe
        try process.run()
        return try pipe.fileHandleForReading.readToEnd() ?? Data()
    }

    /// All numbers of a report by the code of their concept, group by group.
    private static func numbers(_ item: DICOMDataset) -> [[String: Double]] {
        let children = item.items(0x0040_A730)
        let own = children.filter { $0.string(0x0040_A040) == "NUM" }.compactMap { number -> (String, Double)? in
            guard let code = number.item(0x0040_A043)?.string(0x0008_0100), let value = number.item(0x0040_A300)?.number(0x0040_A30A) else {
                return nil
            }
            return (code, value)
        }
        return (own.isEmpty ? [] : [Dictionary(own) { $1 }]) + children.filter { $0.string(0x0040_A040) == "CONTAINER" }.flatMap(numbers)
    }

    @Test func objectsHoldWhatReportAndMasksHold() throws {
        let folder = try TemporaryFolder(), result = folder.url.appending(path: "r")
        let run = try CommandRunner.run("verify", Self.liver.path, "--output", result.path, "--json")
        #expect(run.status == 0, "\(run.errors)")
        let report = try run.json()

        let segmentation = try DICOMSegmentation.read(result.appending(path: "dicom/segmentation.dcm"))
        #expect(segmentation.segments.map(\.label) == ["T1", "visible-ice", "isotherm-20", "isotherm-40"])
        for (label, file) in [("visible-ice", "ice"), ("T1", "tumour-T1-registered"), ("isotherm-40", "isotherm-40")] {
            let mask = segmentation.mask(of: try segmentation.segment(.label(label))),
                volume = try NIfTIFile.read(result.appending(path: "masks/\(file).nii.gz")).volume
            var isSame = true, count = 0
            for k in 0..<mask.size.k {
                for j in 0..<mask.size.j {
                    for i in 0..<mask.size.i where mask[VoxelIndex(i, j, k)] {
                        count += 1
                        isSame = isSame && volume[volume.geometry.continuousIndex(mask.geometry.point(VoxelIndex(i, j, k))).nearest] == 1
                    }
                }
            }
            #expect(isSame && count > 0 && Double(count) == volume.withUnsafeVoxels { Double($0.reduce(0, +)) }, "\(label)")
        }
        #expect(try DICOMSegmentation.read(result.appending(path: "dicom/segmentation-planning.dcm")).segments.map(\.label) == ["T1"])

        let groups = Self.numbers(try DICOMDataset(contentsOf: result.appending(path: "dicom/measurements.dcm")))
        for margin in report["margins"] as! [[String: Any]] {
            let interval = margin["minimumMarginIntervalMM"] as! [Double]
            let group = try #require(groups.first { $0["margin"] == margin["minimumMarginMM"] as? Double })
            #expect(group["interval-low"] == interval[0] && group["interval-high"] == interval[1])
            #expect(group["residual-volume"] == margin["residualVolumeML"] as? Double)
            #expect(abs(group["coverage"]! - 100 * (margin["tumourCoverage"] as! Double)) < 2e-4)
        }
        let description =
            try JSONSerialization.jsonObject(with: Data(contentsOf: result.appending(path: "masks/ice-level-set.json"))) as! [String: Any]
        #expect(
            description["unit"] as? String == "mm" && description["frame"] as? String == "intraprocedural"
                && description["file"] as? String == "ice-level-set.nii.gz")
        #expect(description["seriesInstanceUID"] as? String == segmentation.referencedSeriesInstanceUID)

        // The patient is named in the DICOM objects, and nowhere else.
        for file in try Self.files(in: result) where !file.hasPrefix("dicom") && !Self.isFolder(result.appending(path: file)) {
            let data = try Self.content(of: result.appending(path: file))
            for text in Self.identity { #expect(data.range(of: Data(text.utf8)) == nil, "\(file) has \(text)") }
        }
        for file in try Self.files(in: result.appending(path: "dicom")) {
            let dataset = try DICOMDataset(contentsOf: result.appending(path: "dicom/\(file)"))
            #expect(
                [dataset.string(.patientName), dataset.string(.patientID), dataset.string(.patientBirthDate)]
                    == Self.identity.prefix(3).map { $0 })
            #expect(dataset.string(.studyDate) == (file == "segmentation-planning.dcm" ? "20240212" : "20240304"))
        }
        #expect(report["patient"] is NSNull)
    }

    @Test func thePatientIsShownWhereThatIsAskedForAndDICOMLeftOut() throws {
        let folder = try TemporaryFolder(), result = folder.url.appending(path: "r")
        let run = try CommandRunner.run(
            "verify", Self.liver.path, "--output", result.path, "--json", "--identified", "--no-dicom", "--no-simulation")
        let patient = try #require(try run.json()["patient"] as? [String: String])
        #expect(Set(patient.values) == Set(Self.identity + ["F"]))
        #expect(try String(contentsOf: result.appending(path: "report.html"), encoding: .utf8).contains("Phantom Liver"))
        #expect(!FileManager.default.fileExists(atPath: result.appending(path: "dicom").path))
    }

    /// A limit on the size of files stands for a disk that fills up: at the first masks, within the DICOM objects, at the page.
    @Test(arguments: [8, 3000])
    func aDiskThatFillsUpLeavesNothingBehind(limitKiB: Int) throws {
        let folder = try TemporaryFolder()
        let process = Process(), errors = folder.url.appending(path: "errors")
        try Data().write(to: errors)
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = [
            "-c", "trap '' XFSZ; ulimit -f \(limitKiB); exec \"$0\" verify --no-simulation \"$1\" --output \"$2\"",
            CommandRunner.binary.path,
            Self.liver.path,
            folder.url.appending(path: "results/r").path,
        ]
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let text = try String(contentsOf: errors, encoding: .utf8)
        #expect(process.terminationStatus == 73 && text.contains("space"), "\(text)")
        #expect(try Self.files(in: folder.url.appending(path: "results")) == [])
    }
}
