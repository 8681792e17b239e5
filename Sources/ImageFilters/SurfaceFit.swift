import ImagingCore

/// The signed distance to the smoothest surface that agrees with a binary mask.
///
/// At any point the distance is at most that to the nearest voxel centre outside, and at least minus that to the nearest inside.
/// Within these bounds the field near the surface minimises the integral of its squared Laplacian. That leaves planes and
/// spheres as they are: a distance from a sphere is biharmonic. Around that band the field is held at the distance to
/// the surface so far, and the two steps alternate, on a coarse grid first where slices are thick.
struct SurfaceFit {
    // Tuned on spheres, ellipsoids, capsules and lobulated shapes of 5 … 16 mm radius at 0.7 … 1 mm in plane and 1 … 5 mm slices.
    /// Half the width of the band that may move, in units of the thickest voxel.
    private static let bandWidths: Float = 2
    /// The band leaves out the middle of the object, where a distance has its ridge: this share of the greatest depth.
    private static let ridgeShare: Float = 0.6
    private static let passes = 2, iterations = 60
    private static let coarsePasses = 3, coarseIterations = 100
    /// Grids finer than this share of the thickest voxel are preceded by one of twice the spacing.
    private static let coarseningRatio = 2.2
    /// How much a distance from voxel centre to voxel centre exceeds that to the surface, in units of the thickest voxel.
    private static let centreExcess: Float = 0.15

    /// The volumes of a fit, as shares of the mask's, that tell that it did not lose the object.
    private static let trustedVolumes = 0.7...1.4

    let grid: GridGeometry
    /// Millimetres between the mask's voxel centres.
    private let maskSpacing: SIMD3<Double>
    private let maskVolume: Double
    /// Bounds of the signed distance.
    private let lower, upper: Volume<Float>

    private var thickest: Float { Float(maskSpacing.max()) }
    private var isFineForSlices: Bool { maskSpacing.max() > Self.coarseningRatio * grid.spacing.max() }

    init(to mask: Mask, _ window: ReconstructionWindow) {
        grid = window.grid
        maskSpacing = mask.geometry.spacing
        maskVolume = mask.volumeML * 1000
        lower = Self.sites(of: mask, inside: true, window).distanceToInside().mapped { -$0 }
        upper = Self.sites(of: mask, inside: false, window).distanceToInside().mapped { min($0, .greatestFiniteMagnitude) }
    }

    private init(grid: GridGeometry, maskSpacing: SIMD3<Double>, maskVolume: Double, lower: Volume<Float>, upper: Volume<Float>) {
        (self.grid, self.maskSpacing, self.maskVolume, self.lower, self.upper) = (grid, maskSpacing, maskVolume, lower, upper)
    }

    /// The voxels of the window's grid that are centres of the mask's voxels inside, or outside, the object.
    private static func sites(of mask: Mask, inside: Bool, _ window: ReconstructionWindow) -> Mask {
        let size = window.grid.size, low = window.low, parts = window.divisions
        return Mask(geometry: window.grid) { target in
            target.update(repeating: 0)
            mask.withUnsafeVoxels { source in
                for k in stride(from: 0, to: size.k, by: parts.z) {
                    for j in stride(from: 0, to: size.j, by: parts.y) {
                        for i in stride(from: 0, to: size.i, by: parts.x) {
                            let voxel = VoxelIndex(low.i + i / parts.x, low.j + j / parts.y, low.k + k / parts.z)
                            let isInside = mask.size.contains(voxel) && source[mask.size.offset(voxel)] != 0
                            if isInside == inside { target[size.offset(VoxelIndex(i, j, k))] = 1 }
                        }
                    }
                }
            }
        }
    }

    func solved() -> Volume<Float> {
        let middle = middleOfBounds()
        let fitted = fitted(from: middle)
        // An object that is a voxel or two thin leaves nothing to bend: smoothing may lose it.
        let volume = fitted.isosurface(at: 0).enclosedVolume
        return Self.trustedVolumes.contains(volume / maskVolume) ? fitted : keepingVolume(middle)
    }

    private func fitted(from middle: Volume<Float>) -> Volume<Float> {
        var field = smoothedWithoutShrinking(middle)
        var steps = [1]
        while maskSpacing.max() > Self.coarseningRatio * Double(steps[0]) * grid.spacing.max() { steps.insert(2 * steps[0], at: 0) }
        for step in steps where step > 1 {
            let level = thinned(by: step)
            let coarse = level.refined(
                field.resampled(onto: level.grid, interpolation: .nearest), passes: Self.coarsePasses, iterations: Self.coarseIterations)
            field = coarse.resampled(onto: grid, interpolation: .cubic, outside: .nan).replacingNaN(with: field)
        }
        return refined(field, passes: Self.passes, iterations: Self.iterations)
    }

