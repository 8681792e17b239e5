import ImageFilters
import ImagingCore

extension Mask {
    /// A part of at least a tenth that only a waist joins to the part that holds the seeds.
    func partBehindWaist(from seeds: [VoxelIndex]) -> Mask? {
        // Without an outside nothing has a depth.
        guard count < size.voxelCount else { return nil }
        let depth = signedDistance()
        let own = seeds.map { depth[$0] }.max() ?? 0
        for waist in stride(from: Float(2), to: 0.8 * own, by: 1) {
            let core = Mask(depth) { $0 > waist }
            let mine = core.joined(to: seeds), others = core.subtracting(mine)
            guard mine.count > 0, 10 * others.count > mine.count else { continue }
            return Mask(mine.distanceToInside().combined(with: others.distanceToInside()) { $0 - $1 }) { $0 > 0 }.intersection(self)
        }
        return nil
    }
}

extension Volume<Float> {
    /// Without the pieces of the inside that hold none of the points: a vessel's knot stays behind where the neck to it was cut. Unchanged
    /// where no point lies inside, and where there is one piece. Positive inside.
    func keepingPieces(at points: [PatientPoint]) -> Volume<Float> {
        let inside = Mask(self) { $0 >= 0 }
        let starts = points.map { geometry.continuousIndex($0).nearest }.filter { size.contains($0) && inside[$0] }
        let kept = inside.joined(to: starts)
        guard !kept.isEmpty, kept.count < inside.count else { return self }
        return combined(with: Volume<Float>.levels(of: kept)) { phi, level in level > 0 ? phi : Swift.min(phi, -1e-3) }.signedDistanceToZero()
    }
}
