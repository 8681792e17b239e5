import Foundation
import ImagingCore

/// How far a registration can be relied on, from evidence that it was not made to fit: the way back, other starts, and a softer spline.
public struct RegistrationQuality: Sendable, Hashable {
    public enum Status: String, Sendable, Codable { case pass, doubtful, fail }

    public let status: Status
    /// Why not `pass`, in sentences; empty otherwise.
    public let reasons: [String]
    /// The mean error to expect at the tumour's surface, in millimetres.
    public let expectedErrorMM: Double
    /// The same; `nil` when the registration failed: evidence gathered around a motion that does not fit tells no error.
    public var statedErrorMM: Double? { status == .fail ? nil : expectedErrorMM }
    /// How far a point of the tumour's surface comes back from where it started, when the scans exchange roles and start elsewhere;
    /// `nil` when no way back is found.
    public let inverseErrorMM: Double?
    /// How far a softer spline from another start brings the surface elsewhere.
    public let softerDifferenceMM: Double
    /// How far the rigid motion alone brings the surface elsewhere than the smooth one.
    public let rigidDifferenceMM: Double
    /// How far the motion that is used (rigid only, or given) brings the surface elsewhere than the smooth one that was found; 0 where it
    /// is that one.
    public let usedDifferenceMM: Double
    /// The mean distance that the motion leaves between the landmarks near the tumour; `nil` when there are none.
    public let landmarkErrorMM: Double?
    /// The share of local contrast around the tumour that the moving scan explains, 0…1.
    public let similarity: Double
    /// The same of contrast that is not noise.
    public let explained: Double
    /// The share when the motion is put wrong on purpose: far less where scans show the same tissue.
    public let shiftedSimilarity: Double
    /// How far from rigid the tissue at the tumour's surface moves.
    public let bendingMM: Double
    /// The share of the tissue around the tumour, in the fixed scan, that the moving scan shows.
    public let overlap: Double
    /// The share of small blocks of tissue around the tumour that find themselves where the motion puts them; `nil` where too few have
    /// structure.
    public let blockAgreement: Double?
    /// How far off they find themselves, the median.
    public let blockShiftMM: Double?
    /// How well they correlate there, the median.
    public let blockCorrelation: Double?
    public let blockCount: Int
    /// How far small details around the tumour stand out where the motion puts them, over a few millimetres beside: the mean logarithm of
    /// what they explain; `nil` of one modality, where it is not needed, and where too few have structure.
    public let detail: Double?
    /// Of the motion that is used; see `DisplacementField.smallestJacobian()`.
    public let smallestJacobian: Double
    /// By what share the motion that is used changes the tumour's volume: 0 for what is found here, as the tumour is kept rigid;
    /// `nil` when no tumour is given.
    public let tumourVolumeChange: Double?

    /// The parts of the expected error, added in squares: chosen by synthetic pairs and by real scans that were warped, whose motion is
    /// known. What remains when all evidence agrees: smoothness stands in for what ice hides.
    static let leastErrorMM = 0.6
    /// The tumour is kept rigid in tissue that is not.
    static let bendingShare = 1.25
    /// How much of the disagreement counts as error.
    static let inverseShare = 0.3
    static let softerShare = 0.5
    /// Edges need not lie at the same place on CT and MR.
    static let otherModalityMM = 1.0

    /// Scans of one patient and one modality that explain at least this much of each other, noise set aside, are taken for such.
    static let explainedSure = 0.9
    /// Those that explain less are doubted the more, the less they explain (1 per this much) and the farther a softer spline goes
    /// elsewhere (this much per millimetre): of synthetic pairs, one patient's stay below 1.5 and most other patients' lie above.
    static let explainedStep = 0.04
    static let softerDisbelief = 0.6
    static let disbeliefDoubtful = 1.0
    static let disbeliefLargest = 1.5
    /// Likewise the less of small blocks find themselves where they should (1 per this much): of one patient 86–100 % of synthetic and
    /// warped real pairs, of different patients 9–81 %. More than this speaks for one patient.
    static let agreementSure = 0.83
    static let agreementStep = 0.05
    /// Of different modalities blocks resemble each other less, and details (`DetailComparison`) speak, too. What the share of blocks and
    /// the details are together, less `softerDiscord` per millimetre that a softer spline goes elsewhere: of one patient 1.33–1.87 in 25
    /// synthetic pairs of MR and CT, of different ones 0.2–1.23 in 38. More than the one limit speaks for one patient, less than the
    /// other fails.
    static let concordanceSure = 1.35
    static let concordanceLeast = 1.27
    static let softerDiscord = 0.03
    /// Of different modalities: by how much more of what is left is explained than with the motion put wrong.
    static let distinctnessSure = 0.2
    static let distinctnessLeast = 0.1
    static let softerDoubtfulMM = 2.0
    static let inverseDoubtfulMM = 3.0
    static let inverseLargestMM = 8.0
    static let overlapLeast = 0.3
    static let overlapSure = 0.7
    static let expectedDoubtfulMM = 3.0
    /// Landmarks farther from the tumour's surface tell nothing about it.
    static let landmarkReachMM = 60.0
    /// How far apart a reader puts the two points of a landmark.
    static let landmarkPlacingMM = 2.0
    static let landmarkDoubtfulMM = 5.0
    /// Organs move against each other, but landmarks that even the best rigid motion leaves farther apart are not the same places.
    static let landmarkMisfitMM = 15.0
    /// A tumour must not shrink into the ice.
    static let volumeChangeDoubtful = 0.01

