import ImageFilters
import ImagingCore

/// What lies 1 to 5 mm outside the ice on CT and makes its edge unsure there. On MR nothing of it is told.
struct IceSurroundings {
    /// The share of bone (above 150 HU), in whose texture ice hardly shows.
    private(set) var boneShare = 0.0
    /// Where most is lung, the share that is as dense as vessels or the chest wall. A vessel's walls and its partial volume in thick slices
    /// have the level of frozen lung, so that ice cannot be told from them.
    private(set) var denseInLungShare = 0.0

    private static let shellMM: ClosedRange<Float> = 1...5, clearOfMetalMM: Float = 6
    private static let boneHU: Float = 150, vesselHU: Float = -20, lungHU: Float = -500
    private static let saidOfBone = 0.25, saidOfVessels = 0.04
    /// In the texture of bone the edge of ice is off by so much (root mean square).
    private static let deviationInBoneMM = 3.5
    /// Beside vessels in lung ice was found to be off by 1.9 and 2.4 mm (root mean square) where they were 5 and 7 % of what lay around it.
    private static let deviationBesideVesselsMM = 2.0, vesselShareOfThat = 0.05

    /// - Parameters:
    ///   - surface: positive inside, in millimetres.
    ///   - scan: HU on the same grid.
    ///   - toAxis: from the nearest probe's axis, in millimetres: metal and its streaks are left out.
    ///   - hasReference: a scan before freezing tells vessels from what froze.
    init(of surface: Volume<Float>, in scan: Volume<Float>, farFrom toAxis: Volume<Float>, modality: Modality, hasReference: Bool) {
        guard modality == .ct else { return }
        let shell = Mask(surface.combined(with: toAxis) { phi, axis in
            axis > Self.clearOfMetalMM && Self.shellMM.contains(-phi) ? 1 : 0
        }) { $0 > 0 }
        let levels = scan.values(in: shell)
        guard !levels.isEmpty else { return }
        func share(_ holds: (Float) -> Bool) -> Double { Double(levels.count(where: holds)) / Double(levels.count) }
        boneShare = share { $0 > Self.boneHU }
        if !hasReference, share({ $0 < Self.lungHU }) > 0.5 { denseInLungShare = share { $0 > Self.vesselHU } }
    }

    /// One standard deviation of the ice's surface that this adds, over the whole surface.
    var deviationMM: Double {
        let bone = Self.deviationInBoneMM * boneShare
        let vessels = Self.deviationBesideVesselsMM * min(1, denseInLungShare / Self.vesselShareOfThat)
        return (bone * bone + vessels * vessels).squareRoot()
    }

    var findings: [Finding] {
        var findings: [Finding] = []
        if boneShare > Self.saidOfBone {
            findings.append(Finding(
                .warning, IceSegmentation.inBoneCode,
                "\(Self.percent(boneShare)) of what surrounds the ice is bone, in which ice hardly shows: its edge may be wrong by several millimetres.",
                remedy: "Look at the outline there; give a scan taken before freezing, or draw the ice."))
        }
        if denseInLungShare > Self.saidOfVessels {
            findings.append(Finding(
                .warning, "ice-beside-lung-vessels",
                "\(Self.percent(denseInLungShare)) of what surrounds the ice in the lung is as dense as vessels or the chest wall: the outline may have "
                    + "taken some of it along, and its edge may be wrong by several millimetres there.",
                remedy: "Look at the outline where vessels enter it; give a scan taken before freezing, or draw the ice."))
        }
        return findings
    }

    private static func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
}
