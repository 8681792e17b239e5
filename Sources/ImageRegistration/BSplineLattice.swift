import ImagingCore

/// Cubic B-splines over a grid: control vectors far apart make a smooth displacement at every voxel.
///
/// The lattice reaches one control spacing beyond the grid on either side, so that every voxel has its four controls along each axis.
struct BSplineLattice {
    /// The weights of an axis.
    private struct Axis {
        /// The first of each voxel's four controls, and their weights.
        var first: [Int] = []
        var weights: [SIMD4<Float>] = []
        /// Each control's voxels, for the way back.
        var voxels: [Range<Int>]
        /// The number of controls, and their distance in voxels.
        let count: Int
        let step: Double

        init(voxelCount: Int, spacingMM: Double, controlSpacingMM: Double) {
            step = controlSpacingMM / spacingMM
            count = Int((Double(voxelCount - 1) / step).rounded(.down)) + 4
            voxels = [Range<Int>](repeating: 0..<0, count: count)
            for voxel in 0..<voxelCount {
                let position = Double(voxel) / step, cell = min(Int(position), count - 4)
                let t = position - Double(cell), s = 1 - t
                first.append(cell)
                weights.append(SIMD4<Float>(SIMD4(s * s * s, 3 * t * t * t - 6 * t * t + 4, 3 * s * s * s - 6 * s * s + 4, t * t * t) / 6))
                for control in cell..<cell + 4 {
                    voxels[control] = voxels[control].isEmpty ? voxel..<voxel + 1 : voxels[control].lowerBound..<voxel + 1
                }
            }
        }
    }

    let grid: GridGeometry
    /// The number of controls along each axis, and their distance in millimetres.
    let counts: GridSize
    let controlSpacingMM: Double
    private let x, y, z: Axis

    var controlCount: Int { counts.voxelCount }

    init(grid: GridGeometry, controlSpacingMM: Double) {
        self.grid = grid
        self.controlSpacingMM = controlSpacingMM
        x = Axis(voxelCount: grid.size.i, spacingMM: grid.spacing.x, controlSpacingMM: controlSpacingMM)
        y = Axis(voxelCount: grid.size.j, spacingMM: grid.spacing.y, controlSpacingMM: controlSpacingMM)
        z = Axis(voxelCount: grid.size.k, spacingMM: grid.spacing.z, controlSpacingMM: controlSpacingMM)
        counts = GridSize(x.count, y.count, z.count)
    }

    /// The controls on `next`, a lattice over nearly the same region (the same image's at another spacing), that make nearly the same
    /// displacement: the values of the displacement's own controls, read between them.
    func carried(_ controls: [SIMD4<Float>], to next: BSplineLattice) -> [SIMD4<Float>] {
        let offset = grid.axes.components(of: next.grid.origin - grid.origin) / controlSpacingMM
        let last = SIMD3(Double(counts.i - 1), Double(counts.j - 1), Double(counts.k - 1))
        return (0..<next.controlCount).map { index in
            let at = next.counts.index(atOffset: index)
            let place = pointwiseMin(pointwiseMax(SIMD3(Double(at.i), Double(at.j), Double(at.k)) + offset, .zero), last)
            let lower = pointwiseMin(place.rounded(.down), last - 1), f = SIMD3<Float>(place - lower)
            let corner = counts.offset(VoxelIndex(Int(lower.x), Int(lower.y), Int(lower.z)))
            func alongI(_ start: Int) -> SIMD4<Float> { controls[start] + f.x * (controls[start + 1] - controls[start]) }
            func alongJ(_ start: Int) -> SIMD4<Float> {
                let a = alongI(start)
                return a + f.y * (alongI(start + counts.i) - a)
            }
            let a = alongJ(corner)
            return a + f.z * (alongJ(corner + counts.sliceVoxelCount) - a)
        }
    }

    /// The vector at each voxel that `controls` make.
    func dense(_ controls: [SIMD4<Float>]) -> [SIMD4<Float>] {
        let size = grid.size
        let alongX = Self.filled(size.i * counts.j * counts.k, slab: 16 * size.i) { output, range in
            for offset in range {
                let i = offset % size.i, row = offset / size.i * counts.i + x.first[i], w = x.weights[i]
                output[offset] = w.x * controls[row] + w.y * controls[row &+ 1] + w.z * controls[row &+ 2] + w.w * controls[row &+ 3]
            }
        }
        let alongY = Self.filled(size.i * size.j * counts.k, slab: 16 * size.i) { output, range in
            for row in range.lowerBound / size.i..<range.upperBound / size.i {
                let j = row % size.j, w = y.weights[j]
                let source = (row / size.j * counts.j + y.first[j]) * size.i
                Self.blend(alongX, source, size.i, w, to: output + row * size.i, count: size.i)
            }
        }
        let slice = size.sliceVoxelCount
        return Self.filled(slice * size.k, slab: 16 * size.i) { output, range in
            var start = range.lowerBound
            while start < range.upperBound {
                let k = start / slice, end = min(range.upperBound, (k + 1) * slice)
                Self.blend(alongY, z.first[k] * slice + start - k * slice, slice, z.weights[k], to: output + start, count: end - start)
                start = end
            }
        }
    }

