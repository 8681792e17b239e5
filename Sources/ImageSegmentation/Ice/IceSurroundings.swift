import ImageFilters
import ImagingCore

/// What lies 1 to 5 mm outside the ice on CT and makes its edge unsure there. On MR nothing of it is told.
struct IceSurroundings {
    /// The share of bone, in whose texture ice hardly shows.
    private(set) var boneShare = 0.0
    /// The share of the ice's surface at which something as dense enters it from the lung (`DenseInLung`) and no edge shows.
    private(set) var enteredInLungShare = 0.0

    /// The share of the ice's surface beside which tissue in lung has not frozen (`WarmInLung`).
    private(set) var warmInLungShare = 0.0
    private let isWarmLeftOut: Bool
    /// Of the lung beside the ice the share that is ground glass.
    let glassShare: Double

    private static let shellMM: ClosedRange<Float> = 1...5, clearOfMetalMM: Float = 6
    /// Bone starts here. A kidney full of contrast medium does too, but is even: it comes to no more than about 220 HU, while bone comes to
    /// that in the middle or to cortical bone's in some of it.
    private static let boneHU: Float = 150, enhancedHU: Float = 230, corticalHU: Float = 300, leastCortical = 0.05
    private static let saidOfBone = 0.25
    /// Where less was entered, the surface was as good as elsewhere (up to 0.2 in 10 scans; 0.36 and more in 5, three of which were off by
    /// more than 0.7 mm).
    private static let saidOfEntered = 0.25
    private static let saidOfWarm = 0.05
    /// What enters the ice hides its edge as far along its surface, and an edge is clear from this on.
    private static let hidesMM = 2.0, clear: Float = 0.3
    /// In the texture of bone the edge of ice is off by so much (root mean square); less where an earlier scan shows the same texture.
    private static let deviationInBoneMM = 3.5, deviationInComparedBoneMM = 1.4
    /// Beside unfrozen tissue in lung, whose outer edge is stronger by far than the one against ice: where it was left out of the ice, and
    /// where it could not be.
    private static let deviationAtWarmMM = (leftOut: 1.2, takenAlong: 2.0)
    /// Beside ground glass, whose own edges lie before and behind that of ice.
    private static let deviationAtGlassMM = 0.6
    private let isCompared: Bool

    /// - Parameters:
    ///   - surface: positive inside, in millimetres.
    ///   - scan: HU on the same grid.
    ///   - toAxis: from the nearest probe's axis, in millimetres: metal and its streaks are left out.
    ///   - clarity: how clear an edge the surface lies on, 0 … 1.
    ///   - denseInLung: see `DenseInLung.leaving`.
    ///   - warmInLung: tissue in lung that has not frozen.
    ///   - glass: see `EvenTissue.glassShare`.
    ///   - isCompared: whether the ice was found by an earlier scan.
    init(
        of surface: Volume<Float>, clarity: Volume<Float>, in scan: Volume<Float>, farFrom toAxis: Volume<Float>, denseInLung: Mask?,
        warmInLung: WarmInLung? = nil, glass glassShare: Double = 0, isCompared: Bool, modality: Modality
    ) {
        (self.isCompared, self.glassShare) = (isCompared, glassShare)
        isWarmLeftOut = warmInLung?.isLeftOut ?? false
        guard modality == .ct else { return }
        let shell = Mask(surface.combined(with: toAxis) { phi, axis in
            axis > Self.clearOfMetalMM && Self.shellMM.contains(-phi) ? 1 : 0
        }) { $0 > 0 }
        let levels = scan.values(in: shell)
        guard !levels.isEmpty else { return }
        let dense = levels.filter { $0 > Self.boneHU }
        let isBone = (dense.median ?? 0) > Self.enhancedHU
            || Double(dense.count { $0 > Self.corticalHU }) > Self.leastCortical * Double(dense.count)
        boneShare = isBone ? Double(dense.count) / Double(levels.count) : 0
        let band = Mask(surface) { abs($0) < 1 }
        if let warmInLung {
            let beside = band.intersection(warmInLung.mask.dilated(byMM: Self.hidesMM))
            warmInLungShare = Double(beside.count) / Double(max(band.count, 1))
        }
        guard let entering = denseInLung?.dilated(byMM: Self.hidesMM) else { return }
        let unclear = band.intersection(entering).intersection(Mask(clarity) { $0 < Self.clear })
        enteredInLungShare = Double(unclear.count) / Double(max(band.count, 1))
    }

    /// One standard deviation of the ice's surface that bone, ground glass and unfrozen tissue in lung add, over the whole surface.
    var deviationMM: Double {
        let bone = (isCompared ? Self.deviationInComparedBoneMM : Self.deviationInBoneMM) * boneShare
        let atWarm = isWarmLeftOut ? Self.deviationAtWarmMM.leftOut : Self.deviationAtWarmMM.takenAlong
        let atGlass = Self.deviationAtGlassMM
        return (bone * bone + atWarm * atWarm * warmInLungShare + atGlass * atGlass * glassShare).squareRoot()
    }

    var findings: [Finding] {
        var findings: [Finding] = []
        if boneShare > Self.saidOfBone {
            findings.append(Finding(
                .warning, IceSegmentation.inBoneCode,
                "\(Self.percent(boneShare)) of what surrounds the ice is bone, in which ice hardly shows: its edge may be wrong by \(isCompared ? "millimetres" : "several millimetres").",
                remedy: isCompared
                    ? "Look at the outline there; check that the scan taken before freezing lies on this one, or draw the ice."
                    : "Look at the outline there; give a scan taken before freezing, or draw the ice."))
        }
        if enteredInLungShare > Self.saidOfEntered {
            findings.append(Finding(
                .warning, "ice-beside-lung-vessels",
                "At \(Self.percent(enteredInLungShare)) of the ice's surface vessels or other tissue as dense as frozen lung enter it: "
                    + "its edge does not show there and follows the shape of the rest.",
                remedy: "Look at the outline where vessels enter it; give a scan taken before freezing, or draw the ice."))
        }
        if warmInLungShare > Self.saidOfWarm {
            findings.append(Finding(
                .warning, "unfrozen-tissue-beside-lung-ice",
                "Beside \(Self.percent(warmInLungShare)) of the ice's surface lies tissue that does not look frozen, such as a tumour that "
                    + "sticks out of the ice into lung: \(isWarmLeftOut ? "it was left out of the ice where that shows" : "some of it may have been taken for ice").",
                remedy: "Look at the outline there; give a scan taken before freezing, or draw the ice."))
        }
        if glassShare > 0 {
            findings.append(Finding(
                .warning, "ground-glass-around-ice",
                "\(Self.percent(glassShare)) of the lung beside the ice is ground glass, as bleeding makes: it was not taken for ice.",
                remedy: "Look at the outline there: lung that froze without filling with fluid would look the same."))
        }
        return findings
    }

    private static func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
}
