import Foundation
import ImagingCore

/// What sections across a line say of it: whether it stands clear of what lies around it, runs straight, and ends where it seems to.
struct RodEvidence {
    let scan: ScanVolume
    let contrast: ShaftContrast
    private let spacing: SIMD3<Double>
    private let size: GridSize

    init(scan: ScanVolume, contrast: ShaftContrast) {
        (self.scan, self.contrast) = (scan, contrast)
        (spacing, size) = (scan.geometry.spacing, scan.geometry.size)
    }

    /// Sides of a section are looked at this far from the axis; across slices a slice further.
    private static let sideMM = 3.6
    private static let sides = (0..<8).map { number in
        (
            cos: SIMD8(1, 0.7071, 0, -0.7071, -1, -0.7071, 0, 0.7071)[number],
            sin: SIMD8(0, 0.7071, 1, 0.7071, 0, -0.7071, -1, -0.7071)[number])
    }

    /// The value of the nearest voxel; `nil` outside the scan. Millimetres along the grid's axes.
    private func value(_ point: SIMD3<Double>) -> Double? {
        let voxel = ContinuousIndex(point / spacing).nearest
        return size.contains(voxel) ? Double(scan.value(at: voxel)) : nil
    }

    /// The brightest voxel within 0.8 mm of the axis.
    private func core(_ foot: SIMD3<Double>, _ u: SIMD3<Double>, _ v: SIMD3<Double>) -> Double? {
        let offsets = [SIMD3<Double>.zero, 0.8 * u, -0.8 * u, 0.8 * v, -0.8 * v]
        return offsets.compactMap { value(foot + $0) }.max()
    }

    /// The share of sections along a stretch in which metal stands clear: brighter than what lies beside it on all sides but one.
    /// A rod does nearly everywhere, the rim of a bone hardly anywhere. Sides on which another rod runs are passed over.
    func clearShare(_ line: LineStretch, others: [ShaftModel] = []) -> Double {
        let (u, v) = line.across
        var clear = 0, all = 0
        for position in stride(from: line.range.lowerBound + 1, through: line.range.upperBound - 1, by: 2) {
            let foot = line.point(at: position)
            guard let core = core(foot, u, v) else { continue }
            all += 1
            let around = Self.sides.compactMap { side -> Double? in
                let w = side.cos * u + side.sin * v, place = foot + (Self.sideMM + 0.9 * abs(w.z) * spacing.z) * w
                return others.contains { $0.distance(to: place) < 3 + 0.5 * abs(w.z) * spacing.z } ? nil : value(place)
            }.sorted()
            guard around.count >= 4 else { continue }
            let background = around[around.count / 2], height = core - background
            if height >= Double(contrast.ridgeHeight), around.count(where: { $0 > background + 0.45 * height }) <= 1 { clear += 1 }
        }
        return all > 0 ? Double(clear) / Double(all) : 0
    }

    /// The share of sections with something as bright as metal, and thin, within 4 mm of the axis.
    func metalShare(_ line: LineStretch) -> Double {
        let (u, v) = line.across
        var held = 0, all = 0
        for position in stride(from: line.range.lowerBound, through: line.range.upperBound, by: 3) {
            let foot = line.point(at: position)
            var near: [Double] = []
            for x in stride(from: -4.0, through: 4.0, by: 1) {
                for y in stride(from: -4.0, through: 4.0, by: 1) { near += [value(foot + x * u + y * v)].compactMap { $0 } }
            }
            guard near.count > 20 else { continue }
            near.sort()
            all += 1
            if near.last! - near[near.count / 2] > Double(contrast.ridgeHeight) { held += 1 }
        }
        return all > 0 ? Double(held) / Double(all) : 0
    }

