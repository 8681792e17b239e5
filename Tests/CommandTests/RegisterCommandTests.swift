import Foundation
import ImagingCore
import NIfTIFormat
import Testing
import VerificationPipeline

@Suite struct RegisterCommandTests {
    private static let scans = ["--moving", VerifyCommandTests.liver.appending(path: "planning").path, "--fixed", VerifyCommandTests.liver.appending(path: "intraprocedural").path]
    private static let tumour = ["--seed", "-88.5,-23.3,40.3", "--diameter", "25"]

    /// The sample's scans share one frame of reference and nothing moved: identity is the truth.
    @Test func aStillPatientNeedsNoMotionAndResultsAppearWhole() throws {
        let folder = try TemporaryFolder(), results = folder.url.appending(path: "r")
        let run = try CommandRunner.run(["register"] + Self.scans + Self.tumour + ["--json", "--output", results.path])
        #expect(run.status == 0, "\(run.errors)")
        let document = try run.json(), quality = document["quality"] as! [String: Any]
        #expect(quality["status"] as? String == "pass", "\(run.output)")
        #expect((quality["expectedErrorMM"] as! Double) < 2)
        let matrix = (document["rigid"] as! [String: Any])["matrix"] as! [[Double]]
        let seed = [-88.5, -23.3, 40.3, 1]
        let moved = (0..<3).map { row in zip(matrix[row], seed).reduce(0) { $0 + $1.0 * $1.1 } }
        #expect(zip(moved, seed).allSatisfy { abs($0 - $1) < 1 })

        #expect(
            try FileManager.default.contentsOfDirectory(atPath: results.path).sorted()
                == [".icemargin-files", "checker.png", "displacement.nii.gz", "edges.png", "register.json", "resampled.nii.gz", "rigid.tfm"])
        let resampled = try NIfTIFile.read(results.appending(path: "resampled.nii.gz")).volume
        let fixed = try StageScan.read(URL(filePath: Self.scans[3]), role: "fixed").volume.geometry
        #expect(resampled.size == fixed.size && resampled.geometry.origin.distance(to: fixed.origin) < 1e-3)

        // What was written is a start for the next registration.
        let again = try CommandRunner.run(["register"] + Self.scans + Self.tumour + ["--rigid", "--initial-transform", results.appending(path: "rigid.tfm").path, "--json"])
        #expect(again.status == 0, "\(again.errors)")
        #expect(try again.json()["deformable"] == nil || again.json()["deformable"] is NSNull)

        // `verify` takes it for scans that share a frame of reference when told to.
        let verified = try CommandRunner.run(
            VerifyCommandTests.flags + ["--tumour-seed", "-88.5,-23.3,40.3", "--tumour-diameter", "25", "--always-register"]
                + ["--transform", results.appending(path: "rigid.tfm").path, "--json", "--output", folder.url.appending(path: "v").path])
        #expect(verified.status == 0, "\(verified.errors)")
        let registration = try #require(try verified.json()["registration"] as? [String: Any])
        #expect((registration["quality"] as! [String: Any])["method"] as? String == "given rigid")
        let row = (registration["rigid"] as! [String: Any])["matrix"] as! [[Double]]
        #expect(zip(row[0], matrix[0]).allSatisfy { abs($0 - $1) < 1e-3 })
    }

    @Test func aFileThatIsNoTransformIsRefused() throws {
        let folder = try TemporaryFolder(), file = folder.url.appending(path: "x.tfm")
        try Data("hello".utf8).write(to: file)
        let run = try CommandRunner.run(["register"] + Self.scans + ["--initial-transform", file.path])
        #expect(run.status == 65 && run.errors.contains("x.tfm holds no transform"), "\(run.errors)")
        #expect(try CommandRunner.run(["register"] + Self.scans + ["--seed", "1,2,3"]).status == 64)
    }
}
