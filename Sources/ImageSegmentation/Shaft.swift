import Foundation
import ImagingCore

/// A straight piece of metal, fitted to the scan's grey levels.
struct Shaft {
    private(set) var start: SIMD3<Double>
    private(set) var end: SIMD3<Double>

    var length: Double { (end - start).length }
    private var direction: SIMD3<Double> { (end - start) / length }

    /// Fits the line through the centroids of cross-sections and finds its ends at half of the shaft's own brightness.
    /// `nil` when what lies there is not bright, not long, or not thin.
    init?(_ line: LineStretch, in scan: ScanVolume) {
        start = line.origin + line.range.lowerBound * line.direction
        end = line.origin + line.range.upperBound * line.direction
        let reader = ScanReader(scan: scan)
        for _ in 0..<2 {
            guard length > 8 else { return nil }
            guard let fitted = fit(reader) else { return nil }
            (start, end) = fitted
            guard findEnds(reader) else { return nil }
        }
        guard length > 8 else { return nil }
    }

    private func fit(_ reader: ScanReader) -> (SIMD3<Double>, SIMD3<Double>)? {
        let axis = direction, (u, v) = axis.perpendiculars
        var centroids: [SIMD3<Double>] = []
        for n in 0...Int(length) {
            let foot = start + Double(n) * axis
            var sum = SIMD3<Double>.zero, weight = 0.0
            for a in -6...6 {
                for b in -6...6 where a * a + b * b <= 36 {
                    let place = foot + 0.5 * Double(a) * u + 0.5 * Double(b) * v
                    let w = max(0, Double(reader(place)) - 500)
                    sum += w * place
                    weight += w
                }
            }
            if weight > 500 { centroids.append(sum / weight) }
        }
        guard centroids.count >= 6 else { return nil }
        let line = Self.regression(centroids, along: axis)
        let residuals = centroids.map { LineStretch(origin: line.0, direction: line.1, range: 0...1).distance(to: $0) }.sorted()
        guard residuals[residuals.count / 2] < 1.2 else { return nil }
        // Once more without the outliers that crossing shafts and touching bone make.
        let limit = max(0.8, 2.5 * residuals[residuals.count / 2])
        let kept = centroids.filter { LineStretch(origin: line.0, direction: line.1, range: 0...1).distance(to: $0) <= limit }
        let (origin, refined) = Self.regression(kept.count >= 6 ? kept : centroids, along: axis)
        return (origin + ((start - origin) * refined).sum() * refined, origin + ((end - origin) * refined).sum() * refined)
    }

    /// The least-squares line through points that run along `axis`: each perpendicular component is regressed on the position along it.
    private static func regression(_ points: [SIMD3<Double>], along axis: SIMD3<Double>) -> (origin: SIMD3<Double>, direction: SIMD3<Double>) {
        let mean = points.reduce(.zero, +) / Double(points.count)
        var covariance = SIMD3<Double>.zero, variance = 0.0
        for point in points {
            let t = ((point - mean) * axis).sum()
            covariance += t * (point - mean)
            variance += t * t
        }
        let direction = covariance / max(variance, 1e-9)
        return (mean, direction / direction.length)
    }

