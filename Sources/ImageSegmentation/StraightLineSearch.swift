import ImagingCore

/// A stretch of a straight line in patient space.
struct LineStretch {
    let origin: SIMD3<Double>
    /// Of length 1.
    let direction: SIMD3<Double>
    /// Along `direction` from `origin`, in millimetres.
    let range: ClosedRange<Double>

    func position(of point: SIMD3<Double>) -> Double { ((point - origin) * direction).sum() }
    func distance(to point: SIMD3<Double>) -> Double {
        let offset = point - origin
        let along = (offset * direction).sum()
        return max(0, (offset * offset).sum() - along * along).squareRoot()
    }
}

/// The longest thin straight stretch among points: random sampling with a fixed seed, so that a scan always gives the same probes.
enum StraightLineSearch {
    private static let trials = 400
    private static let reachMM = 1.6
    private static let largestGapMM = 6.0
    /// Of the points within 5 mm of a shaft's axis, at least this share lies within `reachMM` + 0.6.
    private static let thinness = 0.6

    static func best(in points: [MetalPoint]) -> LineStretch? {
        guard points.count >= 8 else { return nil }
        var state: UInt64 = 0x1CE
        func next(_ bound: Int) -> Int {
            state = state &* 6364136223846793005 &+ 1442695040888963407
            return Int((state >> 33) % UInt64(bound))
        }
        // Distances are tested on a selection; a line of 25 mm has dozens of points, so it is not missed.
        let step = points.count / 4000 + 1
        let tested = step == 1 ? points : stride(from: 0, to: points.count, by: step).map { points[$0] }
        var best: (length: Double, line: LineStretch)?
        for _ in 0..<trials {
            let a = points[next(points.count)].position, b = points[next(points.count)].position
            let offset = b - a, length = (offset * offset).sum().squareRoot()
            guard length > 8 else { continue }
            let line = LineStretch(origin: a, direction: offset / length, range: 0...length)
            guard let stretch = unbrokenStretch(of: line, in: tested, gap: largestGapMM * (step == 1 ? 1 : 1.5)) else { continue }
            let extent = stretch.range.upperBound - stretch.range.lowerBound
            if extent > best?.length ?? 10 { best = (extent, stretch) }
        }
        return best?.line
    }

    /// The part of `line` around its origin that has points near it without large gaps, when it is thin; otherwise `nil`.
    private static func unbrokenStretch(of line: LineStretch, in points: [MetalPoint], gap: Double) -> LineStretch? {
        var near: [Double] = [], wide: [Double] = []
        for point in points {
            let distance = line.distance(to: point.position)
            guard distance < 5 else { continue }
            let position = line.position(of: point.position)
            if distance < reachMM + 0.6 { near.append(position) }
            wide.append(position)
        }
        guard near.count >= 8 else { return nil }
        near.sort()
        guard let middle = near.firstIndex(where: { $0 >= -0.01 }) else { return nil }
        var low = middle, high = middle
        while low > 0, near[low] - near[low - 1] < gap { low -= 1 }
        while high + 1 < near.count, near[high + 1] - near[high] < gap { high += 1 }
        let range = near[low]...near[high]
        let around = wide.count { range.contains($0) }
        guard Double(high - low + 1) >= thinness * Double(around) else { return nil }
        return LineStretch(origin: line.origin, direction: line.direction, range: range)
    }
}
