import Foundation

/// What encloses the middle of a tumour and differs both from it and from what lies beyond.
struct EnclosingShell {
    /// The usual level, in HU or signal.
    let level: Float
    /// Whether it is brighter, or darker, than both the middle and what lies beyond.
    let isCrest: Bool
    /// By direction: how far beyond the middle's outline its crest or the middle of its shelf lies, its level there, and 1 where it was
    /// found, else 0.
    private(set) var depthsMM, levels, found: [Float]
    private(set) var thicknessMM: Float = 0
    /// How far beyond the middle's outline the shell begins, in the median: how much too small that is.
    private(set) var innerDepthMM: Float = 0
    /// How far beyond it the shell ends, in the median.
    var outerDepthMM: Float { (zip(depthsMM, found).filter { $1 > 0 }.map(\.0).median ?? 0) + 0.5 * thicknessMM }
    /// Area-weighted share of the outline beyond which the shell begins and ends, of where no other neighbour hides that; and of all of it.
    private(set) var closedShare: Float = 0, closedShareOfAll: Float = 0

    /// By how many times the spread of the middle's own levels the shell differs from it.
    private static let leastRise: Float = 2
    /// What the shell stands out by from what lies beyond, as a share of what it stands out by from the middle: a sharp kernel, or
    /// truncation on MR, makes an edge overshoot by a tenth.
    private static let leastDropShare: Float = 0.15
    /// The same in standard deviations of grain, and as a share of the lesser of the two.
    private static let leastDrop: Float = 3, leastDropOfUsual: Float = 0.25
    /// What stands out from the middle by more times than the shell usually does is something else beside it.
    private static let mostRiseShare: Float = 1.5
    /// Tumours without a shell came to 0.45 and less of the first.
    private static let leastClosedShare: Float = 0.6, leastClosedShareOfAll: Float = 0.4
    private static let leastThicknessMM: Float = 1.5
    /// The heights between which a shelf is measured, as shares of the way from the middle's level to that beyond. Blur makes one edge 1.35
    /// times its own standard deviation wide there.
    private static let shelf: ClosedRange<Float> = 0.25...0.75
    private static let leastShelfMM: Float = 2.4, leastShelfOfBlur: Float = 1.75, leastShelfShare: Float = 0.6
    /// Where a shelf has ended, as such a share, and how far beyond that a profile is read.
    private static let beyondShelf: Float = 0.9, beyondShelfMM: Float = 4

    private init(level: Float, isCrest: Bool, directions: Int) {
        (self.level, self.isCrest) = (level, isCrest)
        depthsMM = [Float](repeating: 0, count: directions)
        (levels, found) = (depthsMM, depthsMM)
    }

    /// A shell brighter, or darker, than both the middle and what lies beyond.
    ///
    /// - Parameters:
    ///   - middle: the middle's usual level and its spread.
    ///   - areas: of the outline, by direction.
    static func ridge(in profiles: DepthProfiles, middle: (level: Float, spread: Float), areas: [Float]) -> EnclosingShell? {
        let usual = profiles.usual, count = profiles.count
        func ridge(_ sign: Float) -> (at: Int, rise: Float, drop: Float) {
            let at = (DepthProfiles.surface..<count).max { sign * usual[$0] < sign * usual[$1] }!
            return (at, sign * (usual[at] - middle.level), sign * usual[at] - (usual[at...].map { sign * $0 }.min() ?? 0))
        }
        let (bright, dark) = (ridge(1), ridge(-1)), isBright = min(bright.rise, bright.drop) > min(dark.rise, dark.drop)
        let sign: Float = isBright ? 1 : -1, (at, rise, drop) = isBright ? bright : dark
        guard rise > leastRise * middle.spread, drop > leastDropShare * rise else { return nil }
        let ends = max(leastDropShare * rise, leastDropOfUsual * min(rise, drop), leastDrop * profiles.grain)
        var shell = EnclosingShell(level: usual[at], isCrest: true, directions: areas.count), extents: [Range<Int>] = [], beside: Float = 0
        for n in areas.indices {
            let own = profiles.values(n).map { sign * ($0 - middle.level) }
            guard let entry = own.firstIndex(where: { $0 > 0.5 * rise }) else { continue }
            var top = entry, exit: Int?
            for s in entry..<count where exit == nil {
                if own[s] > own[top] { top = s } else if own[s] < own[top] - ends { exit = s }
            }
            guard own[top] < mostRiseShare * rise else {
                beside += areas[n]
                continue
            }
            guard let exit else { continue }
            let crest = own[max(entry, top - 1)...min(exit - 1, top + 1)], height = crest.reduce(0, +) / Float(crest.count)
            shell.take(n, depthMM: DepthProfiles.depthMM(top), level: middle.level + sign * unblurred(height, own, top, profiles.blurMM[n]))
            extents.append(entry..<exit)
        }
        return shell.closed(areas, beside: beside, extents: extents)
    }

