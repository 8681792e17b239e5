import ImageFilters
import ImagingCore

/// How well two scans that claim one frame of reference show the same tissue at the same place around a tumour.
///
/// A shared frame says that the table did not move, not that the patient lay and breathed alike. The tissue around the tumour, without
/// ice, metal and the tumour itself, is compared at small shifts; parts of it that agree on one tell how far it moved.
public struct SharedFrameCheck: Sendable, Hashable {
    public struct Parameters: Sendable, Hashable {
        /// How far from the tumour's surface tissue is compared.
        public var surroundingsMM = 40.0
        /// What is left out around the tumour and the ice, where tissue changes with treatment.
        public var clearanceMM = 5.0
        /// A shift above this, on which the parts agree, means that the frame cannot be trusted.
        public var largestTrustedShiftMM = 3.0
        /// The expected error when the images tell nothing about it.
        public var expectedErrorUncheckedMM = 2.0
        /// The least expected error: interpolation, and motion that a mean shift does not show.
        public var leastExpectedErrorMM = 0.3

        public init() {}
    }

    /// `nil` when the images have nothing in common that could be compared at small shifts.
    public let translation: LocalTranslation?
    /// The mean error to expect at the tumour's surface, in millimetres.
    public let expectedErrorMM: Double
    /// Whether margins may rest on the shared frame.
    public let isTrusted: Bool
    /// How far registering the scans shows that the tissue moved, where it did and can be followed.
    public let followedMM: Double?
    public let findings: [Finding]

    /// Below this correlation another part of the body may lie where the tissue should.
    static let sureCorrelation = 0.7
    /// Fewer parts of the surroundings do not agree on a shift.
    static let leastParts = 4

    /// Compares scans of one modality, `planning` with `treated`, around a tumour; registers them where they do not resemble each other
    /// as they lie.
    ///
    /// - Parameters:
    ///   - tumour, zone: in the scans' shared frame; the zone (ice) may be absent.
    public init(
        planning: ScanVolume, treated: ScanVolume, modality: Modality, tumour: LevelSet, zone: LevelSet?,
        parameters: Parameters = Parameters()
    ) throws(GeometryError) {
        let comparison = try Comparison(
            planning: planning, treated: treated, modality: modality, tumour: tumour, zone: zone, parameters: parameters)
        let estimate = try comparison.flatMap { (comparison) throws(GeometryError) in
            try LocalTranslation.estimate(fixed: comparison.treated, moving: comparison.planning, region: comparison.region)
        }
        let measured = estimate.flatMap { estimate in
            estimate.correlation >= Self.sureCorrelation && estimate.parts >= Self.leastParts ? estimate : nil
        }
        let shiftMM = measured?.shift.length ?? 0
        let spreadMM = measured.map { ($0.spreadMM ?? LocalTranslation.searchMM) / Double($0.parts).squareRoot() } ?? 0
        let scans = (
            planning: RegistrationScan(planning, modality: modality),
            treated: RegistrationScan(treated, modality: modality, excluded: zone?.mask))
        let ball = tumour.enclosingBall
        if let measured, shiftMM - 2 * spreadMM <= parameters.largestTrustedShiftMM,
            ball.map({ Self.areOnePatients(scans.planning, scans.treated, around: $0, shiftedBy: measured.shift) }) ?? true {
            (translation, isTrusted, followedMM, findings) = (measured, true, nil, [])
            expectedErrorMM = max(parameters.leastExpectedErrorMM, (shiftMM * shiftMM + spreadMM * spreadMM).squareRoot())
            return
        }
        translation = measured
        let isMoved = measured != nil && shiftMM - 2 * spreadMM > parameters.largestTrustedShiftMM
        let registered = ball.map { Registered(scans.planning, scans.treated, $0) }
        if let registered, let outcome = registered.judged(parameters), !isMoved || outcome.followedMM != nil {
            (expectedErrorMM, isTrusted, followedMM, findings) = outcome
        } else if isMoved {
            (isTrusted, followedMM, findings) = (false, nil, [Self.moved(byMM: shiftMM, isFollowed: false)])
            expectedErrorMM = (shiftMM * shiftMM + spreadMM * spreadMM).squareRoot()
        } else if let registered, registered.hasStructure {
            (expectedErrorMM, isTrusted, followedMM, findings) = registered.refused(parameters)
        } else {
            (expectedErrorMM, isTrusted, followedMM) = (parameters.expectedErrorUncheckedMM, true, nil)
            findings = [
                Finding(.info, "alignment-not-measured",
                    "The scans share a frame of reference, but the tissue around the tumour has too little in common to measure how well "
                        + "it fits; an error of \(parameters.expectedErrorUncheckedMM) mm is assumed.")
            ]
        }
    }

