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

    /// `nil` when the images have nothing in common that could be compared.
    public let translation: LocalTranslation?
    /// The mean error to expect at the tumour's surface, in millimetres.
    public let expectedErrorMM: Double
    /// Whether margins may rest on the shared frame.
    public let isTrusted: Bool
    public let findings: [Finding]

    /// Compares `planning` with `treated` around a tumour.
    ///
    /// - Parameters:
    ///   - modality: of both scans.
    ///   - tumour, zone: in the scans' shared frame; the zone (ice) may be absent.
    public init(
        planning: ScanVolume, treated: ScanVolume, modality: Modality, tumour: LevelSet, zone: LevelSet?, parameters: Parameters = Parameters()
    ) throws(GeometryError) {
        let comparison = try Comparison(planning: planning, treated: treated, modality: modality, tumour: tumour, zone: zone, parameters: parameters)
        let estimate = try comparison.flatMap { (comparison) throws(GeometryError) in
            try LocalTranslation.estimate(fixed: comparison.treated, moving: comparison.planning, region: comparison.region)
        }
        guard let estimate, let spread = estimate.spreadMM, estimate.correlation >= 0.3, estimate.parts >= 4 else {
            translation = nil
            expectedErrorMM = parameters.expectedErrorUncheckedMM
            isTrusted = true
            findings = [
                Finding(.info, "alignment-not-measured",
                    "The scans share a frame of reference, but the tissue around the tumour has too little in common to measure how well it fits; an error of \(parameters.expectedErrorUncheckedMM) mm is assumed.")
            ]
            return
        }
        translation = estimate
        let meanSpread = spread / Double(estimate.parts).squareRoot()
        let shift = estimate.shift.length
        expectedErrorMM = max(parameters.leastExpectedErrorMM, (shift * shift + meanSpread * meanSpread).squareRoot())
        isTrusted = shift - 2 * meanSpread <= parameters.largestTrustedShiftMM
        findings = isTrusted ? [] : [Self.moved(byMM: shift)]
    }

    /// Compares scans of different modalities, whose values say nothing about each other, by registering them.
    ///
    /// - Parameters:
    ///   - treated: with its ice, so that it is not compared.
    ///   - focus: the tumour, in the shared frame.
    public init(planning: RegistrationScan, treated: RegistrationScan, focus: RegistrationFocus, parameters: Parameters = Parameters()) {
        translation = nil
        func refused(_ reasons: [String]) -> [Finding] {
            [
                Finding(.warning, "alignment-not-confirmed",
                    "The scans share a frame of reference, but the images do not confirm it around the tumour. \(reasons.joined(separator: " "))",
                    remedy: "Look at the picture of both scans; give landmarks or a transform in the case.")
            ]
        }
        guard let found = try? ScanRegistration(fixed: treated, moving: planning, focus: focus) else {
            (expectedErrorMM, isTrusted, findings) = (parameters.expectedErrorUncheckedMM, false, refused(["The scans cannot be registered."]))
            return
        }
        let quality = found.quality, shift = found(found.fixedPoint(of: focus.center)).distance(to: found.fixedPoint(of: focus.center))
        expectedErrorMM = max(parameters.leastExpectedErrorMM, (shift * shift + quality.expectedErrorMM * quality.expectedErrorMM).squareRoot())
        isTrusted = quality.status == .pass && shift <= parameters.largestTrustedShiftMM
        findings = isTrusted ? [] : quality.status == .pass ? [Self.moved(byMM: shift)] : refused(quality.reasons)
    }

    private static func moved(byMM shift: Double) -> Finding {
        Finding(.warning, "anatomy-moved",
            "The scans share a frame of reference, but the tissue around the tumour lies about \(rounded(shift)) mm apart in them.",
            remedy: "Register the planning scan to the ice scan, or use a planning scan of the same breath-hold.")
    }

    private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
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
        planning: ScanVolume, treated: ScanVolume, modality: Modality, tumour: LevelSet, zone: LevelSet?, parameters: SharedFrameCheck.Parameters
    ) throws(GeometryError) {
        guard let box = tumour.mask.boundingBox else { return nil }
        let core = tumour.geometry.cropped(box.i, box.j, box.k)
        let radius = zip(core.cornerPoints, core.cornerPoints.reversed()).map { $0.distance(to: $1) / 2 }.max()! + parameters.surroundingsMM
        let side = Int((2 * (radius + LocalTranslation.searchMM + 8) / Self.latticeMM).rounded(.up))
        let half = Double(side - 1) / 2 * Self.latticeMM
        let lattice = try GridGeometry(
            size: GridSize(side, side, side), spacing: SIMD3(repeating: Self.latticeMM), origin: core.center - PatientVector(half, half, half),
            frameOfReferenceUID: treated.geometry.frameOfReferenceUID)

        guard let a = Self.sampled(planning, lattice), let b = Self.sampled(treated, lattice) else { return nil }
        var excluded = Self.distance(of: tumour, on: lattice).map { Mask($0) { $0 > -Float(parameters.clearanceMM) } } ?? Mask(empty: lattice)
        if let zone, let distance = Self.distance(of: zone, on: lattice) {
            excluded = excluded.union(Mask(distance) { $0 > -Float(parameters.clearanceMM) })
        }
        if modality == .ct { excluded = excluded.union(Mask(b) { $0 > Self.metalHU }.dilated(byMM: 4)) }
        excluded = excluded.union(Mask(a) { $0 == Self.absent }).union(Mask(b) { $0 == Self.absent })
        let center = core.center
        let ball = Mask(geometry: lattice) { voxels in
            for offset in voxels.indices { voxels[offset] = lattice.point(lattice.size.index(atOffset: offset)).distance(to: center) <= radius ? 1 : 0 }
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
        let inside = Mask(object.field.resampled(onto: lattice, through: AffineTransform.identity, interpolation: .linear, outside: -1)) { $0 >= 0 }
        return inside.isEmpty ? nil : inside.signedDistance()
    }
}
