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

    /// What is taken for the tumour when no focus is given: the middle of the fixed scan.
    static let defaultRadiusMM = 30.0

    /// Registers from nothing, or with what is known of the motion.
    ///
    /// - Parameter focus: the tumour, in the moving scan's frame: tissue around it decides, it stays rigid, and the error is told for it.
    public init(
        fixed: RegistrationScan, moving: RegistrationScan, focus: RegistrationFocus? = nil, guidance: RegistrationGuidance = .init()
    ) throws(RegistrationError) {
        let pair = RegistrationPair(fixed: fixed, moving: moving)
        let given = guidance.given
        let motion = try RigidRegistration(pair, focus: focus, initial: given?.rigid ?? guidance.start)
        let smooth = try DeformableRegistration(pair, focus: focus, from: motion.fixedToMoving)
        (rigid, deformable) = given.map { ($0.rigid, $0) } ?? (motion.fixedToMoving, guidance.isRigidOnly ? nil : smooth.fixedToMoving)
        let own = rigid, used: @Sendable (PatientPoint) -> PatientPoint = { [deformable] in deformable?($0) ?? own($0) }
        quality = try Self.quality(
            pair, motion, smooth, used: used, focus: focus ?? .init(center: motion.fixedToMoving(fixed.volume.geometry.center), radiusMM: Self.defaultRadiusMM),
            isSameModality: fixed.modality == moving.modality, isInView: fixed.volume.geometry.contains, landmarks: guidance.landmarks)
    }

    /// Another start for everything that is made again.
    private static let nudgeMM = PatientVector(5, 6, -7)
    private static let nudgeRadians = 0.08
    private static let softerFactor: Float = 0.2
    /// How far around the tumour, and in what windows, the scans are compared.
    private static let similarityReachMM = 40.0
    private static let similarityWindowMM = 20.0

    private static func quality(
        _ pair: RegistrationPair, _ rigid: RigidRegistration, _ smooth: DeformableRegistration, used: (PatientPoint) -> PatientPoint,
        focus: RegistrationFocus, isSameModality: Bool, isInView: (PatientPoint) -> Bool, landmarks: [LandmarkPair]
    ) throws(RegistrationError) -> RegistrationQuality {
        let transform = smooth.fixedToMoving
        let center = transform.source(of: focus.center)
        let back = RegistrationFocus(center: center, radiusMM: focus.radiusMM)
        let surface = points(on: back)
        func meanDistance(_ other: (PatientPoint) -> PatientPoint, to reference: (PatientPoint) -> PatientPoint) -> Double {
            surface.map { other($0).distance(to: reference($0)) }.reduce(0, +) / Double(surface.count)
        }
        let nudge = ImagingCore.AffineTransform(
            rotation: .rotation(about: PatientVector(1, -1, 1), radians: nudgeRadians), about: center, translation: nudgeMM)

        let softer = try DeformableRegistration(
            pair, focus: focus, from: nudge.followed(by: rigid.fixedToMoving), stiffness: softerFactor * DeformableRegistration.stiffness)
        let exchanged = pair.exchanged
        var wayBack: DeformableTransform?
        if let rigidBack = try? RigidRegistration(exchanged, focus: back, initial: rigid.movingToFixed.followed(by: nudge)) {
            wayBack = try? DeformableRegistration(exchanged, focus: back, from: rigidBack.fixedToMoving).fixedToMoving
        }
        let fit = smooth.similarity(pair, around: back, reachMM: similarityReachMM, windowRadiusMM: similarityWindowMM)
        return RegistrationQuality(.init(
            inverseErrorMM: wayBack.map { back in meanDistance({ back(transform($0)) }, to: { $0 }) },
            softerDifferenceMM: meanDistance({ softer.fixedToMoving($0) }, to: { transform($0) }),
            rigidDifferenceMM: meanDistance({ rigid.fixedToMoving($0) }, to: { transform($0) }),
            usedDifferenceMM: meanDistance(used, to: { transform($0) }), landmarks: landmarks.map { landmark in
                .init(errorMM: used(landmark.fixed).distance(to: landmark.moving), distanceMM: max(0, landmark.fixed.distance(to: center) - focus.radiusMM))
            },
            similarity: fit.similarity, overlap: fit.overlap, smallestJacobian: smooth.smallestJacobian,
            isSameModality: isSameModality, isFocusInView: isInView(center)))
    }

    /// Points spread evenly over a ball's surface (Fibonacci lattice).
    private static func points(on ball: RegistrationFocus, count: Int = 64) -> [PatientPoint] {
        (0..<count).map { index in
            let z = 1 - (2 * Double(index) + 1) / Double(count), angle = Double(index) * .pi * (3 - 5.0.squareRoot())
            let radius = (1 - z * z).squareRoot()
            return ball.center + PatientVector(ball.radiusMM * SIMD3(radius * cos(angle), radius * sin(angle), z))
        }
    }
}

extension DeformableRegistration {
    /// The explained share of local contrast around a ball in the fixed frame, on the finest images, and the overlap there.
    func similarity(_ pair: RegistrationPair, around ball: RegistrationFocus, reachMM: Double, windowRadiusMM: Double) -> (similarity: Double, overlap: Double) {
        guard var comparison = LocalCorrelation(
            fixed: pair.fixed.last!, moving: MovingImage(pair.moving.last!), .init(windowRadiusMM: windowRadiusMM))
        else { return (0, 0) }
        comparison.emphasise(around: ball.center, radiusMM: ball.radiusMM, reachMM: reachMM)
        // The displacement's grid is that of the finest comparison.
        let grid = comparison.grid, axes = grid.axes
        let perMM = 1 / grid.spacing
        let displacements = fixedToMoving.displacement.vectors.map { d -> SIMD4<Float> in
            let v = axes.components(of: PatientVector(Double(d.x), Double(d.y), Double(d.z))) * perMM
            return SIMD4(SIMD3<Float>(v), 0)
        }
        precondition(displacements.count == grid.size.voxelCount)
        let result = displacements.withUnsafeBufferPointer { comparison.evaluate(fixedToMoving.rigid, displacements: $0.baseAddress!) }
        return (1 - result.cost, result.overlap)
    }
}
