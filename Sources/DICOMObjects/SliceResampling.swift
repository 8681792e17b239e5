import ImagingCore

/// Brings slices that are tilted, shifted or unevenly spaced onto a regular grid with right angles, linearly.
///
/// Between two slices a value is weighted by the distances along the normal, each slice read at the same place in the
/// patient. Where a neighbouring slice does not reach, the result is the smallest value of the scan.
struct SliceResampling {
    let stack: SliceStack

    func resampled(_ scan: ScanVolume, onto grid: GridGeometry) -> ScanVolume {
        switch scan {
        case .int16(let volume):
            .int16(resampled(volume, onto: grid) { Int16($0.rounded()) })
        case .float32(let volume):
            .float32(resampled(volume, onto: grid) { $0 })
        }
    }

    /// A weight this near to 0 or 1 leaves the slice as it is.
    private static let weightTolerance = 1e-3

    private func resampled<Voxel: VoxelValue & Comparable & SliceVoxel>(
        _ source: Volume<Voxel>, onto grid: GridGeometry, _ voxel: @escaping (Float) -> Voxel
    ) -> Volume<Voxel> {
        let fill = source.valueRange().lowerBound
        let low = stack.inPlaneMargin.low, pixel = SIMD2(grid.spacing.x, grid.spacing.y)
        let size = source.size
        return source.withUnsafeVoxels { voxels in
            Volume(geometry: grid) { target in
                forEachSlab(of: grid.size.k, slab: 1) { range in
                    for k in range {
                        let output = UnsafeMutableBufferPointer(
                            rebasing: target[k * grid.size.sliceVoxelCount..<(k + 1) * grid.size.sliceVoxelCount])
                        var sum = [Float](repeating: 0, count: grid.size.i)
                        for j in 0..<grid.size.j {
                            let row = UnsafeMutableBufferPointer(rebasing: output[j * grid.size.i..<(j + 1) * grid.size.i])
                            for i in 0..<grid.size.i { sum[i] = 0 }
                            for (slice, weight) in neighbours(atMM: Double(k) * grid.spacing.z) {
                                let shift = stack.shiftsMM[slice] / pixel
                                let plane = UnsafeBufferPointer(
                                    rebasing: voxels[slice * size.sliceVoxelCount..<(slice + 1) * size.sliceVoxelCount])
                                Self.add(plane, size, at: SIMD2(Double(low.x), Double(low.y + j)) - shift, Float(weight), to: &sum)
                            }
                            for i in 0..<grid.size.i { row[i] = sum[i].isNaN ? fill : voxel(sum[i]) }
                        }
                    }
                }
            }
        }
    }

    /// The one or two slices around a position along the normal, with their weights.
    private func neighbours(atMM position: Double) -> [(slice: Int, weight: Double)] {
        let positions = stack.positionsMM
        let above = positions.firstIndex { $0 > position } ?? positions.count
        guard above > 0 else { return [(0, 1)] }
        guard above < positions.count else { return [(positions.count - 1, 1)] }
        let weight = (position - positions[above - 1]) / (positions[above] - positions[above - 1])
        if weight < Self.weightTolerance { return [(above - 1, 1)] }
        if weight > 1 - Self.weightTolerance { return [(above, 1)] }
        return [(above - 1, 1 - weight), (above, weight)]
    }

    /// Adds one row of a slice, read bilinearly from column `start.x` on at row `start.y`; NaN where the slice does not reach.
    private static func add<Voxel: SliceVoxel>(
        _ plane: UnsafeBufferPointer<Voxel>, _ size: GridSize, at start: SIMD2<Double>, _ weight: Float, to sum: inout [Float]
    ) {
        let (j, v) = split(start.y), (first, u) = split(start.x)
        guard j >= 0, j + (v > 0 ? 1 : 0) < size.j else {
            for i in sum.indices { sum[i] = .nan }
            return
        }
        let row = plane.baseAddress! + j * size.i, next = v > 0 ? row + size.i : row
        let step = u > 0 ? 1 : 0
        for i in sum.indices {
            let at = first + i
            guard at >= 0, at + step < size.i else {
                sum[i] = .nan
                continue
            }
            let here = row[at].float + u * (row[at + step].float - row[at].float)
            let there = next[at].float + u * (next[at + step].float - next[at].float)
            sum[i] += weight * (here + v * (there - here))
        }
    }

    /// Whole and fractional part; a fraction next to 0 or 1 is rounded away.
    private static func split(_ value: Double) -> (Int, Float) {
        let floor = value.rounded(.down)
        let fraction = value - floor
        if fraction < weightTolerance { return (Int(floor), 0) }
        if fraction > 1 - weightTolerance { return (Int(floor) + 1, 0) }
        return (Int(floor), Float(fraction))
    }
}

protocol SliceVoxel { var float: Float { get } }
extension Int16: SliceVoxel { var float: Float { Float(self) } }
extension Float: SliceVoxel { var float: Float { self } }