    /// How far the centres of sections wander about a straight line, in millimetres: the spread of means over some 10 mm each.
    /// Sections next to other rods are passed over. 0 when too few are left.
    func wanderMM(_ line: LineStretch, others: [ShaftModel] = []) -> Double {
        let bin = 10.0
        var sums: [Int: (offset: SIMD2<Double>, count: Double)] = [:]
        for position in stride(from: line.range.lowerBound + 1, through: line.range.upperBound - 1, by: 1) {
            let foot = line.point(at: position)
            guard !others.contains(where: { $0.distance(to: foot) < 7 }), let offset = centre(of: line, at: foot) else { continue }
            let old = sums[Int((position - line.range.lowerBound) / bin)] ?? (.zero, 0)
            sums[Int((position - line.range.lowerBound) / bin)] = (old.offset + offset, old.count + 1)
        }
        let centres = sums.filter { $0.value.count >= 3 }.map { (at: Double($0.key), offset: $0.value.offset / $0.value.count) }
        guard centres.count >= 3 else { return 0 }
        // What crosses the line, or a clip beside it, throws single sections off: the median, and the line through those that agree.
        let first = residuals(centres, fittedTo: centres), typical = first.sorted()[first.count / 2]
        let agreeing = zip(centres, first).filter { $0.1 <= 3 * typical }.map { $0.0 }
        let rest = residuals(centres, fittedTo: agreeing.count >= 3 ? agreeing : centres).sorted()
        return 1.4826 * rest[rest.count / 2]
    }

    private typealias Centre = (at: Double, offset: SIMD2<Double>)

    /// How far centres lie from the least-squares line through some of them.
    private func residuals(_ centres: [Centre], fittedTo used: [Centre]) -> [Double] {
        let n = Double(used.count), middle = used.reduce(0) { $0 + $1.at } / n
        let mean = used.reduce(SIMD2<Double>.zero) { $0 + $1.offset } / n
        let slope = used.reduce(SIMD2<Double>.zero) { $0 + ($1.at - middle) * $1.offset } / used.reduce(0) {
            $0 + ($1.at - middle) * ($1.at - middle)
        }
        return centres.map { centre in
            let rest = centre.offset - mean - (centre.at - middle) * slope
            return (rest * rest).sum().squareRoot()
        }
    }

    /// The centre of what is bright in a section, across the line; in depth only where slices are thin enough to tell.
    private func centre(of line: LineStretch, at foot: SIMD3<Double>) -> SIMD2<Double>? {
        let (u, v) = line.across, seesDepth = abs(v.z) * spacing.z < 1.5
        let steps = stride(from: -3.0, through: 3.0, by: 0.5)
        var sum = SIMD2<Double>.zero, total = 0.0, background = Double.infinity
        for step in steps { background = min(background, value(foot + step * u) ?? .infinity) }
        guard background.isFinite else { return nil }
        for x in steps {
            for y in seesDepth ? Array(steps) : [0] where x * x + y * y <= 9 {
                guard let here = value(foot + x * u + y * v) else { continue }
                let weight = max(0, here - background - 0.5 * Double(contrast.ridgeHeight))
                sum += weight * SIMD2(x, y)
                total += weight
            }
        }
        return total > 0 ? sum / total : nil
    }

    /// How wide a shaft looks in the slices' plane, in millimetres: the median width at half of its brightness. `nil` where other rods run
    /// beside too much of it.
    ///
    /// Saturated metal is half as bright as it seems further out than at its edge. A rod of 2.4 mm of steel, 25 000 HU could they be
    /// read, looks 3.7 mm wide under a blur of 0.5 mm and 5.1 mm under one of 1.1 mm, a soft kernel's.
    func widthMM(_ line: LineStretch, others: [ShaftModel]) -> Double? {
        let (u, _) = line.across, margin = min(6, line.length / 4)
        let widths = stride(from: line.range.lowerBound + margin, through: line.range.upperBound - margin, by: 2).compactMap {
            position -> Float? in
            let foot = line.point(at: position)
            return others.contains { $0.distance(to: foot) < Self.widestMM } ? nil : width(at: foot, along: u)
        }
        return widths.count >= 4 ? Double(widths.median!) : nil
    }

    private static let widestMM = 9.0, widthStepMM = 0.25