    /// The transpose of `dense`: what each control gathers of vectors at voxels.
    func gathered(_ vectors: [SIMD4<Float>]) -> [SIMD4<Float>] {
        let size = grid.size, slice = size.sliceVoxelCount
        let alongZ = Self.filled(slice * counts.k, slab: 16 * size.i) { output, range in
            var start = range.lowerBound
            while start < range.upperBound {
                let control = start / slice, end = min(range.upperBound, (control + 1) * slice), within = start - control * slice
                for offset in start..<end { output[offset] = .zero }
                for k in z.voxels[control] {
                    Self.add(vectors, k * slice + within, z.weights[k][control - z.first[k]], to: output + start, count: end - start)
                }
                start = end
            }
        }
        let alongY = Self.filled(size.i * counts.j * counts.k, slab: size.i) { output, range in
            let row = range.lowerBound / size.i, control = row % counts.j
            for offset in range { output[offset] = .zero }
            for j in y.voxels[control] {
                Self.add(
                    alongZ, (row / counts.j * size.j + j) * size.i, y.weights[j][control - y.first[j]], to: output + range.lowerBound,
                    count: size.i)
            }
        }
        return Self.filled(controlCount, slab: 16 * counts.i) { output, range in
            for offset in range {
                let control = offset % counts.i, row = offset / counts.i * size.i
                var sum = SIMD4<Float>.zero
                for i in x.voxels[control] { sum += x.weights[i][control &- x.first[i]] * alongY[row &+ i] }
                output[offset] = sum
            }
        }
    }

    @inline(__always)
    private static func blend(
        _ source: [SIMD4<Float>], _ start: Int, _ pitch: Int, _ w: SIMD4<Float>, to output: UnsafeMutablePointer<SIMD4<Float>>, count: Int
    ) {
        source.withUnsafeBufferPointer { source in
            let p = source.baseAddress! + start
            for i in 0..<count { output[i] = w.x * p[i] + w.y * p[i &+ pitch] + w.z * p[i &+ 2 &* pitch] + w.w * p[i &+ 3 &* pitch] }
        }
    }
    @inline(__always)
    private static func add(_ source: [SIMD4<Float>], _ start: Int, _ w: Float, to output: UnsafeMutablePointer<SIMD4<Float>>, count: Int) {
        source.withUnsafeBufferPointer { source in
            let p = source.baseAddress! + start
            for i in 0..<count { output[i] += w * p[i] }
        }
    }
    private static func filled(
        _ count: Int, slab: Int, _ fill: (UnsafeMutablePointer<SIMD4<Float>>, Range<Int>) -> Void
    ) -> [SIMD4<Float>] {
        [SIMD4<Float>](unsafeUninitializedCapacity: count) { buffer, initialized in
            nonisolated(unsafe) let output = buffer.baseAddress!  // Ranges do not overlap.
            forEachSlab(of: count, slab: slab) { fill(output, $0) }
            initialized = count
        }
    }
}

/// The bending energy of a lattice's control vectors: the sum of squared second differences, mixed ones twice, as in Rueckert et al. 1999.
/// It is zero for every affine displacement.
struct BendingEnergy {
    let counts: GridSize

    /// The energy's gradient (twice its matrix times the controls, halved), and the energy.
    func applied(to c: [SIMD4<Float>]) -> (product: [SIMD4<Float>], energy: Double) {
        var product = [SIMD4<Float>](repeating: .zero, count: c.count), energy = 0.0
        let pitches = [1, counts.i, counts.i * counts.j], limits = [counts.i, counts.j, counts.k]
        for k in 0..<counts.k {
            for j in 0..<counts.j {
                for i in 0..<counts.i {
                    let offset = i + counts.i * (j + counts.j * k), index = SIMD3(i, j, k)
                    for axis in 0..<3 {
                        let p = pitches[axis]
                        if index[axis] > 0, index[axis] < limits[axis] - 1 {
                            let d = c[offset - p] - 2 * c[offset] + c[offset + p]
                            energy += Double((d * d).sum())
                            product[offset - p] += d
                            product[offset] -= 2 * d
                            product[offset + p] += d
                        }
                        let other = (axis + 1) % 3, q = pitches[other]
                        if index[axis] < limits[axis] - 1, index[other] < limits[other] - 1 {
                            let d = c[offset] - c[offset + p] - c[offset + q] + c[offset + p + q]
                            energy += 2 * Double((d * d).sum())
                            product[offset] += 2 * d
                            product[offset + p] -= 2 * d
                            product[offset + q] -= 2 * d
                            product[offset + p + q] += 2 * d
                        }
                    }
                }
            }
        }
        return (product, energy)
    }
}
