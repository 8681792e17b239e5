import Foundation
import ImagingCore
import NIfTIFormat
import Testing
import VerificationPipeline

/// Cases whose scans lie in different frames of reference.
@Suite(.serialized) struct RegisteredCaseTests {
    /// A synthetic study in which the patient moved as a whole and organs moved within, and its truth.
    private static func study(
        _ site: String, seed: Int, breathingMM: Double = 10, in folder: URL
    ) throws -> (folder: URL, truth: [String: Any]) {
        let study = folder.appending(path: "\(site)-\(seed)")
        let run = try CommandRunner.run(
            "phantom", "--site", site, "--seed", "\(seed)", "--motion", "smooth", "--motion-degrees", "12", "--motion-mm", "40",
            "--breathing-mm", "\(breathingMM)", "--masks", "--output", study.path)
        #expect(run.status == 0, "\(run.errors)")
        let truth = try JSONSerialization.jsonObject(with: Data(contentsOf: study.appending(path: "truth.json"))) as! [String: Any]
        return (study, truth)
    }
    private static func verify(_ arguments: [String]) throws -> [String: Any] {
        let run = try CommandRunner.run(["verify", "--no-simulation"] + arguments + ["--json"])
        #expect(run.status == 0, "\(run.errors)")
        return try run.json()
    }
    private static func addToCase(_ study: URL, _ text: String, as name: String) throws -> String {
        let file = study.appending(path: name)
        try (
            try String(contentsOf: study.appending(path: "case.yaml"), encoding: .utf8) + "\n" + text + "\n"
        ).write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }
    private static func quality(_ report: [String: Any]) -> [String: Any] {
        (report["registration"] as! [String: Any])["quality"] as! [String: Any]
    }
    private static func margin(_ report: [String: Any]) -> (minimum: Double, interval: [Double])? {
        (report["margins"] as! [[String: Any]]).first.map { ($0["minimumMarginMM"] as! Double, $0["minimumMarginIntervalMM"] as! [Double]) }
    }

    @Test func theTumourIsCarriedAndTheTrueMarginLiesInTheInterval() throws {
        let folder = try TemporaryFolder()
        let (study, truth) = try Self.study("kidney", seed: 803, in: folder.url)
        let trueMargin = (truth["margins"] as! [[String: Any]])[0]["minimumMarginMM"] as! Double
        let results = folder.url.appending(path: "r")
        let report = try Self.verify([study.path, "--output", results.path])
        let quality = Self.quality(report), error = quality["expectedErrorMM"] as! Double
        #expect(quality["method"] as? String == "deformable" && quality["status"] as? String != "fail", "\(quality)")
        let measures = quality["measures"] as! [String: Double]
        #expect(measures["smallestJacobian"]! > 0 && abs(measures["tumourVolumeChangePercent"]!) < 1)
        let margin = try #require(Self.margin(report))
        #expect(margin.interval[0]...margin.interval[1] ~= trueMargin)
        // The registration's error is in the interval: 1.96 standard deviations of one of its three components.
        #expect(margin.interval[1] - margin.interval[0] > 2 * 1.96 * error / 3.0.squareRoot())
        for name in ["registration-checker-T1.png", "registration-edges-T1.png", "masks/tumour-T1-registered.nii.gz"] {
            #expect(FileManager.default.fileExists(atPath: results.appending(path: name).path), "\(name) is missing")
        }
        let volumes = try ["masks/tumour-T1-registered.nii.gz", "masks/tumour-T1.nii.gz"].map { name in
            let volume = try NIfTIFile.read(results.appending(path: name)).volume
            return volume.withUnsafeVoxels { Double($0.reduce(0, +)) } * volume.geometry.voxelVolume
        }
        #expect(abs(volumes[0] / volumes[1] - 1) < 0.03)  // Counts of voxels; the surface itself keeps its volume exactly.

        // What was written is a motion that can be given, and gives the same margin.
        let given = try Self.addToCase(
            study, "registration: {displacement: \(results.path)/registration/T1-displacement.nii.gz}", as: "given.yaml")
        let again = try Self.verify([given, "--output", folder.url.appending(path: "g").path])
        #expect(Self.quality(again)["method"] as? String == "given displacement")
        #expect(abs(try #require(Self.margin(again)).minimum - margin.minimum) < 0.1)

        // Rigid only: told, and with a larger error.
        let rigid = try Self.addToCase(study, "registration: {kind: rigid}", as: "rigid.yaml")
        let stiff = try Self.verify([rigid, "--output", folder.url.appending(path: "s").path])
        #expect(Self.quality(stiff)["method"] as? String == "rigid" && (stiff["registration"] as! [String: Any])["deformable"] is NSNull)
        #expect(Self.quality(stiff)["expectedErrorMM"] as! Double > error)

        // A start that leads elsewhere is followed there, where the scans do not meet.
        let far = folder.url.appending(path: "far.tfm")
        try Data(
            "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: 1 0 0 0 1 0 0 0 1 0 0 900\nFixedParameters: 0 0 0\n".utf8
        ).write(to: far)
        let astray = try Self.verify([
            try Self.addToCase(study, "registration: {initialTransform: \(far.path)}", as: "far.yaml"), "--output",
            folder.url.appending(path: "f").path,
        ])
        #expect(Self.margin(astray) == nil)
    }

