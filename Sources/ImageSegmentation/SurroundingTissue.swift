import Foundation
import ImageFilters
import ImagingCore

/// Unfrozen tissue as the surroundings of the probes show it, when there is no earlier scan.
enum SurroundingTissue: UnfrozenTissue {
    /// Soft tissue of one typical level, with ice of another: what is darker than both (fat) is neither.
    case soft(tissue: Float, ice: Float)
    /// Lung, in which ice is the dense region around the probes.
    case lung(air: Float, ice: Float)
    /// MR: ice is the part without signal; `level` is the tissue's own, slowly varying signal.
    case signal(level: Volume<Float>, bright: Float)

    /// Ice is 85 HU below its tissue, with this much allowed for either's spread.
    private static let dropRangeHU: ClosedRange<Float> = 55...120
    /// Ice this dark cannot be told from fat without an earlier scan.
    private static let fatLikeHU: Float = -80
    /// Ice of any organ lies below this; without metal to show that a procedure goes on, only what no cyst reaches is believed.
    private static let brightestIceHU: Float = 20, brightestIceWithoutProbesHU: Float = -10

    init(_ work: Volume<Float>, modality: Modality, origins: IceOrigins, toOrigin: Volume<Float>, toAxis: Volume<Float>) throws(SegmentationError) {
        let nearRadius: Float = origins.probes.isEmpty ? 6 : 7
        let near = Mask(toOrigin.combined(with: toAxis) { d, axis in d < nearRadius && axis > 2.5 ? 1 : 0 }) { $0 > 0 }
        let shell = Mask(toOrigin) { $0 > 12 && $0 < 42 }
        guard let ice = work.median(in: near) else { throw .noIceFound(reason: "the probes' tips lie outside the scan") }
        switch modality {
        case .mr:
            let bright = work.quantile(0.75, in: shell) ?? 1
            guard ice < 0.5 * bright else { throw .noIceFound(reason: "there is signal around the probes") }
            let signal = work.mapped { (v: Float) -> Float in v > 0.5 * bright && v < 2.5 * bright ? 1 : 0 }
            let sum = work.combined(with: signal) { $0 * $1 }.gaussianSmoothed(sigmaMM: 14)
            let level = sum.combined(with: signal.gaussianSmoothed(sigmaMM: 14)) { s, w in w > 0.01 ? s / w : bright }
            self = .signal(level: level, bright: bright)
        case .ct:
            let levels = work.values(in: shell)
            let airShare = Double(levels.count { $0 < -500 }) / Double(max(levels.count, 1))
            let nextTo = work.values(in: Mask(toOrigin) { $0 > 12 && $0 < 30 })
            let airNear = Double(nextTo.count { $0 < -500 }) / Double(max(nextTo.count, 1))
            if airShare > 0.35, airNear > 0.3 {
                let air = levels.filter { $0 < -500 }.median ?? -850, level = work.quantile(0.3, in: near) ?? ice
                guard ice > air + 200 else { throw .noIceFound(reason: "the lung around the probes is aerated") }
                guard ice < Self.brightestIceHU else {
                    throw .noIceFound(reason: "the tissue around the probes reads \(Int(ice.rounded())) HU, as unfrozen tissue does")
                }
                self = .lung(air: air, ice: max(air + 200, min(level, 0)))
                return
            }
            let limit = origins.probes.isEmpty ? Self.brightestIceWithoutProbesHU : Self.brightestIceHU
            guard ice <= limit else {
                throw .noIceFound(reason: "the tissue around the probes reads \(Int(ice.rounded())) HU, as unfrozen tissue does")
            }
            guard ice > Self.fatLikeHU else {
                throw .noIceFound(reason: "the tissue around the probes reads \(Int(ice.rounded())) HU, which cannot be told from fat without a scan before freezing")
            }
            guard let tissue = Self.commonest(levels, in: ice + Self.dropRangeHU.lowerBound...ice + Self.dropRangeHU.upperBound) else {
                throw .noIceFound(reason: "there is no unfrozen organ around the probes against which ice would stand out")
            }
            self = .soft(tissue: tissue, ice: ice)
        }
    }

    /// The level in `range` with most values within ±12 of it, where these are at least 4 % of all soft tissue.
    private static func commonest(_ levels: [Float], in range: ClosedRange<Float>) -> Float? {
        let soft = levels.filter { $0 > -200 && $0 < 300 }
        let candidates = stride(from: range.lowerBound, through: range.upperBound, by: 3).map { level in
            (level, soft.count { abs($0 - level) < 12 })
        }
        guard let best = candidates.max(by: { $0.1 < $1.1 }), Double(best.1) > 0.04 * Double(soft.count) else { return nil }
        return soft.filter { abs($0 - best.0) < 15 }.median
    }

    func iceness(of image: Volume<Float>) -> (Volume<Float>, confidence: Volume<Float>) {
        switch self {
        case .soft(let tissue, let ice):
            let fat = min(ice - 20, 0.5 * (ice - 105)), span = tissue - ice
            let iceness = image.mapped { (value: Float) -> Float in
                value >= fat ? (tissue - value) / span : max(-0.5, 1 - (fat - value) / 15)
            }
            return (iceness, image.mapped { (_: Float) -> Float in 1 })
        case .lung(let air, let ice):
            return (image.mapped { (value: Float) -> Float in min(1, (value - air) / (ice - air)) }, image.mapped { (_: Float) -> Float in 1 })
        case .signal(let level, let bright):
            let expected = level.interpolated(onto: image.geometry)
            return (image.combined(with: expected) { SignalLoss.iceness($0, tissue: $1, bright: bright).0 }, image.combined(with: expected) { SignalLoss.iceness($0, tissue: $1, bright: bright).1 })
        }
    }
}
