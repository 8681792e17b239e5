import ImageFilters
import ImagingCore

/// How far the true smallest of many uncertain margins may lie from the smallest that was measured, 95 %.
///
/// Where much of a surface has nearly the same margin, the place at which errors happen to be most negative is taken for the worst; and a
/// tumour in the middle of its ice comes nearer to one side of it wherever a misplacement takes it. So errors are drawn for the whole
/// surface at once: those of the edges by patches, that of the registration as one shift, those of a set-back or a simulation alike
/// everywhere. By how much they lower the smallest margin, the true one may be larger (basic bootstrap interval; Davison and Hinkley 1997,
/// §5.2). They are drawn over the margins as measured, and over the most even ones that may have been measured so. Downwards the error at
/// the worst place counts: no other place makes the true smallest margin larger than it is there.
struct SmallestMarginError {
    /// A part of the surface over which the edges' errors are alike.
    struct Patch {
        /// The smallest on it.
        var marginMM: Double
        /// In which the margin grows fastest, of length 1.
        var direction: SIMD3<Double>
        /// Standard deviation of what differs between patches.
        var localMM: Double
        /// Standard deviation of what all patches share.
        var sharedMM: Double
        /// In patch sizes: patches whose cells differ by 1 at most are neighbours.
        var cell: SIMD3<Int>
    }

    /// Over this distance errors of a segmented edge are alike: its smoothing, on both sides.
    static let patchMM = 8.0
    /// Larger errors come from stretches without a visible edge, over many patches alike; only this much of them is local.
    static let largestLocalErrorMM = 0.75
    private static let draws = 1000
    /// Patches so many standard deviations above the lowest never come out smallest.
    static let reach = 4.0
    /// Fewer patches do not tell a lean from unevenness.
    private static let fewestForLean = 8
    /// 97.5 % of shifts are shorter, in standard deviations of one component: χ with 3 degrees of freedom.
    private static let largestShift = 3.058

    let belowMM, aboveMM: Double

    /// - Parameters:
    ///   - registrationErrorMM: the expected length of the registration's error.
    ///   - halfWidthMM: half the 95 % interval of a margin at the worst place alone.
    init(patches: [Patch], registrationErrorMM: Double, halfWidthMM: Double) {
        belowMM = halfWidthMM
        aboveMM = max(
            0, Self.lowering(of: patches, registrationErrorMM),
            Self.lowering(of: Self.calmed(patches, registrationErrorMM), registrationErrorMM))
    }

    /// By how much errors lower the smallest margin: by no more in 97.5 % of all draws.
    private static func lowering(of patches: [Patch], _ registrationErrorMM: Double) -> Double {
        guard let lowest = patches.map(\.marginMM).min() else { return 0 }
        var random = SeededGenerator(seed: 0x1CE)
        let componentMM = registrationErrorMM / 3.0.squareRoot()
        let lowerings = (0..<draws).map { _ -> Double in
            let shift = componentMM * SIMD3(random.normal(), random.normal(), random.normal()), shared = random.normal()
            return lowest - patches.reduce(.infinity) { smallest, patch in
                let shiftMM = (shift * patch.direction).sum()
                return min(smallest, patch.marginMM + patch.localMM * random.normal() + shiftMM + patch.sharedMM * shared)
            }
        }.sorted()
        return lowerings[draws - 1 - draws / 40]
    }

    /// The most even margins that may have been measured so: without the unevenness between neighbours that the edges' errors explain
    /// (James and Stein 1961), and without the lean to one side that a registration's error explains, as long as that error is not among
    /// the largest 2.5 %.
    private static func calmed(_ patches: [Patch], _ registrationErrorMM: Double) -> [Patch] {
        var patches = patches
        let roughness = patches.map { patch -> Double in
            let near = patches.filter { (($0.cell &- patch.cell) &* ($0.cell &- patch.cell)).max() <= 1 }
            return patch.marginMM - near.reduce(0) { $0 + $1.marginMM } / Double(near.count)
        }
        let unevenness = roughness.reduce(0) { $0 + $1 * $1 }, expected = patches.reduce(0) { $0 + $1.localMM * $1.localMM }
        let keptRoughness = unevenness > expected ? (1 - expected / unevenness).squareRoot() : 0
        for index in patches.indices { patches[index].marginMM -= (1 - keptRoughness) * roughness[index] }

        guard patches.count >= fewestForLean else { return patches }
        let mean = patches.reduce(0) { $0 + $1.marginMM } / Double(patches.count)
        var moments = [SIMD3<Double>](repeating: .zero, count: 3), projected = SIMD3<Double>.zero
        for patch in patches {
            for axis in 0..<3 { moments[axis] += patch.direction[axis] * patch.direction }
            projected += (patch.marginMM - mean) * patch.direction
        }
        guard let lean = Matrix3(rows: moments[0], moments[1], moments[2]).inverse.map({ $0 * projected }) else { return patches }
        let leanMM = (lean * lean).sum().squareRoot()
        let keptLean = leanMM > 0 ? max(0, 1 - largestShift * registrationErrorMM / 3.0.squareRoot() / leanMM) : 0
        for index in patches.indices { patches[index].marginMM -= (1 - keptLean) * (lean * patches[index].direction).sum() }
        return patches
    }
}

extension MarginUncertainty {
    /// How far the true smallest margin over `map` may lie from `worst`, the smallest that was measured.
    /// - Parameter turned: whether the map's margins have their sign turned, as distances to a structure outside the zone.
    func smallestMarginError(
        over map: MarginMap, worst: WorstMargin, measure: SignedMarginMeasure, tumour: GridGeometry, zone: GridGeometry,
        turned: Bool = false
    ) -> SmallestMarginError {
        let halfWidth = halfWidthMM(along: worst.normal, at: worst.nearestZonePoint, tumour: tumour, zone: zone)
        var lowest: [SIMD3<Int>: Int] = [:]
        // Two patches differ by errors of both.
        let isLow = worst.marginMM + SmallestMarginError.reach * 2.0.squareRoot() * halfWidth / Self.coverageFactor
        for (vertex, margin) in map.marginsMM.enumerated() where margin < isLow {
            let cell = SIMD3<Int>((map.surface.vertices[vertex].lps / SmallestMarginError.patchMM).rounded(.down))
            if let known = lowest[cell], map.marginsMM[known] <= margin { continue }
            lowest[cell] = vertex
        }
        let patches = lowest.sorted { $0.value < $1.value }.map { cell, vertex -> SmallestMarginError.Patch in
            let marginMM = map.marginsMM[vertex]
            let (inwards, place) = measure.inwards(at: map.surface.vertices[vertex], marginMM: turned ? -marginMM : marginMM)
            let edgesMM = localErrorMM(along: inwards, tumour: tumour, zone: zone),
                localMM = min(edgesMM, SmallestMarginError.largestLocalErrorMM)
            return .init(
                marginMM: marginMM, direction: inwards.lps, localMM: localMM,
                sharedMM: (edgesMM * edgesMM - localMM * localMM + sharedErrorSquaredMM2(at: place)).squareRoot(), cell: cell)
        }
        return SmallestMarginError(patches: patches, registrationErrorMM: registrationErrorMM, halfWidthMM: halfWidth)
    }
}
