import ImageFilters
import ImagingCore

/// What lies in the middle of a zone and is brighter than the rest of it, which encloses it: clotted blood, 60 to 80 HU on CT and bright on
/// T1, in tissue without enhancement.
///
/// A seed in it reads the blood's level, and the zone would end where the blood does. It is looked for as a piece around the seeds that is
/// brighter than a shell around it, which ends some millimetres farther out at tissue brighter than itself. Painted over with the shell's
/// level it leaves an even zone.
struct ZoneCore {
    /// The levels at the seeds and of the shell: HU or signal.
    let level, shell: Float
    let volumeML: Double
    /// The shell's thickness, in millimetres.
    let shellMM: Double
    /// Millimetres inside what is painted over, negative outside; and the level put there.
    private let depth, paint: Volume<Float>

    /// What blood is brighter by than the shell: HU, or a share of its signal. Zones without blood vary by less.
    private static let leastHU: Float = 20, leastShare: Float = 0.15
    /// Millimetres from the seeds within which the shell's level is looked for, and the least share of the voxels there that is darker.
    private static let reachesMM: [Float] = [12, 20], leastDarkerShare: Float = 0.1
    /// Where between both levels the piece ends, as a share of the way from the shell's, and the radius of the ball that fits into it
    /// everywhere: the higher and the larger, the thinner the spots of the shell may be through which it would run out into the organ.
    private static let outlines: [(share: Float, ballMM: Double)] = [(0.5, 2), (0.7, 2), (0.85, 2), (0.5, 4), (0.7, 4)]
    /// What goes on farther from the seeds than this is an organ and no core.
    private static let farthestMM: Float = 32
    /// A dark rim around a zone is up to 3 mm thick and no part of it (`ZoneRim`).
    private static let leastShellMM: Float = 4
    /// The least part of the core's surface that lies in a shell. Of even zones it was less than 0.1.
    private static let leastEnclosedShare = 0.5
    /// By how many times the core's step from the shell what lies beyond may exceed it on MR: blood is about as bright as the organ, fat
    /// around a kidney with a bright zone in it is far brighter.
    private static let mostBeyond: Float = 1.5

    /// - Parameters:
    ///   - work: a smoothed image.
    ///   - distance: millimetres from the nearest seed, on the same grid.
    /// - Returns: `nil` where no such piece lies at the seeds.
    init?(_ work: Volume<Float>, distance: Volume<Float>, modality: Modality) {
        let isCT = modality == .ct, thick = Float(0.6 * work.geometry.spacing.max())
        // The seeds may lie at the core's edge.
        guard let level = work.values(in: Mask(distance) { $0 < max(4, thick) }).quantile(0.75), level > 0 else { return nil }
        let least = isCT ? Self.leastHU : Self.leastShare * level
        let starts = distance.withUnsafeVoxels { d in d.indices.filter { d[$0] < max(5, thick) }.map { distance.size.index(atOffset: $0) } }
        for reach in Self.reachesMM {
            let values = work.values(in: Mask(distance) { $0 < reach }), darker = values.filter { $0 < level - least && (!isCT || $0 > 0) }
            guard Float(darker.count) > Self.leastDarkerShare * Float(values.count),
                let dark = ZoneLevel.commonest(darker, width: 0.5 * least)
            else { continue }
            for outline in Self.outlines {
                let low = dark + outline.share * (level - dark), high = isCT ? level + 0.5 * (level - dark) : .infinity
                let bright = Mask(work.combined(with: distance) { $1 < Self.farthestMM && $0 > low && $0 < high ? 1 : 0 }) { $0 > 0 }
                let core = bright.opened(byMM: outline.ballMM).joined(to: starts)
                guard !core.isEmpty, distance.values(in: core).max()! < Self.farthestMM - 2 else { continue }
                let whole = core.dilated(byMM: 0.6 * outline.ballMM).intersection(bright)
                let found = CoreShell(whole, work: work, level: dark, coreLevel: level, least: least, modality)
                guard found.enclosedShare > Self.leastEnclosedShare, found.thicknessMM > Self.leastShellMM, abs(found.level - dark) < least,
                    isCT || found.beyond - found.level < Self.mostBeyond * (level - found.level)
                else { continue }
                (self.level, shell, volumeML) = (level, found.level, core.volumeML)
                shellMM = Double(found.thicknessMM)
                depth = found.covered.signedDistance()
                let isShell = depth.combined(with: work) { $0 < 0 && $0 > -8 && abs($1 - found.level) < 0.5 * least ? 1 : 0 }
                let weight = isShell.gaussianSmoothed(sigmaMM: 4)
                let sum = isShell.combined(with: work) { $0 * $1 }.gaussianSmoothed(sigmaMM: 4)
                paint = sum.combined(with: weight) { sum, weight in weight > 1e-3 ? sum / weight : found.level }
                return
            }
        }
        return nil
    }

    /// An image with the shell's level in place of the core's.
    func paintedOver(_ image: Volume<Float>) -> Volume<Float> {
        let depth = depth.interpolated(onto: image.geometry), paint = paint.interpolated(onto: image.geometry)
        return image.combined(with: depth, paint) { value, depth, paint in depth > 0 ? paint : value }
    }

    private var text: String {
        "\((volumeML * 10).rounded() / 10) mL at the seed are brighter than a shell around them "
            + "(\(Int(level.rounded())) and \(Int(shell.rounded()))), which ends at other tissue"
    }

