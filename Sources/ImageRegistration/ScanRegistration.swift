import Foundation
import ImagingCore

/// What is known of a motion beforehand (fixed frame → moving frame).
public struct RegistrationGuidance: Sendable {
    /// Where to start from.
    public var initial: ImagingCore.AffineTransform?
    /// Where to start from when there is no `initial`, and evidence about the result in any case.
    public var landmarks: [LandmarkPair] = []
    /// The motion itself, which is then only judged, by the one that is found from there.
    public var given: DeformableTransform?
    /// Whether smooth displacement is left out.
    public var isRigidOnly = false

    public init() {}

    var start: ImagingCore.AffineTransform? { initial ?? (landmarks.isEmpty ? nil : .init(fittedTo: landmarks)) }
}

/// One scan brought onto another, rigidly or smoothly, with what is known of its error.
public struct ScanRegistration: SpatialTransform {
    /// Fixed frame → moving frame, LPS millimetres.
    public let rigid: ImagingCore.AffineTransform
    /// The same with the smooth displacement; `nil` when only the rigid motion is wanted.
    public let deformable: DeformableTransform?
    public let quality: RegistrationQuality

    /// Fixed frame → moving frame.
    public func callAsFunction(_ point: PatientPoint) -> PatientPoint { deformable?(point) ?? rigid(point) }

    /// Where a point of the moving frame lies in the fixed frame.
    public func fixedPoint(of point: PatientPoint) -> PatientPoint { deformable?.source(of: point) ?? rigid.inverse!(point) }

    /// The whole motion (fixed frame → moving frame) as displacements on a grid that covers `grid` to the edge of its outermost voxels.
    public func displacements(over grid: GridGeometry, spacingMM: Double = 4) -> DisplacementField {
        let size = grid.size
        func count(_ count: Int, _ spacing: Double) -> Int { Int((Double(count) * spacing / spacingMM).rounded(.up)) + 1 }
        // Sound because the given grid is.
        let coarse = try! GridGeometry(
            size: GridSize(count(size.i, grid.spacing.x), count(size.j, grid.spacing.y), count(size.k, grid.spacing.z)),
            spacing: SIMD3(repeating: spacingMM), origin: grid.point(ContinuousIndex(-0.5, -0.5, -0.5)), axes: grid.axes,
            frameOfReferenceUID: grid.frameOfReferenceUID)
        return DisplacementField(grid: coarse, vectors: (0..<coarse.size.voxelCount).map { offset in
            let point = coarse.point(coarse.size.index(atOffset: offset))
            return SIMD4(SIMD3<Float>((self(point) - point).lps), 0)
        })
    }

    /// The parts of the work, in their order.
    public enum Step: String, Sendable, CaseIterable {
        /// The search from nothing and the rigid motion, with making the scans ready.
        case rigid
        case deformable
        /// What is made again to judge the motion.
        case quality
    }

    /// What is taken for the tumour when no focus is given: the middle of the fixed scan.
    static let defaultRadiusMM = 30.0

    /// Registers from nothing, or with what is known of the motion.
    ///
    /// - Parameters:
    ///   - focus: the tumour, in the moving scan's frame: tissue around it decides, it stays rigid, and the error is told for it.
    ///   - finished: called after each step.
    public init(
        fixed: RegistrationScan, moving: RegistrationScan, focus: RegistrationFocus? = nil, guidance: RegistrationGuidance = .init(),
        finished: (Step) -> Void = { _ in }
    ) throws(RegistrationError) {
        try Self.requireSound(fixed, moving, focus, guidance.landmarks)
        let pair = RegistrationPair(fixed: fixed, moving: moving)
        let given = guidance.given
        let motion = try RigidRegistration(pair, focus: focus, initial: given?.rigid ?? guidance.start)
        finished(.rigid)
        let smooth = try DeformableRegistration(pair, focus: focus, from: motion.fixedToMoving)
        finished(.deformable)
        (rigid, deformable) = given.map { ($0.rigid, $0) } ?? (motion.fixedToMoving, guidance.isRigidOnly ? nil : smooth.fixedToMoving)
        quality = try Self.quality(
            pair, motion, smooth, used: deformable ?? DeformableTransform(rigid), focus: focus ?? .init(center: motion.fixedToMoving(fixed.volume.geometry.center), radiusMM: Self.defaultRadiusMM),
            isTumour: focus != nil, isInView: fixed.volume.geometry.contains, landmarks: guidance.landmarks)
        finished(.quality)
    }

