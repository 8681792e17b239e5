import Foundation
import ImageFilters
import ImagingCore

/// Unfrozen tissue as the surroundings of the ice show it, when there is no earlier scan.
struct SurroundingTissue: UnfrozenTissue {
    private let neighbourhood: TissueNeighbourhood
    /// MR only: the bright tissue's own, slowly varying signal, on the coarse grid.
    private let brightness: Volume<Float>?
    /// CT only: how far the tissue around each place is lung alone, 0 … 1, on the coarse grid.
    private let lungShare: Volume<Float>?
    /// Of frozen lung where most around the ice is lung.
    private let lungIceLevel: Float?
    /// 0.5 where what is dense is as wide as the ice is, −0.5 elsewhere, on the coarse grid, where most around the ice is lung.
    private let wideInLung: Volume<Float>?
    let polarity: Float
    /// CT only: whether most of what lies beside the ice is lung.
    let isSurroundedByLung: Bool
    /// Whether it is, and the ice has a level that lung freezes to.
    var isInLung: Bool { lungIceLevel != nil }
    /// Log-odds from which on nothing more is gained: one voxel is never certain.
    private static let certain: Float = 3
    /// Log-odds up to which nothing is claimed: levels vary from place to place, and many doubtful voxels add up.
    private static let doubtful: Float = 0.6
    /// Where the image is this steep a voxel holds two tissues, and its level speaks for neither: between fat and muscle it is that of ice.
    private static let mixedHUPerMM: Float = 20
    private static let fatRangeHU: ClosedRange<Float> = -130 ... -70
    private static let boneHU: Float = 350, gasHU: Float = -280, lungHU: Float = -500
    private static let lungIceHU: ClosedRange<Float> = -520...60

    /// - Parameters:
    ///   - work: the region, coarse.
    ///   - toBody: millimetres from the ice as far as it is known; what lies beyond `clearanceMM` shows how unfrozen tissue looks.
    ///   - toAxis: millimetres from the nearest shaft.
    ///   - isCompared: an earlier scan tells vessels from ice, so that narrow ice need not be doubted.
    init(
        _ work: Volume<Float>, modality: Modality, toBody: Volume<Float>, clearanceMM: Float, toAxis: Volume<Float>, dropHU: Float,
        isCompared: Bool = false
    ) {
        let unfrozen = toBody.combined(with: toAxis) { d, axis in d > clearanceMM && axis > 5 ? 1 : 0 }
        let around = Mask(unfrozen) { $0 > 0 }
        switch modality {
        case .mr:
            let bright = max(work.quantile(0.75, in: around) ?? 1, 1e-3)
            let signal = work.combined(with: unfrozen) { v, w in w > 0 && v > 0.5 * bright && v < 2.5 * bright ? 1 : 0 }
            let sum = work.combined(with: signal) { $0 * $1 }.gaussianSmoothed(sigmaMM: 14)
            let level = sum.combined(with: signal.gaussianSmoothed(sigmaMM: 14)) { s, w in w > 1e-4 ? s / w : bright }
            let share = work.combined(with: level) { $0 / $1 }
            // Noise without signal is what a void shows.
            let noise = min(0.15, max(0.02, share.noise(in: around)))
            neighbourhood = TissueNeighbourhood(share, unfrozen: unfrozen, lungShare: nil, law: .mr(noise: noise))
            brightness = level
            lungShare = nil
            isSurroundedByLung = false
            (lungIceLevel, wideInLung) = (nil, nil)
            polarity = 1
        case .ct:
            let levels = work.values(in: around)
            let noise = work.noise(in: Mask(work.combined(with: unfrozen) { v, w in w > 0 && v > -60 && v < 120 ? 1 : 0 }) { $0 > 0 })
            let bonePresent = levels.count { $0 > Self.boneHU } * 300 > levels.count
            let within = Mask(toBody.combined(with: toAxis) { d, axis in d < -2.5 && axis > 5 ? 1 : 0 }) { $0 > 0 }
            let inside = work.values(in: within)
            let pure = unfrozen.combined(with: Self.slopes(of: work), work) { w, slope, level in
                let steep = slope / Self.mixed(at: level)
                return w / (1 + steep * steep)
            }
            let beside = Mask(unfrozen.combined(with: toBody) { w, d in w > 0 && d < Self.besideMM ? 1 : 0 }) { $0 > 0 }
            let lung = Self.lungShare(work, unfrozen: unfrozen)
            lungShare = lung
            let besideLevels = work.values(in: beside)
            isSurroundedByLung = besideLevels.count(where: { $0 < Self.lungHU }) * 2 > besideLevels.count
            let lungIce = isSurroundedByLung ? Self.lungIce(inside: inside) : nil
            lungIceLevel = lungIce?.level
            let iceML = Mask(toBody) { $0 < 0 }.volumeML
            wideInLung = isCompared || lungIce == nil
                ? nil : DenseInLung.wide(in: work, iceML: iceML).map { Volume<Float>.levels(of: $0) }
            neighbourhood = TissueNeighbourhood(
                work, unfrozen: pure, lungShare: lung,
                law: .ct(
                    dropHU: dropHU, fatDropHU: Self.fatDrop(inside: inside, around: levels),
                    lungIce: lungIce,
                    bonePresent: bonePresent, noise: min(noise, 15)))
            brightness = nil
            polarity = 0
        }
    }

