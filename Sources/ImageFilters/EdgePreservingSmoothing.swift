import ImagingCore

extension Volume where Voxel == Float {
    /// Edge-preserving smoothing: differences well below `contrast` are evened out, edges above it stay.
    ///
    /// Diffusion with conductance 1 / (1 + (difference / contrast)²) between face neighbours (Perona & Malik, IEEE PAMI 12, 1990),
    /// weighted by spacing; explicit steps as long as stability allows. `contrast` is in units of the voxel values, per millimetre.
    /// Complexity: O(voxels · iterations); one more volume of memory.
    public func edgePreservingSmoothed(contrastPerMM contrast: Float, iterations: Int = 5) -> Volume {
        precondition(contrast > 0 && iterations >= 0)
        var current = self
        for _ in 0..<iterations { current = current.diffused(contrastPerMM: contrast) }
        return current
    }

    private func diffused(contrastPerMM contrast: Float) -> Volume {
        let size = size
        let inverse = SIMD3<Float>(1 / geometry.spacing)
        let squares = inverse * inverse
        let step = 0.5 / squares.sum()
        let sharpness = squares / (contrast * contrast)
        let rate = step * squares
        return withUnsafeVoxels { source in
            Volume(geometry: geometry) { target in
                let source = source.baseAddress!, target = target.baseAddress!
                forEachSlab(of: size.j * size.k, slab: 64) { rows in
                    for row in rows {
                        let j = row % size.j, k = row / size.j
                        let line = source + row &* size.i, result = target + row &* size.i
                        let left = j > 0 ? line - size.i : line, right = j < size.j - 1 ? line + size.i : line
                        let below = k > 0 ? line - size.sliceVoxelCount : line, above = k < size.k - 1 ? line + size.sliceVoxelCount : line
                        @inline(__always) func flow(_ difference: Float, _ axis: Int) -> Float {
                            rate[axis] * difference / (1 + sharpness[axis] * difference * difference)
                        }
                        @inline(__always) func across(_ i: Int) -> Float {
                            let value = line[i]
                            return flow(left[i] - value, 1) + flow(right[i] - value, 1) + flow(below[i] - value, 2)
                                + flow(above[i] - value, 2)
                        }
                        let last = size.i - 1
                        guard last > 0 else {
                            result[0] = line[0] + across(0)
                            continue
                        }
                        result[0] = line[0] + across(0) + flow(line[1] - line[0], 0)
                        for i in 1..<last {
                            result[i] = line[i] + across(i) + flow(line[i &- 1] - line[i], 0) + flow(line[i &+ 1] - line[i], 0)
                        }
                        result[last] = line[last] + across(last) + flow(line[last - 1] - line[last], 0)
                    }
                }
            }
        }
    }
}