    /// Moves both ends to where the brightness along the axis falls to half of its median; false when that is no metal.
    private mutating func findEnds(_ reader: ScanReader) -> Bool {
        let axis = direction, (u, v) = axis.perpendiculars
        let step = 0.25, reach = 70.0
        let from = -reach, count = Int((length + 2 * reach) / step)
        let profile: [Double] = (0...count).map { n in
            let foot = start + (from + Double(n) * step) * axis
            var sum = 0.0
            for (a, b) in [(0.0, 0.0), (0.6, 0.0), (-0.6, 0.0), (0.0, 0.6), (0.0, -0.6)] { sum += Double(reader(foot + a * u + b * v)) }
            return sum / 5
        }
        let first = Int(reach / step), last = count - first
        let levels = profile[first...max(first, last)].sorted()
        let typical = levels[levels.count / 2]
        guard typical >= Double(ProbeDetection.shaftHU) * 0.5, levels[levels.count * 9 / 10] >= Double(ProbeDetection.shaftHU) else { return false }
        let half = 0.5 * (typical + 40), tolerated = Int(4 / step)
        /// Where brightness ends for more than a gap that a slice or a shadow makes; a longer gap is bridged when enough follows it.
        func edge(from: Int, by: Int) -> Double {
            var at = from, lastBright = from, dark = 0
            while profile.indices.contains(at), dark <= tolerated {
                if profile[at] >= half { (lastBright, dark) = (at, 0) } else { dark += 1 }
                at += by
            }
            let beyond = stride(from: lastBright + by, to: lastBright + by * Int(20 / step), by: by).filter { profile.indices.contains($0) }
            if let again = beyond.first(where: { profile[$0] >= half && abs($0 - lastBright) > tolerated }), abs(again - lastBright) < Int(12 / step) {
                let run = stride(from: again, to: again + by * Int(8 / step), by: by).filter { profile.indices.contains($0) && profile[$0] >= half }
                if run.count > Int(6 / step) { return edge(from: again, by: by) }
            }
            let next = lastBright + by
            guard profile.indices.contains(next) else { return Double(lastBright) }
            let share = (profile[lastBright] - half) / max(profile[lastBright] - profile[next], 1e-9)
            return Double(lastBright) + Double(by) * min(max(share, 0), 1)
        }
        let middle = (first + last) / 2
        let low = edge(from: middle, by: -1), high = edge(from: middle, by: 1)
        (start, end) = (start + (from + low * step) * axis, start + (from + high * step) * axis)
        return true
    }

    func continues(in other: Shaft) -> Bool {
        let axis = direction
        guard abs((axis * other.direction).sum()) > 0.998 else { return false }
        let line = LineStretch(origin: start, direction: axis, range: 0...length)
        guard line.distance(to: other.start) < 2.5, line.distance(to: other.end) < 2.5 else { return false }
        return line.range.contains(line.position(of: other.start), within: 15) || line.range.contains(line.position(of: other.end), within: 15)
    }
    func extended(by other: Shaft) -> Shaft {
        let line = LineStretch(origin: start, direction: direction, range: 0...length)
        let positions = [0, length, line.position(of: other.start), line.position(of: other.end)]
        var copy = self
        (copy.start, copy.end) = (start + positions.min()! * direction, start + positions.max()! * direction)
        return copy
    }
}

/// Reads a scan at points in patient space by linear interpolation; air outside the scan.
struct ScanReader {
    let scan: ScanVolume

    func callAsFunction(_ point: SIMD3<Double>) -> Float {
        let geometry = scan.geometry, size = geometry.size
        let index = geometry.continuousIndex(PatientPoint(point)).ijk
        let last = SIMD3(Double(size.i - 1), Double(size.j - 1), Double(size.k - 1))
        guard index.min() >= -0.5, (last - index).min() >= -0.5 else { return -1000 }
        let held = pointwiseMax(pointwiseMin(index, last), .zero), cell = held.rounded(.down), share = held - cell
        var sum: Float = 0
        for corner in 0..<8 {
            let (a, b, c) = (corner & 1, corner >> 1 & 1, corner >> 2)
            let weight = (a == 1 ? share.x : 1 - share.x) * (b == 1 ? share.y : 1 - share.y) * (c == 1 ? share.z : 1 - share.z)
            guard weight > 0 else { continue }
            sum += Float(weight) * scan.value(at: VoxelIndex(Int(cell.x) + a, Int(cell.y) + b, Int(cell.z) + c))
        }
        return sum
    }
}

extension SIMD3<Double> {
    var length: Double { (self * self).sum().squareRoot() }
    /// Two unit vectors at right angles to this one and to each other.
    var perpendiculars: (SIMD3<Double>, SIMD3<Double>) {
        let axis = PatientVector(self)
        let other = abs(x) < 0.6 * length ? PatientVector(1, 0, 0) : PatientVector(0, 1, 0)
        let u = axis.cross(other).normalized!, v = axis.cross(u).normalized!
        return (u.lps, v.lps)
    }
}
