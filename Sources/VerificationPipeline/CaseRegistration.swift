import DICOMObjects
import Foundation
import ImageRegistration
import ImagingCore
import NIfTIFormat
import Reporting

/// Brings what a case has on the planning scan onto the treated one.
struct CaseRegistration {
    let choice: CaseDescription.RegistrationChoice
    let planning, treated: Scan
    let treatedRole: String
    /// Of the site profile.
    let isRigidByProfile: Bool

    /// What registering around one tumour gave.
    enum Outcome {
        case registered(ScanRegistration)
        case impossible(RegistrationError)

        var registration: ScanRegistration? { if case .registered(let registration) = self { registration } else { nil } }
        /// What margins may rest on.
        var usable: ScanRegistration? { registration.flatMap { $0.quality.status == .fail ? nil : $0 } }
    }

    var isRigidOnly: Bool { choice.isRigid ?? isRigidByProfile }

    /// Registers around `tumour` (in the planning frame); around the middle of the treated scan without one.
    ///
    /// - Parameter excluded: what must not be compared in the treated scan (ice, an ablation zone).
    func register(around tumour: CaseObject?, excluded: Mask?) throws -> Outcome {
        var guidance = RegistrationGuidance()
        guidance.initial = try choice.initialTransform.map { try RigidTransformFile.read($0) }
        guidance.landmarks = choice.landmarks
        guidance.given = try given()
        guidance.isRigidOnly = isRigidOnly
        do {
            return .registered(try ScanRegistration(
                fixed: RegistrationScan(treated.volume, modality: treated.modality, excluded: excluded),
                moving: RegistrationScan(planning.volume, modality: planning.modality), focus: tumour?.focus, guidance: guidance))
        } catch {
            return .impossible(error)
        }
    }

    private func given() throws -> DeformableTransform? {
        if let file = choice.displacement {
            let (vectors, grid) = try NIfTIFile.readDisplacements(file)
            return DeformableTransform(DisplacementField(grid: grid, vectors: vectors))
        }
        return try choice.transform.map { DeformableTransform(try RigidTransformFile.read($0)) }
    }

    var method: String {
        if choice.displacement != nil { return "given displacement" }
        if choice.transform != nil { return "given rigid" }
        return isRigidOnly ? "rigid" : "deformable"
    }

    /// What a person should know about a registration.
    func findings(_ outcome: Outcome, tumour: String?) -> [Finding] {
        let place = tumour.map { " around the tumour \($0)" } ?? ""
        switch outcome {
        case .impossible(let error): return [error.finding]
        case .registered(let registration):
            let quality = registration.quality
            let error = String(format: "%.1f", quality.expectedErrorMM)
            switch quality.status {
            case .pass:
                return [Finding(
                    .info, "registered",
                    "The planning scan was registered to the \(treatedRole) scan (\(method)); the error to expect at the tumour’s surface\(tumour.map { " (\($0))" } ?? "") is \(error) mm.")]
            case .doubtful:
                return [Finding(
                    .warning, "registration-doubtful",
                    "The registration of the planning to the \(treatedRole) scan\(place) is doubtful. \(quality.reasons.joined(separator: " "))",
                    remedy: "Look at the picture of the registration; give landmarks or a transform in the case to improve on it.")]
            case .fail:
                return [Finding(
                    .error, "registration-failed",
                    "The planning scan could not be registered to the \(treatedRole) scan\(place), so no margin is measured. \(quality.reasons.joined(separator: " "))",
                    remedy: "Check that both scans show the same patient and region; give landmarks, an initial transform or a planning scan of the same session.")]
            }
        }
    }

    /// The report's part. Of several tumours' registrations the one with the largest error.
    func report(_ outcomes: [Outcome]) -> CaseReport.Registration {
        let found = outcomes.compactMap(\.registration)
        guard let worst = found.max(by: { $0.quality.expectedErrorMM < $1.quality.expectedErrorMM }) else {
            return .init(rigid: .init(.identity), quality: .init(method: method, trusted: false, expectedErrorMM: nil))
        }
        let quality = worst.quality
        var measures = [
            "similarity": quality.similarity, "overlap": quality.overlap, "smallestJacobian": quality.smallestJacobian,
            "softerDifferenceMM": quality.softerDifferenceMM, "rigidDifferenceMM": quality.rigidDifferenceMM,
            "usedDifferenceMM": quality.usedDifferenceMM,
        ]
        measures["tumourVolumeChangePercent"] = quality.tumourVolumeChange.map { 100 * $0 }
        measures["blockAgreement"] = quality.blockAgreement
        measures["inverseErrorMM"] = quality.inverseErrorMM
        measures["landmarkErrorMM"] = quality.landmarkErrorMM
        let deformable = worst.deformable.map { smooth in
            let lengths = smooth.displacement.vectors.map { Double(($0 * $0).sum()).squareRoot() }
            return CaseReport.Registration.Deformable(
                method: choice.displacement == nil ? "B-spline" : "given", meanDisplacementMM: lengths.reduce(0, +) / Double(lengths.count),
                maximumDisplacementMM: lengths.max() ?? 0)
        }
        return .init(
            rigid: .init(worst.rigid.inverse!), deformable: deformable,
            quality: .init(
                method: method, trusted: outcomes.allSatisfy { $0.registration?.quality.status == .pass },
                status: outcomes.allSatisfy { $0.usable != nil } ? quality.status.rawValue : RegistrationQuality.Status.fail.rawValue,
                reasons: quality.reasons, measures: measures,
                expectedErrorMM: outcomes.allSatisfy { $0.usable != nil } ? quality.statedErrorMM : nil))
    }
}

extension CaseObject {
    /// The ball around its surface; `nil` when it is empty.
    var focus: RegistrationFocus? {
        surface.centroid.map { center in
            RegistrationFocus(center: center, radiusMM: surface.vertices.map { $0.distance(to: center) }.max() ?? 0)
        }
    }
}
