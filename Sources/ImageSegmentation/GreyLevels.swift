import Foundation
import ImagingCore

/// Distances from a seed on a grid.
struct SeedField {
    let grid: GridGeometry
    let seed: PatientPoint
    let distances: Volume<Float>

    init(grid: GridGeometry, seed: PatientPoint) {
        (self.grid, self.seed) = (grid, seed)
        let centre = SIMD3<Float>(grid.continuousIndex(seed).ijk), spacing = SIMD3<Float>(grid.spacing)
        let size = grid.size
        distances = Volume(geometry: grid) { target in
            for k in 0..<size.k {
                for j in 0..<size.j {
                    for i in 0..<size.i {
                        let offset = (SIMD3(Float(i), Float(j), Float(k)) - centre) * spacing
                        target[i &+ size.i &* (j &+ size.j &* k)] = (offset * offset).sum().squareRoot()
                    }
                }
            }
        }
    }

    func mask(_ isInside: (Double) -> Bool) -> Mask { Mask(distances) { isInside(Double($0)) } }

    /// The voxel whose cell holds the seed, or the nearest on the grid.
    var seedVoxel: VoxelIndex {
        let nearest = grid.continuousIndex(seed).nearest, size = grid.size
        return VoxelIndex(min(max(nearest.i, 0), size.i - 1), min(max(nearest.j, 0), size.j - 1), min(max(nearest.k, 0), size.k - 1))
    }
    func seeds(withinMM radius: Double) -> [VoxelIndex] {
        let size = grid.size
        let near = distances.withUnsafeVoxels { d in d.indices.filter { Double(d[$0]) <= radius }.map { size.index(atOffset: $0) } }
        return near + [seedVoxel]
    }
}

/// How much likelier a grey level is inside an object than around it, from histograms of both.
struct GreyLevelOdds {
    private let lowest: Float, scale: Float
    private let table: [Float]
    private static let bins = 256

    /// - Parameters:
    ///   - inside, outside: samples of either class. Values far from the median of the inside sample are left out of it, since a ball
    ///     around a seed may reach into a neighbour.
    init(image: Volume<Float>, inside: Mask, outside: Mask) {
        let insideValues = image.values(in: inside), outsideValues = image.values(in: outside)
        let median = insideValues.median ?? 0, outsideMedian = outsideValues.median ?? 0
        let spread = max((insideValues.map { abs($0 - median) }.median ?? 0) * 1.4826, 1e-3)
        let outsideSpread = max((outsideValues.map { abs($0 - outsideMedian) }.median ?? 0) * 1.4826, spread)
        let reach = max(8 * spread, 4 * outsideSpread, 1.2 * abs(median - outsideMedian))
        let lowest = median - reach, scale = Float(Self.bins) / (2 * reach)
        (self.lowest, self.scale) = (lowest, scale)
        let trimmed = insideValues.filter { abs($0 - median) < 2.5 * spread }
        let width = 0.35 * spread * scale
        let within = Self.density(trimmed, lowest, scale, width), around = Self.density(outsideValues, lowest, scale, width)
        // Levels that neither sample holds, as at the edge of a tumour in lung, go to the nearer of the two.
        let tail = max(abs(median - outsideMedian) / 4, spread) * scale
        func floor(_ bin: Int, _ centre: Float) -> Float {
            0.03 / tail * exp(-abs(Float(bin) + 0.5 - (centre - lowest) * scale) / tail)
        }
        table = (0..<Self.bins).map { bin in
            log((within[bin] + floor(bin, median) + 1e-7) / (around[bin] + floor(bin, outsideMedian) + 1e-7))
        }
    }

    func logOdds(of image: Volume<Float>) -> Volume<Float> {
        let table = table, lowest = lowest, scale = scale
        return image.mapped { (value: Float) -> Float in table[Int(max(0, min(Float(Self.bins - 1), (value - lowest) * scale)))] }
    }

    /// A histogram that sums to 1, smoothed with a Gaussian of `width` bins; values beyond the range fall into the end bins.
    private static func density(_ values: [Float], _ lowest: Float, _ scale: Float, _ width: Float) -> [Float] {
        var counts = [Float](repeating: 0, count: bins)
        for value in values { counts[Int(max(0, min(Float(bins - 1), (value - lowest) * scale)))] += 1 }
        let reach = max(1, Int((3 * width).rounded(.up)))
        var kernel = (-reach...reach).map { exp(-0.5 * pow(Float($0) / max(width, 0.3), 2)) }
        let total = kernel.reduce(0, +) * Float(max(values.count, 1))
        kernel = kernel.map { $0 / total }
        return (0..<bins).map { bin in
            var sum: Float = 0
            for (offset, weight) in kernel.enumerated() where counts.indices.contains(bin + offset - reach) {
                sum += weight * counts[bin + offset - reach]
            }
            return sum
        }
    }
}

extension Array<Float> {
    /// `nil` when empty.
    var median: Float? { quantile(0.5) }
    /// The value below which the given share lies; `nil` when empty.
    func quantile(_ share: Double) -> Float? {
        guard !isEmpty else { return nil }
        return element(ofRank: Swift.min(count - 1, Int(share * Double(count))))
    }
}

extension Volume<Float> {
    /// The values of the voxels in `mask`; of more than 40 000 an even selection.
    func values(in mask: Mask) -> [Float] {
        let step = Swift.max(1, mask.count / 40_000)
        return withUnsafeVoxels { values in
            mask.withUnsafeVoxels { mask in
                var selected: [Float] = [], left = 0
                for offset in 0..<values.count where mask[offset] != 0 {
                    if left == 0 {
                        selected.append(values[offset])
                        left = step
                    }
                    left -= 1
                }
                return selected
            }
        }
    }
    func median(in mask: Mask) -> Float? { values(in: mask).median }
    func quantile(_ share: Double, in mask: Mask) -> Float? { values(in: mask).quantile(share) }

    /// The standard deviation of what a Gaussian of 2.5 mm removes, robustly, over the voxels in `mask`; at least a millionth.
    func noise(in mask: Mask) -> Float {
        let residual = combined(with: gaussianSmoothed(sigmaMM: 2.5)) { $0 - $1 }
        return Swift.max(1e-6, 1.4826 * (residual.values(in: mask).map { abs($0) }.median ?? 0))
    }

    /// −½ outside and +½ inside a mask.
    static func levels(of mask: Mask) -> Volume<Float> { mask.voxels.mapped { $0 != 0 ? 0.5 : -0.5 } }
}
