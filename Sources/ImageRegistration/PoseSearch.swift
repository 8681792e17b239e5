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
    /// Another position must beat the header's by this much.
    static let positionPenalty = 0.08
    static let acrossMM = stride(from: -32.0, through: 32, by: 16)
    static let alongStepMM = 12.0
    /// The share of the smaller body that both scans must show.
    static let leastOverlap = 0.25
    /// From this overlap on, more does not count.
    static let fullOverlap = 0.6
    /// Tissue is compared up to this far outside the body, so that its outline counts.
    static let outlineMM = 24.0
    static let sampleCount = 1500

    let fixed, moving: RegistrationImage
    private let points: [PatientPoint]
    private let values: [Float]

    /// Both images at a spacing of about `alongStepMM`.
    init(fixed: RegistrationImage, moving: RegistrationImage) {
        (self.fixed, self.moving) = (fixed, moving)
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
        values = fixed.values.withUnsafeVoxels { voxels in offsets.map { voxels[$0] } }
    }

    /// The best poses, best first, each unlike the others; empty when the bodies cannot overlap.
    func candidates(_ count: Int) -> [Candidate] {
        guard let from = Self.center(of: fixed.body), let to = Self.center(of: moving.body) else { return [] }
        var poses: [(transform: ImagingCore.AffineTransform, penalty: Double)] = []
        let reach = (Self.extent(fixed) + Self.extent(moving)) / 2
        for position in Self.positions {
            for turn in Self.turns {
                let rotation = Matrix3.rotation(about: PatientVector(0, 0, 1), radians: (position + turn) * .pi / 180)
                for along in stride(from: -reach, through: reach, by: Self.alongStepMM) {
                    for y in Self.acrossMM {
                        for x in Self.acrossMM {
                            let shift = to - from + PatientVector(x, y, along)
                            poses.append((.init(rotation: rotation, about: from, translation: shift), position == 0 ? 0 : Self.positionPenalty))
                        }
                    }
                }
            }
        }
        let scores = mapSlabs(of: poses.count, slab: 256) { range in range.map { score(poses[$0].transform) - poses[$0].penalty } }.flatMap { $0 }
        var best: [Candidate] = []
        for index in scores.indices.sorted(by: { (scores[$0], $1) > (scores[$1], $0) }) {
            guard best.count < count, scores[index] > 0 else { break }
            let pose = poses[index].transform
            if best.allSatisfy({ Self.differ($0.transform, pose, at: from) }) { best.append(Candidate(transform: pose, score: scores[index])) }
        }
        return best
    }

    private static func differ(_ a: ImagingCore.AffineTransform, _ b: ImagingCore.AffineTransform, at point: PatientPoint) -> Bool {
        a(point).distance(to: b(point)) > 30 || (a.matrix * SIMD3(0, 1, 0) - b.matrix * SIMD3(0, 1, 0)).max() > 0.3
    }

    /// Pearson's correlation over the samples that fall into the moving image.
    private func score(_ transform: ImagingCore.AffineTransform) -> Double {
        let size = moving.geometry.size
        let toIndex = transform.followed(by: moving.geometry.indexToPatient.inverse!)
        return moving.values.withUnsafeVoxels { voxels in
            var n = 0.0, a = 0.0, b = 0.0, aa = 0.0, bb = 0.0, ab = 0.0
            for sample in points.indices {
                let index = toIndex(points[sample]).lps + 0.5
                guard index.min() >= 0 else { continue }
                let i = Int(index.x), j = Int(index.y), k = Int(index.z)
                guard i < size.i, j < size.j, k < size.k else { continue }
                let x = Double(values[sample]), y = Double(voxels[i &+ size.i &* (j &+ size.j &* k)])
                n += 1
                a += x
                b += y
                aa += x * x
                bb += y * y
                ab += x * y
            }
            let overlap = n / Double(max(points.count, 1))
            let (va, vb) = (aa - a * a / n, bb - b * b / n)
            guard overlap >= Self.leastOverlap, va > 0, vb > 0 else { return -1 }
            return (ab - a * b / n) / (va * vb).squareRoot() * pow(min(1, overlap / Self.fullOverlap), 0.3)
        }
    }

    private static func center(of body: Mask) -> PatientPoint? {
        guard let box = body.boundingBox else { return nil }
        let low = SIMD3(Double(box.i.lowerBound), Double(box.j.lowerBound), Double(box.k.lowerBound))
        let high = SIMD3(Double(box.i.upperBound), Double(box.j.upperBound), Double(box.k.upperBound))
        return body.geometry.point(ContinuousIndex((low + high - 1) / 2))
    }
    /// The body's length along the patient.
    private static func extent(_ image: RegistrationImage) -> Double {
        let z = image.geometry.cornerPoints.map(\.lps.z)
        return z.max()! - z.min()!
    }
}
