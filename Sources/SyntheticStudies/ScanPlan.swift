import Foundation
import ImagingCore

/// Which part of the patient a scan images, and how finely.
struct ScanPlan {
    enum Role: String { case planning, prefreeze, intraprocedural, followup }

    var role: Role
    var geometry: GridGeometry
    var sliceThicknessMM: Double
    var motion: PatientMotion

    /// A grid for `role` that holds the tumour at `tumourCenter` (in the scan's space).
    init(
        _ role: Role, options: StudyOptions, isProne: Bool, tumourCenter: SIMD3<Double>, motion: PatientMotion, frameOfReferenceUID: String
    ) throws(GeometryError) {
        self.role = role
        self.motion = motion
        var generator = SeededGenerator(seed: options.seed, purpose: "field of view \(role == .prefreeze ? .intraprocedural : role)")
        let isPlanningLike = role == .planning || role == .followup
        let size: GridSize, spacing: SIMD3<Double>
        switch (options.modality, options.size, isPlanningLike) {
        case (.ct, .small, true): (size, spacing, sliceThicknessMM) = (GridSize(184, 176, 52), SIMD3(0.9375, 0.9375, 2.5), 2.5)
        case (.ct, .small, false): (size, spacing, sliceThicknessMM) = (GridSize(176, 168, 40), SIMD3(0.878906, 0.878906, 3), 3)
        case (.ct, .full, true): (size, spacing, sliceThicknessMM) = (GridSize(512, 512, 200), SIMD3(0.78125, 0.78125, 1.5), 1.5)
        case (.ct, .full, false): (size, spacing, sliceThicknessMM) = (GridSize(512, 512, 120), SIMD3(0.703125, 0.703125, 2.5), 2.5)
        case (.mr, .small, true): (size, spacing, sliceThicknessMM) = (GridSize(160, 152, 48), SIMD3(1.09375, 1.09375, 2.5), 2.5)
        case (.mr, .small, false): (size, spacing, sliceThicknessMM) = (GridSize(144, 136, 38), SIMD3(1.1875, 1.1875, 3), 3)
        case (.mr, .full, true): (size, spacing, sliceThicknessMM) = (GridSize(384, 312, 112), SIMD3(1.0416667, 1.0416667, 2.5), 2.5)
        case (.mr, .full, false): (size, spacing, sliceThicknessMM) = (GridSize(320, 260, 80), SIMD3(1.25, 1.25, 3), 3)
        }
        let axes = isProne
            ? try PatientAxes(i: PatientVector(-1, 0, 0), j: PatientVector(0, -1, 0), k: PatientVector(0, 0, 1)) : PatientAxes.identity
        var middle = tumourCenter + SIMD3(generator.uniform(-6...6), generator.uniform(-6...6), generator.uniform(-5...5))
        if options.size == .full {
            // The table is centred on the patient; only along it does the scan follow the tumour.
            let trunk = motion(PatientPoint(0, 4, tumourCenter.z)).lps
            middle = SIMD3(trunk.x + generator.uniform(-8...8), trunk.y + generator.uniform(-6...6), middle.z)
        } else {
            // Rather show the body than the air beside it.
            middle += 0.3 * (motion(PatientPoint(0, 4, tumourCenter.z)).lps - tumourCenter) * SIMD3(1, 1, 0)
        }
        let half = SIMD3(Double(size.i - 1), Double(size.j - 1), Double(size.k - 1)) / 2 * spacing
        let origin = ((middle - axes.vector(half).lps) * 1000).rounded(.toNearestOrAwayFromZero) / 1000
        geometry = try GridGeometry(
            size: size, spacing: spacing, origin: PatientPoint(origin), axes: axes, frameOfReferenceUID: frameOfReferenceUID)
    }
}
