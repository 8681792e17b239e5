import Foundation
import Testing

/// Cases whose scans claim one frame of reference.
@Suite(.serialized) struct SharedFrameCaseTests {
    /// The patient was turned and shifted between two scans that name one frame all the same: the margin is measured where the tissue lies.
    @Test(arguments: [15, 60])
    func aPatientWhoMovedWithinTheFrameIsFollowed(movedMM: Int) throws {
        let folder = try TemporaryFolder(), study = folder.url.appending(path: "study")
        let run = try CommandRunner.run(
            "phantom", "--site", "kidney", "--seed", "803", "--margin-mm", "9", "--motion", "smooth", "--motion-degrees", "3",
            "--motion-mm", "\(movedMM)", "--breathing-mm", "5", "--output", study.path)
        #expect(run.status == 0, "\(run.errors)")
        try Self.nameOneFrame(["planning", "intraprocedural"].map { study.appending(path: $0) })
        let verified = try CommandRunner.run(
            "verify", study.path, "--no-simulation", "--output", folder.url.appending(path: "r").path, "--json")
        #expect(verified.status == 0, "\(verified.errors)")
        let report = try verified.json()
        #expect((report["findings"] as! [[String: Any]]).contains { $0["code"] as? String == "anatomy-moved" })
        #expect(((report["registration"] as! [String: Any])["quality"] as! [String: Any])["method"] as? String == "deformable")
        let interval = (report["margins"] as! [[String: Any]])[0]["minimumMarginIntervalMM"] as! [Double]
        #expect(interval[0] < 9 && interval[1] > 9, "\(interval)")
    }

    /// Writes one frame of reference into the files of several series, in the bytes of each one's own.
    private static func nameOneFrame(_ folders: [URL]) throws {
        let series = try folders.map { folder -> (uid: String, files: [URL]) in
            let listed = try CommandRunner.run("inspect", folder.path, "--json").json()
            let uid = (listed["series"] as! [[String: Any]])[0]["frameOfReferenceUID"] as! String
            return (uid, try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil))
        }
        let common = series[0].uid.prefix(series.map(\.uid.count).min()!)
        for (uid, files) in series {
            let replacement = Data(common.utf8) + Data(count: uid.count - common.count)
            for file in files {
                var bytes = try Data(contentsOf: file)
                bytes.replaceSubrange(try #require(bytes.range(of: Data(uid.utf8))), with: replacement)
                try bytes.write(to: file)
            }
        }
    }
}
