import ImagingCore

extension Volume where Voxel == Float {
    /// The median of the 3 × 3 × 3 voxels around each; beyond the grid the outermost voxels continue.
    ///
    /// Removes single outliers and keeps edges. NaN is not allowed.
    public func medianFiltered() -> Volume {
        let size = size
        return withUnsafeVoxels { source in
            Volume(geometry: geometry) { target in
                let source = source.baseAddress!, target = target.baseAddress!
                forEachSlab(of: size.j * size.k, slab: 32) { rows in
                    let pitch = size.i + 2 + MedianOf27.width
                    withUnsafeTemporaryAllocation(of: Float.self, capacity: 9 * pitch) { padded in
                        let padded = padded.baseAddress!
                        padded.update(repeating: 0, count: 9 * pitch)
                        for row in rows {
                            let j = row % size.j, k = row / size.j
                            for neighbour in 0..<9 {
                                let nearJ = min(max(j + neighbour % 3 - 1, 0), size.j - 1)
                                let nearK = min(max(k + neighbour / 3 - 1, 0), size.k - 1)
                                let line = source + (nearJ + nearK * size.j) * size.i, copy = padded + neighbour * pitch
                                copy[0] = line[0]
                                (copy + 1).update(from: line, count: size.i)
                                copy[size.i + 1] = line[size.i - 1]
                            }
                            var i = 0
                            while i < size.i {
                                let medians = MedianOf27.medians(of: padded + i, pitch: pitch)
                                for lane in 0..<min(MedianOf27.width, size.i - i) { target[row * size.i + i + lane] = medians[lane] }
                                i += MedianOf27.width
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Medians of several neighbouring voxels at once by minima and maxima alone.
private enum MedianOf27 {
    static let width = 8

    /// Of any 15 among 27 values neither the smallest nor the largest can be the median: both are dropped and the next value comes
    /// in, until three are left.
    @inline(__always)
    static func medians(of corner: UnsafePointer<Float>, pitch: Int) -> SIMD8<Float> {
        withUnsafeTemporaryAllocation(of: SIMD8<Float>.self, capacity: 27) { values in
            let values = values.baseAddress!
            for row in 0..<9 {
                for step in 0..<3 {
                    values[row &* 3 &+ step] = UnsafeRawPointer(corner + (row &* pitch &+ step)).loadUnaligned(as: SIMD8<Float>.self)
                }
            }
            var first = 0, count = 15
            var next = 15
            while true {
                moveExtremes(values + first, count)
                if count == 3 { return values[first + 1] }
                // The smallest is at the front, the largest at the back; the next value takes the largest's place.
                first &+= 1
                count &-= 1
                values[first &+ count &- 1] = values[next]
                next &+= 1
            }
        }
    }

    /// Brings the smallest of `count` values to the front and the largest to the back.
    @inline(__always)
    private static func moveExtremes(_ values: UnsafeMutablePointer<SIMD8<Float>>, _ count: Int) {
        @inline(__always) func sort(_ a: Int, _ b: Int) {
            let x = values[a], y = values[b]
            let isLess = x .< y
            values[a] = y.replacing(with: x, where: isLess)
            values[b] = x.replacing(with: y, where: isLess)
        }
        let half = count / 2
        for index in 0..<half { sort(index, count &- 1 &- index) }
        for index in 1..<max(half &+ count % 2, 1) { sort(0, index) }
        for index in half..<max(count &- 1, half) { sort(index, count &- 1) }
    }
}
