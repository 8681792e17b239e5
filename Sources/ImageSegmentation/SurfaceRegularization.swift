import ImageFilters
import ImagingCore

/// What a found surface is allowed to look like.
extension Volume where Voxel == Float {
    /// The signed distance to this field's zero surface once holes are filled, narrow outgrowths are taken off and noise is smoothed away.
    ///
    /// Outgrowths narrower than twice `openingMM` (a vessel that the object leaked into) are cut where they rise by more than
    /// `toleratedOutgrowthMM` above the morphological opening: lower ones may be the object's own. Smoothing by a
    /// Gaussian of `smoothingMM` would shrink a curved surface; the level is therefore shifted so that the volume stays what it was.
    /// A field of one sign is returned as it is. Positive inside.
    func regularized(openingMM: Double, smoothingMM: Double) -> Volume<Float> {
        let holes = Mask(self) { $0 >= 0 }.fillingHoles()
        guard !holes.isEmpty else { return self }
        let reach: Float = 12
        let whole = combined(with: Volume<Float>.levels(of: holes)) { phi, level in level > 0 ? Swift.max(phi, 1e-3) : phi }
            .signedDistanceToZero(limitMM: smoothingMM > 0 ? reach + 2 * Float(openingMM) : .greatestFiniteMagnitude, isSmooth: true)
        let opened = whole.withoutOutgrowths(narrowerThanTwiceMM: Float(openingMM))
        guard smoothingMM > 0 else { return opened }
        let smoothed = opened.clamped(to: reach).gaussianSmoothed(sigmaMM: smoothingMM)
        let shift = smoothed.level(enclosing: opened.enclosedVoxels)
        return smoothed.mapped { (phi: Float) -> Float in phi - shift }.signedDistanceToZero()
    }

    /// Without what rises above the opening by a ball of `radius`; the field as it is where the erosion would leave nothing.
    private func withoutOutgrowths(narrowerThanTwiceMM radius: Float) -> Volume<Float> {
        guard radius > 0 else { return self }
        let eroded = mapped { (phi: Float) -> Float in phi - radius }
        guard eroded.withUnsafeVoxels({ $0.contains { $0 >= 0 } }) else { return self }
        let reach = radius + toleratedOutgrowthMM
        return combined(with: eroded.signedDistanceToZero()) { phi, core in Swift.min(phi, core + reach) }
    }
    private var toleratedOutgrowthMM: Float { 1 }

    /// The volume inside in voxels, each counted by the share that a linear field gives it.
    private var enclosedVoxels: Double { enclosedVoxels(above: 0) }
    private func enclosedVoxels(above level: Float) -> Double {
        let ramp = Float(geometry.spacing.sum() / 3)
        return withUnsafeVoxels { voxels in
            mapSlabs(of: voxels.count, slab: 1 << 16) { range in
                var sum = 0.0
                for offset in range { sum += Double(Swift.min(1, Swift.max(0, 0.5 + (voxels[offset] - level) / ramp))) }
                return sum
            }.reduce(0, +)
        }
    }

    /// The level, within 3 mm of 0, whose inside has the given volume.
    private func level(enclosing volume: Double) -> Float {
        var low: Float = -3, high: Float = 3
        for _ in 0..<20 {
            let middle = (low + high) / 2
            if enclosedVoxels(above: middle) > volume { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