    /// Compares scans of different modalities, whose values say nothing about each other, by registering them.
    ///
    /// - Parameters:
    ///   - treated: with its ice, so that it is not compared.
    ///   - focus: the tumour, in the shared frame.
    public init(
        planning: RegistrationScan, treated: RegistrationScan, focus: RegistrationFocus, parameters: Parameters = Parameters()
    ) {
        translation = nil
        let registered = Registered(planning, treated, focus)
        (expectedErrorMM, isTrusted, followedMM, findings) = registered.judged(parameters) ?? registered.refused(parameters)
    }

    /// Organs of two patients who lie alike can coincide, small blocks of tissue do not. Where too few have structure, nothing speaks
    /// against it.
    private static func areOnePatients(
        _ planning: RegistrationScan, _ treated: RegistrationScan, around ball: RegistrationFocus, shiftedBy shift: PatientVector
    ) -> Bool {
        let motion = DeformableTransform(AffineTransform(matrix: .identity, translation: shift))
        let share = BlockAgreement(RegistrationPair(fixed: treated, moving: planning), motion, around: ball).share
        return share.map { $0 >= RegistrationQuality.agreementSure } ?? true
    }

    private typealias Outcome = (expectedErrorMM: Double, isTrusted: Bool, followedMM: Double?, findings: [Finding])

    /// What registering the scans, from where their frame puts them, says of it.
    private struct Registered {
        /// `nil` when they cannot be registered.
        let quality: RegistrationQuality?
        /// How far apart the tumour's tissue lies by it.
        let shiftMM: Double
        let isConfirmed: Bool

        init(_ planning: RegistrationScan, _ treated: RegistrationScan, _ focus: RegistrationFocus) {
            let found = try? ScanRegistration(fixed: treated, moving: planning, focus: focus)
            quality = found?.quality
            shiftMM = found.map { focus.center.distance(to: $0.fixedPoint(of: focus.center)) } ?? 0
            isConfirmed = found.map { $0.quality.status != .fail && !($0.sharedFrame?.isPlausible ?? false) } ?? false
        }

        /// Whether the tissue around the tumour has details that could be compared.
        var hasStructure: Bool { quality.map { $0.blockAgreement != nil } ?? true }

        /// `nil` when the images confirm no motion.
        func judged(_ parameters: Parameters) -> Outcome? {
            guard let quality, isConfirmed else { return nil }
            let isNear = shiftMM <= parameters.largestTrustedShiftMM
            if isNear, quality.status != .pass { return nil }
            let errorMM = (shiftMM * shiftMM + quality.expectedErrorMM * quality.expectedErrorMM).squareRoot()
            return (
                max(parameters.leastExpectedErrorMM, errorMM), isNear, isNear ? nil : shiftMM,
                isNear ? [] : [SharedFrameCheck.moved(byMM: shiftMM, isFollowed: true)])
        }

        func refused(_ parameters: Parameters) -> Outcome {
            let reasons = quality?.reasons ?? ["The scans cannot be registered."]
            let errorMM = quality.map { (shiftMM * shiftMM + $0.expectedErrorMM * $0.expectedErrorMM).squareRoot() }
            return (errorMM ?? parameters.expectedErrorUncheckedMM, false, nil, [
                Finding(.warning, "alignment-not-confirmed",
                    "The scans share a frame of reference, but the images do not confirm it around the tumour. "
                        + reasons.joined(separator: " "),
                    remedy: "Look at the picture of both scans; give landmarks or a transform in the case.")
            ])
        }
    }

    private static func moved(byMM shift: Double, isFollowed: Bool) -> Finding {
        let apart = String(format: "%.1f", shift)
        return Finding(.warning, "anatomy-moved",
            "The scans share a frame of reference, but the tissue around the tumour lies about \(apart) mm apart in them"
                + (isFollowed ? "; the planning scan is registered instead." : "."),
            remedy: isFollowed
                ? "Look at the picture of the registration."
                : "Give landmarks or a transform, or use a planning scan of the same breath-hold.")
    }
}

