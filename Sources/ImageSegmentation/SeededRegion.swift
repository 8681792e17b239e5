import ImagingCore

extension Mask {
    /// The voxels joined to any of `seeds` through faces. Seeds outside the mask or the grid are passed over.
    func joined(to seeds: some Sequence<VoxelIndex>) -> Mask {
        let size = size, strideJ = size.i, strideK = size.i * size.j
        return withUnsafeVoxels { source in
            Mask(geometry: geometry) { target in
                target.update(repeating: 0)
                var open: [Int] = []
                func visit(_ offset: Int) {
                    guard source[offset] != 0, target[offset] == 0 else { return }
                    target[offset] = 1
                    open.append(offset)
                }
                for seed in seeds where size.contains(seed) { visit(size.offset(seed)) }
                while let here = open.popLast() {
                    let i = here % strideJ, j = here / strideJ % size.j, k = here / strideK
                    if i > 0 { visit(here &- 1) }
                    if i &+ 1 < size.i { visit(here &+ 1) }
                    if j > 0 { visit(here &- strideJ) }
                    if j &+ 1 < size.j { visit(here &+ strideJ) }
                    if k > 0 { visit(here &- strideK) }
                    if k &+ 1 < size.k { visit(here &+ strideK) }
                }
            }
        }
    }
}

extension Volume<Float> {
    /// The means of blocks of voxels; a rest at the grid's far ends is left out.
    func blockMeans(_ block: SIMD3<Int>) -> Volume<Float> {
        guard block != SIMD3(1, 1, 1) else { return self }
        let size = size
        let coarse = GridSize(max(1, size.i / block.x), max(1, size.j / block.y), max(1, size.k / block.z))
        let b = SIMD3(min(block.x, size.i), min(block.y, size.j), min(block.z, size.k))
        let origin = geometry.point(ContinuousIndex((SIMD3<Double>(b) - 1) / 2))
        // A valid grid with fewer, larger voxels is valid.
        let grid = try! GridGeometry(
            size: coarse, spacing: geometry.spacing * SIMD3<Double>(b), origin: origin, axes: geometry.axes,
            frameOfReferenceUID: geometry.frameOfReferenceUID)
        let scale = 1 / Float(b.x * b.y * b.z)
        return withUnsafeVoxels { source in
            Volume<Float>(geometry: grid) { target in
                forEachSlab(of: coarse.k, slab: 1) { range in
                    for k in range {
                        for j in 0..<coarse.j {
                            for i in 0..<coarse.i {
                                var sum: Float = 0
                                for kk in 0..<b.z {
                                    for jj in 0..<b.y {
                                        let row = i &* b.x &+ size.i &* ((j &* b.y &+ jj) &+ size.j &* (k &* b.z &+ kk))
                                        for ii in 0..<b.x { sum += source[row &+ ii] }
                                    }
                                }
                                target[i &+ coarse.i &* (j &+ coarse.j &* k)] = sum * scale
                            }
                        }
                    }
                }
            }
        }
    }

    /// This field read by linear interpolation at the voxel centres of `grid`; beyond this field's border its border's values.
    func interpolated(onto grid: GridGeometry) -> Volume<Float> { read(on: grid, outside: nil) }

    /// This field read by linear interpolation at the voxel centres of `grid`, in the same patient space; positions outside this field's
    /// cells read `outside`, or the border's values when that is `nil`.
    func read(on grid: GridGeometry, outside: Float?) -> Volume<Float> {
        let origin = geometry.continuousIndex(grid.origin).ijk
        func step(_ axis: VoxelIndex) -> SIMD3<Float> { SIMD3<Float>(geometry.continuousIndex(grid.point(axis)).ijk - origin) }
        let start = SIMD3<Float>(origin), di = step(VoxelIndex(1, 0, 0)), dj = step(VoxelIndex(0, 1, 0)), dk = step(VoxelIndex(0, 0, 1))
        let last = SIMD3(Float(size.i), Float(size.j), Float(size.k)) - 0.49
        return withUnsafeVoxels { source in
            let sample = TrilinearSampler(source, size: size)
            return Volume<Float>(geometry: grid) { target in
                forEachSlab(of: grid.size.k, slab: 1) { range in
                    for k in range {
                        for j in 0..<grid.size.j {
                            let row = grid.size.i &* (j &+ grid.size.j &* k)
                            let rowStart = start + Float(k) * dk + Float(j) * dj
                            for i in 0..<grid.size.i {
                                let place = rowStart + Float(i) * di
                                if let outside, any(place .< -0.51) || any(place .> last) {
                                    target[row &+ i] = outside
                                } else {
                                    target[row &+ i] = sample(place)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The length of the gradient by central differences, per millimetre.
    func gradientLengths() -> Volume<Float> {
        let size = size, strideJ = size.i, strideK = size.i * size.j, scale = 1 / SIMD3<Float>(geometry.spacing)
        return withUnsafeVoxels { v in
            Volume<Float>(geometry: geometry) { target in
                forEachSlab(of: size.k, slab: 1) { range in
                    for k in range {
                        for j in 0..<size.j {
                            for i in 0..<size.i {
                                let here = i &+ j &* strideJ &+ k &* strideK
                                @inline(__always) func slope(_ at: Int, _ count: Int, _ stride: Int) -> Float {
                                    let low = at > 0 ? here &- stride : here, high = at &+ 1 < count ? here &+ stride : here
                                    return high == low ? 0 : (v[high] - v[low]) * Float(stride) / Float(high &- low)
                                }
                                let g = SIMD3(slope(i, size.i, 1), slope(j, size.j, strideJ), slope(k, size.k, strideK)) * scale
                                target[here] = (g * g).sum().squareRoot()
                            }
                        }
                    }
                }
            }
        }
    }
}
