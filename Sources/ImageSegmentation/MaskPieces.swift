import ImageFilters
import ImagingCore

extension Mask {
    /// Without what is thinner than ice can be: streaks of metal leave rays on an iceball, and vessels join it. A region that is thin
    /// throughout stays.
    func withoutRays() -> Mask {
        for radius in [4.0, 2.5] {
            let opened = opened(byMM: radius)
            if 2 * opened.count > count { return opened }
        }
        return self
    }

    /// What is joined through faces to any voxel of another mask.
    func joined(to starts: Mask) -> Mask {
        joined(to: starts.withUnsafeVoxels { voxels in voxels.indices.filter { voxels[$0] != 0 }.map { size.index(atOffset: $0) } })
    }

    /// The pieces joined through faces, the largest first.
    func pieces() -> [Mask] {
        var rest = self, pieces: [Mask] = []
        while let box = rest.boundingBox {
            let row = rest.size.offset(VoxelIndex(0, 0, box.k.lowerBound))
            let first = rest.withUnsafeVoxels { $0[row...].firstIndex(of: 1)! }
            let piece = rest.joined(to: [rest.size.index(atOffset: first)])
            pieces.append(piece)
            rest = rest.subtracting(piece)
        }
        return pieces.sorted { $0.count > $1.count }
    }

    /// The mean of the voxels' centres; the mask must not be empty.
    var centroid: SIMD3<Double> {
        var sum = SIMD3<Double>.zero, count = 0.0
        let size = size
        withUnsafeVoxels { voxels in
            for offset in voxels.indices where voxels[offset] != 0 {
                let index = size.index(atOffset: offset)
                sum += SIMD3(Double(index.i), Double(index.j), Double(index.k))
                count += 1
            }
        }
        precondition(count > 0)
        return geometry.point(ContinuousIndex(sum / count)).lps
    }

    /// Without the pieces (joined through faces) that are smaller than a volume.
    func keepingPieces(ofAtLeastML smallest: Double) -> Mask {
        var kept = Mask(empty: geometry)
        for piece in pieces() where piece.volumeML >= smallest { kept = kept.union(piece) }
        return kept
    }
}
