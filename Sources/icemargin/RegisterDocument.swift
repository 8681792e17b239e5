import Foundation
import ImageRegistration
import ImagingCore
import Reporting
import VerificationPipeline

/// What `register --json` prints and `register.json` holds.
struct RegisterDocument: Encodable {
    let schema = "icemargin.register/1"
    let movingSeriesInstanceUID, fixedSeriesInstanceUID: String?
    /// As in the report: moving (planning) frame → fixed (intraprocedural) frame.
    let rigid: CaseReport.Registration.Rigid
    let deformable: Deformable?
    let quality: Quality
    let findings: [Finding]
    /// `register`: the motion and its quality, without reading and writing; its steps `rigid`, `deformable`, `quality`.
    let timingsS: [String: Double]

    struct Deformable: Encodable {
        /// Of the displacement that is added to the rigid motion, over the body.
        let meanDisplacementMM, maximumDisplacementMM: Double
    }
    struct Quality: Encodable {
        let status: String
        let reasons: [String]
        /// The mean error to expect at the tumour's surface; `null` where `status` is `fail`.
        let expectedErrorMM: Double?
        let inverseErrorMM: Double?
        let softerDifferenceMM: Double
        let rigidDifferenceMM, usedDifferenceMM: Double
        let landmarkErrorMM: Double?
        let similarity, explained, shiftedSimilarity, bendingMM, overlap: Double
        let blockAgreement, blockShiftMM, blockCorrelation: Double?
        let blockCount: Int
        let detail: Double?
        /// Of the motion's displacement; negative where it folds.
        let smallestJacobian: Double
        let tumourVolumeChangePercent: Double?
    }

    init(
        _ found: ScanRegistration, scans: (moving: StageScan, fixed: StageScan), seconds: [ScanRegistration.Step: Double],
        findings: [Finding]
    ) {
        (movingSeriesInstanceUID, fixedSeriesInstanceUID) = (scans.moving.seriesInstanceUID, scans.fixed.seriesInstanceUID)
        rigid = .init(found.rigid.inverse!)
        deformable = found.deformable.map { smooth in
            let lengths = smooth.displacement.vectors.map { Double(($0 * $0).sum()).squareRoot() }
            return Deformable(
                meanDisplacementMM: lengths.reduce(0, +) / Double(lengths.count), maximumDisplacementMM: lengths.max() ?? 0)
        }
        let q = found.quality
        quality = Quality(
            status: q.status.rawValue, reasons: q.reasons, expectedErrorMM: q.statedErrorMM, inverseErrorMM: q.inverseErrorMM,
            softerDifferenceMM: q.softerDifferenceMM, rigidDifferenceMM: q.rigidDifferenceMM,
            usedDifferenceMM: q.usedDifferenceMM, landmarkErrorMM: q.landmarkErrorMM, similarity: q.similarity, explained: q.explained,
            shiftedSimilarity: q.shiftedSimilarity, bendingMM: q.bendingMM, overlap: q.overlap,
            blockAgreement: q.blockAgreement, blockShiftMM: q.blockShiftMM, blockCorrelation: q.blockCorrelation, blockCount: q.blockCount,
            detail: q.detail,
            smallestJacobian: q.smallestJacobian,
            tumourVolumeChangePercent: q.tumourVolumeChange.map { 100 * $0 })
        self.findings = findings
        timingsS = Dictionary(uniqueKeysWithValues: seconds.map { ($0.rawValue, $1) }).merging(["register": seconds.values.reduce(0, +)]) {
            $1
        }
    }

    /// For a person.
    var text: String {
        let error = quality.expectedErrorMM.map { String(format: "%.1f mm", $0) } ?? "unknown"
        var lines = ["registration: \(quality.status), expected error at the tumour \(error)"]
        lines += quality.reasons
        if let deformable {
            lines.append(String(
                format: "deformation beyond the rigid motion: %.1f mm on average, %.1f mm at most", deformable.meanDisplacementMM,
                deformable.maximumDisplacementMM))
        }
        lines += findings.map { "\($0.severity.rawValue): \($0.message)\($0.remedy.isEmpty ? "" : " \($0.remedy)")" }
        return lines.joined(separator: "\n")
    }
}