    /// The width of what is bright at a place; `nil` where nothing is, or the scan ends.
    private func width(at foot: SIMD3<Double>, along u: SIMD3<Double>) -> Float? {
        let half = Int(Self.widestMM / Self.widthStepMM)
        var profile: [Float] = []
        for step in -half...half {
            guard let value = inPlane(foot + Double(step) * Self.widthStepMM * u) else { return nil }
            profile.append(value)
        }
        let core = half - 6...half + 6, peak = core.max { profile[$0] < profile[$1] }!
        // Air about the shaft makes it no wider.
        let ground = max(Array(profile.prefix(8) + profile.suffix(8)).median!, 0), level = (profile[peak] + ground) / 2
        guard profile[peak] - ground > contrast.ridgeHeight else { return nil }
        func reach(_ step: Int) -> Float {
            var at = peak
            while profile.indices.contains(at + step), profile[at + step] > level { at += step }
            guard profile.indices.contains(at + step) else { return Float(abs(at - peak)) }
            return Float(abs(at - peak)) + (profile[at] - level) / (profile[at] - profile[at + step])
        }
        return (reach(-1) + reach(1)) * Float(Self.widthStepMM)
    }

    /// What the nearest slice reads between its voxels.
    private func inPlane(_ point: SIMD3<Double>) -> Float? {
        let place = point / spacing, low = VoxelIndex(Int(place.x.rounded(.down)), Int(place.y.rounded(.down)), Int(place.z.rounded()))
        guard size.contains(low), size.contains(VoxelIndex(low.i + 1, low.j + 1, low.k)) else { return nil }
        let right = Float(place.x) - Float(low.i), down = Float(place.y) - Float(low.j)
        func row(_ j: Int) -> Float {
            (1 - right) * scan.value(at: VoxelIndex(low.i, j, low.k)) + right * scan.value(at: VoxelIndex(low.i + 1, j, low.k))
        }
        return (1 - down) * row(low.j) + down * row(low.j + 1)
    }

    /// Whether something as bright goes on beyond an end in some forward direction, as a lead, a catheter or a ureter does.
    func goesOn(beyond end: SIMD3<Double>, outward: SIMD3<Double>, excess: Double, background: Double) -> Bool {
        let (u, v) = LineStretch(origin: end, direction: outward, range: 0...0).across
        let limit = background + 0.45 * excess
        return [4.0, 6, 8, 10].allSatisfy { distance in
            [0.0, 0.3, 0.6, 0.9].contains { tilt in
                Self.sides.contains { side in
                    let w = cos(tilt) * outward + sin(tilt) * (side.cos * u + side.sin * v)
                    return (value(end + (distance + 0.5 * abs(w.z) * spacing.z) * w) ?? -.infinity) > limit
                }
            }
        }
    }

    /// How far a line goes on being as bright, beyond gaps too when enough follows.
    func extent(of line: LineStretch, excess: Double) -> ClosedRange<Double> {
        let (u, v) = line.across
        func isBright(_ position: Double) -> Bool? {
            let foot = line.point(at: position)
            guard let core = core(foot, u, v) else { return nil }
            // Vessels and nodules stand out of lung as metal does of tissue.
            guard core > Double(contrast.brightestTissue) else { return false }
            let around = Self.sides.compactMap { side -> Double? in
                let w = side.cos * u + side.sin * v
                return value(foot + (Self.sideMM + 0.9 * abs(w.z) * spacing.z) * w)
            }.sorted()
            return around.isEmpty ? false : core - around[around.count / 2] > 0.45 * excess
        }
        func end(from start: Double, step: Double) -> Double {
            var at = start, last = start, following = 0
            while abs(at - last) <= Self.bridgedGapMM {
                at += step
                guard let bright = isBright(at) else { break }
                following = bright ? following + 1 : 0
                if bright, abs(at - last) < 4 || following >= 6 { last = at }
            }
            return last
        }
        return end(from: line.range.lowerBound, step: -1)...end(from: line.range.upperBound, step: 1)
    }
    private static let bridgedGapMM = 18.0
}