    /// The file that `register` writes, judged by itself: it moves the tumour's surface where the truth says and nowhere turns a cell
    /// inside out, keeps the tumour's volume, and brings the moving scan's values to where `resampled.nii.gz` has them.
    @Test func writtenDisplacementsAreTheMotionAndNeitherFoldNorShrinkTheTumour() throws {
        let folder = try TemporaryFolder()
        let (study, truth) = try Self.study("liver", seed: 811, breathingMM: 15, in: folder.url)
        let tumour = (truth["tumours"] as! [[String: Any]])[0], seed = tumour["seedLPS"] as! [Double],
            diameter = tumour["longestDiameterMM"] as! Double
        let moving = study.appending(path: "planning"), results = folder.url.appending(path: "r")
        let run = try CommandRunner.run(
            "register", "--moving", moving.path, "--fixed", study.appending(path: "intraprocedural").path, "--exclude-mask",
            study.appending(path: "masks/ice.nii.gz").path, "--seed=\(seed[0]),\(seed[1]),\(seed[2])", "--diameter", "\(diameter)",
            "--output", results.path)
        #expect(run.status == 0, "\(run.errors)")

        let (vectors, grid) = try NIfTIFile.readDisplacements(results.appending(path: "displacement.nii.gz")), size = grid.size
        func vector(_ i: Int, _ j: Int, _ k: Int) -> SIMD3<Double> {
            let v = vectors[size.offset(VoxelIndex(i, j, k))]
            return SIMD3(Double(v.x), Double(v.y), Double(v.z))
        }
        func moved(_ point: PatientPoint) -> PatientPoint {
            let index = grid.continuousIndex(point).ijk, low = index.rounded(.down), f = index - low
            var sum = SIMD3<Double>.zero
            for corner in 0..<8 {
                let (x, y, z) = (corner & 1, corner >> 1 & 1, corner >> 2)
                let weight = (x == 1 ? f.x : 1 - f.x) * (y == 1 ? f.y : 1 - f.y) * (z == 1 ? f.z : 1 - f.z)
                if weight > 0 { sum += weight * vector(Int(low.x) + x, Int(low.y) + y, Int(low.z) + z) }
            }
            return PatientPoint(point.lps + sum)
        }
        func determinant(_ a: SIMD3<Double>, _ b: SIMD3<Double>, _ c: SIMD3<Double>) -> Double {
            a.x * (b.y * c.z - b.z * c.y) - b.x * (a.y * c.z - a.z * c.y) + c.x * (a.y * b.z - a.z * b.y)
        }
        var smallest = Double.infinity
        for k in 0..<size.k - 1 {
            for j in 0..<size.j - 1 {
                for i in 0..<size.i - 1 {
                    let here = vector(i, j, k), axes = grid.axes, spacing = grid.spacing
                    smallest = min(smallest, determinant(
                        axes.i.lps + (vector(i + 1, j, k) - here) / spacing.x, axes.j.lps + (vector(i, j + 1, k) - here) / spacing.y,
                        axes.k.lps + (vector(i, j, k + 1) - here) / spacing.z))
                }
            }
        }
        #expect(smallest > 0)

        let marks = (truth["registration"] as! [String: Any])["tumourSurface"] as! [[String: [Double]]]
        func point(_ values: [Double]) -> PatientPoint { PatientPoint(values[0], values[1], values[2]) }
        let pairs = marks.map { (point($0["intraproceduralLPS"]!), point($0["planningLPS"]!)) }
        // The rigid motion alone leaves 1.7.
        #expect(pairs.map { moved($0.0).distance(to: $0.1) }.reduce(0, +) / Double(pairs.count) < 1.2)
        let center = pairs.map(\.0.lps).reduce(.zero, +) / Double(pairs.count)
        for a in 0..<5 {
            for b in 0..<5 {
                for c in 0..<5 {
                    let place = PatientPoint(center + diameter / 8 * (SIMD3(Double(a), Double(b), Double(c)) - 2) / 1.8)
                    let slopes = [PatientVector(1, 0, 0), PatientVector(0, 1, 0), PatientVector(0, 0, 1)].map {
                        (moved(place + $0) - moved(place + -1 * $0)).lps / 2
                    }
                    #expect(abs(determinant(slopes[0], slopes[1], slopes[2]) - 1) < 0.01)
                }
            }
        }

        let scan = try StageScan.read(moving, role: "moving").volume,
            resampled = try NIfTIFile.read(results.appending(path: "resampled.nii.gz")).volume
        var compared = 0
        for offset in stride(from: 0, to: resampled.size.voxelCount, by: 997) {
            let place = resampled.size.index(atOffset: offset),
                index = scan.geometry.continuousIndex(moved(resampled.geometry.point(place))).ijk
            let low = index.rounded(.down), f = index - low
            guard low.min() >= 0, Int(low.x) + 1 < scan.geometry.size.i, Int(low.y) + 1 < scan.geometry.size.j, Int(low.z) + 1 < scan.geometry.size.k else {
                continue
            }
            var value = 0.0
            for corner in 0..<8 {
                let (x, y, z) = (corner & 1, corner >> 1 & 1, corner >> 2)
                value += (x == 1 ? f.x : 1 - f.x) * (y == 1 ? f.y : 1 - f.y) * (z == 1 ? f.z : 1 - f.z)
                    * Double(scan.value(at: VoxelIndex(Int(low.x) + x, Int(low.y) + y, Int(low.z) + z)))
            }
            #expect(abs(value - Double(resampled[place])) < 1.5)
            compared += 1
        }
        #expect(compared > 200)
    }