    /// The evidence, before it is judged.
    struct Evidence {
        var inverseErrorMM: Double?
        var softerDifferenceMM: Double
        var rigidDifferenceMM: Double
        var usedDifferenceMM = 0.0
        var landmarks: [LandmarkEvidence] = []
        /// What the rigid motion that fits all landmarks best leaves between their points, in the mean.
        var landmarkMisfitMM = 0.0
        var similarity, explained, shiftedSimilarity, bendingMM, overlap, smallestJacobian: Double
        var tumourVolumeChange: Double? = 0
        var blocks: BlockAgreement?
        /// See `DetailComparison`.
        var details: Double?
        var sharedFrame: SharedFrame?
        var isSameModality: Bool
        var isFocusInView: Bool
    }
    /// What the motion leaves between the two points of a landmark, and how far from the tumour's surface it lies.
    struct LandmarkEvidence {
        var errorMM, distanceMM: Double
    }

    init(_ evidence: Evidence) {
        (inverseErrorMM, softerDifferenceMM) = (evidence.inverseErrorMM, evidence.softerDifferenceMM)
        (rigidDifferenceMM, similarity) = (evidence.rigidDifferenceMM, evidence.similarity)
        (explained, shiftedSimilarity, bendingMM) = (evidence.explained, evidence.shiftedSimilarity, evidence.bendingMM)
        (overlap, smallestJacobian, tumourVolumeChange) = (evidence.overlap, evidence.smallestJacobian, evidence.tumourVolumeChange)
        usedDifferenceMM = evidence.usedDifferenceMM
        (blockAgreement, blockShiftMM) = (evidence.blocks?.share, evidence.blocks?.medianShiftMM)
        (blockCorrelation, blockCount) = (evidence.blocks?.correlation, evidence.blocks?.count ?? 0)
        detail = evidence.details
        let near = evidence.landmarks.filter { $0.distanceMM <= Self.landmarkReachMM }.map(\.errorMM)
        let landmarkError = near.isEmpty ? nil : near.reduce(0, +) / Double(near.count)
        landmarkErrorMM = landmarkError
        // What landmarks leave beyond what placing them does.
        let beyond = landmarkError.map { max(0, $0 * $0 - Self.landmarkPlacingMM * Self.landmarkPlacingMM).squareRoot() } ?? 0
        let terms = [
            Self.leastErrorMM, Self.bendingShare * bendingMM, Self.inverseShare * (inverseErrorMM ?? Self.inverseLargestMM),
            Self.softerShare * softerDifferenceMM, evidence.isSameModality ? 0 : Self.otherModalityMM, usedDifferenceMM, beyond,
        ]
        expectedErrorMM = terms.map { $0 * $0 }.reduce(0, +).squareRoot()

        func text(_ value: Double, _ digits: Int = 1) -> String { String(format: "%.\(digits)f", value) }
        var failures: [String] = [], doubts: [String] = []
        if !evidence.isFocusInView { failures.append("The tumour would lie outside the field of view.") }
        if overlap < Self.overlapLeast {
            failures.append("Only \(text(100 * overlap, 0)) % of the tissue around the tumour is shown by both scans.")
        } else if overlap < Self.overlapSure {
            doubts.append("Only \(text(100 * overlap, 0)) % of the tissue around the tumour is shown by both scans.")
        }
        let (disbelief, message) = Self.disbelief(evidence)
        if let sharedFrame = evidence.sharedFrame { doubts += sharedFrame.doubts }
        if evidence.sharedFrame?.isPlausible ?? false {
            // The frame makes up for what the images do not tell; that is said already.
        } else if disbelief > Self.disbeliefLargest {
            failures.append(message)
        } else if disbelief > Self.disbeliefDoubtful {
            doubts.append(message)
        }
        if softerDifferenceMM > Self.softerDoubtfulMM {
            doubts.append("Another start and a softer displacement lead elsewhere, by \(text(softerDifferenceMM)) mm.")
        }
        if let inverseErrorMM {
            let message = "Registering the scans the other way round leads elsewhere, by \(text(inverseErrorMM)) mm."
            if inverseErrorMM > Self.inverseLargestMM {
                failures.append(message)
            } else if inverseErrorMM > Self.inverseDoubtfulMM {
                doubts.append(message)
            }
        } else {
            failures.append("The scans cannot be registered the other way round.")
        }
        if let landmarkError, landmarkError > Self.landmarkDoubtfulMM {
            doubts.append("The landmarks near the tumour lie \(text(landmarkError)) mm apart after registration.")
        }
        if evidence.landmarkMisfitMM > Self.landmarkMisfitMM {
            let leaves = "leaves \(text(evidence.landmarkMisfitMM)) mm between their points."
            doubts.append("The landmarks contradict each other: the rigid motion that fits them best " + leaves)
        }
        if let tumourVolumeChange, abs(tumourVolumeChange) > Self.volumeChangeDoubtful {
            doubts.append("The motion changes the tumour's volume by \(text(100 * tumourVolumeChange)) %.")
        }
        if smallestJacobian <= 0 { failures.append("The displacement folds.") }
        if expectedErrorMM > Self.expectedDoubtfulMM {
            doubts.append("The expected error at the tumour's surface is \(text(expectedErrorMM)) mm.")
        }
        status = !failures.isEmpty ? .fail : doubts.isEmpty ? .pass : .doubtful
        reasons = failures + doubts
    }

