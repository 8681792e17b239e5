import Foundation
import ImageFilters
import ImagingCore

/// The middle of a tumour that differs from the rest, which encloses it: what is dead or fluid within an enhancing rim, or air in a cavity.
///
/// A seed in it has the middle alone outlined. Painted over with the level of the shell around it, as far as the middle of that, it leaves
/// an even tumour.
struct TumourCore {
    /// The usual level, in HU or signal.
    let level: Float
    let shell: EnclosingShell
    /// The outline of the middle alone.
    let fit: RadialTumourFit
    /// How far from the outline's centre the image is painted over, and with what, by direction.
    private let reach, paint: RadialField

    /// The shell ends within this share of the stated radius, and so far beyond it what lies around is read.
    private static let farthestShare: Float = 1.4, beyondMM: Float = 4
    /// On CT a lighter shell is fat or lung about a tumour, a denser one bone; about air, blur makes a thin wall lighter.
    private static let tissueHU: ClosedRange<Float> = -30...230
    /// Marrow lies between a tumour and cortical bone, in more than so many directions.
    private static let corticalHU: Float = 300, mostCorticalShare: Float = 0.2
    /// What the usual shell weighs against that found in a direction, for where none was.
    private static let weightOfUsual: Float = 0.05

    /// - Parameters:
    ///   - image: not smoothed, on a grid of voxels of about the rays' spacing.
    ///   - isOutline: whether `fit` lies at an edge all around; where it may not, its profiles rise by and by, and look like a shelf.
    init?(in image: Volume<Float>, within fit: RadialTumourFit, modality: Modality, isOutline: Bool = true) {
        let sphere = fit.sphere, stated = Float(fit.expectation.prompt.diameterMM / 2)
        let farthestMM = max(Self.farthestShare * stated - fit.meanRadius, Self.beyondMM) + Self.beyondMM
        guard let profiles = DepthProfiles(image, about: fit, farthestMM: farthestMM) else { return nil }
        let middle = (level: fit.odds.insideMedian, spread: fit.odds.insideSpread)
        let areas = fit.radii.indices.map { sphere.solidAngles[$0] * fit.radii[$0] * fit.radii[$0] }
        guard let shell = EnclosingShell.ridge(in: profiles, middle: middle, areas: areas)
            ?? (isOutline ? EnclosingShell.shelf(in: profiles, middle: middle, areas: areas) : nil),
            modality != .ct || Self.tissueHU.contains(shell.level)
                || (middle.level < LungBackground.solidHU && shell.level > LungBackground.glassHU),
            modality != .ct || profiles.share(above: Self.corticalHU, areas: areas) < Self.mostCorticalShare else { return nil }
        (level, self.shell, self.fit) = (middle.level, shell, fit)
        let usualDepth = zip(shell.depthsMM, shell.found).filter { $1 > 0 }.map(\.0).median ?? 0
        func filled(_ values: [Float], usual: Float) -> [Float] {
            var sums = zip(values, shell.found).map { $0 * $1 }, weights = shell.found
            for _ in 0..<2 { (sums, weights) = (sphere.averaged(sums), sphere.averaged(weights)) }
            return zip(sums, weights).map { ($0 + Self.weightOfUsual * usual) / ($1 + Self.weightOfUsual) }
        }
        let depths = filled(shell.depthsMM, usual: usualDepth)
        reach = RadialField(sphere: sphere, radii: zip(fit.radii, depths).map { $0 + $1 })
        paint = RadialField(sphere: sphere, radii: filled(shell.levels, usual: shell.level))
    }

    /// To where the shell begins: the outline of a part may end before that.
    var longestDiameterMM: Double { fit.longestDiameterMM + 2 * Double(shell.innerDepthMM) }

    /// An image with the shell's level in place of the middle's.
    func paintedOver(_ image: Volume<Float>) -> Volume<Float> {
        let depth = reach.levels(on: image.geometry, center: fit.center), grid = image.geometry
        var painted = image
        depth.withUnsafeVoxels { depth in
            painted.withUnsafeMutableVoxels { voxels in
                for offset in 0..<voxels.count where depth[offset] > 0 {
                    let place = SIMD3<Float>((grid.point(image.size.index(atOffset: offset)) - fit.center).lps)
                    voxels[offset] = (place * place).sum() > 0 ? paint.radius(place) : shell.level
                }
            }
        }
        return painted
    }

    /// Whether a surface that was found in the painted image is that of middle and shell: it may lie as deep within its edge as blur reaches.
    func isEnclosed(by whole: RadialTumourFit) -> Bool {
        whole.meanRadius > fit.meanRadius - 0.25 * shell.thicknessMM && whole.holds(fit.center)
    }
}