    /// A shell of a level between the middle's and that beyond.
    static func shelf(in profiles: DepthProfiles, middle: (level: Float, spread: Float), areas: [Float]) -> EnclosingShell? {
        guard let beyond = profiles.usual.last, abs(beyond - middle.level) > leastRise * middle.spread else { return nil }
        func ends(_ values: some Collection<Float>) -> (first: Int, last: Int)? {
            let heights = values.map { ($0 - middle.level) / (beyond - middle.level) }
            guard let first = heights.firstIndex(where: { $0 > shelf.lowerBound }),
                let last = heights[first...].firstIndex(where: { $0 > shelf.upperBound }) else { return nil }
            return (first, last)
        }
        guard let usual = ends(profiles.usual) else { return nil }
        let widthMM = Float(usual.last - usual.first) * DepthProfiles.stepMM
        let end = profiles.usual.firstIndex { ($0 - middle.level) / (beyond - middle.level) > beyondShelf } ?? usual.last
        guard widthMM > max(leastShelfMM, leastShelfOfBlur * (profiles.blurMM.median ?? 0)),
            let layer = LayerBetweenEdges(profiles.usual[..<min(end + Int(beyondShelfMM / DepthProfiles.stepMM), profiles.count)]) else {
            return nil
        }
        let level = middle.level + layer.height * (beyond - middle.level)
        var shell = EnclosingShell(level: level, isCrest: false, directions: areas.count), extents: [Range<Int>] = []
        for n in areas.indices {
            guard let own = ends(profiles.values(n)), Float(own.last - own.first) * DepthProfiles.stepMM > leastShelfShare * widthMM else {
                continue
            }
            let at = (own.first + own.last) / 2
            shell.take(n, depthMM: DepthProfiles.depthMM(at), level: profiles.values[n * profiles.count + at])
            extents.append(own.first..<own.last)
        }
        return shell.closed(areas, beside: 0, extents: extents)
    }

    /// What lies beyond a crest is looked for within this; and the least share of a shell's height that blur is taken to have left.
    private static let beyondCrestMM: Float = 6, leastHeightLeft: Float = 0.5

    /// The height of a shell before blur, which lowers the crest of one that is hardly thicker than itself.
    ///
    /// - Parameter own: a profile that is 0 in the middle, with the crest at `top`.
    private static func unblurred(_ height: Float, _ own: [Float], _ top: Int, _ blurMM: Float) -> Float {
        let beyond = own[top..<min(own.count, top + Int(beyondCrestMM / DepthProfiles.stepMM))].min() ?? 0
        guard let rises = own[..<top].lastIndex(where: { $0 < 0.5 * height }),
            let falls = own[top...].firstIndex(where: { $0 < 0.5 * (height + beyond) }) else { return height }
        let up = Float(rises) + (0.5 * height - own[rises]) / (own[rises + 1] - own[rises])
        let down = Float(falls) - (0.5 * (height + beyond) - own[falls]) / (own[falls - 1] - own[falls])
        let width = (down - up) * DepthProfiles.stepMM / blurMM
        /// Of a box under unit blur: its height at a place, by distance from its middle.
        func left(_ place: Float, of box: Float) -> Float {
            let scale = Float(0.5).squareRoot(), outer: Float = erf((place + box / 2) * scale), inner: Float = erf((place - box / 2) * scale)
            return 0.5 * (outer - inner)
        }
        var low: Float = 0, high = width
        for _ in 0..<20 {
            let box = 0.5 * (low + high)
            if left(width / 2, of: box) < 0.5 * left(0, of: box) { low = box } else { high = box }
        }
        let base = 0.5 * beyond
        return base + (height - base) / max(left(0, of: low), leastHeightLeft)
    }

    private mutating func take(_ direction: Int, depthMM: Float, level: Float) {
        (depthsMM[direction], levels[direction], found[direction]) = (depthMM, level, 1)
    }

    /// - Parameter extents: the depths between which it lies, as places in profiles, of the directions in which it was found.
    /// - Returns: `nil` where it is not closed.
    private consuming func closed(_ areas: [Float], beside: Float, extents: [Range<Int>]) -> EnclosingShell? {
        let all = areas.reduce(0, +), closed = zip(areas, found).reduce(0) { $0 + $1.0 * $1.1 }
        (closedShare, closedShareOfAll) = (closed / max(all - beside, 1e-6), closed / max(all, 1e-6))
        thicknessMM = DepthProfiles.stepMM * (extents.map { Float($0.count) }.median ?? 0)
        innerDepthMM = extents.map { DepthProfiles.depthMM($0.lowerBound) }.median ?? 0
        guard closedShare > Self.leastClosedShare, closedShareOfAll > Self.leastClosedShareOfAll,
            thicknessMM >= Self.leastThicknessMM else { return nil }
        return self
    }
}
