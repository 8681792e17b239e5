import Foundation
import ImagingCore

/// Which straight shafts of metal are tubes of mesh, as stents are, and not rods.
///
/// A rod that looks wider than the scanner's blur makes it is that wide, and metal of that width reads at least as metal on its axis; a
/// narrow tube of mesh does not, for it holds little metal. A wide tube shows as two lines side by side, its walls, neither of which
/// explains what lies about it.
struct MeshTubes {
    private let isTube: [Bool]

    /// The least that solid metal reads, above tissue and with room for what streaks take away, and a rod's share of it.
    private static let solidHU = 2500.0, leastShareOfSolid = 0.55
    /// Thinner rods may be dimmed by more than is known.
    private static let leastRadiusMM = 1.0
    private static let widestTubeMM = 12.0, largestCosine = 0.996, wallExplains = 0.7
    private static let usedSlices = 8

    init(among shafts: [ShaftFit.Outcome], in scan: ScanVolume) {
        let spacing = scan.geometry.spacing
        let faint = shafts.map { $0.undimmedExcess(sliceSpacingMM: spacing.z) < Self.leastShareOfSolid * Self.solidHU }
        // What reads as metal throughout is a rod whatever its width: sharpness is looked at for others only.
        let blur = zip(shafts, faint).contains { $1 && $0.model.blurMM > Self.leastRadiusMM / 2 } ? Self.blur(of: scan) : nil
        isTube = shafts.indices.map { index in
            let shaft = shafts[index], peak = shaft.undimmedExcess(sliceSpacingMM: spacing.z)
            if let blur, faint[index] {
                let squaredRadius = 4 * (shaft.model.blurMM * shaft.model.blurMM - blur * blur)
                let solid = Self.solidHU * (1 - exp(-squaredRadius / (2 * blur * blur)))
                if squaredRadius > Self.leastRadiusMM * Self.leastRadiusMM, peak < Self.leastShareOfSolid * solid { return true }
            }
            // Walls hold little metal; parallel rods in a crowd explain as little of what lies about them, but are solid.
            return peak < Self.solidHU && shaft.explainedShare < Self.wallExplains && shafts.indices.contains { other in
                other != index && shafts[other].explainedShare < Self.wallExplains
                    && shaft.runsBeside(shafts[other], withinMM: Self.widestTubeMM, cosine: Self.largestCosine)
            }
        }
    }

    func contains(_ index: Int) -> Bool { isTube[index] }

    /// The scanner's blur in the slice plane, `nil` where no sharp edge shows it.
    private static func blur(of scan: ScanVolume) -> Double? {
        let size = scan.geometry.size, first = max(0, size.k / 2 - usedSlices / 2)
        let nothing = Volume<Float>(geometry: scan.geometry.cropped(0..<1, 0..<1, first..<first + 1), repeating: -1)
        // Of a sharp edge the half rise is the blur.
        return ScanSharpness(
            scan, slices: first..<min(size.k, first + usedSlices), excluding: nothing, leastContrast: 400)?.halfRiseMM
    }
}

extension ShaftFit.Outcome {
    /// Whether another shaft runs parallel to this one over most of the shorter of the two.
    fileprivate func runsBeside(_ other: ShaftFit.Outcome, withinMM distance: Double, cosine: Double) -> Bool {
        guard abs((model.direction * other.model.direction).sum()) > cosine else { return false }
        let places = stride(from: other.model.from, through: other.model.to, by: 2).map { other.model.line.point(at: $0) }
        let beside = places.count { model.distance(to: $0) < distance }
        return Double(beside) * 2 > 0.7 * min(lengthMM, other.lengthMM)
    }
}