extension LevelSet {
    /// The ball around the box of the object; `nil` when it is empty.
    fileprivate var enclosingBall: RegistrationFocus? {
        guard let box = mask.boundingBox else { return nil }
        let core = geometry.cropped(box.i, box.j, box.k)
        let diagonalMM = core.cornerPoints.map { $0.distance(to: core.center) }.max()!
        return RegistrationFocus(center: core.center, radiusMM: diagonalMM / 3.0.squareRoot())
    }
}

/// Two scans on one lattice around the tumour, and what of it may be compared.
private struct Comparison {
    let planning: Volume<Float>
    let treated: Volume<Float>
    let region: Mask

    static let latticeMM = 2.0
    static let smoothingMM = 1.5
    /// Where CT numbers are taken as they are; above it bone is cut off, below it lung and gas count by a quarter.
    static let softTissueHU: ClosedRange<Float> = -160...240
    static let metalHU: Float = 1500
    private static let absent: Float = -32768

    init?(
        planning: ScanVolume, treated: ScanVolume, modality: Modality, tumour: LevelSet, zone: LevelSet?,
        parameters: SharedFrameCheck.Parameters
    ) throws(GeometryError) {
        guard let box = tumour.mask.boundingBox else { return nil }
        let core = tumour.geometry.cropped(box.i, box.j, box.k)
        let radius = zip(core.cornerPoints, core.cornerPoints.reversed()).map { $0.distance(to: $1) / 2 }.max()! + parameters.surroundingsMM
        let side = Int((2 * (radius + LocalTranslation.searchMM + 8) / Self.latticeMM).rounded(.up))
        let half = Double(side - 1) / 2 * Self.latticeMM
        let lattice = try GridGeometry(
            size: GridSize(side, side, side), spacing: SIMD3(repeating: Self.latticeMM),
            origin: core.center - PatientVector(half, half, half),
            frameOfReferenceUID: treated.geometry.frameOfReferenceUID)

        guard let a = Self.sampled(planning, lattice), let b = Self.sampled(treated, lattice) else { return nil }
        var excluded = Mask(empty: lattice)
        if let distance = Self.distance(of: tumour, on: lattice) { excluded = Mask(distance) { $0 > -Float(parameters.clearanceMM) } }
        if let zone, let distance = Self.distance(of: zone, on: lattice) {
            excluded = excluded.union(Mask(distance) { $0 > -Float(parameters.clearanceMM) })
        }
        if modality == .ct { excluded = excluded.union(Mask(b) { $0 > Self.metalHU }.dilated(byMM: 4)) }
        excluded = excluded.union(Mask(a) { $0 == Self.absent }).union(Mask(b) { $0 == Self.absent })
        let center = core.center
        let ball = Mask(geometry: lattice) { voxels in
            for offset in voxels.indices {
                voxels[offset] = lattice.point(lattice.size.index(atOffset: offset)).distance(to: center) <= radius ? 1 : 0
            }
        }
        region = ball.subtracting(excluded)
        self.planning = Self.prepared(a, modality)
        self.treated = Self.prepared(b, modality)
    }

    /// The scan on the lattice; `nil` when it does not reach there.
    private static func sampled(_ scan: ScanVolume, _ lattice: GridGeometry) -> Volume<Float>? {
        guard let ranges = scan.geometry.indexRanges(around: lattice.cornerPoints, marginMM: 0) else { return nil }
        return scan.floats(in: ranges.i, ranges.j, ranges.k)
            .gaussianSmoothed(sigmaMM: smoothingMM)
            .resampled(onto: lattice, through: AffineTransform.identity, interpolation: .linear, outside: absent)
    }

    private static func prepared(_ volume: Volume<Float>, _ modality: Modality) -> Volume<Float> {
        guard modality == .ct else { return volume }
        let (low, high) = (softTissueHU.lowerBound, softTissueHU.upperBound)
        return volume.mapped { $0 < low ? low + ($0 - low) / 4 : min($0, high) }
    }

    /// The signed distance to the object's surface on the lattice, positive inside, to half a lattice step.
    private static func distance(of object: LevelSet, on lattice: GridGeometry) -> Volume<Float>? {
        let field = object.field.resampled(onto: lattice, through: AffineTransform.identity, interpolation: .linear, outside: -1)
        let inside = Mask(field) { $0 >= 0 }
        return inside.isEmpty ? nil : inside.signedDistance()
    }
}
