import Foundation
import ImageFilters
import ImagingCore

/// Looks for where a scan lies in another one when nothing is known: every shift and turn that is likely, compared coarsely.
struct PoseSearch {
    struct Candidate {
        /// Fixed frame → moving frame.
        var transform: ImagingCore.AffineTransform
        /// The correlation of the overlapping parts, less when they are small.
        var score: Double
    }

    /// Turns about the body's long axis that are tried around each position of the patient, in degrees.
    static let turns = [-20.0, -10, 0, 10, 20]
    /// The patient as the header says, and on a side or over when it is wrong about that.
    static let positions = [0.0, 90, 180, 270]
    /// Another position must beat the header's by this share.
    static let positionPenalty = 0.1
    /// Shifts across the body from where the middles of both meet, and farther where one shows less of its width than the other.
    static let acrossMM = 32.0
    static let acrossStepMM = 16.0
    static let alongStepMM = 12.0
    /// The share of the smaller body that both scans must show.
    static let leastOverlap = 0.25
    /// From this overlap on, more does not count.
    static let fullOverlap = 0.6
    /// Tissue is compared up to this far outside the body, so that its outline counts.
    static let outlineMM = 24.0
    static let sampleCount = 1500
    /// Classes of values that different modalities are compared by.
    static let bins = 12

    let fixed, moving: RegistrationImage
    private let scale, fixedShare: Double
    private let isSameModality: Bool
    private let points: [PatientPoint]
    private let values: [Float]
    private let fixedBins, movingBins: EqualBins

    /// Compares the coarsest images of `pair`.
    init(_ pair: RegistrationPair) {
        let (fixed, moving) = (pair.fixed[0], pair.moving[0])
        (self.fixed, self.moving, scale, isSameModality, fixedShare) = (fixed, moving, pair.scale, pair.isSameModality, pair.fixedShare)
        let near = fixed.body.dilated(byMM: Self.outlineMM)
        let barred = Mask(fixed.weights) { $0 == 0 }.intersection(fixed.body)
        let size = fixed.geometry.size
        var offsets = near.subtracting(barred).withUnsafeVoxels { voxels in voxels.indices.filter { voxels[$0] != 0 } }
        // A fixed share of all, spread by a stride that is no whole number of voxels.
        if offsets.count > Self.sampleCount {
            let step = Double(offsets.count) / Double(Self.sampleCount)
            offsets = (0..<Self.sampleCount).map { offsets[Int(Double($0) * step)] }
        }
        points = offsets.map { fixed.geometry.point(size.index(atOffset: $0)) }
        let sampled = fixed.values.withUnsafeVoxels { voxels in offsets.map { voxels[$0] } }
        values = sampled
        fixedBins = EqualBins(sampled, count: Self.bins)
        let nearMoving = moving.body.dilated(byMM: Self.outlineMM)
        movingBins = EqualBins(
            moving.values.withUnsafeVoxels { voxels in
                nearMoving.withUnsafeVoxels { near in near.indices.filter { near[$0] != 0 }.map { voxels[$0] } }
            },
            count: Self.bins)
    }

    /// The best poses, best first, each unlike the others; empty when the bodies cannot overlap.
    func candidates(_ count: Int) -> [Candidate] {
        guard let from = Self.center(of: fixed.body), let to = Self.center(of: moving.body) else { return [] }
        var poses: [(transform: ImagingCore.AffineTransform, penalty: Double)] = []
        let (a, b) = (Self.extent(fixed.body), Self.extent(moving.body))
        let reach = (a.z + b.z) / 2, step = scale * Self.acrossStepMM
        func across(_ a: Double, _ b: Double) -> StrideThrough<Double> {
            let count = ((Self.acrossMM + abs(a - b) / 2) / step).rounded()
            return stride(from: -count * step, through: count * step, by: step)
        }
        let (alongX, alongY) = (across(a.x, b.x), across(a.y, b.y))
        for position in Self.positions {
            for turn in Self.turns {
                let rotation = Matrix3.rotation(about: PatientVector(0, 0, 1), radians: (position + turn) * .pi / 180)
                for along in stride(from: -reach, through: reach, by: scale * Self.alongStepMM) {
                    for y in alongY {
                        for x in alongX {
                            let shift = to - from + PatientVector(x, y, along)
                            poses.append(
                                (.init(rotation: rotation, about: from, translation: shift), position == 0 ? 0 : Self.positionPenalty))
                        }
                    }
                }
            }
        }
        let scores = mapSlabs(of: poses.count, slab: 256) { range in range.map { (1 - poses[$0].penalty) * score(poses[$0].transform) } }.flatMap {
            $0
        }
        var best: [Candidate] = []
        for index in scores.indices.sorted(by: { (scores[$0], $1) > (scores[$1], $0) }) {
            guard best.count < count, scores[index] > 0 else { break }
            let pose = poses[index].transform
            if best.allSatisfy({ Self.differ($0.transform, pose, at: from) }) {
                best.append(Candidate(transform: pose, score: scores[index]))
            }
        }
        return best
    }

