import ImageFilters
import ImagingCore

/// Unfrozen tissue beside ice in lung, on CT without an earlier scan: a tumour that sticks out of the ice, the chest wall, a large vessel.
///
/// Its edge against lung is seven times as strong as the one against ice, so that it is taken along. But what is watery falls by about
/// 85 HU when it freezes, and no ice comes to what water reads.
struct WarmInLung {
    /// What lies in or beside what was taken for ice.
    let mask: Mask
    private let smoothed: Volume<Float>
    /// Whether it can be left out of what was taken for ice.
    var isLeftOut: Bool { edge != nil && !mask.isEmpty }
    /// The level of its edge against ice, by how much levels there change per millimetre, and below which they are no ice; `nil` where it
    /// does not stand out from the ice, or all but what it is would be left.
    private var edge: (half: Float, perMM: Float, lungHU: Float)?

    /// Unfrozen water; the ice of blood is darker by more than noise and faint streaks.
    private static let waterHU: Float = 0
    /// Where ice is surely darker, pieces that read more than water on the whole are followed down to less: this much above nearly all of
    /// the ice, and no less.
    private static let leastHU: Float = -25, aboveIceHU: Float = 25, nearlyAll = 0.85
    /// Bone does not tell, nor does what lies in it or beside it: marrow reads as much, frozen or not.
    private static let boneHU: Float = 150, besideBoneMM = 3.0
    /// The Gaussian that noise is smoothed by, and what is narrower than twice the second (small vessels, streaks) is left.
    private static let smoothingMM = 1.2, narrowMM = 1.5
    /// Nearer to a shaft than this lie its streaks.
    private static let streakMM: Float = 6
    /// Farther outside of the ice nothing of it matters.
    private static let outsideMM: Float = 2
    /// So deep in the ice its own level is read, from what has filled with fluid or blood; tissue that has not frozen differs from it by
    /// more than the third. Tissue that has frozen may differ from such ice, and from what it was by no less than about the last (85 HU
    /// where all is water).
    private static let deepMM: Float = 3, filledHU: Float = -450, leastDrop: Float = 40, drop: Float = 70
    /// Tissue goes on this far from where it is sure, down to half of the way to what it freezes to. The level changes along its edge with
    /// the whole step over so many millimetres.
    private static let followedMM = 4.0, edgeMM: Float = 3.5
    /// Its blurred edge against lung comes through every level, that of ice too: so far from the tissue, and so near to the surface that
    /// was found, what is darker than ice by this is that edge.
    private static let blurMM = 2.5, shellMM: Float = 2, darkerHU: Float = 60
    /// Less than this is noise, as is what does not come to the surface; and where less than this share of the ice would be left, what was
    /// taken for ice is not.
    private static let leastML = 0.03, leastLeft = 0.5

    /// - Parameters:
    ///   - scan: HU.
    ///   - depth: millimetres inside what was taken for ice, by half of the change, on the same grid.
    ///   - toAxis: millimetres from the nearest shaft, on the same grid.
    init(in scan: Volume<Float>, depth: Volume<Float>, toAxis: Volume<Float>) {
        let sigma = SIMD3<Double>(repeating: Self.smoothingMM).replacing(with: SIMD3(repeating: 0), where: scan.geometry.spacing .> 2)
        let smoothed = scan.gaussianSmoothed(sigmaMM: sigma)
        self.smoothed = smoothed
        let bone = Mask(smoothed.combined(with: toAxis) { level, axis in
            axis > Self.streakMM && level > Self.boneHU ? 1 : 0
        }) { $0 > 0 }.dilated(byMM: Self.besideBoneMM)
        func filled(deeperThan leastMM: Float) -> Mask {
            Mask(smoothed.combined(with: toAxis, depth) { level, axis, depth in
                axis > Self.streakMM && depth > leastMM && level > Self.filledHU ? 1 : 0
            }) { $0 > 0 }.subtracting(bone)
        }
        func bright(above least: Float) -> Mask {
            filled(deeperThan: -Self.outsideMM).intersection(Mask(smoothed) { $0 > least })
        }
        let deep = filled(deeperThan: Self.deepMM)
        let brightest = smoothed.values(in: deep).quantile(Self.nearlyAll) ?? Self.waterHU
        let least = min(max(brightest + Self.aboveIceHU, Self.leastHU), Self.waterHU)
        let atSurface = Mask(depth) { $0 < Self.shellMM }
        func pieces(above level: Float) -> [Mask] {
            bright(above: level).opened(byMM: Self.narrowMM).pieces().filter {
                $0.volumeML >= Self.leastML && !$0.intersection(atSurface).isEmpty
            }
        }
        let sure = (pieces(above: Self.waterHU) + pieces(above: least).filter { smoothed.median(in: $0)! > Self.waterHU })
            .reduce(Mask(empty: scan.geometry)) { $0.union($1) }
        let around = sure.dilated(byMM: Self.followedMM), rest = deep.subtracting(around)
        guard let warm = smoothed.median(in: sure), let ice = smoothed.median(in: rest), warm - ice > Self.leastDrop,
            Double(rest.count) > Self.leastLeft * Double(deep.count)
        else {
            mask = sure
            return
        }
        let half = max((warm + ice) / 2, warm - Self.drop / 2)
        mask = bright(above: half).intersection(around).joined(to: sure)
        edge = (half, 2 * (warm - half) / Self.edgeMM, ice - Self.darkerHU)
    }

    /// What was taken for ice without this tissue, on the same grid; as it is where nothing is to be left out.
    ///
    /// - Parameters:
    ///   - depth: millimetres inside what was taken for ice, by half of the change.
    ///   - shiftMM: from half of the change outwards to the front.
    ///   - outwards: by how much of that the surface will yet be moved, on the same grid.
    func leftOut(of depth: Volume<Float>, shiftMM: Float, outwards: Volume<Float>) -> Volume<Float> {
        guard isLeftOut, let edge else { return depth }
        let near = Volume<Float>.levels(of: mask.dilated(byMM: Self.blurMM))
        let outside = smoothed.combined(with: near, depth) { level, near, depth -> Float in
            guard near > 0 else { return .greatestFiniteMagnitude }
            return depth < Self.shellMM && level < edge.lungHU ? -Self.shellMM : (edge.half - level) / edge.perMM + shiftMM
        }
        return depth.combined(with: outside, outwards) { min($0, $1 - $2) }
    }
}
