import ImagingCore

/// Signed distances to a surface, as segmentation tools write them beside their masks.
struct SignedDistances {
    /// Positive inside.
    let levelSet: LevelSet
    /// Whether the file has them negative inside, as ITK writes them.
    let areNegativeInside: Bool

    /// Beside a surface distances grow by about this much per millimetre; densities and temperatures by more or less.
    private static let slopes: ClosedRange<Float> = 0.6...1.6
    /// The grid's border lies outside, but for a part where the object may go on beyond it; wholly so if inside is to be negative.
    private static let outsideShareOfBorder = (positiveInside: 0.7, negativeInside: 0.99)

    /// - Returns: `nil` where the values do not change by about a millimetre per millimetre beside where they change their sign.
    /// - Throws: `MaskError.unclearInside` where the border does not tell the inside.
    init?(_ volume: Volume<Float>, name: String) throws(MaskError) {
        guard let slope = Self.slopeAtSurface(volume), Self.slopes.contains(slope) else { return nil }
        let share = Self.negativeShareOfBorder(volume)
        areNegativeInside = 1 - share >= Self.outsideShareOfBorder.negativeInside
        guard areNegativeInside || share >= Self.outsideShareOfBorder.positiveInside else { throw .unclearInside(name) }
        levelSet = LevelSet(field: areNegativeInside ? volume.mapped { -$0 } : volume)
    }

    /// The median length of the gradient beside the surface, per millimetre.
    private static func slopeAtSurface(_ volume: Volume<Float>) -> Float? {
        let size = volume.size, spacing = volume.geometry.spacing
        guard size.i > 2, size.j > 2, size.k > 2 else { return nil }
        let steps = [1, size.i, size.sliceVoxelCount]
        var slopes: [Float] = []
        volume.withUnsafeVoxels { voxels in
            for k in 1..<size.k - 1 {
                for j in 1..<size.j - 1 {
                    for offset in size.offset(VoxelIndex(1, j, k))..<size.offset(VoxelIndex(size.i - 1, j, k)) {
                        let value = voxels[offset]
                        guard steps.contains(where: { (voxels[offset + $0] < 0) != (value < 0) }) else { continue }
                        let squared = (0..<3).reduce(Float(0)) { sum, axis in
                            let rise = (voxels[offset + steps[axis]] - voxels[offset - steps[axis]]) / Float(2 * spacing[axis])
                            return sum + rise * rise
                        }
                        slopes.append(squared.squareRoot())
                    }
                }
            }
        }
        guard !slopes.isEmpty else { return nil }
        slopes.sort()
        return slopes[slopes.count / 2]
    }

    private static func negativeShareOfBorder(_ volume: Volume<Float>) -> Double {
        let size = volume.size
        var (count, negative) = (0, 0)
        volume.withUnsafeVoxels { voxels in
            for offset in voxels.indices {
                let index = size.index(atOffset: offset)
                guard index.i == 0 || index.j == 0 || index.k == 0 || index.i == size.i - 1 || index.j == size.j - 1 || index.k == size.k - 1 else {
                    continue
                }
                count += 1
                if voxels[offset] < 0 { negative += 1 }
            }
        }
        return Double(negative) / Double(count)
    }
}
