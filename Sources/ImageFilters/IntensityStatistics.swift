import ImagingCore

extension Volume where Voxel == Float {
    /// The values of the voxels inside `mask`, which lies on the same grid, in the order of storage.
    public func values(in mask: Mask) -> [Float] {
        precondition(size == mask.size, "mask of another grid")
        return withUnsafeVoxels { voxels in
            mask.withUnsafeVoxels { inside in
                mapSlabs(of: voxels.count, slab: 1 << 18) { range in
                    var values: [Float] = []
                    for offset in range where inside[offset] != 0 { values.append(voxels[offset]) }
                    return values
                }.flatMap { $0 }
            }
        }
    }

    /// Every value, in the order of storage.
    public func values() -> [Float] { withUnsafeVoxels { Array($0) } }

    /// The number of voxels (inside `mask`, where one is given) in each of `binCount` equal bins over `range`; other values are left out.
    public func histogram(over range: ClosedRange<Float>, binCount: Int, in mask: Mask? = nil) -> [Int] {
        precondition(binCount > 0 && range.lowerBound < range.upperBound)
        precondition(mask.map { $0.size == size } ?? true, "mask of another grid")
        let scale = Double(binCount) / (Double(range.upperBound) - Double(range.lowerBound))
        let partial = withUnsafeVoxels { voxels in
            mapSlabs(of: voxels.count, slab: 1 << 20) { slab in
                func count(_ inside: UnsafeBufferPointer<UInt8>?) -> [Int] {
                    var counts = [Int](repeating: 0, count: binCount)
                    for offset in slab where inside.map({ $0[offset] != 0 }) ?? true {
                        let value = voxels[offset]
                        guard value >= range.lowerBound, value <= range.upperBound else { continue }
                        counts[min(Int((Double(value) - Double(range.lowerBound)) * scale), binCount - 1)] += 1
                    }
                    return counts
                }
                guard let mask else { return count(nil) }
                return mask.withUnsafeVoxels { count($0) }
            }
        }
        return partial.dropFirst().reduce(into: partial[0]) { sum, counts in
            for bin in counts.indices { sum[bin] += counts[bin] }
        }
    }
}

/// Order statistics and moments of a sample of voxel values.
public struct IntensityStatistics: Sendable {
    private let sorted: [Float]
    public let mean: Double
    /// Of the sample (n − 1); 0 for a single value.
    public let standardDeviation: Double

    public var count: Int { sorted.count }
    public var range: ClosedRange<Float> { sorted.first!...sorted.last! }
    public var median: Float { percentile(50) }
    /// 1.4826 × the median distance from the median: the standard deviation of a normal distribution, unmoved by outliers.
    public var robustStandardDeviation: Float {
        let center = median
        return 1.4826 * Self.percentile(50, ofSorted: sorted.map { abs($0 - center) }.sorted())
    }

    /// `nil` when there is no value that is a number.
    public init?(_ values: some Sequence<Float>) {
        sorted = values.filter { !$0.isNaN }.sorted()
        guard !sorted.isEmpty else { return nil }
        let mean = sorted.reduce(0) { $0 + Double($1) } / Double(sorted.count)
        let squares = sorted.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        self.mean = mean
        standardDeviation = sorted.count > 1 ? (squares / Double(sorted.count - 1)).squareRoot() : 0
    }

    /// The value below which `percent` of the sample lie, interpolated linearly between neighbours (type 7 of Hyndman & Fan 1996).
    public func percentile(_ percent: Double) -> Float { Self.percentile(percent, ofSorted: sorted) }

    private static func percentile(_ percent: Double, ofSorted sorted: [Float]) -> Float {
        precondition((0...100).contains(percent))
        let position = percent / 100 * Double(sorted.count - 1)
        let lower = Int(position), upper = min(lower + 1, sorted.count - 1)
        return sorted[lower] + Float(position - Double(lower)) * (sorted[upper] - sorted[lower])
    }
}