    /// How much speaks against the two scans showing the same tissue, and in words.
    private static func disbelief(_ evidence: Evidence) -> (Double, String) {
        func percent(_ share: Double) -> String { String(format: "%.0f %%", 100 * share) }
        let agreement = evidence.blocks?.share
        let blockwise = agreement.map { "\(percent($0)) of small blocks of tissue there find themselves where the registration puts them" }
        if evidence.isSameModality {
            // What speaks for one patient makes up for what speaks against it.
            let missing = (explainedSure - evidence.explained) / explainedStep + softerDisbelief * evidence.softerDifferenceMM
            let disbelief = agreement.map { missing + (agreementSure - $0) / agreementStep + disbeliefDoubtful / 2 }
                ?? (evidence.explained < explainedSure ? missing : 0)
            let message = "The scans explain only \(percent(evidence.explained)) of each other's contrast around the tumour"
            return (disbelief, message + (blockwise.map { ", and " + $0 } ?? "") + ": as scans of different patients or regions do.")
        }
        let concordance = agreement.flatMap { agreement in
            evidence.details.map { agreement + $0 - softerDiscord * evidence.softerDifferenceMM }
        }
        let distinctness = (evidence.similarity - evidence.shiftedSimilarity)
            / max(1 - evidence.shiftedSimilarity, .leastNormalMagnitude)
        // From one limit to the other, between the two limits of disbelief.
        func disbelieved(_ value: Double, sure: Double, least: Double) -> Double {
            value >= sure ? 0 : disbeliefDoubtful + (sure - value) / (sure - least) * (disbeliefLargest - disbeliefDoubtful)
        }
        let byContrast = disbelieved(distinctness, sure: distinctnessSure, least: distinctnessLeast)
        let byDetails = concordance.map { disbelieved($0, sure: concordanceSure, least: concordanceLeast) } ?? disbeliefDoubtful.nextUp
        let contrast = "they explain \(percent(evidence.similarity)) of each other's contrast, and \(percent(evidence.shiftedSimilarity)) "
            + "even when put wrong on purpose"
        let details = blockwise.map { "only " + $0 } ?? "too little there has details to compare"
        return (
            max(byContrast, byDetails),
            "The scans, of different modalities, resemble each other around the tumour no more than those of different patients or "
                + "regions may: " + (byContrast > byDetails ? contrast : details) + ".")
    }
}
