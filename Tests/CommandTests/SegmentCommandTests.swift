import Foundation
import Testing

@Suite struct SegmentCommandTests {
    private static let planning = VerifyCommandTests.liver.appending(path: "planning").path

    @Test func resultsAppearWholeAndAreReplacedOnlyOnDemand() throws {
        let folder = try TemporaryFolder()
        let arguments = ["segment", Self.planning, "--tumour", "--seed", "-88.5,-23.3,40.3", "--diameter", "25", "--output", folder.url.appending(path: "r").path]
        #expect(try CommandRunner.run(arguments).status == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.appending(path: "r").path).sorted()
                == ["segment.json", "tumour-level-set.nii.gz", "tumour.nii.gz"])
        #expect(try CommandRunner.run(arguments).status == 73)
        #expect(try CommandRunner.run(arguments + ["--overwrite"]).status == 0)
    }

    @Test(arguments: [(["--seed", "1,2,3,x"], 64), (["--seed", "nan,2,3"], 64), (["--seed", "1,2,3", "--output", "/proc/none"], 73)] as [([String], Int32)])
    func mistakesHaveTheirExitCode(arguments: [String], status: Int32) throws {
        let run = try CommandRunner.run(["segment", Self.planning, "--tumour", "--diameter", "25"] + arguments)
        #expect(run.status == status && run.output.isEmpty, "\(run.errors)")
    }
}