    /// Where core and shell were taken for the zone.
    var finding: Finding {
        Finding(
            .warning, "ablation-zone-core-differs", "\(text): both were taken for the ablation zone, with blood in its middle.",
            remedy: "Look at the outline; make sure that the middle does not enhance, as tumour that is left does. "
                + "If the middle alone is the zone, give a mask.")
    }

    /// What was found and is hardly more than the core, where no zone was found with the shell.
    func doubted(_ part: SegmentationResult) -> SegmentationResult {
        guard part.levelSet.mask.volumeML < 2 * volumeML else { return part }
        let doubt = Finding(
            .warning, "ablation-zone-in-shell", "\(text): only the former were taken for the ablation zone, which may reach farther.",
            remedy: "Look at the outline; if the shell is the zone's, give a mask.")
        return SegmentationResult(
            levelSet: part.levelSet, edgeUncertaintyMM: max(part.edgeUncertaintyMM, shellMM), findings: part.findings + [doubt],
            method: part.method)
    }
}

/// What lines outwards from a core's surface pass through.
private struct CoreShell {
    /// The share of the lines that leave the core for a shell and that for something brighter, of those that do not come to fat or air.
    private(set) var enclosedShare = 0.0
    private(set) var thicknessMM: Float = 0
    /// The commonest levels in the shell and beyond it.
    private(set) var level: Float, beyond: Float = 0
    /// The core and the blur between it and the shell.
    private(set) var covered: Mask

    private static let stepMM: Float = 0.5
    /// What is dark for longer is an organ.
    private static let farthestMM: Float = 18
    /// How far from the core's surface the blur between it and its shell reaches, and that beyond the shell.
    private static let blurMM: Float = 5, beyondMM: Float = 2.5
    private static let fatHU: Float = -30

    init(_ core: Mask, work: Volume<Float>, level: Float, coreLevel: Float, least: Float, _ modality: Modality) {
        (self.level, covered) = (level, core)
        let size = work.size, spacing = SIMD3<Float>(work.geometry.spacing), strideJ = size.i, strideK = size.i * size.j
        let field = Volume<Float>.levels(of: core).gaussianSmoothed(sigmaMM: 1.5)
        let count = Int(Self.farthestMM / Self.stepMM)
        // A thin spot of a shell is blurred by what lies on both sides.
        let enters = level + min(max(0.5 * least, 0.35 * (coreLevel - level)), least), leaves = enters + 0.2 * least
        let lowest = modality == .ct ? Self.fatHU : -.infinity
        var thicknesses: [Float] = [], levels: [Float] = [], behind: [Float] = [], others = 0, blur: [Int] = []
        guard size.i > 2, size.j > 2, size.k > 2 else { return }
        field.withUnsafeVoxels { phi in
            core.withUnsafeVoxels { inside in
                work.withUnsafeVoxels { voxels in
                    let sample = TrilinearSampler(voxels, size: size)
                    for offset in inside.indices where inside[offset] != 0 {
                        let index = size.index(atOffset: offset)
                        guard index.i > 0, index.j > 0, index.k > 0, index.i < size.i - 1, index.j < size.j - 1, index.k < size.k - 1,
                            inside[offset + 1] & inside[offset - 1] & inside[offset + strideJ] & inside[offset - strideJ]
                                & inside[offset + strideK] & inside[offset - strideK] == 0
                        else { continue }
                        let gradient = SIMD3(
                            phi[offset + 1] - phi[offset - 1], phi[offset + strideJ] - phi[offset - strideJ],
                            phi[offset + strideK] - phi[offset - strideK]) / spacing
                        let steepness = (gradient * gradient).sum().squareRoot()
                        guard steepness > 0 else { continue }
                        let perStep = -Self.stepMM * gradient / steepness / spacing
                        let foot = SIMD3<Float>(Float(index.i), Float(index.j), Float(index.k))
                        var entry: Int?, end: Int?, endsInFat = false
                        for n in 0..<count {
                            let place = foot + Float(n) * perStep, value = sample(place)
                            guard all(place .>= 0), all(place .<= sample.last), value > lowest else {
                                endsInFat = true
                                break
                            }
                            if entry == nil, value < enters { entry = n }
                            if entry == nil, Float(n) * Self.stepMM > Self.blurMM { break }
                            if entry != nil, value > leaves {
                                end = n
                                break
                            }
                        }
                        if let entry {
                            for n in 0...entry {
                                let place = (foot + Float(n) * perStep).rounded(.toNearestOrAwayFromZero)
                                blur.append(Int(place.x) + strideJ * Int(place.y) + strideK * Int(place.z))
                            }
                        }
                        if let entry, let end {
                            thicknesses.append(Float(end - entry) * Self.stepMM)
                            levels.append(sample(foot + 0.5 * Float(entry + end) * perStep))
                            behind.append(sample(foot + (Float(end) + Self.beyondMM / Self.stepMM) * perStep))
                        } else if !endsInFat {
                            others += 1
                        }
                    }
                }
            }
        }
        let lines = thicknesses.count + others
        enclosedShare = Double(thicknesses.count) / Double(max(lines, 1))
        thicknessMM = thicknesses.median ?? 0
        self.level = levels.median ?? level
        beyond = behind.median ?? 0
        covered.withUnsafeMutableVoxels { for offset in blur { $0[offset] = 1 } }
        covered = covered.closed(byMM: 1.1 * work.geometry.spacing.max())
    }
}
