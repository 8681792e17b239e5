import ImagingCore

extension Volume where Voxel == Float {
    /// The length of the gradient per millimetre: central differences, one-sided at the grid's edge. An axis of one voxel adds nothing.
    public func gradientMagnitude() -> Volume {
        let size = size, spacing = geometry.spacing
        return withUnsafeVoxels { source in
            Volume(geometry: geometry) { target in
                let source = source.baseAddress!, target = target.baseAddress!
                forEachSlab(of: size.j * size.k, slab: 64) { rows in
                    for row in rows {
                        let j = row % size.j, k = row / size.j
                        let line = source + row &* size.i
                        let (left, right) = (j > 0 ? line - size.i : line, j < size.j - 1 ? line + size.i : line)
                        let (below, above) = (
                            k > 0 ? line - size.sliceVoxelCount : line, k < size.k - 1 ? line + size.sliceVoxelCount : line)
                        let perJ = Self.perMillimetre(steps: min(j, 1) + min(size.j - 1 - j, 1), spacing.y)
                        let perK = Self.perMillimetre(steps: min(k, 1) + min(size.k - 1 - k, 1), spacing.z)
                        let perI = Self.perMillimetre(steps: 2, spacing.x)
                        let result = target + row &* size.i
                        @inline(__always) func magnitude(_ i: Int, _ di: Float) -> Float {
                            let dj = (right[i] - left[i]) * perJ, dk = (above[i] - below[i]) * perK
                            return (di * di + dj * dj + dk * dk).squareRoot()
                        }
                        guard size.i > 1 else {
                            result[0] = magnitude(0, 0)
                            continue
                        }
                        result[0] = magnitude(0, (line[1] - line[0]) * 2 * perI)
                        for i in 1..<size.i - 1 { result[i] = magnitude(i, (line[i &+ 1] - line[i &- 1]) * perI) }
                        result[size.i - 1] = magnitude(size.i - 1, (line[size.i - 1] - line[size.i - 2]) * 2 * perI)
                    }
                }
            }
        }
    }

    private static func perMillimetre(steps: Int, _ spacingMM: Double) -> Float { steps > 0 ? Float(1 / (Double(steps) * spacingMM)) : 0 }
}
