import ImagingCore

/// Averages blocks of whole voxels, which takes noise away without shifting anything.
struct CellAverager {
    /// The grid that is averaged, and that of the averages: block centres, along the same axes. Voxels beyond the last whole block are left
    /// out.
    let source, target: GridGeometry
    /// The voxels of a block along each axis.
    let block: (i: Int, j: Int, k: Int)

    /// Blocks whose edges come nearest to `spacingMM`.
    init(geometry: GridGeometry, spacingMM: Double) {
        func count(_ spacing: Double, _ size: Int) -> Int { min(max(1, Int((spacingMM / spacing).rounded())), size) }
        let (spacing, size) = (geometry.spacing, geometry.size)
        block = (count(spacing.x, size.i), count(spacing.y, size.j), count(spacing.z, size.k))
        let factor = SIMD3(Double(block.i), Double(block.j), Double(block.k))
        source = geometry
        // Sound because the source grid is.
        target = try! GridGeometry(
            size: GridSize(size.i / block.i, size.j / block.j, size.k / block.k), spacing: spacing * factor,
            origin: geometry.point(ContinuousIndex((factor - 1) / 2)), axes: geometry.axes,
            frameOfReferenceUID: geometry.frameOfReferenceUID)
    }

    /// The mean of each block with values held to `limits`, and the share of its voxels that exceed `metal`.
    func average(_ scan: ScanVolume, limits: ClosedRange<Float>, metalAbove metal: Float) -> (means: Volume<Float>, metal: Volume<Float>) {
        switch scan {
        case .int16(let volume): average(volume, limits, metal) { Float($0) }
        case .float32(let volume): average(volume, limits, metal) { $0 }
        }
    }

    func average(_ volume: Volume<Float>) -> Volume<Float> { average(volume, -.infinity ... .infinity, .infinity) { $0 }.means }
    /// The share of each block that lies inside.
    func average(_ mask: Mask) -> Volume<Float> { average(mask.voxels, 0...1, 1) { Float($0) }.means }

    @inline(__always)
    private func average<Voxel>(
        _ volume: Volume<Voxel>, _ limits: ClosedRange<Float>, _ metal: Float, _ value: (Voxel) -> Float
    ) -> (means: Volume<Float>, metal: Volume<Float>) {
        precondition(volume.geometry.size == source.size)
        var shares = Volume<Float>(zeros: target)
        let (low, high) = (limits.lowerBound, limits.upperBound)
        let (size, cells, block) = (source.size, target.size, self.block)
        let columns = cells.i * block.i, scale = 1 / Float(block.i * block.j * block.k)
        let means = volume.withUnsafeVoxels { voxels in
            shares.withUnsafeMutableVoxels { shares in
                Volume<Float>(geometry: target) { means in
                    forEachSlab(of: cells.j * cells.k, slab: 8) { rows in
                        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * columns) { sums in
                            let sum = sums.baseAddress!, over = sum + columns
                            for row in rows {
                                for i in 0..<2 &* columns { sum[i] = 0 }
                                let (j, k) = (row % cells.j, row / cells.j)
                                for slice in k * block.k..<(k + 1) * block.k {
                                    for line in j * block.j..<(j + 1) * block.j {
                                        let source = voxels.baseAddress! + size.i &* (line &+ size.j &* slice)
                                        for i in 0..<columns {
                                            let v = value(source[i])
                                            sum[i] += min(max(v, low), high)
                                            over[i] += v > metal ? 1 : 0
                                        }
                                    }
                                }
                                for cell in 0..<cells.i {
                                    var mean: Float = 0, share: Float = 0
                                    for i in cell &* block.i..<(cell &+ 1) &* block.i {
                                        mean += sum[i]
                                        share += over[i]
                                    }
                                    means[row &* cells.i &+ cell] = mean * scale
                                    shares[row &* cells.i &+ cell] = share * scale
                                }
                            }
                        }
                    }
                }
            }
        }
        return (means, shares)
    }
}
