import ImagingCore

/// Two scans, where to look, and what a motion between them is judged by.
struct MotionSearch {
    let pair: RegistrationPair
    /// The tumour, in the moving scan's frame.
    let focus: RegistrationFocus?
    let landmarks: [LandmarkPair]
    let isInView: (PatientPoint) -> Bool
    let finished: (ScanRegistration.Step) -> Void

    /// A rigid motion, and a smooth one on top of it.
    struct Found {
        let rigid: RigidRegistration
        let smooth: DeformableRegistration
    }

    func motion(from start: AffineTransform?) throws(RegistrationError) -> Found {
        let rigid = try RigidRegistration(pair, focus: focus, initial: start)
        finished(.rigid)
        let smooth = try DeformableRegistration(pair, focus: focus, from: rigid.fixedToMoving)
        finished(.deformable)
        return Found(rigid: rigid, smooth: smooth)
    }

    /// The tumour, or what is taken for it, in the moving frame.
    func target(of found: Found) -> RegistrationFocus {
        let middle = pair.scans.fixed.volume.geometry.center
        return focus ?? .init(center: found.rigid.fixedToMoving(middle), radiusMM: ScanRegistration.defaultRadiusMM)
    }
    /// The same in the fixed frame.
    func fixedTarget(of found: Found) -> RegistrationFocus {
        let target = target(of: found)
        return RegistrationFocus(center: found.smooth.fixedToMoving.source(of: target.center), radiusMM: target.radiusMM)
    }

    /// Another start for everything that is made again.
    private static let nudgeMM = PatientVector(5, 6, -7)
    private static let nudgeRadians = 0.08
    private static let softerFactor: Float = 0.2
    /// What speaks for and against the smooth motion that was found.
    func evidence(_ found: Found) throws(RegistrationError) -> RegistrationQuality.Evidence {
        defer { finished(.quality) }
        let (rigid, smooth) = (found.rigid, found.smooth)
        let transform = smooth.fixedToMoving, focus = target(of: found), back = fixedTarget(of: found)
        let (center, surface) = (back.center, back.surfacePoints())
        func meanDistance(_ other: (PatientPoint) -> PatientPoint, to reference: (PatientPoint) -> PatientPoint) -> Double {
            Self.meanDistance(other, to: reference, over: surface)
        }
        let nudge = AffineTransform(
            rotation: .rotation(about: PatientVector(1, -1, 1), radians: Self.nudgeRadians), about: center, translation: Self.nudgeMM)

        // What lies far from the tumour need not be made again.
        let reach = focus.radiusMM + FocusComparison.farthestMM
        let softer = try DeformableRegistration(
            pair.croppedFixed(around: center, reachMM: reach), focus: focus, from: nudge.followed(by: rigid.fixedToMoving),
            stiffness: Self.softerFactor * DeformableRegistration.stiffness)
        let exchanged = pair.exchanged
        var wayBack: DeformableTransform?
        if let rigidBack = try? RigidRegistration(exchanged, focus: back, initial: rigid.movingToFixed.followed(by: nudge)) {
            wayBack = try? DeformableRegistration(
                exchanged.croppedFixed(around: focus.center, reachMM: reach), focus: back, from: rigidBack.fixedToMoving).fixedToMoving
        }
        let fit = FocusComparison(pair, transform, around: back), blocks = BlockAgreement(pair, transform, around: back)
        let details = pair.isSameModality ? nil
            : DetailComparison(pair, near: transform, around: back, reachMM: DetailComparison.patientReachMM)
                .flatMap { DetailComparison.mean($0.evidence(transform)) }
        return RegistrationQuality.Evidence(
            inverseErrorMM: wayBack.map { back in meanDistance({ back(transform($0)) }, to: { $0 }) },
            softerDifferenceMM: meanDistance({ softer.fixedToMoving($0) }, to: { transform($0) }),
            rigidDifferenceMM: meanDistance({ rigid.fixedToMoving($0) }, to: { transform($0) }),
            similarity: fit.similarity, explained: fit.explained, shiftedSimilarity: fit.shiftedSimilarity, bendingMM: smooth.bendingMM,
            overlap: fit.overlap, smallestJacobian: smooth.smallestJacobian, blocks: blocks, details: details,
            isSameModality: pair.isSameModality, isFocusInView: isInView(center))
    }

    /// The same evidence about a motion that is used instead, with what landmarks and a shared frame of reference say.
    func evidence(
        _ evidence: RegistrationQuality.Evidence, of found: Found, used: DeformableTransform, sharedFrame: SharedFrame? = nil
    ) -> RegistrationQuality.Evidence {
        var evidence = evidence
        let focus = target(of: found), back = fixedTarget(of: found), smooth = found.smooth.fixedToMoving
        evidence.usedDifferenceMM = Self.meanDistance({ used($0) }, to: { smooth($0) }, over: back.surfacePoints())
        evidence.landmarks = landmarks.map { landmark in
            .init(
                errorMM: used(landmark.fixed).distance(to: landmark.moving),
                distanceMM: max(0, landmark.fixed.distance(to: back.center) - focus.radiusMM))
        }
        if !landmarks.isEmpty {
            let fit = AffineTransform(fittedTo: landmarks)
            evidence.landmarkMisfitMM = landmarks.map { fit($0.fixed).distance(to: $0.moving) }.reduce(0, +) / Double(landmarks.count)
        }
        let center = used.source(of: focus.center)
        evidence.smallestJacobian = used.displacement.smallestJacobian()
        evidence.tumourVolumeChange = self.focus == nil ? nil : used.volumeChange(of: .init(center: center, radiusMM: focus.radiusMM))
        evidence.isFocusInView = isInView(center)
        evidence.sharedFrame = sharedFrame
        return evidence
    }

    private static func meanDistance(
        _ one: (PatientPoint) -> PatientPoint, to other: (PatientPoint) -> PatientPoint, over points: [PatientPoint]
    ) -> Double {
        points.map { one($0).distance(to: other($0)) }.reduce(0, +) / Double(points.count)
    }
}
