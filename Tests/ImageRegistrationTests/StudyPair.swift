import ImagingCore
import Synchronization

@testable import ImageRegistration
@testable import SyntheticStudies

/// A synthetic study made ready for registration, with its truth.
struct StudyPair {
    let fixed, moving: RegistrationScan
    let focus: RegistrationFocus
    let landmarks: [StudyTruth.Registration.Landmark]

    init(_ options: StudyOptions) throws {
        let study = try SyntheticStudy(options, truthLevel: 3), tumour = study.truth.tumours[0]
        moving = RegistrationScan(study.scans[0].volume, modality: options.modality)
        fixed = RegistrationScan(
            study.scans[1].volume, modality: options.modality,
            excluded: options.hasIce ? study.mask(of: .ice, inScan: "intraprocedural") : nil)
        focus = RegistrationFocus(center: tumour.seedLPS, radiusMM: tumour.longestDiameterMM / 2)
        landmarks = study.truth.registration.tumourSurface
    }

    /// The mean distance in millimetres at the tumour's surface between where a transform leads and where it should.
    func surfaceError(_ fixedToMoving: some SpatialTransform) -> Double {
        landmarks.map { fixedToMoving($0.intraproceduralLPS).distance(to: $0.planningLPS) }.reduce(0, +) / Double(landmarks.count)
    }
}

extension StudyPair {
    private static let made = Mutex<[StudyOptions: StudyPair]>([:])

    /// The study of `options`, made once for all tests that look at it.
    static func shared(_ options: StudyOptions) throws -> StudyPair {
        try made.withLock { made in
            if let pair = made[options] { return pair }
            let pair = try StudyPair(options)
            made[options] = pair
            return pair
        }
    }

    /// A patient who lies as for planning.
    static func still(_ site: StudySite, _ modality: Modality = .ct, seed: UInt64) throws -> StudyPair {
        try shared(StudyOptions(site: site, modality: modality, seed: seed))
    }

    /// A patient on another table, 45 mm and 12° away, with noise of 15 HU, whose organs move by 8 mm where `motion` says so.
    static func moved(_ site: StudySite, _ motion: MotionKind, _ modality: Modality = .ct, seed: UInt64) throws -> StudyPair {
        var options = StudyOptions(site: site, modality: modality, seed: seed)
        (options.motion, options.noise) = (motion, modality == .ct ? 15 : nil)
        (options.motionDegrees, options.motionMM, options.breathingMM) = (12, 45, 8)
        return try shared(options)
    }

    /// A patient on CT, and the same on MR, who lay alike in both.
    static func onBothModalities(
        _ site: StudySite, seed: UInt64, turnedDegrees: Double, movedMM: Double, breathingMM: Double
    ) throws -> (ct: StudyPair, mr: StudyPair) {
        func pair(_ modality: Modality) throws -> StudyPair {
            var options = StudyOptions(site: site, modality: modality, seed: seed)
            (options.motion, options.motionDegrees, options.motionMM, options.breathingMM) = (.smooth, turnedDegrees, movedMM, breathingMM)
            return try .shared(options)
        }
        return (try pair(.ct), try pair(.mr))
    }
}
