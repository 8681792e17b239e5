import Foundation
import ImageRegistration
import ImagingCore
import NIfTIFormat
import Testing
import VerificationPipeline

@Suite struct RegisterCommandTests {
    private static let scans = [
        "--moving", VerifyCommandTests.liver.appending(path: "planning").path, "--fixed",
        VerifyCommandTests.liver.appending(path: "intraprocedural").path
    ]
    private static let tumour = ["--seed", "-88.5,-23.3,40.3", "--diameter", "25"]

    /// The sample's scans share one frame of reference and nothing moved: identity is the truth.
    @Test func aStillPatientNeedsNoMotionAndResultsAppearWhole() throws {
        let folder = try TemporaryFolder(), results = folder.url.appending(path: "r")
        let run = try CommandRunner.run(["register"] + Self.scans + Self.tumour + ["--json", "--output", results.path])
        #expect(run.status == 0, "\(run.errors)")
        let document = try run.json(), quality = document["quality"] as! [String: Any]
        #expect(quality["status"] as? String == "pass", "\(run.output)")
        #expect((quality["expectedErrorMM"] as! Double) < 2)
        #expect(abs(quality["tumourVolumeChangePercent"] as! Double) < 1 && (quality["smallestJacobian"] as! Double) > 0)
        let matrix = (document["rigid"] as! [String: Any])["matrix"] as! [[Double]]
        let seed = [-88.5, -23.3, 40.3, 1]
        let moved = (0..<3).map { row in zip(matrix[row], seed).reduce(0) { $0 + $1.0 * $1.1 } }
        #expect(zip(moved, seed).allSatisfy { abs($0 - $1) < 1 })

        #expect(
            try FileManager.default.contentsOfDirectory(atPath: results.path).sorted()
                == [
                    ".icemargin-files", "checker.png", "displacement.nii.gz", "edges.png", "register.json", "resampled.nii.gz", "rigid.tfm"
                ])
        let resampled = try NIfTIFile.read(results.appending(path: "resampled.nii.gz")).volume
        let fixed = try StageScan.read(URL(filePath: Self.scans[3]), role: "fixed").volume.geometry
        #expect(resampled.size == fixed.size && resampled.geometry.origin.distance(to: fixed.origin) < 1e-3)

        // What was written is a start for the next registration.
        let again = try CommandRunner.run(
            ["register"] + Self.scans + Self.tumour
                + ["--rigid", "--initial-transform", results.appending(path: "rigid.tfm").path, "--json"])
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

    @Test func whatCannotBeRegisteredIsSaidPlainly() throws {
        func refusal(_ arguments: [String], status: Int32 = 65) throws -> String {
            let run = try CommandRunner.run(["register"] + arguments)
            #expect(run.status == status, "\(run.output)")
            return run.errors
        }
        #expect(
            try refusal(
                Self.scans + ["--seed", "500,500,500", "--diameter", "20"]
            ).contains("(500.0, 500.0, 500.0) mm, lies outside the moving"))
        // Of the second landmark one point lies nowhere.
        let landmarks = ["--landmark", "-88,-23,40:-88,-23,40", "--landmark", "-80,-20,30:-80,-20,3000"]
        #expect(try refusal(Self.scans + Self.tumour + landmarks).contains("Landmark 2 lies outside the fixed scan"))

