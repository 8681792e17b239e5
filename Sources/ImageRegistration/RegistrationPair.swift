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
}

/// Two scans made ready to be compared, at the spacings that registration goes through.
struct RegistrationPair: Sendable {
    /// The spacings of a pyramid, coarse to fine, in millimetres.
    static let spacingsMM = [12.0, 8, 4]

    let fixed, moving: [RegistrationImage]

    /// The same scans with their roles exchanged.
    var exchanged: RegistrationPair { RegistrationPair(fixed: moving, moving: fixed) }

    private init(fixed: [RegistrationImage], moving: [RegistrationImage]) { (self.fixed, self.moving) = (fixed, moving) }

    init(fixed: RegistrationScan, moving: RegistrationScan) {
        func pyramid(_ scan: RegistrationScan) -> [RegistrationImage] {
            let finest = RegistrationImage(scan.volume, modality: scan.modality, spacingMM: Self.spacingsMM.last!, excluded: scan.excluded)
            return Self.spacingsMM.dropLast().map { finest.averaged(toSpacingMM: $0) } + [finest]
        }
        (self.fixed, self.moving) = (pyramid(fixed), pyramid(moving))
    }
}