    /// A motion that is wrong, and landmarks that contradict what was found, are not believed.
    @Test func contradictingHintsLeaveTheVerdictOpen() throws {
        let folder = try TemporaryFolder()
        let (study, truth) = try Self.study("lung", seed: 805, in: folder.url)
        let marks = (truth["registration"] as! [String: Any])["tumourSurface"] as! [[String: [Double]]]
        func landmarks(shift: Double) -> String {
            marks[..<4].map {
                "{planning: \($0["planningLPS"]!), intraprocedural: \($0["intraproceduralLPS"]!.enumerated().map { $1 + ($0 == 0 ? shift : 0) })}"
            }
                .joined(separator: ", ")
        }
        let right = try Self.verify([
            try Self.addToCase(study, "registration: {landmarks: [\(landmarks(shift: 0))]}", as: "a.yaml"), "--output",
            folder.url.appending(path: "a").path,
        ])
        #expect(try #require((Self.quality(right)["measures"] as? [String: Double])?["landmarkErrorMM"]) < 2)
        let wrong = try Self.verify([
            try Self.addToCase(study, "registration: {landmarks: [\(landmarks(shift: 12))]}", as: "b.yaml"), "--output",
            folder.url.appending(path: "b").path,
        ])
        #expect(Self.quality(wrong)["status"] as? String == "doubtful")
        #expect((wrong["verdict"] as! [String: Any])["status"] as? String == "indeterminate")
        let reasons = Self.quality(wrong)["reasons"] as! [String], verdict = (wrong["verdict"] as! [String: Any])["reasons"] as! [String]
        #expect(!reasons.isEmpty && verdict.contains(reasons[0]), "\(verdict)")
        #expect((wrong["findings"] as! [[String: String]]).contains { $0["code"] == "registration-doubtful" })

        let matrix = folder.url.appending(path: "wrong.tfm")
        try Data(
            "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: 1 0 0 0 1 0 0 0 1 6 0 0\nFixedParameters: 0 0 0\n".utf8
        ).write(to: matrix)
        let given = try Self.verify([
            try Self.addToCase(study, "registration: {transform: \(matrix.path)}", as: "c.yaml"), "--output",
            folder.url.appending(path: "c").path,
        ])
        #expect(Self.quality(given)["status"] as? String != "pass")
        #expect((given["verdict"] as! [String: Any])["status"] as? String == "indeterminate")
    }

    @Test func anotherPatientsScanGivesNoMargin() throws {
        let folder = try TemporaryFolder()
        let (one, _) = try Self.study("liver", seed: 806, in: folder.url), (other, _) = try Self.study("kidney", seed: 807, in: folder.url)
        try FileManager.default.removeItem(at: one.appending(path: "intraprocedural"))
        try FileManager.default.copyItem(at: other.appending(path: "intraprocedural"), to: one.appending(path: "intraprocedural"))
        let report = try Self.verify([one.path, "--output", folder.url.appending(path: "r").path])
        #expect((report["verdict"] as! [String: Any])["status"] as? String == "indeterminate")
        #expect(Self.margin(report) == nil)
        let codes = (report["findings"] as! [[String: String]]).filter { $0["severity"] == "error" }.map { $0["code"]! }
        #expect(codes.contains("registration-failed") || codes.contains("registration-impossible"), "\(codes)")
    }

    /// The tumour lies where the ice scan does not reach, though both scans show the same patient.
    @Test func aTumourOutsideTheIceScanGivesNoMargin() throws {
        let folder = try TemporaryFolder()
        let (study, _) = try Self.study("lung", seed: 805, in: folder.url)
        // Of the ice scan only the first quarter remains.
        let scan = study.appending(path: "intraprocedural")
        let files = try FileManager.default.contentsOfDirectory(atPath: scan.path).sorted()
        for name in files.dropFirst(files.count / 4) { try FileManager.default.removeItem(at: scan.appending(path: name)) }
        let run = try CommandRunner.run("verify", "--no-simulation", study.path, "--json", "--output", folder.url.appending(path: "r").path)
        guard run.status == 0 else {
            #expect(run.status == 65, "\(run.errors)")
            return
        }
        #expect((try run.json()["verdict"] as! [String: Any])["status"] as? String == "indeterminate")
    }
}
