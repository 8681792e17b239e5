import ImagingCore

/// How a value between voxel centres is made of those around it.
public enum Interpolation: Sendable, CaseIterable {
    /// The voxel whose cell holds the point.
    case nearest
    /// Trilinear; exact for linear fields.
    case linear
    /// Cubic convolution of 4 × 4 × 4 voxels; exact for quadratic fields (Keys, IEEE Trans. ASSP 29, 1981, a = −1/2). May overshoot.
    case cubic
}

/// Resampling onto another grid. `transform` maps a point of the target to the point of the source that it is taken from.
///
/// Points up to the border of the outermost voxels (half a spacing beyond their centres) take the nearest voxels' values as if those
/// went on; points beyond it become `outside`. Grids may differ in spacing, orientation and handedness. Frames of reference
/// are the caller's concern: the transform is what relates them.
extension Volume where Voxel == Float {
    @inlinable public func resampled(
        onto grid: GridGeometry, through transform: some SpatialTransform = AffineTransform.identity,
        interpolation: Interpolation = .linear, outside: Float = 0
    ) -> Volume {
        if let affine = transform as? AffineTransform {
            return resampled(onto: grid, alongLines: affine, interpolation, outside)
        }
        return resampled(onto: grid, interpolation, outside) { row, points in row.map(points, through: transform) }
    }

    @usableFromInline func resampled(
        onto grid: GridGeometry, alongLines affine: AffineTransform, _ interpolation: Interpolation, _ outside: Float
    ) -> Volume {
        Resampler(self).volume(on: grid, affine, interpolation, outside: outside)
    }
    @usableFromInline func resampled(
        onto grid: GridGeometry, _ interpolation: Interpolation, _ outside: Float,
        _ mapRow: (ResampledRow, UnsafeMutablePointer<SIMD3<Double>>) -> Void
    ) -> Volume {
        Resampler(self).volume(on: grid, mapRow, interpolation, outside: outside)
    }
}

extension Volume where Voxel == Int16 {
    /// Interpolated values are rounded to the nearest whole number and held to the range of `Int16`.
    @inlinable public func resampled(
        onto grid: GridGeometry, through transform: some SpatialTransform = AffineTransform.identity,
        interpolation: Interpolation = .linear, outside: Int16 = 0
    ) -> Volume {
        if let affine = transform as? AffineTransform {
            return resampled(onto: grid, alongLines: affine, interpolation, outside)
        }
        return resampled(onto: grid, interpolation, outside) { row, points in row.map(points, through: transform) }
    }

    @usableFromInline func resampled(
        onto grid: GridGeometry, alongLines affine: AffineTransform, _ interpolation: Interpolation, _ outside: Int16
    ) -> Volume {
        Resampler(self).volume(on: grid, affine, interpolation, outside: outside)
    }
    @usableFromInline func resampled(
        onto grid: GridGeometry, _ interpolation: Interpolation, _ outside: Int16,
        _ mapRow: (ResampledRow, UnsafeMutablePointer<SIMD3<Double>>) -> Void
    ) -> Volume {
        Resampler(self).volume(on: grid, mapRow, interpolation, outside: outside)
    }
}

extension ScanVolume {
    /// The scan on another grid as `Float` (see `Volume.resampled`).
    @inlinable public func resampled(
        onto grid: GridGeometry, through transform: some SpatialTransform = AffineTransform.identity,
        interpolation: Interpolation = .linear, outside: Float = 0
    ) -> Volume<Float> {
        switch self {
        case .float32(let volume): volume.resampled(onto: grid, through: transform, interpolation: interpolation, outside: outside)
        case .int16(let volume): volume.converted().resampled(
            onto: grid, through: transform, interpolation: interpolation, outside: outside)
        }
    }
}

extension Mask {
    /// The voxels of `grid` at which the mask, interpolated linearly as zeros and ones, is at least one half.
    ///
    /// On its own grid a mask stays as it is. For sub-voxel surfaces resample a `LevelSet` instead.
    @inlinable public func resampled(
        onto grid: GridGeometry, through transform: some SpatialTransform = AffineTransform.identity
    ) -> Mask {
        let field = voxels.mapped { Float($0) }.resampled(onto: grid, through: transform, interpolation: .linear, outside: 0)
        return Mask(field) { $0 >= 0.5 }
    }
}

extension LevelSet {
    /// The level set on another grid. Beyond its own grid's border the object ends: the field falls off by the distance to the border.
    ///
    /// The transform must be close to rigid for the field to stay a distance; its zero moves with the transform in any case.
    @inlinable public func resampled(
        onto grid: GridGeometry, through transform: some SpatialTransform = AffineTransform.identity
    ) -> LevelSet {
        let field = field.resampled(onto: grid, through: transform, interpolation: .linear, outside: .nan)
        return LevelSet(field: field.endingObject(atBorderOf: self.field) { transform($0) })
    }
}

extension Volume where Voxel == Float {
    /// Replaces NaN by the value of `source` at the nearest point of its border, at most 0, less the distance to that point.
    @usableFromInline func endingObject(atBorderOf source: Volume<Float>, _ transform: (PatientPoint) -> PatientPoint) -> Volume {
        var result = self
        let (size, grid, sourceGrid) = (size, geometry, source.geometry)
        let last = SIMD3(Double(source.size.i - 1), Double(source.size.j - 1), Double(source.size.k - 1))
        source.withUnsafeVoxels { values in
            result.withUnsafeMutableVoxels { target in
                forEachSlab(of: size.j * size.k, slab: 64) { rows in
                    for row in rows {
                        for i in 0..<size.i where target[row * size.i + i].isNaN {
                            let index = sourceGrid.continuousIndex(transform(grid.point(VoxelIndex(i, row % size.j, row / size.j)))).ijk
                            let nearest = pointwiseMax(pointwiseMin(index, last), .zero)
                            let border = pointwiseMax(pointwiseMin(index, last + 0.5), SIMD3(repeating: -0.5))
                            let distance = PatientVector((index - border) * sourceGrid.spacing).length
                            let value = values[source.size.offset(ContinuousIndex(nearest).nearest)]
                            target[row * size.i + i] = distance.isFinite ? min(value, 0) - Float(distance) : -.infinity
                        }
                    }
                }
            }
        }
        return result
    }
}

/// A row of the target grid and the source's grid, to map one onto the other point by point.
@usableFromInline struct ResampledRow {
    let first: PatientPoint
    let step: PatientVector
    let count: Int
    let source: GridGeometry

    /// Writes the continuous indices in the source of the row's voxels.
    @usableFromInline func map(_ indices: UnsafeMutablePointer<SIMD3<Double>>, through transform: some SpatialTransform) {
        for i in 0..<count { indices[i] = source.continuousIndex(transform(first + Double(i) * step)).ijk }
    }
}