    /// Thinner scans hold too little of anything.
    private static let leastThicknessMM = 20.0
    private static func requireSound(
        _ fixed: RegistrationScan, _ moving: RegistrationScan, _ focus: RegistrationFocus?, _ landmarks: [LandmarkPair]
    ) throws(RegistrationError) {
        for (name, scan) in [("fixed", fixed), ("moving", moving)] {
            let grid = scan.volume.geometry
            let thickness = (grid.spacing * SIMD3(Double(grid.size.i), Double(grid.size.j), Double(grid.size.k))).min()
            guard thickness >= leastThicknessMM else { throw .tooThin(scan: name, thicknessMM: thickness) }
        }
        if let focus, !moving.volume.geometry.contains(focus.center) { throw .focusOutside(focus.center) }
        for (number, pair) in landmarks.enumerated() {
            for (name, scan, point) in [("moving", moving, pair.moving), ("fixed", fixed, pair.fixed)] where !scan.volume.geometry.contains(point) {
                throw .landmarkOutside(number: number + 1, scan: name, point)
            }
        }
    }

    /// Another start for everything that is made again.
    private static let nudgeMM = PatientVector(5, 6, -7)
    private static let nudgeRadians = 0.08
    private static let softerFactor: Float = 0.2
    private static func quality(
        _ pair: RegistrationPair, _ rigid: RigidRegistration, _ smooth: DeformableRegistration, used: DeformableTransform,
        focus: RegistrationFocus, isTumour: Bool, isInView: (PatientPoint) -> Bool, landmarks: [LandmarkPair]
    ) throws(RegistrationError) -> RegistrationQuality {
        let transform = smooth.fixedToMoving
        let center = transform.source(of: focus.center)
        let back = RegistrationFocus(center: center, radiusMM: focus.radiusMM)
        let surface = back.surfacePoints()
        func meanDistance(_ other: (PatientPoint) -> PatientPoint, to reference: (PatientPoint) -> PatientPoint) -> Double {
            surface.map { other($0).distance(to: reference($0)) }.reduce(0, +) / Double(surface.count)
        }
        let nudge = ImagingCore.AffineTransform(
            rotation: .rotation(about: PatientVector(1, -1, 1), radians: nudgeRadians), about: center, translation: nudgeMM)

        // What lies far from the tumour need not be made again.
        let reach = focus.radiusMM + FocusComparison.farthestMM
        let softer = try DeformableRegistration(
            pair.croppedFixed(around: center, reachMM: reach), focus: focus, from: nudge.followed(by: rigid.fixedToMoving), stiffness: softerFactor * DeformableRegistration.stiffness)
        let exchanged = pair.exchanged
        var wayBack: DeformableTransform?
        if let rigidBack = try? RigidRegistration(exchanged, focus: back, initial: rigid.movingToFixed.followed(by: nudge)) {
            wayBack = try? DeformableRegistration(
                exchanged.croppedFixed(around: focus.center, reachMM: reach), focus: back, from: rigidBack.fixedToMoving).fixedToMoving
        }
        let landmarkFit = landmarks.isEmpty ? nil : ImagingCore.AffineTransform(fittedTo: landmarks)
        let misfit = landmarkFit.map { fit in landmarks.map { fit($0.fixed).distance(to: $0.moving) }.reduce(0, +) / Double(landmarks.count) } ?? 0
        let fit = FocusComparison(pair, transform, around: back), blocks = BlockAgreement(pair, transform, around: back)
        return RegistrationQuality(.init(
            inverseErrorMM: wayBack.map { back in meanDistance({ back(transform($0)) }, to: { $0 }) },
            softerDifferenceMM: meanDistance({ softer.fixedToMoving($0) }, to: { transform($0) }),
            rigidDifferenceMM: meanDistance({ rigid.fixedToMoving($0) }, to: { transform($0) }),
            usedDifferenceMM: meanDistance({ used($0) }, to: { transform($0) }), landmarks: landmarks.map { landmark in
                .init(errorMM: used(landmark.fixed).distance(to: landmark.moving), distanceMM: max(0, landmark.fixed.distance(to: center) - focus.radiusMM))
            }, landmarkMisfitMM: misfit,
            similarity: fit.similarity, explained: fit.explained, shiftedSimilarity: fit.shiftedSimilarity, bendingMM: smooth.bendingMM, overlap: fit.overlap,
            smallestJacobian: used.displacement.smallestJacobian(),
            tumourVolumeChange: isTumour ? used.volumeChange(of: .init(center: used.source(of: focus.center), radiusMM: focus.radiusMM)) : nil, blocks: blocks, isSameModality: pair.isSameModality, isFocusInView: isInView(center)))
    }
}
