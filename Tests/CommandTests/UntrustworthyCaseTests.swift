import Foundation
import Testing

/// Cases that must never end in a margin that looks sure.
@Suite struct UntrustworthyCaseTests {
    typealias Report = VerifyCommandTests.Report

    /// A copy of the liver study in which `text` stands in place of another text of the same length, in every planning image.
    static func study(in folder: URL, replacing tag: [UInt8], with change: (String) -> String) throws {
        let manager = FileManager.default
        for name in ["case.yaml", "intraprocedural", "planning", "masks"] {
            try manager.copyItem(at: VerifyCommandTests.liver.appending(path: name), to: folder.appending(path: name))
        }
        let planning = folder.appending(path: "planning")
        for name in try manager.contentsOfDirectory(atPath: planning.path) {
            let file = planning.appending(path: name)
            var data = try Data(contentsOf: file)
            // Explicit VR: tag, two letters of VR, two bytes of length, value.
            let start = try #require(data.range(of: Data(tag))?.lowerBound)
            let length = Int(data[start + 6]) | Int(data[start + 7]) << 8
            let value = start + 8..<start + 8 + length
            let text = String(decoding: data[value], as: UTF8.self)
            let changed = Data(change(text).utf8)
            #expect(changed.count == length)
            data.replaceSubrange(value, with: changed)
            try data.write(to: file)
        }
    }

    static func verify(_ folder: URL) throws -> Report {
        let run = try CommandRunner.run(
            "verify", "--no-simulation", folder.path, "--output", folder.appending(path: "result").path, "--json")
        #expect(run.status == 0, "\(run.errors)")
        return try Report(Data(run.output.utf8))
    }

    /// The sample's scans, told to lie in different frames: registration finds that nothing moved.
    @Test func differentFramesAreRegistered() throws {
        let folder = try TemporaryFolder()
        try Self.study(in: folder.url, replacing: [0x20, 0x00, 0x52, 0x00]) { uid in
            // Another UID of the same length; a trailing null pads to an even one.
            let digit = uid.lastIndex { $0.isNumber }!
            return uid.replacingCharacters(in: digit...digit, with: uid[digit] == "1" ? "2" : "1")
        }
        let report = try Self.verify(folder.url)
        let truth = try VerifyCommandTests.Truth.read("liver-ct"), margin = try #require(report.margins.first)
        // Segmented edges take up to 1.7 mm on this sample, in one frame of reference, too.
        #expect(abs(margin.minimumMarginMM - truth.minimumMarginMM) < 2.5)
        #expect(report.findings.contains { $0.code == "registered" })
    }

    @Test func anotherPatientGivesNoSureVerdict() throws {
        let folder = try TemporaryFolder()
        try Self.study(in: folder.url, replacing: [0x10, 0x00, 0x20, 0x00]) { id in "X" + id.dropFirst() }
        let report = try Self.verify(folder.url)
        #expect(report.verdict.status == "indeterminate")
        #expect(report.findings.contains { $0.code == "patient-differs" } && report.findings.contains { $0.code == "no-dicom-results" })
    }

    @Test func aKnownDifferenceOfIdentityIsAcceptedByNameAndSaid() throws {
        let folder = try TemporaryFolder()
        try Self.study(in: folder.url, replacing: [0x10, 0x00, 0x20, 0x00]) { id in "X" + id.dropFirst() }
        let file = folder.url.appending(path: "case.yaml"), text = try String(contentsOf: file, encoding: .utf8)
        try (text + "\nacceptIdentityDifferences: [patientID]\n").write(to: file, atomically: true, encoding: .utf8)
        let report = try Self.verify(folder.url)
        #expect(report.verdict.status != "indeterminate")
        #expect(
            report.findings.contains { $0.code == "patient-difference-accepted" } && !report.findings.contains {
                $0.code == "patient-differs"
            })
    }

    @Test func aScanWithoutIceGivesNoMargin() throws {
        let folder = try TemporaryFolder()
        for name in ["planning", "intraprocedural"] {
            try FileManager.default.createSymbolicLink(
                at: folder.url.appending(path: name), withDestinationURL: VerifyCommandTests.liver.appending(path: "planning"))
        }
        for name in ["case.yaml", "masks"] {
            try FileManager.default.copyItem(at: VerifyCommandTests.liver.appending(path: name), to: folder.url.appending(path: name))
        }
        let report = try Self.verify(folder.url)
        #expect(report.verdict.status == "indeterminate" && report.margins.isEmpty)
        #expect(report.findings.contains { $0.code == "no-ice-found" })
    }

    /// One of two tumours is wrong: it is said which, and its own seed is not taken for a point that the other gave.
    @Test(arguments: [("[900, 0, 0]", "T2: The seed [900.0, 0.0, 0.0] lies outside the scan."), ("[0, -190, 40]", "T2: The seed")])
    func ofSeveralTumoursTheOneThatIsWrongIsNamed(seed: String, message: String) throws {
        let folder = try TemporaryFolder(), liver = VerifyCommandTests.liver
        let text = try String(contentsOf: liver.appending(path: "case.yaml"), encoding: .utf8)
            .replacing("diameter: 25}", with: "diameter: 25}\n  - {id: T2, seed: \(seed), diameter: 20}")
            .replacing("series: ", with: "series: \(liver.path)/").replacing("mask: ", with: "mask: \(liver.path)/")
        let file = folder.url.appending(path: "case.yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        let run = try CommandRunner.run("verify", "--no-simulation", file.path, "--output", folder.url.appending(path: "r").path)
        #expect(run.status == 65 && run.errors.contains(message), "\(run.errors)")
    }
}
