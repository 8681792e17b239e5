import ImagingCore

/// Displacements on a grid, linear between its voxel centres and continued beyond its edge by the nearest ones.
public struct DisplacementField: SpatialTransform {
    public let grid: GridGeometry
    /// By voxel, in millimetres along left, posterior and superior.
    public let vectors: [SIMD4<Float>]

    /// `vectors` holds one vector for each voxel of `grid`, columns first; its fourth component means nothing.
    public init(grid: GridGeometry, vectors: [SIMD4<Float>]) {
        precondition(vectors.count == grid.size.voxelCount)
        (self.grid, self.vectors) = (grid, vectors)
    }

    public func callAsFunction(_ point: PatientPoint) -> PatientPoint { PatientPoint(point.lps + displacement(at: point)) }

    /// In millimetres, LPS.
    public func displacement(at point: PatientPoint) -> SIMD3<Double> {
        let size = grid.size
        let last = SIMD3(Double(size.i - 1), Double(size.j - 1), Double(size.k - 1))
        let index = pointwiseMin(pointwiseMax(grid.continuousIndex(point).ijk, .zero), last)
        let lower = pointwiseMin(index.rounded(.down), pointwiseMax(last - 1, .zero))
        let f = SIMD3<Float>(index - lower)
        let offset = size.offset(VoxelIndex(Int(lower.x), Int(lower.y), Int(lower.z)))
        let (di, dj, dk) = (size.i > 1 ? 1 : 0, size.j > 1 ? size.i : 0, size.k > 1 ? size.sliceVoxelCount : 0)
        let value = vectors.withUnsafeBufferPointer { v in
            @inline(__always) func alongI(_ offset: Int) -> SIMD4<Float> { v[offset] + f.x * (v[offset &+ di] - v[offset]) }
            @inline(__always) func alongJ(_ offset: Int) -> SIMD4<Float> {
                let a = alongI(offset)
                return a + f.y * (alongI(offset &+ dj) - a)
            }
            let a = alongJ(offset)
            return a + f.z * (alongJ(offset &+ dk) - a)
        }
        return SIMD3(Double(value.x), Double(value.y), Double(value.z))
    }

    /// The smallest ratio of a small volume after and before, over the grid's cells: negative where the field folds.
    ///
    /// Of a cell that is linear along each axis, the determinant at its corners.
    public func smallestJacobian() -> Double {
        let size = grid.size
        guard min(size.i, size.j, size.k) > 1 else { return 1 }
        let axes = (grid.axes.i.lps, grid.axes.j.lps, grid.axes.k.lps), spacing = grid.spacing
        let handedness = grid.axes.isRightHanded ? 1.0 : -1
        return vectors.withUnsafeBufferPointer { v in
            mapSlabs(of: size.k, slab: 2) { slices in
                var smallest = Double.infinity
                for k in slices {
                    for j in 0..<size.j {
                        for i in 0..<size.i {
                            let offset = i + size.i * (j + size.j * k)
                            let forth = (i + 1 < size.i, j + 1 < size.j, k + 1 < size.k), back = (i > 0, j > 0, k > 0)
                            @inline(__always) func slope(
                                _ pitch: Int, _ isForth: Bool, _ axis: SIMD3<Double>, _ spacing: Double
                            ) -> SIMD3<Double> {
                                let d = isForth ? v[offset &+ pitch] - v[offset] : v[offset] - v[offset &- pitch]
                                return axis + SIMD3(Double(d.x), Double(d.y), Double(d.z)) / spacing
                            }
                            // The eight ways to take neighbours are the corners of the cells that meet here.
                            for isForthK in [true, false] where isForthK ? forth.2 : back.2 {
                                let c = slope(size.sliceVoxelCount, isForthK, axes.2, spacing.z)
                                for isForthJ in [true, false] where isForthJ ? forth.1 : back.1 {
                                    let b = slope(size.i, isForthJ, axes.1, spacing.y)
                                    for isForthI in [true, false] where isForthI ? forth.0 : back.0 {
                                        let a = slope(1, isForthI, axes.0, spacing.x)
                                        smallest = min(smallest, handedness * Matrix3(columns: a, b, c).determinant)
                                    }
                                }
                            }
                        }
                    }
                }
                return smallest
            }.min()!
        }
    }
}
