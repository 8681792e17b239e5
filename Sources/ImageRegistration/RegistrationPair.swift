import Foundation
import ImagingCore

/// One of the two scans of a registration.
public struct RegistrationScan: Sendable {
    public var volume: ScanVolume
    public var modality: Modality
    /// What must not be compared (ice, an ablation zone), in the scan's frame, on any grid. Metal on CT need not be named.
    public var excluded: Mask?

    public init(_ volume: ScanVolume, modality: Modality, excluded: Mask? = nil) {
        (self.volume, self.modality, self.excluded) = (volume, modality, excluded)
    }
}

/// The part of the moving scan that matters most: a ball around the tumour.
public struct RegistrationFocus: Sendable, Hashable {
    public var center: PatientPoint
    public var radiusMM: Double

    public init(center: PatientPoint, radiusMM: Double) { (self.center, self.radiusMM) = (center, radiusMM) }

    /// Points spread evenly over the ball's surface (Fibonacci lattice).
    func surfacePoints(count: Int = 64) -> [PatientPoint] {
        (0..<count).map { index in
            let z = 1 - (2 * Double(index) + 1) / Double(count), angle = Double(index) * .pi * (3 - 5.0.squareRoot())
            let ring = (1 - z * z).squareRoot()
            return center + PatientVector(radiusMM * SIMD3(ring * cos(angle), ring * sin(angle), z))
        }
    }
}

/// Two scans made ready to be compared, at the spacings that registration goes through.
struct RegistrationPair: Sendable {
    /// The spacings of a pyramid, coarse to fine, in millimetres, for scans of a whole trunk or much of it.
    static let spacingsMM = [12.0, 8, 4]
    /// Scans that reach less far (the cube root of the volume) are compared on finer grids in smaller windows, down to `leastScale`.
    static let wholeExtentMM = 120.0
    static let leastScale = 0.5

    let fixed, moving: [RegistrationImage]
    /// What they were made of.
    let scans: (fixed: RegistrationScan, moving: RegistrationScan)
    let isSameModality: Bool
    /// By how much spacings and windows are smaller than for a trunk.
    let scale: Double

    /// The same scans with their roles exchanged.
    var exchanged: RegistrationPair { RegistrationPair(fixed: moving, moving: fixed, scans: (scans.moving, scans.fixed), scale: scale) }

    private init(
        fixed: [RegistrationImage], moving: [RegistrationImage], scans: (fixed: RegistrationScan, moving: RegistrationScan), scale: Double
    ) {
        (self.fixed, self.moving, self.scans, self.scale) = (fixed, moving, scans, scale)
        isSameModality = scans.fixed.modality == scans.moving.modality
    }

    init(fixed: RegistrationScan, moving: RegistrationScan) {
        let extent = [fixed, moving].map { cbrt(Double($0.volume.geometry.size.voxelCount) * $0.volume.geometry.voxelVolume) }.min()!
        let scale = min(1, max(Self.leastScale, extent / Self.wholeExtentMM))
        let isSameModality = fixed.modality == moving.modality
        func pyramid(_ scan: RegistrationScan) -> [RegistrationImage] {
            let finest = RegistrationImage(scan, isOtherModality: !isSameModality, spacingMM: scale * Self.spacingsMM.last!)
            return Self.spacingsMM.dropLast().map { finest.averaged(toSpacingMM: scale * $0) } + [finest]
        }
        self.init(fixed: pyramid(fixed), moving: pyramid(moving), scans: (fixed, moving), scale: scale)
    }

    /// The same with the fixed scan cut to a box around a point of its frame.
    func croppedFixed(around center: PatientPoint, reachMM: Double) -> RegistrationPair {
        RegistrationPair(
            fixed: fixed.map { $0.cropped(around: center, reachMM: reachMM) ?? $0 }, moving: moving, scans: scans, scale: scale)
    }

    /// The volume of the fixed body over that of the smaller of both: what turns a share of one into a share of the other.
    var fixedShare: Double {
        let volumes = [fixed[0], moving[0]].map { Double($0.body.count) * $0.geometry.voxelVolume }
        return volumes[0] / max(volumes.min()!, .leastNormalMagnitude)
    }
}
