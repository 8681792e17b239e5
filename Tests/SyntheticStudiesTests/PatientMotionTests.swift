import Foundation
import ImagingCore
import Testing
@testable import SyntheticStudies

struct PatientMotionTests {
    private func study(_ kind: MotionKind) throws -> SyntheticStudy {
        var options = StudyOptions(site: .liver, seed: 33)
        options.motion = kind
        (options.motionDegrees, options.motionMM, options.breathingMM) = (12, 40, 14)
        return try SyntheticStudy(options, truthLevel: 4)
    }

    @Test func landmarksOfTheTruthFollowTheMotion() throws {
        let study = try study(.smooth), truth = study.truth, motion = study.scans[1].motion
        for landmark in truth.registration.tumourSurface {
            #expect(abs(study.tumour.value(at: landmark.planningLPS.lps)) < 1e-6)
            #expect(motion.inverse(landmark.intraproceduralLPS).distance(to: landmark.planningLPS) < 1e-6)
        }
        let deformable = try #require(truth.registration.deformable)
        #expect(deformable.maximumDisplacementMM > 5 && deformable.maximumDisplacementMM < 20)
        // The tumour moves nearly as a whole: its volume hardly changes.
        #expect(abs(truth.tumours[0].intraproceduralVolumeML / truth.tumours[0].volumeML - 1) < 0.1)
        #expect(motion(truth.tumours[0].centroidLPS).distance(to: truth.tumours[0].intraproceduralCentroidLPS) < 0.3)
    }

    @Test func motionDoesNotFold() throws {
        let motion = try study(.smooth).scans[1].motion, center = SIMD3(-88.0, -14, 34), h = 0.01
        for x in stride(from: -90.0, through: 90, by: 20) {
            for y in stride(from: -90.0, through: 90, by: 20) {
                for z in stride(from: -90.0, through: 90, by: 20) {
                    let p = center + SIMD3(x, y, z)
                    let columns = [SIMD3(h, 0, 0), SIMD3(0, h, 0), SIMD3(0, 0, h)].map {
                        (motion(PatientPoint(p + $0)) - motion(PatientPoint(p - $0))).lps / (2 * h)
                    }
                    let determinant = Matrix3(columns: columns[0], columns[1], columns[2]).determinant
                    #expect(determinant > 0.4 && determinant < 2.5)
                    #expect(motion.inverse(motion(PatientPoint(p))).distance(to: PatientPoint(p)) < 1e-7)
                }
            }
        }
    }

    @Test func rigidMotionIsTheMatrixOfTheTruth() throws {
        let study = try study(.rigid), m = study.truth.registration.rigid.matrix
        #expect(study.truth.registration.deformable == nil)
        for landmark in study.truth.registration.tumourSurface {
            let p = landmark.planningLPS.lps
            let moved = SIMD3(
                dot(SIMD3(m[0][0], m[0][1], m[0][2]), p) + m[0][3], dot(SIMD3(m[1][0], m[1][1], m[1][2]), p) + m[1][3],
                dot(SIMD3(m[2][0], m[2][1], m[2][2]), p) + m[2][3])
            #expect(length(moved - landmark.intraproceduralLPS.lps) < 1e-9)
        }
        #expect(study.scans[1].motion.rigid.isRigid())
        #expect(abs(study.truth.tumours[0].intraproceduralVolumeML - study.truth.tumours[0].volumeML) < 1e-3)
    }

    /// The images themselves move as the truth says: a vertebra's marrow and its cortex, carried along, meet themselves.
    @Test func imagesMoveAsTheTruthSays() throws {
        var options = StudyOptions(site: .spine, seed: 8)
        (options.motion, options.noise, options.streaks, options.hasIce, options.motionMM) = (.rigid, 0, 0, false, 30)
        let study = try SyntheticStudy(options, truthLevel: 4)
        let (planning, later) = (study.scans[0].volume.floats(), study.scans[1].volume.floats())
        let motion = study.scans[1].motion
        func value(_ volume: Volume<Float>, _ point: PatientPoint) -> Float? {
            let index = volume.geometry.continuousIndex(point).nearest
            return volume.size.contains(index) ? volume[index] : nil
        }
        var differences: [Float] = [], unmoved: [Float] = []
        for offset in stride(from: 0, to: planning.size.voxelCount, by: 97) {
            let point = planning.geometry.point(planning.size.index(atOffset: offset))
            guard let before = value(planning, point), before > -200 else { continue }
            if let after = value(later, motion(point)), after < 1500 { differences.append(abs(after - before)) }
            if let after = value(later, point), after < 1500 { unmoved.append(abs(after - before)) }
        }
        #expect(differences.count > 2000)
        let mean = differences.reduce(0, +) / Float(differences.count), meanUnmoved = unmoved.reduce(0, +) / Float(unmoved.count)
        #expect(mean < 0.3 * meanUnmoved)
    }
}
