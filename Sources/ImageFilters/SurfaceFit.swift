import ImagingCore

/// The signed distance to the smooth surface that a binary mask was most likely sampled from.
///
/// Near the surface the field minimises the integral of its squared Laplacian plus the squares of what it misses the mask's edge crossings
/// by, each in units of its standard error. Bending leaves planes and spheres as they are: a distance from a sphere is biharmonic. That is
/// the most probable surface when shapes bend at random, and unlike the smoothest one that keeps every voxel's side it does not
/// lie at the flat end of what the voxels allow. At any point the distance is at most that to the nearest voxel centre outside, and at
/// least minus that to the nearest inside. Around that band the field is held at the distance to the surface so far, and the two steps
/// alternate.
struct SurfaceFit {
    /// Half the width of the band that may move, in units of the thickest voxel.
    private static let bandWidths = Float(ReconstructionWindow.reachInVoxels)
    /// The band leaves out the middle of the object, where a distance has its ridge: this share of the greatest depth.
    private static let ridgeShare: Float = 0.6
    private static let passes = 2, iterations = 30
    private static let coarsePasses = 2, coarseIterations = 60
    /// Coarser grids come first, to this spacing in millimetres and this share of the object's greatest depth, so that broad shapes settle.
    private static let coarsestMM = 3.5, coarsestShare = 0.5
    /// How much a distance from voxel centre to voxel centre exceeds that to the surface, in units of the thickest voxel.
    private static let centreExcess: Float = 0.15

    /// The volumes of a fit, as shares of the mask's, that tell that it did not lose the object.
    private static let trustedVolumes = 0.7...1.4

    let grid: GridGeometry
    /// How many voxels of the window's grid there are in one of `grid`.
    private let step: Int
    /// Millimetres between the mask's voxel centres.
    private let maskSpacing: SIMD3<Double>
    private let maskVolume: Double
    /// Whether the object goes on beyond the grid, so that its volume there is not known.
    private let isCut: Bool
    private let crossings: EdgeCrossings
    /// Bounds of the signed distance: minus the distance to the nearest voxel centre inside, and that to the nearest outside.
    private let lower, upper: Volume<Float>

    private var thickest: Float { Float(maskSpacing.max()) }

    init(to mask: Mask, _ window: ReconstructionWindow) {
        grid = window.grid
        step = 1
        maskSpacing = mask.geometry.spacing
        maskVolume = mask.volumeML * 1000
        isCut = window.isCut
        crossings = EdgeCrossings(of: mask, window)
        lower = Self.sites(of: mask, inside: true, window).distanceToInside().mapped { -$0 }
        upper = Self.sites(of: mask, inside: false, window).distanceToInside().mapped { min($0, .greatestFiniteMagnitude) }
    }

    private init(
        grid: GridGeometry, step: Int, maskSpacing: SIMD3<Double>, maskVolume: Double, isCut: Bool, crossings: EdgeCrossings,
        lower: Volume<Float>, upper: Volume<Float>
    ) {
        (self.grid, self.step, self.maskSpacing, self.maskVolume) = (grid, step, maskSpacing, maskVolume)
        (self.isCut, self.crossings, self.lower, self.upper) = (isCut, crossings, lower, upper)
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
        let fitted = fitted(from: smoothedWithoutShrinking(middle))
        // An object that is a voxel or two thin leaves nothing to bend: smoothing may lose it.
        let volume = fitted.isosurface(at: 0).enclosedVolume
        return Self.trustedVolumes.contains(volume / maskVolume) ? fitted : keepingVolume(middle)
    }