    /// Of the unfrozen tissue around a place the share that is lung, from where most is, to where all but vessels is.
    private static func lungShare(_ work: Volume<Float>, unfrozen: Volume<Float>) -> Volume<Float> {
        let lung = work.combined(with: unfrozen) { v, w in v < lungHU ? w : 0 }.gaussianSmoothed(sigmaMM: lungReachMM)
        return lung.combined(with: unfrozen.gaussianSmoothed(sigmaMM: lungReachMM)) { l, w in
            w > 1e-6 ? max(0, min(1, (l / w - lungShares.lowerBound) / (lungShares.upperBound - lungShares.lowerBound))) : 0
        }
    }
    private static let lungReachMM = 8.0, lungShares: ClosedRange<Float> = 0.5...0.75

    /// How far fat has fallen where the body holds what is darker than any fat, `nil` where it does not.
    private static func fatDrop(inside: [Float], around: [Float]) -> Float? {
        let fat = around.filter { fatRangeHU.contains($0) }
        guard fat.count > 200, let level = fat.median else { return nil }
        let darker = inside.filter { $0 < level - 35 && $0 > gasHU }
        guard darker.count > 40, darker.count * 12 > inside.count, let dark = darker.median else { return nil }
        return level - dark
    }

    private static let fewestLungIce = 20
    /// What is nearer to the ice than this lies beside it.
    private static let besideMM: Float = 18

    /// What lung has frozen to; `nil` where most of the ice has other levels, as vessels and the chest wall have.
    private static func lungIce(inside: [Float]) -> (level: Float, spread: Float)? {
        let ice = inside.filter { lungIceHU.contains($0) }
        guard ice.count > fewestLungIce, 2 * ice.count > inside.count,
            let level = ice.median, let deviation = ice.map({ abs($0 - level) }).median
        else { return nil }
        return (level, max(45, 1.5 * 1.4826 * deviation))
    }

    /// Smoothed a little: noise alone is steep too.
    private static func slopes(of image: Volume<Float>) -> Volume<Float> { image.gaussianSmoothed(sigmaMM: 1.3).gradientLengths() }
    private static func mixed(at level: Float) -> Float { level < -150 ? 6 * mixedHUPerMM : level > 100 ? 3 * mixedHUPerMM : mixedHUPerMM }

    func evidence(of image: Volume<Float>) -> Volume<Float> {
        let evidence = neighbourhood.logOdds(of: levels(image)).mapped { (odds: Float) -> Float in
            let sure = max(0, min(Self.certain, abs(odds)) - Self.doubtful) / (Self.certain - Self.doubtful)
            return odds < 0 ? -sure : sure
        }
        guard brightness == nil else { return evidence }
        let slopes = Self.slopes(of: image).combined(with: lungShare!) { slope, lung in slope / (1 + Self.lungSteepness * lung) }
        let unmixed = evidence.combined(with: slopes, image) { e, slope, level in
            let steep = 0.7 * slope / Self.mixed(at: level)
            return e > 0 ? e / (1 + steep * steep) : e
        }
        guard let lungIceLevel else { return unmixed }
        let bright = image.mapped { (v: Float) -> Float in max(0, min(1, (v - lungIceLevel - Self.vesselExcessHU) / 40)) }
        let clear = unmixed.combined(with: bright.gaussianSmoothed(sigmaMM: Self.wallMM), lungShare!) { e, near, lung in
            e > 0 ? e * (1 - lung * max(0, min(1, (near - 0.05) / 0.1))) : e
        }
        guard let wideInLung else { return clear }
        return clear.combined(with: wideInLung, lungShare!) { e, wide, lung in e > 0 && wide < 0 ? e * (1 - lung) : e }
    }
    /// The edge of ice in lung is steeper than others by so much.
    private static let lungSteepness: Float = 2
    /// In lung what is brighter than its ice by this is a vessel, the walls of which (so far about it) have the level of ice.
    private static let vesselExcessHU: Float = 50, wallMM = 2.0

    func edgeImage(of fine: Volume<Float>) -> (Volume<Float>, validity: Volume<Float>) {
        let valid = Volume<Float>(geometry: fine.geometry, repeating: 1)
        guard brightness != nil else { return (fine.mapped { (v: Float) -> Float in -max(-1000, min(400, v)) }, valid) }
        return (levels(fine).mapped { (share: Float) -> Float in max(-0.5, 1 - share) }, valid)
    }

    /// MR only: the median signal within a region as a share of that of the bright tissue around.
    func signalShare(of image: Volume<Float>, in region: Mask) -> Float? { brightness == nil ? nil : levels(image).median(in: region) }

    private func levels(_ image: Volume<Float>) -> Volume<Float> {
        guard let brightness else { return image }
        return image.combined(with: brightness.interpolated(onto: image.geometry)) { $0 / $1 }
    }
}

extension ExpectedStep {
    /// That from watery tissue to its ice, in an edge image of `SurroundingTissue` on CT, which is brighter where HU are lower.
    static func freezing(byHU drop: Float) -> ExpectedStep { ExpectedStep(step: drop, outsides: -150...0) }
}