    private static func differ(_ a: ImagingCore.AffineTransform, _ b: ImagingCore.AffineTransform, at point: PatientPoint) -> Bool {
        a(point).distance(to: b(point)) > 30 || (a.matrix * SIMD3(0, 1, 0) - b.matrix * SIMD3(0, 1, 0)).max() > 0.3
    }

    private func score(_ transform: ImagingCore.AffineTransform) -> Double {
        isSameModality ? discounted(correlation(transform)) : discounted(information(transform))
    }

    /// Less for poses in which little overlaps.
    private func discounted(_ result: (score: Double, count: Double)?) -> Double {
        guard let (score, count) = result else { return -1 }
        let overlap = fixedShare * count / Double(max(points.count, 1))
        return overlap < Self.leastOverlap ? -1 : score * Self.discount(overlap)
    }
    private static func discount(_ overlap: Double) -> Double { pow(min(1, overlap / fullOverlap), 0.3) }
    /// What a pose explains of the compared contrast, less for one in which little overlaps.
    static func explained(cost: Double, overlap: Double) -> Double { (1 - cost) * discount(overlap) }

    /// Of each sample that falls into the moving image, its value and the one there.
    @inline(__always)
    private func compare(_ transform: ImagingCore.AffineTransform, _ body: (Float, Float) -> Void) {
        let size = moving.geometry.size
        let toIndex = transform.followed(by: moving.geometry.indexToPatient.inverse!)
        moving.values.withUnsafeVoxels { voxels in
            for sample in points.indices {
                let index = toIndex(points[sample]).lps + 0.5
                guard index.min() >= 0 else { continue }
                let i = Int(index.x), j = Int(index.y), k = Int(index.z)
                guard i < size.i, j < size.j, k < size.k else { continue }
                body(values[sample], voxels[i &+ size.i &* (j &+ size.j &* k)])
            }
        }
    }

    /// Pearson's correlation.
    private func correlation(_ transform: ImagingCore.AffineTransform) -> (score: Double, count: Double)? {
        var n = 0.0, a = 0.0, b = 0.0, aa = 0.0, bb = 0.0, ab = 0.0
        compare(transform) {
            let x = Double($0), y = Double($1)
            n += 1
            a += x
            b += y
            aa += x * x
            bb += y * y
            ab += x * y
        }
        let (va, vb) = (aa - a * a / n, bb - b * b / n)
        return va > 0 && vb > 0 ? ((ab - a * b / n) / (va * vb).squareRoot(), n) : nil
    }

    /// Mutual information, as a share of the entropy of either scan as a whole (its bins are equal): of different modalities no correlation
    /// need be there.
    ///
    /// Not as a share of what overlaps, or a corner of both that is nearly all air looks best. What chance alone gives is taken off.
    private func information(_ transform: ImagingCore.AffineTransform) -> (score: Double, count: Double)? {
        let bins = Self.bins
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: bins * bins + 2 * bins) { counts in
            counts.initialize(repeating: 0)
            var n = 0.0
            compare(transform) { x, y in
                let (i, j) = (fixedBins.index(x), movingBins.index(y))
                counts[i &* bins &+ j] += 1
                counts[bins &* bins &+ i] += 1
                counts[bins &* bins &+ bins &+ j] += 1
                n += 1
            }
            guard n > 0 else { return nil }
            func entropy(_ range: Range<Int>) -> (nats: Double, filled: Double) {
                var sum = 0.0, filled = 0.0
                for c in counts[range] where c > 0 {
                    sum -= c * log(c)
                    filled += 1
                }
                return (sum / n + log(n), filled)
            }
            let joint = entropy(0..<bins * bins), a = entropy(bins * bins..<bins * bins + bins),
                b = entropy(bins * bins + bins..<bins * bins + 2 * bins)
            // Miller & Madow: the mean of what independent values would give.
            return ((a.nats + b.nats - joint.nats - (a.filled - 1) * (b.filled - 1) / (2 * n)) / log(Double(bins)), n)
        }
    }

    private static func center(of body: Mask) -> PatientPoint? {
        guard let box = body.boundingBox else { return nil }
        let low = SIMD3(Double(box.i.lowerBound), Double(box.j.lowerBound), Double(box.k.lowerBound))
        let high = SIMD3(Double(box.i.upperBound), Double(box.j.upperBound), Double(box.k.upperBound))
        return body.geometry.point(ContinuousIndex((low + high - 1) / 2))
    }
    /// The edges of the box around the body along the patient's axes.
    private static func extent(_ body: Mask) -> SIMD3<Double> {
        guard let box = body.boundingBox else { return .zero }
        let corners = body.geometry.cropped(box.i, box.j, box.k).cornerPoints.map(\.lps)
        return corners.dropFirst().reduce(corners[0], pointwiseMax) - corners.dropFirst().reduce(corners[0], pointwiseMin)
    }
}

/// Bins that hold the same number of an image's values each, so that tissue is told apart where most of it is.
private struct EqualBins {
    private let limits: [Float]

    init(_ values: [Float], count: Int) {
        let sorted = values.sorted()
        limits = sorted.isEmpty ? [] : (1..<count).map { sorted[$0 * sorted.count / count] }
    }

    @inline(__always) func index(_ value: Float) -> Int {
        var bin = 0
        for limit in limits { bin &+= value > limit ? 1 : 0 }
        return bin
    }
}