    private func fitted(from start: Volume<Float>) -> Volume<Float> {
        var field = start, steps = [1]
        let coarsestMM = min(Self.coarsestMM, Self.coarsestShare * Double(start.valueRange().upperBound))
        while 2 * Double(steps[0]) * grid.spacing.max() <= coarsestMM { steps.insert(2 * steps[0], at: 0) }
        for step in steps where step > 1 {
            let level = thinned(by: step)
            let coarse = level.refined(
                field.resampled(onto: level.grid, interpolation: .nearest), passes: Self.coarsePasses, iterations: Self.coarseIterations)
            field = coarse.resampled(onto: grid, interpolation: .cubic, outside: .nan).combined(with: field) { $0 == $0 ? $0 : $1 }
        }
        return refined(field, passes: Self.passes, iterations: Self.iterations)
    }

    private func thinned(by step: Int) -> SurfaceFit {
        let coarse = grid.thinned(by: step)
        return SurfaceFit(
            grid: coarse, step: step, maskSpacing: maskSpacing, maskVolume: maskVolume, isCut: isCut, crossings: crossings,
            lower: lower.resampled(onto: coarse, interpolation: .nearest), upper: upper.resampled(onto: coarse, interpolation: .nearest))
    }

    private func refined(_ start: Volume<Float>, passes: Int, iterations: Int) -> Volume<Float> {
        var field = start
        for _ in 0..<passes {
            field = keepingVolume(field)
            let widthMM = Self.bandWidths * max(thickest, 1)
            let bandMM = min(widthMM, Self.ridgeShare * max(0, field.valueRange().upperBound))
            field = distanced(field, bandMM: bandMM)
            let free = field.mapped { abs($0) <= bandMM ? UInt8(1) : 0 }
            let energy = BendingEnergy(free: free, crossings: crossings.seen(by: field, step: step, spacingMM: maskSpacing, free: free))
            energy.minimise(&field, iterations: iterations)
            field = field.combined(with: upper, min).combined(with: lower, max)
        }
        return keepingVolume(field)
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

    /// Shifts the surface along its normals until it encloses the mask's volume, which sampling leaves unbiased; not where the object is
    /// cut.
    private func keepingVolume(_ field: Volume<Float>) -> Volume<Float> {
        guard !isCut else { return field }
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
        // On the finest grid the surface is smooth: every other voxel is enough.
        Self.distance(
            toSurfaceOf: field, near: field, reachMM: bandMM + 2 * Float(grid.spacing.max()), exactMM: step == 1 ? 0 : nil)
    }

    /// The signed distance to the zero surface of `field` at the voxels of `rough` that lie within `reachMM`; `rough` elsewhere.
    ///
    /// - Parameter exactMM: see `SurfaceDistance.signedDistances`; by default three voxels.
    static func distance(
        toSurfaceOf field: Volume<Float>, near rough: Volume<Float>, reachMM: Float, exactMM: Float? = nil
    ) -> Volume<Float> {
        let mesh = field.isosurface(at: 0).open(within: field.geometry)
        guard !mesh.isEmpty else { return rough }
        return SurfaceDistance(mesh).signedDistances(
            near: rough, in: -reachMM...reachMM, exactMM: exactMM ?? 3 * Float(rough.geometry.spacing.max()))
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
}

extension TriangleMesh {
    /// Without the faces beyond the grid's outermost voxel centres that close the surface there: the object goes on.
    fileprivate func open(within grid: GridGeometry) -> TriangleMesh {
        let last = SIMD3(Double(grid.size.i - 1), Double(grid.size.j - 1), Double(grid.size.k - 1)), beyond = 0.25
        let places = vertices.map { grid.continuousIndex($0).ijk }
        let isBeyondAnywhere = places.contains { any($0 .< -beyond) || any($0 .> last + beyond) }
        guard isBeyondAnywhere else { return self }
        return TriangleMesh(vertices: vertices, triangles: triangles.filter { triangle in
            let (a, b, c) = (places[Int(triangle.x)], places[Int(triangle.y)], places[Int(triangle.z)])
            let lowest = pointwiseMax(a, pointwiseMax(b, c)), highest = pointwiseMin(a, pointwiseMin(b, c))
            return !(any(lowest .< -beyond) || any(highest .> last + beyond))
        })
    }
}