        let folder = try TemporaryFolder(), slices = folder.url.appending(path: "slices.nii")
        let scan = try StageScan.read(URL(filePath: Self.scans[3]), role: "fixed").volume, size = scan.geometry.size
        try NIfTIFile.write(scan.floats(in: 0..<size.i, 0..<size.j, 3..<5), to: slices)
        #expect(
            try refusal(
                Array(Self.scans[..<2]) + ["--fixed", slices.path, "--fixed-modality", "CT"]
            ).contains("The fixed scan reaches over"))
        #expect(try refusal(Array(Self.scans[..<2]) + ["--fixed", slices.path], status: 64).contains("Give --fixed-modality CT"))
    }

    @Test func exchangedScansAndAMissingTumourAreNoticed() throws {
        func findings(_ arguments: [String]) throws -> (codes: [String], quality: [String: Any]) {
            let run = try CommandRunner.run(["register", "--json"] + arguments)
            #expect(run.status == 0, "\(run.errors)")
            let document = try run.json()
            return ((document["findings"] as! [[String: Any]]).map { $0["code"] as! String }, document["quality"] as! [String: Any])
        }
        let folder = try TemporaryFolder()
        let made = try CommandRunner.run(
            "phantom", "--site", "liver", "--seed", "2500", "--motion", "smooth", "--output", folder.url.appending(path: "s").path)
        #expect(made.status == 0)
        let scans = ["planning", "intraprocedural"].map { folder.url.appending(path: "s/\($0)").path }
        let exchanged = try findings(["--moving", scans[1], "--fixed", scans[0], "--seed=-90,-20,30", "--diameter", "25"])
        #expect(exchanged.quality["status"] as? String != "pass" && exchanged.codes.contains("scans-exchanged"), "\(exchanged)")
        let right = try findings(["--moving", scans[0], "--fixed", scans[1]])
        #expect(right.codes.contains("no-tumour-given") && !right.codes.contains("scans-exchanged"))
        #expect(right.quality["tumourVolumeChangePercent"] is NSNull?)
        #expect(!right.codes.contains("patient-differs"))
        let mixed = try findings(["--moving", scans[0], "--fixed", Self.scans[3], "--seed=-90,-20,30", "--diameter", "25"])
        #expect(mixed.codes.contains("patient-differs") && mixed.quality["status"] as? String != "pass")
    }

    /// A planning scan whose header is wrong head to feet: no search looks there, but a transform or landmarks lead the way.
    @Test func hintsAreFollowed() throws {
        let folder = try TemporaryFolder()
        let scan = try StageScan.read(URL(filePath: Self.scans[1]), role: "moving").volume, grid = scan.geometry
        let seed = PatientPoint(-88.5, -23.3, 40.3)
        let motion = AffineTransform(
            rotation: .rotation(about: PatientVector(1, 0, 0), radians: 2.9), about: seed, translation: PatientVector(30, -20, 50))
        func turned(_ vector: PatientVector) -> PatientVector { PatientVector(motion.matrix * vector.lps) }
        let moved = try GridGeometry(
            size: grid.size, spacing: grid.spacing, origin: motion(grid.origin),
            axes: PatientAxes(i: turned(grid.axes.i), j: turned(grid.axes.j), k: turned(grid.axes.k)))
        let voxels = Volume<Int16>(geometry: moved) { voxels in
            for offset in voxels.indices { voxels[offset] = Int16(scan.value(at: grid.size.index(atOffset: offset))) }
        }
        let planning = folder.url.appending(path: "planning.nii.gz"), start = folder.url.appending(path: "start.tfm")
        try NIfTIFile.write(voxels, to: planning)
        try Data(RigidTransformFile.text(motion).utf8).write(to: start)
        func flag(_ point: PatientPoint) -> String { "\(point.lps.x),\(point.lps.y),\(point.lps.z)" }
        let pair = ["--moving", planning.path, "--moving-modality", "CT"] + Self.scans[2...]
            + ["--seed=\(flag(motion(seed)))", "--diameter", "25", "--json"]
        /// How far from where it belongs the tumour ends, and what is thought of it.
        func result(_ hints: [String]) throws -> (missMM: Double, status: String) {
            let run = try CommandRunner.run(["register"] + pair + hints)
            guard run.status == 0 else { return (.infinity, "refused") }
            let document = try run.json(), matrix = (document["rigid"] as! [String: Any])["matrix"] as! [[Double]], p = motion(seed).lps
            let found = PatientPoint(SIMD3((0..<3).map { matrix[$0][0] * p.x + matrix[$0][1] * p.y + matrix[$0][2] * p.z + matrix[$0][3] }))
            return (found.distance(to: seed), (document["quality"] as! [String: Any])["status"] as! String)
        }
        let alone = try result([])
        #expect(alone.missMM > 5 && alone.status != "pass", "\(alone)")
        let led = try result(["--initial-transform", start.path])
        #expect(led.missMM < 1.5 && led.status == "pass", "\(led)")
        let offsets = [PatientVector(0, 0, 0), PatientVector(50, 0, 10), PatientVector(0, 60, -10), PatientVector(-30, 20, 40)]
        let marked = try result(offsets.flatMap { ["--landmark", "\(flag(motion(seed + $0))):\(flag(seed + $0))"] })
        #expect(marked.missMM < 1.5 && marked.status == "pass", "\(marked)")

        // Their points in the fixed scan are put in another order.
        let mixed = [1, 2, 3, 0].enumerated().flatMap { ["--landmark", "\(flag(motion(seed + offsets[$0]))):\(flag(seed + offsets[$1]))"] }
        let run = try CommandRunner.run(["register"] + pair + mixed)
        if run.status == 0 {
            let quality = try run.json()["quality"] as! [String: Any], reasons = quality["reasons"] as! [String]
            #expect(
                quality["status"] as! String != "pass" && reasons.contains { $0.contains("landmarks contradict each other") }, "\(reasons)")
        } else {
            #expect(run.status == 65, "\(run.errors)")
        }
    }

    /// One thread and all of them write the same bytes.
    @Test func threadsChangeNoByte() throws {
        let folder = try TemporaryFolder()
        let arguments = ["register"] + Self.scans + Self.tumour + ["--output"]
        let all = folder.url.appending(path: "all"), one = folder.url.appending(path: "one")
        #expect(try CommandRunner.run(arguments + [all.path]).status == 0)
        let process = Process()
        (process.executableURL, process.standardOutput) = (URL(filePath: "/usr/bin/taskset"), FileHandle.nullDevice)
        process.arguments = ["--cpu-list", "0", CommandRunner.binary.path] + arguments + [one.path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        for name in try FileManager.default.contentsOfDirectory(atPath: all.path) where name != "register.json" {
            #expect(try Data(contentsOf: all.appending(path: name)) == Data(contentsOf: one.appending(path: name)), "\(name)")
        }
        func document(_ folder: URL) throws -> NSDictionary {
            var document = try JSONSerialization.jsonObject(
                with: Data(contentsOf: folder.appending(path: "register.json"))
            ) as! [String: Any]
            document["timingsS"] = nil
            return document as NSDictionary
        }
        #expect(try document(all) == document(one))
    }
}
