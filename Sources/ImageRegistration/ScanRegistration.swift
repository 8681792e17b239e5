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
    /// What became of the frame of reference that both scans name; `nil` when they name different ones, or a hint is given.
    public let sharedFrame: SharedFrame?

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
    ///   - finished: called after each step; more than once where the motion is looked for again.
    public init(
        fixed: RegistrationScan, moving: RegistrationScan, focus: RegistrationFocus? = nil, guidance: RegistrationGuidance = .init(),
        finished: @escaping (Step) -> Void = { _ in }
    ) throws(RegistrationError) {
        try Self.requireSound(fixed, moving, focus, guidance.landmarks)
        let search = MotionSearch(
            pair: RegistrationPair(fixed: fixed, moving: moving), focus: focus, landmarks: guidance.landmarks,
            isInView: fixed.volume.geometry.contains, finished: finished)
        if guidance.start == nil, guidance.given == nil, SharedFrame.isNamed(by: fixed, moving) {
            let found = try SharedFrameSearch(search, isRigidOnly: guidance.isRigidOnly)
            (rigid, deformable) = (found.motion.rigid, guidance.isRigidOnly ? nil : found.motion)
            (quality, sharedFrame) = (found.quality, found.outcome)
        } else {
            let found = try search.motion(from: guidance.given?.rigid ?? guidance.start)
            (rigid, deformable) = guidance.given.map { ($0.rigid, $0) }
                ?? (found.rigid.fixedToMoving, guidance.isRigidOnly ? nil : found.smooth.fixedToMoving)
            quality = RegistrationQuality(search.evidence(
                try search.evidence(found), of: found, used: deformable ?? DeformableTransform(rigid)))
            sharedFrame = nil
        }
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
            for (name, scan, point) in [
                ("moving", moving, pair.moving), ("fixed", fixed, pair.fixed)
            ] where !scan.volume.geometry.contains(point) {
                throw .landmarkOutside(number: number + 1, scan: name, point)
            }
        }
    }
}
