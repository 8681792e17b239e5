import Foundation
import ImagingCore

/// What became of the frame of reference that two scans share by their headers.
///
/// One frame says that the table did not move between the scans, so that places are the same but for how the patient lay and breathed. It
/// is believed as long as the images do not say otherwise, and left only as far as they do beyond chance.
public enum SharedFrame: Sendable, Hashable {
    /// The images confirm it: no motion between the scans fits significantly better.
    case kept
    /// The images show, beyond chance, that the tissue around the tumour moved by so much, and the motion follows it.
    case left(byMM: Double)
    /// The images, of different modalities, resemble each other too little to confirm any motion. The one that fits best leads so far
    /// away, which a patient at rest may well move; the frame is kept.
    case unconfirmed(awayMM: Double)
    /// The images fit so far away from where the frame puts them that it cannot be right; the motion is theirs.
    case contradicted(byMM: Double)
    /// The images neither fit as the frame says nor in any other way.
    case refuted

    /// Where a patient who did not get up may lie, when nothing better is known.
    static let plausibleMM = 8.0

    static func isNamed(by fixed: RegistrationScan, _ moving: RegistrationScan) -> Bool {
        fixed.volume.geometry.frameOfReferenceUID.map { $0 == moving.volume.geometry.frameOfReferenceUID } ?? false
    }

    /// Whether the frame makes up for images that do not confirm the motion.
    var isPlausible: Bool { if case .unconfirmed = self { true } else { false } }

    var doubts: [String] {
        switch self {
        case .kept, .left, .refuted: []
        case .unconfirmed(let awayMM):
            [String(
                format: "The scans share a frame of reference, which is kept; but the images do not confirm it, and fit best %.1f mm away.",
                awayMM)]
        case .contradicted(let byMM):
            [String(format: "The scans claim to share a frame of reference, but fit %.1f mm away from where it puts them.", byMM)]
        }
    }
}

/// The motion between two scans that share a frame of reference.
struct SharedFrameSearch {
    /// Fixed frame → moving frame.
    let motion: DeformableTransform
    let quality: RegistrationQuality
    let outcome: SharedFrame

    init(_ search: MotionSearch, isRigidOnly: Bool) throws(RegistrationError) {
        func judged(
            _ found: MotionSearch.Found, _ evidence: RegistrationQuality.Evidence, used: DeformableTransform, as outcome: SharedFrame? = nil
        ) -> RegistrationQuality {
            RegistrationQuality(search.evidence(evidence, of: found, used: used, sharedFrame: outcome))
        }
        let near = Result { () throws(RegistrationError) in try Self.judgeable(search, from: .identity) }
        if let (found, evidence) = try? near.get() {
            let smooth = found.smooth.fixedToMoving
            if judged(found, evidence, used: smooth).status != .fail {
                motion = Self.confirmed(search, found, isRigidOnly: isRigidOnly)
                let awayMM = Self.distance(of: motion, search.fixedTarget(of: found))
                outcome = awayMM == 0 ? .kept : .left(byMM: awayMM)
                quality = judged(found, evidence, used: motion, as: outcome)
                return
            }
        }
        // From nothing: a patient who lay elsewhere, or another one.
        let far = try? Self.judgeable(search, from: nil)
        let farMM = far.map { Self.distance(of: $0.found.smooth.fixedToMoving, search.fixedTarget(of: $0.found)) }
        if let (found, evidence) = far, let farMM, judged(found, evidence, used: found.smooth.fixedToMoving).status == .pass {
            motion = isRigidOnly ? DeformableTransform(found.rigid.fixedToMoving) : found.smooth.fixedToMoving
            outcome = .contradicted(byMM: farMM)
            quality = judged(found, evidence, used: motion, as: outcome)
            return
        }
        let (found, evidence) = try near.get()
        motion = DeformableTransform(.identity)
        let nearMM = Self.distance(of: found.smooth.fixedToMoving, search.fixedTarget(of: found))
        if let farMM, !search.pair.isSameModality, max(nearMM, farMM) <= SharedFrame.plausibleMM {
            outcome = .unconfirmed(awayMM: max(nearMM, farMM))
        } else {
            outcome = .refuted
        }
        quality = judged(found, evidence, used: motion, as: outcome)
    }

    private static func judgeable(
        _ search: MotionSearch, from start: ImagingCore.AffineTransform?
    ) throws(RegistrationError) -> (found: MotionSearch.Found, evidence: RegistrationQuality.Evidence) {
        let found = try search.motion(from: start)
        return (found, try search.evidence(found))
    }

    /// The frame itself, a rigid motion or a smooth one: each only when details speak for it beyond chance.
    private static func confirmed(_ search: MotionSearch, _ near: MotionSearch.Found, isRigidOnly: Bool) -> DeformableTransform {
        let smooth = near.smooth.fixedToMoving
        var best = DeformableTransform(.identity)
        let target = search.fixedTarget(of: near)
        guard let details = DetailComparison(search.pair, near: smooth, around: target, reachMM: DetailComparison.motionReachMM) else {
            return best
        }
        var evidence = details.evidence(best)
        for motion in [DeformableTransform(near.rigid.fixedToMoving)] + (isRigidOnly ? [] : [smooth]) {
            let its = details.evidence(motion)
            if DetailComparison.isBetter(its, than: evidence) { (best, evidence) = (motion, its) }
        }
        return best
    }

    /// How far a motion brings the surface of a ball of the fixed frame from where it is, in the mean.
    private static func distance(of motion: DeformableTransform, _ ball: RegistrationFocus) -> Double {
        let surface = ball.surfacePoints()
        return surface.map { motion($0).distance(to: $0) }.reduce(0, +) / Double(surface.count)
    }
}