    private func thinned(by step: Int) -> SurfaceFit {
        let coarse = grid.thinned(by: step)
        return SurfaceFit(
            grid: coarse, maskSpacing: maskSpacing, maskVolume: maskVolume, lower: lower.resampled(onto: coarse, interpolation: .nearest),
            upper: upper.resampled(onto: coarse, interpolation: .nearest))
    }

    /// Midway between the bounds near the surface, close to the tighter one far from it.
    private func middleOfBounds() -> Volume<Float> {
        let thickest = thickest
        return Volume<Float>(geometry: grid) { target in
            lower.withUnsafeVoxels { lower in
                upper.withUnsafeVoxels { upper in
                    forEachSlab(of: target.count, slab: 1 << 15) { range in
                        for offset in range {
                            let (low, high) = (lower[offset], min(upper[offset], 1000))
                            let far = high > -low ? high - Self.centreExcess * thickest : low + Self.centreExcess * thickest
                            let share = min(1, max(0, (abs(low + high) - thickest) / thickest))
                            target[offset] = share * far + (1 - share) * (low + high) / 2
                        }
                    }
                }
            }
        }
    }

    private func smoothedWithoutShrinking(_ field: Volume<Float>) -> Volume<Float> {
        let sigmaMM = pointwiseMax(maskSpacing, SIMD3(repeating: 0.7 * maskSpacing.min() + 0.3))
        let once = field.gaussianSmoothed(sigmaMM: sigmaMM)
        let twice = once.gaussianSmoothed(sigmaMM: sigmaMM)
        return once.combined(with: twice) { 2 * $0 - $1 }
    }

    private func refined(_ start: Volume<Float>, passes: Int, iterations: Int) -> Volume<Float> {
        var field = start
        for _ in 0..<passes {
            field = keepingVolume(field)
            let bandMM = min(Self.bandWidths * max(thickest, 1), Self.ridgeShare * max(0, field.valueRange().upperBound))
            field = distanced(field, bandMM: bandMM)
            field = smoothed(field, bandMM: bandMM, iterations: iterations)
        }
        return keepingVolume(field)
    }

    /// Shifts the surface along its normals until it encloses the mask's volume, which sampling leaves unbiased.
    private func keepingVolume(_ field: Volume<Float>) -> Volume<Float> {
        var shift = 0.0
        for _ in 0..<4 {
            let mesh = field.isosurface(at: Float(-shift))
            guard !mesh.isEmpty else { break }
            let wanted = shift + (maskVolume - mesh.enclosedVolume) / mesh.area
            // A slice or a voxel alone has no room to shift.
            shift = max(-Double(thickest) / 2, min(Double(thickest) / 2, wanted))
        }
        let shiftMM = Float(shift)
        return field.mapped { $0 + shiftMM }
    }

    /// The distance to the field's surface in and somewhat around the band; the field itself elsewhere.
    private func distanced(_ field: Volume<Float>, bandMM: Float) -> Volume<Float> {
        let reachMM = bandMM + 2 * Float(grid.spacing.max())
        // Between thick slices the surface is smooth on this grid: every other voxel is enough.
        return Self.distance(toSurfaceOf: field, near: field, reachMM: reachMM, exactMM: isFineForSlices ? 0 : nil)
    }

    /// The signed distance to the zero surface of `field` at the voxels of `rough` that lie within `reachMM`; `rough` elsewhere.
    ///
    /// - Parameter exactMM: see `SurfaceDistance.signedDistances`; by default three voxels.
    static func distance(toSurfaceOf field: Volume<Float>, near rough: Volume<Float>, reachMM: Float, exactMM: Float? = nil) -> Volume<Float> {
        let mesh = field.isosurface(at: 0)
        guard !mesh.isEmpty else { return rough }
        return SurfaceDistance(mesh).signedDistances(near: rough, in: -reachMM...reachMM, exactMM: exactMM ?? 3 * Float(rough.geometry.spacing.max()))
    }

