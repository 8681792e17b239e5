import Foundation
import ImageRegistration
import ImagingCore
import Testing
import VerificationPipeline

/// Real scans that do not belong together, where the folder of real data is there (`ICEMARGIN_REAL_DATA`); skipped elsewhere.
@Suite(.serialized) struct RealScansApartTests {
    private static let data: URL = {
        let given = ProcessInfo.processInfo.environment["ICEMARGIN_REAL_DATA"].map { URL(filePath: $0) }
        return given ?? CommandRunner.root.deletingLastPathComponent().appending(path: "shared/data/real")
    }()
    private static let isThere = FileManager.default.fileExists(atPath: data.appending(path: "ct-thorax-petct").path)

    /// A thorax and an abdomen of different subjects.
    @Test(.enabled(if: isThere)) func anotherBodyPartOfAnotherSubjectFails() throws {
        let run = try CommandRunner.run(
            "register", "--moving", Self.data.appending(path: "ct-abdomen-petct").path, "--fixed",
            Self.data.appending(path: "ct-thorax-petct").path,
            "--seed", "-70,37,-506", "--diameter", "20", "--json")
        #expect(run.status == 0 || run.errors.contains("No pose was found"), "\(run.errors)")
        guard run.status == 0 else { return }
        let quality = try #require(try run.json()["quality"] as? [String: Any])
        #expect(quality["status"] as? String == "fail")
        #expect(quality["expectedErrorMM"] is NSNull)
        #expect((quality["reasons"] as? [String])?.isEmpty == false)
    }

    /// CT and MR of one arm, cropped around the tumour. They share a frame of reference, by which the tumour lies at one place in both; but
    /// the bone lies up to 10 mm apart in them, and no motion lays one image onto the other. So the frame is kept, and not believed to the
    /// millimetre.
    @Test(.enabled(if: isThere), arguments: [("MR_T1", "CT"), ("CT", "MR_T1")])
    func magneticResonanceOfOneSubjectStaysInItsFrame(moving: String, fixed: String) throws {
        let scans = Self.data.appending(path: "ct-mr-pet-rtstruct-sarcoma")
        let run = try CommandRunner.run(
            "register", "--moving", scans.appending(path: "\(moving)/image").path, "--fixed", scans.appending(path: "\(fixed)/image").path,
            "--seed", "179.37,11.24,-194.5", "--diameter", "38", "--json")
        #expect(run.status == 0, "\(run.errors)")
        let document = try run.json()
        let quality = try #require(document["quality"] as? [String: Any])
        #expect(quality["status"] as? String == "doubtful" && (quality["expectedErrorMM"] as? Double ?? 0) > 3, "\(quality)")
        let matrix = (document["rigid"] as! [String: Any])["matrix"] as! [[Double]], seed = [179.37, 11.24, -194.5, 1]
        let moved = matrix.prefix(3).map { zip($0, seed).reduce(0) { $0 + $1.0 * $1.1 } }
        #expect(zip(moved, seed).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot() < 0.5)
    }

    /// The CT of a limb is mostly air, and the MR a crop of it: without the frame, turned and shifted, they come as near as bone and muscle
    /// agree.
    @Test(.enabled(if: isThere)) func aLimbIsFoundWithoutItsFrame() throws {
        let scans = Self.data.appending(path: "ct-mr-pet-rtstruct-sarcoma"), tumour = PatientPoint(179.37, 11.24, -194.5)
        let fixed = try StageScan.read(scans.appending(path: "MR_T1/image"), role: "fixed")
        let volume = try StageScan.read(scans.appending(path: "CT/image"), role: "moving").volume.floats(), grid = volume.geometry
        let motion = ImagingCore.AffineTransform(
            rotation: .rotation(about: PatientVector(0.1, 0.3, 1), radians: 12 * .pi / 180), about: tumour,
            translation: PatientVector(20, 20, 5))
        func turned(_ vector: PatientVector) -> PatientVector { PatientVector(motion.matrix * vector.lps) }
        let moved = try GridGeometry(
            size: grid.size, spacing: grid.spacing, origin: motion(grid.origin),
            axes: PatientAxes(i: turned(grid.axes.i), j: turned(grid.axes.j), k: turned(grid.axes.k)))
        let moving = Volume<Float>(geometry: moved) { voxels in
            volume.withUnsafeVoxels { source in for offset in voxels.indices { voxels[offset] = source[offset] } }
        }
        let found = try RigidRegistration(
            fixed: RegistrationScan(fixed.volume, modality: .mr), moving: RegistrationScan(.float32(moving), modality: .ct),
            focus: RegistrationFocus(center: motion(tumour), radiusMM: 19))
        #expect(found.fixedToMoving(tumour).distance(to: motion(tumour)) < 8)
    }
}