    /// Minimises the squared Laplacian over the voxels of the band, within the bounds (projected gradients with Nesterov's momentum).
    private func smoothed(_ start: Volume<Float>, bandMM: Float, iterations: Int) -> Volume<Float> {
        var solution = start, lookAhead = start
        var laplacian = Volume<Float>(geometry: grid, repeating: 0)
        let reachMM = bandMM + 2 * Float(grid.spacing.max())
        let stencil = LaplacianStencil(grid, where: start.mapped { abs($0) <= reachMM ? 1 : 0 })
        solution.withUnsafeMutableVoxels { solution in
            lookAhead.withUnsafeMutableVoxels { lookAhead in
                laplacian.withUnsafeMutableVoxels { laplacian in
                    start.withUnsafeVoxels { start in
                        lower.withUnsafeVoxels { lower in
                            upper.withUnsafeVoxels { upper in
                                let x = solution.baseAddress!, y = lookAhead.baseAddress!, l = laplacian.baseAddress!
                                var pace: Float = 1
                                for _ in 0..<iterations {
                                    stencil.forEachVoxel { offset, strides in
                                        l[offset] = stencil.laplacian(of: y, at: offset, strides)
                                    }
                                    let nextPace = (1 + (1 + 4 * pace * pace).squareRoot()) / 2
                                    let momentum = (pace - 1) / nextPace
                                    pace = nextPace
                                    stencil.forEachVoxel { offset, strides in
                                        guard abs(start[offset]) <= bandMM else { return }
                                        let step = stencil.stepLength * stencil.laplacian(of: l, at: offset, strides)
                                        let value = min(upper[offset], max(lower[offset], y[offset] - step))
                                        y[offset] = value + momentum * (value - x[offset])
                                        x[offset] = value
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return solution
    }
}

/// The seven-point Laplacian, per square millimetre; the field is mirrored at the grid's edge.
private struct LaplacianStencil {
    /// Offsets of the neighbours: before and after along each axis.
    typealias Strides = (i0: Int, i1: Int, j0: Int, j1: Int, k0: Int, k1: Int)

    /// The longest stable step down the gradient of the squared Laplacian.
    let stepLength: Float
    private let size: GridSize
    private let wi, wj, wk: Float
    /// Where it is asked for.
    private let runs: MaskRuns

    init(_ grid: GridGeometry, where wanted: Volume<UInt8>) {
        size = grid.size
        runs = wanted.withUnsafeVoxels { [size] in MaskRuns(of: $0.baseAddress!, size: size, rows: 0..<size.j * size.k) }
        let weights = SIMD3<Float>(1 / (grid.spacing * grid.spacing))
        (wi, wj, wk) = (weights.x, weights.y, weights.z)
        let sum = wi + wj + wk
        stepLength = 1 / (16 * sum * sum)
    }

    @inline(__always) func laplacian(of field: UnsafeMutablePointer<Float>, at offset: Int, _ s: Strides) -> Float {
        let twice = 2 * field[offset]
        return wi * (field[offset &+ s.i0] + field[offset &+ s.i1] - twice)
            + wj * (field[offset &+ s.j0] + field[offset &+ s.j1] - twice)
            + wk * (field[offset &+ s.k0] + field[offset &+ s.k1] - twice)
    }

    /// At the wanted voxels.
    @inline(__always) func forEachVoxel(_ body: (Int, Strides) -> Void) {
        let size = size
        let plane = size.i * size.j
        runs.firstRun.withUnsafeBufferPointer { firstRun in
            runs.bounds.withUnsafeBufferPointer { bounds in
                forEachSlab(of: size.j * size.k, slab: 64) { rows in
                    for row in rows where firstRun[row] < firstRun[row &+ 1] {
                        let (j, k) = (row % size.j, row / size.j)
                        let (j0, j1) = mirrored(j, size.j, size.i), (k0, k1) = mirrored(k, size.k, plane)
                        for run in firstRun[row]..<firstRun[row &+ 1] {
                            for i in Int(bounds[2 &* run])..<Int(bounds[2 &* run &+ 1]) {
                                let (i0, i1) = mirrored(i, size.i, 1)
                                body(row &* size.i &+ i, (i0, i1, j0, j1, k0, k1))
                            }
                        }
                    }
                }
            }
        }
    }

    /// The offsets of the neighbours along an axis of `count` voxels, `stride` apart.
    @inline(__always) private func mirrored(_ index: Int, _ count: Int, _ stride: Int) -> (Int, Int) {
        guard count > 1 else { return (0, 0) }
        return (index > 0 ? -stride : stride, index < count &- 1 ? stride : -stride)
    }
}

extension Volume where Voxel == Float {
    fileprivate func combined(with other: Volume, _ combine: (Float, Float) -> Float) -> Volume {
        Volume(geometry: geometry) { target in
            withUnsafeVoxels { a in
                other.withUnsafeVoxels { b in
                    forEachSlab(of: target.count, slab: 1 << 15) { range in
                        for offset in range { target[offset] = combine(a[offset], b[offset]) }
                    }
                }
            }
        }
    }
    fileprivate func replacingNaN(with other: Volume) -> Volume { combined(with: other) { $0 == $0 ? $0 : $1 } }
}
